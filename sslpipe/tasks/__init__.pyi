# Written by `python -m sslpipe.core.stubs`.

from sslpipe.tasks.masked_frames import MaskedFrames as MaskedFrames
from sslpipe.tasks.masked_patches import MaskedPatches as MaskedPatches
from sslpipe.tasks.masked_tokens import MaskedTokens as MaskedTokens
from sslpipe.tasks.next_token import NextToken as NextToken
from sslpipe.tasks.two_views import TwoViews as TwoViews
