# Written by `python -m sslpipe.core.stubs`.

from sslpipe.maps.normalize_text import NormalizeText as NormalizeText
from sslpipe.maps.tokenize import Tokenize as Tokenize
