# Written by `python -m sslpipe.core.stubs`.

from sslpipe.readers.audio import Audio as Audio
from sslpipe.readers.images import Images as Images
from sslpipe.readers.jsonl import Jsonl as Jsonl
from sslpipe.readers.listing import Listing as Listing
from sslpipe.readers.parquet import Parquet as Parquet
from sslpipe.readers.stems import Stems as Stems
from sslpipe.readers.text import Text as Text
from sslpipe.readers.webdataset import WebDataset as WebDataset
