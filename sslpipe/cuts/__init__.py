"""Cuts: one row into pieces."""

from sslpipe.core.rooms import lazy_room

__getattr__, __dir__ = lazy_room(__name__, __path__)
