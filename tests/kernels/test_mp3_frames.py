"""MP3 headers are read as the standard has them, and frames are walked to the last."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.kernels.mp3_frames import CHANGED, ENDED, INFO, LOST, first_frame, frame_at, mp3_frames
from tests.badinputs.audio import good, made, tone


def array(data: bytes) -> np.ndarray:
    return np.frombuffer(data, np.uint8)


@pytest.mark.parametrize(
    ("header", "facts"),
    [
        ("fffb9064", (417, 44_100, 2, 1152, 36)),
        ("fffb9264", (418, 44_100, 2, 1152, 36)),
        ("fffb94c4", (384, 48_000, 1, 1152, 21)),
        ("fffbe864", (1440, 32_000, 2, 1152, 36)),
        ("fff38864", (288, 16_000, 2, 576, 21)),
        ("fff388c4", (288, 16_000, 1, 576, 13)),
        ("ffe318c4", (72, 8_000, 1, 576, 13)),
        ("fffb0064", (0, 0, 0, 0, 0)),
        ("fffbf064", (0, 0, 0, 0, 0)),
        ("fffb9c64", (0, 0, 0, 0, 0)),
        ("fffd9064", (0, 0, 0, 0, 0)),
        ("ffeb9064", (0, 0, 0, 0, 0)),
        ("00fb9064", (0, 0, 0, 0, 0)),
        ("fffb9066", (0, 0, 0, 0, 0)),
    ],
    ids=["128k", "padded", "mono", "320k", "mpeg2", "mpeg2 mono", "mpeg2.5", "free format", "no bitrate", "no rate", "layer II",
         "no version", "no sync", "no emphasis"],
)  # fmt: skip
def test_golden_headers(header: str, facts: tuple[int, ...]) -> None:
    assert frame_at(array(bytes.fromhex(header)), 0) == facts


def test_all_frames_are_walked() -> None:
    data = good()["cbr.mp3"]
    _, rate, channels, samples, _ = frame_at(array(data), 0)
    ends = [0]
    while ends[-1] < len(data):
        ends.append(ends[-1] + frame_at(array(data), ends[-1])[0])
    count, end, why = mp3_frames(array(data), 0, rate, channels)
    assert (count, end, why) == (len(ends) - 1, len(data), ENDED) and (count - 2) * samples < 8000 + 1105 <= count * samples
    assert mp3_frames(array(data[:-1]), 0, rate, channels) == (count - 1, ends[-2], ENDED)
    assert mp3_frames(array(data + data), 0, rate, channels) == (count, len(data), INFO)
    assert mp3_frames(array(data + b"\0" * 99), 0, rate, channels) == (count, len(data), LOST)
    other = made("MP3", "MPEG_LAYER_III", tone(channels=2))
    assert mp3_frames(array(data + other), 0, rate, channels) == (count, len(data), CHANGED)


def test_the_first_frame_is_one_of_three() -> None:
    data = good()["cbr.mp3"]
    assert first_frame(array(b"\xff\xfb\x90\x64junk" + data), 0, 100, True) == 8
    assert first_frame(array(b"x" * 50 + data), 0, 49, True) == -1
    single = data[: frame_at(array(data), 0)[0]]
    assert first_frame(array(single), 0, 100, True) == 0
    assert first_frame(array(single), 0, 100, False) == -1
    assert first_frame(array(b""), 0, 100, True) == -1
