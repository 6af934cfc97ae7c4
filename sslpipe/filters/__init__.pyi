# Written by `python -m sslpipe.core.stubs`.

from sslpipe.filters.audio_levels import AudioLevels as AudioLevels
from sslpipe.filters.empty import Empty as Empty
from sslpipe.filters.gopher_quality import GopherQuality as GopherQuality
from sslpipe.filters.image_quality import ImageQuality as ImageQuality
