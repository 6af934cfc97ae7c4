"""Sizes are exact, and what is no size says how one is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.core.units import SYNTAX, parse_bytes

UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@given(st.integers(0, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]))
def test_a_whole_number_of_units(count: int, unit: str, space: str) -> None:
    assert parse_bytes(f"{count}{space}{unit}") == count * UNITS[unit]
    assert parse_bytes(count) == count


def test_fractions_are_exact() -> None:
    assert parse_bytes("1.5GiB") == 3 * 2**29
    assert parse_bytes("0.1GB") == 100_000_000
    assert parse_bytes("9007199.254740993GB") == 9007199254740993


@pytest.mark.parametrize(
    "value", ["10 GBB", "10", "MB", "-1MB", "1e3MB", "1,5MB", "10mb", "", "nanMB", True, None, 1.5, [1], "1" * 99 + "B"]
)
def test_other_things_are_told_the_syntax(value: object) -> None:
    with pytest.raises(ValueError) as caught:
        parse_bytes(value)
    assert str(caught.value) == f"wanted {SYNTAX}"


@pytest.mark.parametrize("value", [-1, 2**63, "0.0001kB", "999999999999999999TB"])
def test_bytes_are_whole_and_fit_an_index(value: object) -> None:
    with pytest.raises(ValueError, match=r"^wanted a whole number of bytes, at least 0 and below 2\^63$"):
        parse_bytes(value)
