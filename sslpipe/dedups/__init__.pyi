# Written by `python -m sslpipe.core.stubs`.

from sslpipe.dedups.exact import Exact as Exact
