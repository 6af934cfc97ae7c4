"""Checks for steps of your own: the assertions that the built-in ones are held to."""

from __future__ import annotations

from sslpipe.testing._check import check_task

__all__ = ["check_task"]
