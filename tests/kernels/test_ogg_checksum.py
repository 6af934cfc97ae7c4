"""The checksum of a page is the one that libogg writes into it."""

from __future__ import annotations

import numpy as np

from sslpipe.kernels.ogg_checksum import ogg_checksum
from tests.badinputs.audio import good


def pages(ogg: bytes) -> list[bytes]:
    """A file cut at its pages."""
    found, at = [], 0
    while at < len(ogg):
        table = ogg[at + 27 : at + 27 + ogg[at + 26]]
        end = at + 27 + len(table) + sum(table)
        found.append(ogg[at:end])
        at = end
    return found


def test_every_page_has_its_checksum() -> None:
    for name in ("vorbis.ogg", "opus.opus"):
        found = pages(good()[name])
        assert len(found) >= 3
        for page in found:
            assert ogg_checksum(np.frombuffer(page, np.uint8)) == int.from_bytes(page[22:26], "little")


def test_any_changed_byte_changes_it_but_those_of_its_field() -> None:
    page = np.frombuffer(pages(good()["vorbis.ogg"])[0], np.uint8)
    whole = ogg_checksum(page)
    same = []
    for place in range(len(page)):
        changed = page.copy()
        changed[place] ^= 0x20
        if ogg_checksum(changed) == whole:
            same.append(place)
    assert same == [22, 23, 24, 25]
