"""Words are held to their oracle in test_text_statistics; here, the sizes that the pieces report."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.kernels.unicode_tables import character_kinds
from sslpipe.kernels.words import ending_size, holds_address, prefix_size, separator_size, stops_at, stops_before, suffix_size


def data(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


@pytest.mark.parametrize(
    ("text", "front", "back"), [("(a)", 1, 1), ("...a..", 3, 2), ("«é»", 2, 2), ("-a.", 0, 1), ("A.", 0, 0), ("AB.", 0, 1)]
)
def test_what_comes_off_the_ends(text: str, front: int, back: int) -> None:
    run = data(text)
    assert prefix_size(run, 0, len(run), character_kinds()) == front
    assert suffix_size(run, 0, len(run), character_kinds()) == back


@pytest.mark.parametrize(
    ("text", "size"), [("isn't", 3), ("isn’t", 5), ("n't", 0), ("it's", 2), ("'s", 0), ("we've", 3), ("cat", 0), ("x't", 0)]
)
def test_english_endings(text: str, size: int) -> None:
    run = data(text)
    assert ending_size(run, 0, len(run)) == size


def test_addresses_and_stops() -> None:
    assert (
        holds_address(data("a://b"), 0, 5) and not holds_address(data("a:/b"), 0, 4) and not holds_address(data("a://"), 0, 3)
    )
    assert stops_at(data("a..b"), 1, 4) == 2 == stops_before(data("a..b"), 0, 3)


def test_a_separator_needs_its_neighbours() -> None:
    kinds = character_kinds()
    run = data("a-b-1")
    assert separator_size(run, 1, 5, kinds[ord("a")], kinds) == 1
    assert separator_size(run, 3, 5, kinds[ord("b")], kinds) == 0
    assert separator_size(run, 1, 2, kinds[ord("a")], kinds) == 0
