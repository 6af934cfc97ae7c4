# Written by `python -m sslpipe.core.stubs`.

from sslpipe.packs.concatenate import Concatenate as Concatenate
