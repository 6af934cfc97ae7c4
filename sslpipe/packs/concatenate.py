"""Documents laid end to end and cut every `length` tokens."""

from __future__ import annotations

import threading
from typing import Any, Literal, Self

import numpy as np
import pydantic
from numpy.typing import NDArray

from sslpipe.core.documents import Documents
from sslpipe.core.errors import DataError, RecipeError, SslpipeError
from sslpipe.core.fields import Field, Fields, Vocabulary
from sslpipe.core.names import WHOLE, Names
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Pack, Packer, pick_field


class Concatenate(Pack):
    """Rows without padding: the tape of a shard's documents, in stored order, cut every `length` tokens (GPT-2, GPT-3).

    Nothing is padded and nothing computed in vain, but documents are cut anywhere (`packs.best_fit`, to come, cuts few).
    Each epoch moves the cuts by a shift below `length`. So that the number of rows knows no epoch, a shard loses fewer than
    `2 * length` tokens at its ends, others each epoch; `remainder: pad` loses none and never moves.
    """

    length: int = pydantic.Field(default=1024, ge=2, le=2**30)
    """Tokens a row (1024 is GPT-2's)."""
    field: str | None = None
    """The field of ids; by default the only one."""
    separator: Literal["eos", "none"] = "eos"
    """What follows each document: one end token, or nothing."""
    remainder: Literal["drop", "pad"] = "drop"
    """What becomes of a last piece shorter than a row."""
    documents: Literal["separate", "joined"] = "separate"
    """Whether rows say by `document_ids` where documents end, so that attention and positions can stop there (Llama 3), or not,
    as GPT-2 and BERT were trained; joined batches are half the size."""

    @pydantic.model_validator(mode="after")
    def _padding_is_known(self) -> Self:
        if self.documents == "joined" and self.remainder == "pad":
            raise ValueError("`documents: joined` leaves nothing that says where padding is; take `remainder: drop` with it")
        return self

    def outputs(self, fields: Fields) -> Fields:
        """`ids` of one length, and unless joined `document_ids`, which count 0, 1, ... in the row and are -1 on padding."""
        name = pick_field(self, fields, "ids", self.field)
        if not fields[name].ragged:
            raise RecipeError(f"{self.path()}: field `{name}` has rows of one shape {fields[name].shape} already; pack once")
        vocabulary = fields[name].vocabulary
        if vocabulary is not None:
            self._separator_id(vocabulary)
        shape = (self.length,)
        ids = Field(kind="ids", dtype=fields[name].dtype, shape=shape, vocabulary=vocabulary)
        if self.documents == "joined":
            return {"ids": ids}
        return {"ids": ids, "document_ids": Field(kind="array", dtype="int32", shape=shape)}

    def count(self, lengths: NDArray[np.int64]) -> int:
        """Rows that documents of these lengths give, whatever the shift."""
        tokens = int(lengths.sum()) + len(lengths) * self._separators
        return max(0, tokens // self.length - 1) if self.remainder == "drop" else -(-tokens // self.length)

    def period(self) -> int:
        """`length`, or 1 where the last row is padded."""
        return self.length if self.remainder == "drop" else 1

    def open(self, context: Context) -> Packer:
        """The pack without documents; raises RecipeError where it needs an end token and the tokenizer has none."""
        name = pick_field(self, context.fields, "ids", self.field)
        vocabulary = context.fields[name].vocabulary
        if vocabulary is None and self.separator == "eos":
            raise RecipeError(
                f"{self.path()}: nothing is known of the tokenizer behind field `{name}`, so its end token isn't either; "
                "set `separator: none`"
            )
        vocabulary = vocabulary or Vocabulary(size=2**32)
        separator = self._separator_id(vocabulary)
        return _Packer(self, separator, _padding_id(vocabulary))

    @property
    def _separators(self) -> int:
        return 1 if self.separator == "eos" else 0

    def _separator_id(self, vocabulary: Vocabulary) -> int:
        if self.separator == "none":
            return 0
        if vocabulary.eos is None:
            raise RecipeError(
                f"{self.path()}: `separator: eos` needs an end token, and the tokenizer has none by a usual name; "
                "name it by `eos:` on maps.tokenize, or set `separator: none`"
            )
        return vocabulary.eos


def _padding_id(vocabulary: Vocabulary) -> int:
    """What stands at padding. It has no meaning (padding is known by its place), but should be an id that every model takes."""
    if vocabulary.pad is not None:
        return vocabulary.pad
    return vocabulary.eos if vocabulary.eos is not None else 0


class _Packer:
    """Addresses of the documents of each shard.

    `add` and `pack` may run in several threads at once: a line of the table is written before its shard is known, and a table
    that grows is replaced, so a running `pack` keeps its own.
    """

    def __init__(self, step: Concatenate, separator: int, padding: int) -> None:
        from sslpipe.kernels.concatenate import COLUMNS

        self._step, self._separator, self._padding = step, separator, padding
        self._lock = threading.Lock()
        self._table = np.zeros((64, len(COLUMNS)), np.uint64)
        self._rows = np.full(64, -1, np.int64)
        self._alive: dict[int, tuple[NDArray[Any], ...]] = {}
        self._dtype: np.dtype[Any] | None = None

    def add(self, shard: int, documents: Documents) -> None:
        """Make the documents of a shard known; a start of -1 marks a hole, an erased document that leaves padding."""
        self._check(shard, documents)
        names, lengths = documents.names, documents.lengths
        ends = np.cumsum(lengths + self._step._separators, dtype=np.int64)
        starts = np.ascontiguousarray(documents.starts, np.int64)
        high, low = np.ascontiguousarray(names.high, np.uint64), np.ascontiguousarray(names.low, np.uint64)
        kept = (documents.data, starts, ends, high, low, np.ascontiguousarray(names.occurrence, np.uint32))
        line = np.array([*(array.ctypes.data for array in kept), len(lengths)], np.uint64)
        with self._lock:
            if shard in self._alive:
                raise SslpipeError(f"{self._step.path()}: shard {shard} was added before")
            if self._dtype not in (None, documents.dtype):
                raise DataError(
                    f"{self._step.path()}: shard {shard} holds ids of {documents.dtype}, earlier shards {self._dtype}"
                )
            self._dtype = documents.dtype
            self._alive[shard] = kept
            self._grow(shard + 1)
            self._table[shard] = line
            self._rows[shard] = self._step.count(lengths)

    def _grow(self, size: int) -> None:
        if size <= len(self._table):
            return
        size = max(size, 2 * len(self._table))
        table, rows = np.zeros((size, self._table.shape[1]), np.uint64), np.full(size, -1, np.int64)
        table[: len(self._table)], rows[: len(self._rows)] = self._table, self._rows
        self._table, self._rows = table, rows

    def _check(self, shard: int, documents: Documents) -> None:
        """All that the kernel believes."""
        where = f"{self._step.path()}: shard {shard}"
        if shard < 0:
            raise SslpipeError(f"{where}: numbers of shards start at 0")
        if documents.dtype not in (np.uint16, np.uint32):
            raise DataError(f"{where} holds {documents.dtype}, wanted ids of uint16 or uint32")
        if documents.data.dtype != np.uint8 or not documents.data.flags.c_contiguous:
            raise SslpipeError(f"{where}: the documents should lie in one piece of uint8, they lie in {documents.data.dtype}")
        starts, lengths = documents.starts, documents.lengths
        if not len(documents.names) == len(starts) == len(lengths):
            raise SslpipeError(f"{where}: {len(documents.names)} names, {len(starts)} starts, {len(lengths)} lengths")
        if (documents.names.offset != WHOLE).any():
            raise SslpipeError(f"{where} holds pieces of a pack; a second pack would give two rows one name")
        room = (len(documents.data) - starts) // documents.dtype.itemsize
        if ((lengths < 0) | (lengths > room) | (starts < -1)).any():
            raise DataError(f"{where}: a document lies outside the shard's {len(documents.data):,} bytes")

    def pack(self, shards: NDArray[np.int64], rows: NDArray[np.int64], shifts: NDArray[np.int64]) -> Rows:
        """Row `rows[i]` of shard `shards[i]`, moved by `shifts[i]`: `ids` and `document_ids`, `[n, length]`."""
        from sslpipe.kernels.concatenate import concatenate_rows

        known = self._rows  # before the table, which is written first: what is known here lies in the table
        table = self._table
        self._check_wanted(known, shards, rows, shifts)
        count, length = len(shards), self._step.length
        ids = np.empty((count, length), self._dtype or np.uint16)
        joined = self._step.documents == "joined"
        documents = np.empty((count, 0 if joined else length), np.int32)
        names = Names(
            np.empty(count, np.uint64), np.empty(count, np.uint64), np.empty(count, np.uint32), np.empty(count, np.int64)
        )
        positions = np.asarray(rows, np.int64) * length + shifts
        concatenate_rows(
            table, np.ascontiguousarray(shards, np.int64), positions, self._step._separators, self._separator, self._padding,
            ids, documents, names.high, names.low, names.occurrence, names.offset,
        )  # fmt: skip
        return Rows(names, {"ids": ids} if joined else {"ids": ids, "document_ids": documents})

    def _check_wanted(self, known: NDArray[np.int64], shards: NDArray[Any], rows: NDArray[Any], shifts: NDArray[Any]) -> None:
        where = self._step.path()
        if not len(shards) == len(rows) == len(shifts):
            raise SslpipeError(f"{where}: {len(shards)} shards, {len(rows)} rows, {len(shifts)} shifts were asked for")
        if ((shards < 0) | (shards >= len(known))).any() or (known[shards] < 0).any():
            raise SslpipeError(f"{where}: rows of a shard were asked for that was never added")
        if ((rows < 0) | (rows >= known[shards])).any():
            raise SslpipeError(f"{where}: a row was asked for beyond the last one of its shard")
        if ((shifts < 0) | (shifts >= self._step.period())).any():
            raise SslpipeError(f"{where}: a shift was asked for that isn't below {self._step.period()}")
