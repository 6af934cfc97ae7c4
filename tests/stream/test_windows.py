"""Windows tile the sequence, whatever the tail."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.stream.windows import Windows

WINDOWS = st.builds(
    lambda size, more, tail: Windows(size + more, size, tail),
    st.integers(1, 30),
    st.integers(0, 200),
    st.sampled_from(["carry", "drop"]),
)


def passes(windows: Windows, start: int, count: int) -> list[list[int]]:
    found = []
    for _ in range(count):
        found.append([start + step * windows.size for step in range(windows.left(start))])
        start = windows.end(start)
    return found


@settings(max_examples=200, deadline=None)
@given(WINDOWS, st.integers(0, 5))
def test_passes_are_the_windows_that_start_in_an_epoch(windows: Windows, epoch: int) -> None:
    starts = passes(windows, windows.settle(windows.epoch_start(epoch)), 4)
    flat = [n for starts_of_one in starts for n in starts_of_one]
    for number, starts_of_one in enumerate(starts):
        assert {windows.epoch(n) for n in starts_of_one} == {epoch + number}
        assert len(starts_of_one) == windows.left(starts_of_one[0]) >= 1
    assert [windows.after(n) for n in flat[:-1]] == flat[1:]
    if windows.tail == "carry":
        assert flat == list(range(flat[0], flat[-1] + 1, windows.size))
    else:
        steps = windows.rows // windows.size
        assert [n - windows.rows * windows.epoch(n) for n in flat] == [s * windows.size for s in range(steps)] * 4


@settings(max_examples=200, deadline=None)
@given(WINDOWS, st.integers(0, 10**6))
def test_a_pass_goes_on_from_any_place(windows: Windows, n: int) -> None:
    start = windows.settle(n)
    assert start >= n
    assert windows.settle(start) == start
    (starts,) = passes(windows, start, 1)
    assert starts and windows.after(starts[-1]) == windows.end(start)
    assert all(windows.end(inner) == windows.end(start) for inner in starts)
    assert windows.steps(start) >= len(starts)


def test_windows_larger_than_an_epoch_carry_on() -> None:
    windows = Windows(5, 12, "carry")
    assert passes(windows, 0, 3) == [[0], [12], [24]]


def test_steps_of_an_epoch() -> None:
    assert [Windows(10, 4, "drop").steps(n) for n in (0, 4, 10)] == [2, 2, 2]
    assert [Windows(10, 4, "carry").steps(n) for n in (0, 4, 8, 12, 16)] == [3, 3, 3, 2, 2]
