"""Rows of text for tests."""

from __future__ import annotations

import numpy as np

from sslpipe.core.fields import Field
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows
from sslpipe.core.steps import Context

TEXT = {"text": Field(kind="text")}


def text_context() -> Context:
    return Context(fields=TEXT)


def rows_of(**columns: Column) -> Rows:
    count = len(next(iter(columns.values())))
    keys = np.arange(count, dtype=np.uint64)
    return Rows(Names.from_keys(keys, keys), columns)


def text_rows(texts: list[str]) -> Rows:
    return rows_of(text=Ragged.from_texts(texts))
