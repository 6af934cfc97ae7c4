"""FLAC frames are found and counted as a decoder counts them, and the first that isn't sound ends the count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.kernels.flac_frames import flac_frames, later_header
from tests.badinputs.audio import made, tone


def frames_only(flac: bytes) -> np.ndarray:
    """A file without its metadata."""
    at = 4
    while True:
        last, size = flac[at] & 0x80, int.from_bytes(flac[at + 1 : at + 4], "big")
        at += 4 + size
        if last:
            return np.frombuffer(flac[at:], np.uint8)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 30_000), st.integers(1, 4), st.sampled_from([0.0, 0.25, 0.625, 1.0]), st.sampled_from([8000, 12_345, 48_000])
)
def test_all_samples_are_counted(frames: int, channels: int, level: float, rate: int) -> None:
    data = frames_only(made("FLAC", "PCM_16", tone(frames, channels), rate, compression_level=level))
    assert flac_frames(data, True) == (frames, len(data))


def test_many_frames_have_long_numbers() -> None:
    frames = 2200 * 1152 + 17  # numbers of one, two and three bytes
    data = frames_only(made("FLAC", "PCM_16", np.zeros((frames, 1)), compression_level=0.0))
    assert flac_frames(data, True) == (frames, len(data))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 7))
def test_the_count_ends_at_the_frame_that_was_changed(seed: int, bit: int) -> None:
    data = frames_only(made("FLAC", "PCM_16", tone(10_000), compression_level=0.0))
    ends = [0]
    while ends[-1] < len(data):
        _, size = flac_frames(data[: next_end(data, ends[-1])], True)
        ends.append(size)
    place = seed % len(data)
    changed = data.copy()
    changed[place] ^= 1 << bit
    frame = int(np.searchsorted(ends, place, "right")) - 1
    assert flac_frames(changed, True) == (frame * 1152, ends[frame])


def next_end(data: np.ndarray, start: int) -> int:
    """Where the frame at a place ends."""
    following = later_header(data[start:])
    return len(data) if following < 0 else start + following


def test_a_part_is_continued_where_it_ended() -> None:
    data = frames_only(made("FLAC", "PCM_16", tone(20_000), compression_level=0.0))
    for size in (5000, len(data) // 2, len(data) - 1):
        samples, end = flac_frames(data[:size], False)
        more, last = flac_frames(data[end:], True)
        assert 0 < samples < 20_000 and samples + more == 20_000 and end + last == len(data)


def test_nothing_is_found_in_noise() -> None:
    noise = np.random.default_rng(0).integers(0, 256, 100_000, np.uint8)
    assert flac_frames(noise, True) == (0, 0)
    assert later_header(noise) == -1, "a header is found by chance once in some ten million bytes"


@pytest.mark.parametrize("size", range(6))
def test_too_few_bytes_are_no_frame(size: int) -> None:
    assert flac_frames(np.full(size, 0xFF, np.uint8), True) == (0, 0)
