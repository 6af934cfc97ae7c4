# Written by `python -m sslpipe.core.stubs`.

from sslpipe.cuts.channels import Channels as Channels
