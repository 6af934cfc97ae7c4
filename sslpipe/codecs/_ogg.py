"""The pages of an Ogg file: what it holds, whether it is whole, and where its streams end (RFC 3533)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from sslpipe.codecs.audio_header import MAX_PARTS, Header, Stream, check_facts, truncated, unsupported
from sslpipe.codecs.audio_source import Source
from sslpipe.core.damage import Damage

_LONGEST: Final = 27 + 255 + 255 * 255
_CONTINUED, _FIRST, _LAST = 1, 2, 4
_OPUS_RATES: Final = (8000, 12000, 16000, 24000)
"""What libsndfile decodes Opus to, the next above the rate that was encoded; 48 kHz above the last."""


class _Page(NamedTuple):
    flags: int
    granule: int
    serial: int
    number: int
    body: bytes
    """The first bytes of the body."""
    end: int


@dataclass
class _Link:
    """One stream of a chain."""

    start: int
    serial: int
    codec: str
    rate: int
    channels: int
    skipped: int
    """Samples at 48 kHz that an Opus decoder leaves out at the start."""
    granule: int = 0
    next_page: int = 1
    stop: int = 0

    @property
    def frames(self) -> int:
        if self.codec == "vorbis":
            return self.granule
        return max(0, self.granule - self.skipped) * self.rate // 48_000


def ogg_header(source: Source, verify: bool) -> Header:
    """The facts of an Ogg file of Vorbis or Opus; raises Damage, see `codecs.audio`.

    `verify` looks at the checksum of every page: a decoder would pass over those that are wrong without a word.
    """
    links: list[_Link] = []
    at, open_link, missing = 0, False, None
    while at < source.size:
        if not open_link and links and source.read(at, 4) != b"OggS":
            break  # Tags that some programs append; the stream itself has ended.
        page = _page(source, at, verify)
        if isinstance(page, Damage):
            missing = page
            break
        if not open_link:
            links.append(_begun(page, at))
            if len(links) > MAX_PARTS:
                raise Damage("audio.limit", at, f"more than {MAX_PARTS:,} streams one after another")
            _same(links[0], links[-1], at)
        else:
            _follow(links[-1], page, at)
        open_link = not page.flags & _LAST
        at = links[-1].stop = page.end
    if missing is None and open_link:
        missing = truncated(source.size, "the last page of the stream is not there")
    if not links:
        raise missing or truncated(source.size, "the file ends within its first page")
    if missing is not None and not links[-1].granule:
        links.pop()
        if not links:
            raise missing
    first = links[0]
    frames = sum(link.frames for link in links)
    streams = tuple(Stream(b"", link.start, link.stop) for link in links)
    return Header("ogg", first.codec, first.rate, first.channels, frames, streams, missing=missing)


def _page(source: Source, at: int, verify: bool) -> _Page | Damage:
    """The page at a place, or how the file ends in it."""
    data = source.read(at, _LONGEST if verify else 27 + 255 + 64)
    if data[:4] != b"OggS"[: len(data)]:
        raise Damage("audio.decode", at, "no page where one should begin")
    table = data[27 : 27 + data[26]] if len(data) >= 27 else b""
    body = 27 + len(table)
    size = body + sum(table)
    if len(data) < 27 or len(table) < data[26] or at + size > source.size:
        return truncated(at, "the file ends within a page")
    if data[4] != 0:
        raise Damage("audio.header", at + 4, f"version {data[4]} of Ogg")
    if verify:
        from sslpipe.kernels.ogg_checksum import ogg_checksum

        if ogg_checksum(np.frombuffer(data[:size], np.uint8)) != int.from_bytes(data[22:26], "little"):
            raise Damage("audio.checksum", at, "a page's checksum is wrong")
    granule = int.from_bytes(data[6:14], "little", signed=True)
    serial, number = int.from_bytes(data[14:18], "little"), int.from_bytes(data[18:22], "little")
    return _Page(data[5], granule, serial, number, bytes(data[body : min(size, body + 64)]), at + size)


def _begun(page: _Page, at: int) -> _Link:
    """The stream that a first page begins."""
    body = page.body
    if not page.flags & _FIRST:
        raise Damage("audio.header", at, "the first page of a stream is not there")
    if body.startswith(b"\x01vorbis") and len(body) >= 16:
        channels, rate, codec, skipped = body[11], int.from_bytes(body[12:16], "little"), "vorbis", 0
    elif body.startswith(b"OpusHead") and len(body) >= 19:
        channels, codec, skipped = body[9], "opus", int.from_bytes(body[10:12], "little")
        given = int.from_bytes(body[12:16], "little")
        rate = next((rate for rate in _OPUS_RATES if given <= rate), 48_000)
    else:
        raise unsupported(f"Ogg with {bytes(body[:8])!r}")
    check_facts(rate, channels, at + 28)
    return _Link(at, page.serial, codec, rate, channels, skipped, next_page=page.number + 1)


def _same(first: _Link, link: _Link, at: int) -> None:
    wanted, found = ((each.codec, each.rate, each.channels) for each in (first, link))
    if wanted != found:
        raise Damage("audio.stream_change", at, f"a stream of {found} follows one of {wanted}")


def _follow(link: _Link, page: _Page, at: int) -> None:
    if page.flags & _FIRST or page.serial != link.serial:
        raise unsupported("Ogg with several streams side by side")
    if page.number != link.next_page & 0xFFFFFFFF:
        raise Damage("audio.decode", at, f"page {page.number} where {link.next_page} should be")
    link.next_page = page.number + 1
    if page.granule > 0:
        link.granule = page.granule
