"""Fits: learn an artefact from a sample of the corpus."""

from sslpipe.core.rooms import lazy_room

__getattr__, __dir__ = lazy_room(__name__, __path__)
