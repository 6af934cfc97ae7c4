"""A probe that knows a kernel that works from one that doesn't."""

from __future__ import annotations

import pytest

from sslpipe.kernels import probe
from sslpipe.kernels.philox import philox_row


def test_a_kernel_is_compiled_and_its_result_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert probe.probe() > 0
    monkeypatch.setattr(probe, "_WANTED", (0, *probe._WANTED[1:]))
    with pytest.raises(ArithmeticError, match=r"0x6627e8d5.*wanted.*'0x0'"):
        probe.probe()


def test_it_goes_past_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    hits = sum(philox_row.stats.cache_hits.values()) + sum(philox_row.stats.cache_misses.values())  # type: ignore[attr-defined]
    probe.probe()
    assert hits == sum(philox_row.stats.cache_hits.values()) + sum(philox_row.stats.cache_misses.values())  # type: ignore[attr-defined]
