"""Visible is what `str.strip` leaves."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.ragged import Ragged
from sslpipe.kernels.visible import visible


@settings(deadline=None)
@given(st.lists(st.text(st.sampled_from(" \n\t\x1f\x85\u2028\u3000\u200ba\x00"), max_size=5)))
def test_visible_is_what_strip_leaves(texts: list[str]) -> None:
    column = Ragged.from_texts(texts)
    assert visible(column.values, column.offsets).tolist() == [bool(text.strip()) for text in texts]
