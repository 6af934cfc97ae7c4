"""Columns to one batch: what depends on the whole batch is made here, and nothing is drawn."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sslpipe.codecs.encoded import pictures, sounds
from sslpipe.core.fields import ENCODED, Fields, Kind
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Column, Rows

IGNORED = -100
"""The label of what is no target."""

_LEADING = ("input_ids", "ids")
"""Whose lengths the attention mask shows, where rows differ in length."""


def collate(rows: Rows, fields: Fields, with_keys: bool = False) -> dict[str, Any]:
    """A batch of numpy arrays, and of lists for text, meta, pictures (uint8 `[H, W, 3]`) and sound (float32 `[channels, n]`).

    Ragged columns are padded to the longest row of the batch: ids with the pad id of their vocabulary (0 if none), labels with
    -100, `document_ids` with -1, others with 0. `attention_mask`, int64 `[B, L]`, is added where that happened, or where a
    packed row holds padding; `cu_seqlens`, int32, and `max_seqlen` where there are `document_ids`. Raw `ids` are widened to
    int64 here, since torch can compute little in uint16.
    """
    batch: dict[str, Any] = {}
    lengths: dict[str, NDArray[np.int64]] = {}
    for name in rows.columns:
        if name.startswith("_"):
            continue
        column = rows[name]
        kind = fields[name].kind if name in fields else "array"
        if kind in ("text", "meta", *ENCODED) and isinstance(column, Ragged):
            batch[name] = _decoded(rows, name, kind)
            continue
        batch[name] = _padded(column, _padding(name, fields))
        if kind == "ids":
            batch[name] = batch[name].astype(np.int64, copy=False)
        if isinstance(column, Ragged) and (column.lengths != batch[name].shape[1]).any():
            lengths[name] = column.lengths
    real = _real(batch, lengths)
    if real is not None:
        batch["attention_mask"] = real.astype(np.int64)
    if "document_ids" in batch:
        batch["cu_seqlens"], batch["max_seqlen"] = sequence_ends(batch["document_ids"])
    if with_keys:
        batch["__key__"] = rows.names.texts()
    return batch


def _padding(name: str, fields: Fields) -> int:
    if name == "labels":
        return IGNORED
    if name == "document_ids":
        return -1
    own = fields[name].vocabulary if name in fields and fields[name].kind == "ids" else None
    vocabulary = own or (_only_vocabulary(fields) if name in _LEADING else None)
    return vocabulary.pad if vocabulary is not None and vocabulary.pad is not None else 0


def _only_vocabulary(fields: Fields) -> Any:
    return next((field.vocabulary for field in fields.values() if field.vocabulary is not None), None)


def _decoded(rows: Rows, name: str, kind: Kind) -> list[Any]:
    if kind == "image":
        return pictures(rows, name).values()
    if kind == "audio":
        return [sound.samples for sound in sounds(rows, name).values()]
    column = rows.ragged(name)
    return column.to_texts() if kind == "text" else [json.loads(row) for row in column.to_bytes()]


def _padded(column: Column, padding: int) -> NDArray[Any]:
    if not isinstance(column, Ragged):
        return np.require(column, requirements=["C", "W"])
    lengths = column.lengths
    longest = int(lengths.max(initial=0))
    first, last = int(column.offsets[0]), int(column.offsets[-1])
    values = column.values[first:last]
    if len(values) == longest * len(column):
        return np.require(values.reshape(len(column), longest), requirements=["C", "W"])
    from sslpipe.kernels.collate import pad_rows

    out = np.empty((len(column), longest), _wide_enough(values.dtype, padding))
    pad_rows(np.ascontiguousarray(values), column.offsets - first, padding, out)
    return out


def _wide_enough(dtype: np.dtype[Any], padding: int) -> np.dtype[Any]:
    fits = dtype.kind not in "iu" or np.iinfo(dtype).min <= padding <= np.iinfo(dtype).max
    return dtype if fits else np.dtype(np.int64)


def _real(batch: dict[str, Any], lengths: dict[str, NDArray[np.int64]]) -> NDArray[np.bool_] | None:
    """Which places hold real elements, or None where all do."""
    real = None
    name = next((name for name in (*_LEADING, *lengths) if name in lengths), None)
    if name is not None:
        real = np.arange(batch[name].shape[1]) < lengths[name][:, None]
    documents = batch.get("document_ids")
    if documents is not None and not (held := documents != -1).all():
        real = held if real is None or real.shape != held.shape else real & held
    return real


def sequence_ends(documents: NDArray[np.int32]) -> tuple[NDArray[np.int32], int]:
    """Ends of the documents of a batch laid end to end without padding, int32, from 0 to the real tokens; and the longest."""
    from sslpipe.kernels.collate import document_ends

    ends = np.empty(documents.size + 1, np.int32)
    written, longest = document_ends(np.ascontiguousarray(documents, np.int32), ends)
    return ends[:written].copy(), int(longest)
