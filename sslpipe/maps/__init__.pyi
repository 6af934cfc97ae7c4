# Written by `python -m sslpipe.core.stubs`.

from sslpipe.maps.encode_flac import EncodeFlac as EncodeFlac
from sslpipe.maps.encode_jpeg import EncodeJpeg as EncodeJpeg
from sslpipe.maps.encode_png import EncodePng as EncodePng
from sslpipe.maps.normalize_text import NormalizeText as NormalizeText
from sslpipe.maps.resample_audio import ResampleAudio as ResampleAudio
from sslpipe.maps.resize_image import ResizeImage as ResizeImage
from sslpipe.maps.tokenize import Tokenize as Tokenize
