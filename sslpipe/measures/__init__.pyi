# Written by `python -m sslpipe.core.stubs`.

from sslpipe.measures.audio_levels import AudioLevels as AudioLevels
from sslpipe.measures.blank import Blank as Blank
from sslpipe.measures.image_quality import ImageQuality as ImageQuality
from sslpipe.measures.text_statistics import TextStatistics as TextStatistics
