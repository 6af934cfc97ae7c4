"""Documents say where the rows of a column lie."""

from __future__ import annotations

import numpy as np
from core_support import raggeds, random_names
from hypothesis import given

from sslpipe.core.documents import Documents
from sslpipe.core.ragged import Ragged


def _read(documents: Documents) -> list[bytes]:
    sizes = documents.lengths * documents.dtype.itemsize
    return [documents.data[a : a + n].tobytes() for a, n in zip(documents.starts, sizes, strict=True)]


@given(raggeds())
def test_documents_of_a_column_are_its_rows(column: Ragged) -> None:
    documents = Documents.from_ragged(random_names(len(column)), column)
    assert _read(documents) == column.to_bytes()
    assert documents.dtype == column.values.dtype
    assert documents.lengths.tolist() == column.lengths.tolist()


def test_starts_in_elements_are_caught() -> None:
    column = Ragged.from_lengths(np.array([1, 2, 3], np.uint16), np.array([1, 2]))
    documents = Documents.from_ragged(random_names(2), column)
    mutant = Documents(documents.names, documents.data, column.offsets[:-1], documents.lengths, documents.dtype)
    assert _read(documents) == column.to_bytes() != _read(mutant)
