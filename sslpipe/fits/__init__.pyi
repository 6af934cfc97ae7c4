# Written by `python -m sslpipe.core.stubs`.

from sslpipe.fits.byte_level_bpe import ByteLevelBpe as ByteLevelBpe
