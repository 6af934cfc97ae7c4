"""Maps: change rows, one out for each one in."""

from sslpipe.core.rooms import lazy_room

__getattr__, __dir__ = lazy_room(__name__, __path__)
