# Written by `python -m sslpipe.core.stubs`.
