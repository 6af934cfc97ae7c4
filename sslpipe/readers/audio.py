"""Files of sound, one row each, or one for each window of a long one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Self

import numpy as np
import pydantic
from pydantic import PositiveInt

from sslpipe.core.damage import Damage
from sslpipe.core.encoded import Encoded
from sslpipe.core.fields import Field, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import BadSink, Part, Reader
from sslpipe.readers._batch import Batch
from sslpipe.readers._fields import AUDIO_SUFFIXES
from sslpipe.readers._file_meta import file_meta
from sslpipe.readers._files import bundled, discover, split_suffix
from sslpipe.readers._open import RAW_BYTES, OpenFile, bad_record, opened
from sslpipe.readers._windows import windows_of

if TYPE_CHECKING:
    from sslpipe.codecs.audio import Sound
    from sslpipe.codecs.audio_source import Source

_DECODED: Final = 64 << 20
"""Bytes of samples in a batch, from which a further row opens another."""

Seconds = Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]


class _Record(NamedTuple):
    place: int
    data: bytes
    sound: Sound


class Audio(Reader):
    """Reads sound files, each as one row with a field `audio` that holds the bytes of the file as they are.

    Files in folders and globs are claimed by suffix: `.wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc`; a file that `paths`
    names itself is always read, so that an `.m4a` is an entry of the quarantine then (`audio.unsupported_codec`) and is only
    counted otherwise. Content decides what a file is. Each is decoded when it is read, so that damage is known by the file and
    its place; the samples go along with the rows, and the first steps needn't decode them again.

    The reasons of what can't be read are those of `codecs.audio`, `io.*`, `record_too_large`, and `audio.too_long`.
    """

    keep: tuple[Literal["path", "folder"], ...] = ()
    """What goes into `meta`, as strings, bytes that aren't UTF-8 as `\\xNN`: `path`, the file's absolute path; `folder`, the
    name of the folder that it lies in, for `splits: {by: folder}`. Folders of one name are one group, wherever they lie."""
    max_record_bytes: PositiveInt = 64 << 20
    """Largest file that is held in memory, and so the largest whose bytes can be a row. With `window_s`, larger ones are read
    in windows from the disk."""
    max_seconds: Seconds = 3600
    """Longest row. An hour of mono at 16 kHz is 230 MB of samples in memory."""
    max_rate: PositiveInt = 192_000
    """Highest rate, in samples a second; a higher one is more often a mistake in the header than a recording."""
    max_channels: PositiveInt = 8
    """Most channels; 8 is what FLAC holds."""
    window_s: Seconds | None = None
    """Seconds of a window. A file of one and a half windows or more is divided: each window is a row, stored without loss (as
    FLAC where the file holds 16 or 24 bits, else as WAV of 32-bit floats, which for lossy files is some ten times their size),
    and its `_place` is its number. A rest shorter than half a window belongs to the last one. None: a file is a row."""
    keep_prefix: bool = False
    """Of a file that ends too early, whether what is there becomes a row, stored without loss, instead of going to the
    quarantine as `audio.truncated`."""

    def parts(self, part_bytes: int) -> list[Part]:
        """See `Reader.parts`; raises RecipeError for a path that leads to nothing."""
        return bundled(discover(self.paths, _claims), part_bytes)

    def claimed(self) -> tuple[str, ...]:
        """See `Reader.claimed`."""
        return AUDIO_SUFFIXES

    def unclaimed(self) -> Mapping[str, int]:
        """How many files are not read, by suffix or by another reason: `hidden`, `same_file`, `not_regular_file`."""
        return discover(self.paths, _claims).skipped

    def outputs(self, fields: Fields) -> Fields:
        """`audio`, of any format, rate and channels, and `meta` if something is kept."""
        return {"audio": Field(kind="audio")} | ({"meta": Field(kind="meta")} if self.keep else {})

    @pydantic.model_validator(mode="after")
    def _windows_are_rows(self) -> Self:
        if self.window_s is not None and self.window_s * 1.5 > self.max_seconds:
            raise ValueError(
                f"window_s {self.window_s:g} makes rows of up to {self.window_s * 1.5:g} seconds, above max_seconds "
                f"{self.max_seconds:g}"
            )
        return self

    def read(self, part: Part, bad: BadSink) -> Iterator[Rows]:
        """See `Reader.read`; batches of at most 8 MiB, 4096 rows, or 64 MiB of samples, a larger row alone.

        Where a file is damaged after some of its windows, those are kept and one entry stands for the rest.
        """
        batch, sounds, decoded = Batch(("audio",), bool(self.keep)), list[Any](), 0
        for number, name in enumerate(part.files):
            meta = [file_meta(name, self.keep)] if self.keep else []
            for place, data, sound in self._records(part, number, name, bad):
                payloads = [data, *meta]
                if not batch.has_room(payloads) or (sounds and decoded + sound.samples.nbytes > _DECODED):
                    yield _rows(batch, sounds)
                    sounds, decoded = [], 0
                batch.add(number, place, payloads)
                sounds.append(sound)
                decoded += sound.samples.nbytes
        if len(batch):
            yield _rows(batch, sounds)

    def _records(self, part: Part, number: int, name: str, bad: BadSink) -> Iterator[_Record]:
        """The rows of a file; what can't be read goes to `bad`."""
        given = 0
        try:
            try:
                for record in self._file(part, number, prefix=False):
                    yield record
                    given += 1
            except Damage as damage:
                if not (self.keep_prefix and damage.cut):
                    raise
                yield from itertools.islice(self._file(part, number, prefix=True), given, None)
        except Damage as damage:
            bad(bad_record(name, damage, f"window {given}" if given else None, _kept(part, number)))

    def _file(self, part: Part, number: int, prefix: bool) -> Iterator[_Record]:
        """The rows of a file; `prefix` takes what is there of one that is cut off."""
        size = part.sizes[number]
        if size > self.max_record_bytes and self.window_s is None:
            limit = f"{self.max_record_bytes:,}"
            raise Damage("record_too_large", self.max_record_bytes, f"more than `max_record_bytes`, which is {limit}")
        last = failed = None
        with opened(part, number) as file:
            try:
                for record in self._divided(file, size, prefix):
                    if last is not None:
                        yield last
                    last = record
            except Damage as damage:
                failed = damage
        if last is not None:  # Only now is it known that the file has not changed meanwhile.
            yield last
        if failed is not None:
            raise failed

    def _divided(self, file: OpenFile, size: int, prefix: bool) -> Iterator[_Record]:
        """The rows of an open file; one that is a single row keeps its bytes."""
        from sslpipe.codecs.audio import AudioCodec
        from sslpipe.codecs.audio_source import InFile, InMemory

        fits = size <= self.max_record_bytes
        data = bytes(InFile(file, size).read(0, size)) if fits else b""
        sounds = self._sounds(InMemory(data) if fits else InFile(file, size), prefix)
        first, second = next(sounds), next(sounds, None)
        is_file = second is None and fits and not prefix
        yield _Record(0, data if is_file else AudioCodec().encode(first), first)
        for place, sound in enumerate(sounds if second is None else itertools.chain([second], sounds), 1):
            yield _Record(place, AudioCodec().encode(sound), sound)

    def _sounds(self, source: Source, prefix: bool) -> Iterator[Sound]:
        """The samples of a file, divided as they should be; raises Damage."""
        from sslpipe.codecs.audio import Sound
        from sslpipe.codecs.audio_header import MAX_BYTES, too_large
        from sslpipe.codecs.audio_stream import blocks, header_of, prefix_blocks

        header = header_of(source)
        if header.rate > self.max_rate:
            raise Damage("audio.rate", 0, f"{header.rate:,} samples a second; `max_rate` is {self.max_rate:,}")
        if header.channels > self.max_channels:
            raise Damage("audio.channels", 0, f"{header.channels} channels; `max_channels` is {self.max_channels}")
        longest = int(Fraction(repr(self.max_seconds)) * header.rate)
        size = longest if self.window_s is None else max(1, round(Fraction(repr(self.window_s)) * header.rate))
        if self.window_s is None and header.frames > longest:
            raise self._too_long(header.frames, header.rate)
        if (most := 6 * min(size, header.frames) * header.channels) > MAX_BYTES:
            raise too_large(most)
        samples = prefix_blocks(source, header) if prefix else blocks(source, header)
        for place, window in enumerate(windows_of(samples, size)):
            if self.window_s is None and (place or len(window) > longest):
                raise self._too_long(place * size + len(window), header.rate)
            yield Sound(np.ascontiguousarray(window.T), header.rate)

    def _too_long(self, frames: int, rate: int) -> Damage:
        return Damage(
            "audio.too_long",
            0,
            f"{frames / rate:,.1f} seconds; `max_seconds` is {self.max_seconds:g}, `window_s` divides files",
        )


def _kept(part: Part, number: int) -> bytes:
    """The bytes of a small file that couldn't be read, for the quarantine; none where it is large, or is gone."""
    if part.sizes[number] > RAW_BYTES:
        return b""
    try:
        with opened(part, number) as file:
            return file.read(RAW_BYTES)
    except Damage:
        return b""  # Why it can't be read is told by the damage that led here.


def _rows(batch: Batch, sounds: list[Sound]) -> Rows:
    """The batch with its sounds decoded already."""
    from sslpipe.codecs.audio import AudioCodec

    rows = batch.flush()
    return rows.with_columns(audio=Encoded.of(rows.ragged("audio"), AudioCodec()).knowing(sounds))


def _claims(name: str) -> bool:
    suffix, compression = split_suffix(name)
    return suffix in AUDIO_SUFFIXES and not compression
