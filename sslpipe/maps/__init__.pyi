# Written by `python -m sslpipe.core.stubs`.

from sslpipe.maps.encode_flac import EncodeFlac as EncodeFlac
from sslpipe.maps.normalize_text import NormalizeText as NormalizeText
from sslpipe.maps.resample_audio import ResampleAudio as ResampleAudio
from sslpipe.maps.tokenize import Tokenize as Tokenize
