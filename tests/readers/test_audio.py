"""Sound files to rows: what is claimed, what each damage becomes, and windows of long files in bounded memory."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslpipe.codecs.audio import AudioCodec, facts_of
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import FieldError
from sslpipe.core.steps import Bad
from sslpipe.readers._windows import windows_of
from sslpipe.readers.audio import Audio
from tests.badinputs.audio import bad, good, made, pcm16, tone, wav, with_total
from tests.readers.support import everything, payloads, write

RATE = 16_000


def samples_of(data: bytes) -> np.ndarray:
    return AudioCodec().decode(data)[0].samples


def read_one(folder: Path, name: str, data: bytes, **fields: Any) -> tuple[list[Any], list[Bad]]:
    write(folder, [(name, data)])
    return everything(Audio(paths=(str(folder / name),), **fields))


def test_rows_hold_the_bytes_of_their_files(tmp_path: Path) -> None:
    write(tmp_path, good().items())
    rows, problems = everything(Audio(paths=(str(tmp_path),)))
    assert problems == []
    assert {Path(row[0].decode()).name: row[2] for row in rows} == good()
    assert {row[1] for row in rows} == {b"0"}


def test_samples_come_along_decoded(tmp_path: Path) -> None:
    write(tmp_path, good().items())
    reader = Audio(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 30)
    (batch,) = reader.read(part, pytest.fail)
    column = batch.columns["audio"]
    assert isinstance(column, Encoded) and not column.changed.any()
    for row, name in enumerate(sorted(good())):
        assert column.value(row) is column.value(row)
        assert column.value(row).samples.tobytes() == samples_of(good()[name]).tobytes()


@pytest.mark.parametrize("case", bad(), ids=lambda case: case.name)
def test_bad_files_go_to_the_quarantine_with_their_reason(case: Any, tmp_path: Path) -> None:
    rows, problems = read_one(tmp_path, case.name, case.data)
    longer = {"bomb.flac": ("audio.too_long",)}
    assert [problem.reason for problem in problems] == list(longer.get(case.name, case.reasons))
    assert len(rows) == case.rows
    for problem in problems:
        assert problem.file.endswith(case.name) and problem.place.startswith("byte ") and len(problem.detail) <= 300
        assert problem.raw == (case.data if len(case.data) <= 1 << 16 else b"")[: len(problem.raw)]


def test_what_is_claimed(tmp_path: Path) -> None:
    names = ["a.wav", "b.FLAC", "c.ogg", "d.oga", "e.opus", "f.mp3", "g.aif", "h.aiff", "i.AIFC"]
    others = ["a.m4a", "b.wma", "c.mp4", "d.wav.gz", "e.txt", "f", "g.webm"]
    data = good()["s16.flac"]
    write(tmp_path, [(name, data) for name in names + others])
    reader = Audio(paths=(str(tmp_path),))
    rows, problems = everything(reader)
    assert (len(rows), problems) == (len(names), [])
    unclaimed = {".m4a": 1, ".mp4": 1, ".txt": 1, ".wav.gz": 1, ".webm": 1, ".wma": 1, "no suffix": 1}
    assert reader.unclaimed() == unclaimed
    rows, problems = read_one(tmp_path, "named.m4a", b"\0\0\0\x20ftypM4A " + bytes(500))
    assert rows == [] and [problem.reason for problem in problems] == ["audio.unsupported_codec"]
    assert "MP4 (m4a, AAC, ALAC) is not decoded; convert it, best to FLAC" in problems[0].detail


def test_caps_have_their_reasons(tmp_path: Path) -> None:
    data = wav(pcm16(8000, 2), channels=2)
    for fields, reason in [
        ({"max_rate": 8000}, "audio.rate"),
        ({"max_channels": 1}, "audio.channels"),
        ({"max_seconds": 0.4999}, "audio.too_long"),
        ({"max_record_bytes": len(data) - 1}, "record_too_large"),
        ({"max_seconds": 0.5, "max_rate": RATE, "max_channels": 2, "max_record_bytes": len(data)}, None),
    ]:
        rows, problems = read_one(tmp_path, "a.wav", data, **fields)
        assert [problem.reason for problem in problems] == ([reason] if reason else [])
        assert len(rows) == (reason is None)


def test_a_header_that_claims_less_than_there_is_does_not_help(tmp_path: Path) -> None:
    """The length of Ogg is the position that its last page claims; what counts is what comes out."""
    _, problems = read_one(tmp_path, "a.mp3", good()["cbr.mp3"], max_seconds=0.25)
    assert [problem.reason for problem in problems] == ["audio.too_long"]


def test_kept_paths(tmp_path: Path) -> None:
    reader = Audio(paths=(str(tmp_path / "a.wav"),), keep=("path",))
    write(tmp_path, [("a.wav", wav(pcm16()))])
    ((_, _, _, meta),), _ = everything(reader)
    assert json.loads(meta) == {"path": f"{tmp_path}/a.wav"}
    assert {name: field.kind for name, field in reader.outputs({}).items()} == {"audio": "audio", "meta": "meta"}


@pytest.mark.parametrize("name", ["pcm16.wav", "float.wav", "s16.flac", "pcm16.aiff", "ulaw.wav"])
def test_the_beginning_of_a_cut_file_can_be_kept(name: str, tmp_path: Path) -> None:
    data = good()[name]
    whole = samples_of(data)
    rows, problems = read_one(tmp_path, name, data[: len(data) * 3 // 4], keep_prefix=True)
    ((_, _, kept),) = rows
    assert problems == []
    got = samples_of(kept)
    assert 0 < got.shape[1] < whole.shape[1]
    np.testing.assert_array_equal(got, whole[:, : got.shape[1]])
    rows, problems = read_one(tmp_path, "none" + name, data[:20], keep_prefix=True)
    assert rows == [] and [problem.reason for problem in problems] == ["audio.truncated"]


@given(st.lists(st.integers(1, 50), max_size=20), st.integers(1, 40))
def test_windows_are_laid_end_to_end(lengths: list[int], size: int) -> None:
    total = sum(lengths)
    whole = np.arange(total, dtype=np.float32)[:, None]
    windows = list(windows_of(iter(np.split(whole, np.cumsum(lengths)[:-1])) if lengths else iter([]), size))
    if total:
        np.testing.assert_array_equal(np.concatenate(windows), whole)
        assert all(len(window) == size for window in windows[:-1])
        assert 2 * len(windows[-1]) < 3 * size
        assert len(windows) == 1 or 2 * len(windows[-1]) >= size
    else:
        assert windows == []


def test_a_long_file_is_a_row_for_each_window(tmp_path: Path) -> None:
    data = made("FLAC", "PCM_24", tone(100_000, 2))
    rows, problems = read_one(tmp_path, "long.flac", data, window_s=2)
    assert problems == [] and [row[1] for row in rows] == [b"0", b"1", b"2"]
    pieces = [samples_of(row[2]) for row in rows]
    assert [piece.shape for piece in pieces] == [(2, 32_000), (2, 32_000), (2, 36_000)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), samples_of(data))
    assert {facts_of(row[2]).codec for row in rows} == {"pcm-24"}


@pytest.mark.parametrize("name", ["vorbis.ogg", "cbr.mp3", "opus.opus"])
def test_windows_of_lossy_files_lose_nothing_more(name: str, tmp_path: Path) -> None:
    rows, _ = read_one(tmp_path, name, good()[name], window_s=0.1)
    assert len(rows) == 5
    pieces = [samples_of(row[2]) for row in rows]
    assert np.concatenate(pieces, axis=1).tobytes() == samples_of(good()[name]).tobytes()


def test_a_short_file_keeps_its_bytes_beside_windows(tmp_path: Path) -> None:
    rows, _ = read_one(tmp_path, "a.mp3", good()["cbr.mp3"], window_s=0.4)
    assert payloads(rows) == [(good()["cbr.mp3"],)]


def test_windows_before_damage_are_kept(tmp_path: Path) -> None:
    data = bytearray(made("FLAC", "PCM_16", tone(200_000)))
    data[len(data) * 3 // 4] ^= 1
    rows, problems = read_one(tmp_path, "a.flac", bytes(data), window_s=1)
    assert 5 <= len(rows) < 12
    assert [(problem.reason, problem.place) for problem in problems] == [("audio.checksum", f"window {len(rows)}")]
    rows, problems = read_one(tmp_path, "b.flac", made("FLAC", "PCM_16", tone(200_000))[:-3000], window_s=1)
    again, none = read_one(tmp_path, "b.flac", made("FLAC", "PCM_16", tone(200_000))[:-3000], window_s=1, keep_prefix=True)
    assert again[: len(rows)] == rows and len(again) > len(rows) and none == []
    assert [problem.reason for problem in problems] == ["audio.truncated"]


def test_a_wrong_checksum_over_all_is_known_at_the_end(tmp_path: Path) -> None:
    data = with_total(made("FLAC", "PCM_16", tone(100_000)), 100_000, bytes(range(16)))
    rows, problems = read_one(tmp_path, "a.flac", data, window_s=1)
    assert len(rows) == 5, "the frames have checksums of their own; only the last window is not known to be whole"
    assert [problem.reason for problem in problems] == ["audio.checksum"]


def test_batches_are_bounded_by_samples(tmp_path: Path) -> None:
    silence = made("FLAC", "PCM_16", np.zeros((6_000_000, 1)))
    assert len(silence) < 200_000
    write(tmp_path, [(f"{number}.flac", silence) for number in range(4)])
    reader = Audio(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 30)
    assert [len(batch) for batch in reader.read(part, pytest.fail)] == [2, 2], "64 MiB are 16 million samples"


MEASURE = """
import resource, sys
from sslpipe.readers.audio import Audio
reader = Audio(paths=(sys.argv[1],), window_s=10, max_record_bytes=1 << 20)
(part,) = reader.parts(1 << 40)
list(map(len, reader.read(part, lambda bad: None)))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = Audio(paths=(sys.argv[2],), window_s=10, max_record_bytes=1 << 20)
(part,) = reader.parts(1 << 40)
rows = sum(len(batch) for batch in reader.read(part, lambda bad: None))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_a_long_file_is_read_in_bounded_memory(kind: str, tmp_path: Path) -> None:
    """Half an hour is not held longer than three minutes are."""
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, seconds in (("short", 180), ("long", 1800)):
        silence = np.zeros((seconds * RATE, 1), np.int16)
        (tmp_path / f"{name}.{kind}").write_bytes(made(kind.upper(), "PCM_16", silence))
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / f"short.{kind}"), str(tmp_path / f"long.{kind}")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, grown = map(int, done.stdout.split())
    assert rows == 180 and grown < 40 << 10, "in KiB; all samples would be 110 MiB"


def test_a_file_that_changed_gives_no_row(tmp_path: Path) -> None:
    write(tmp_path, [("a.wav", wav(pcm16()))])
    reader = Audio(paths=(str(tmp_path),))
    (part,) = reader.parts(1 << 20)
    (tmp_path / "a.wav").write_bytes(wav(pcm16(9000)))
    problems: list[Bad] = []
    assert list(reader.read(part, problems.append)) == []
    assert [problem.reason for problem in problems] == ["io.changed"]
    shutil.rmtree(tmp_path)
    assert list(reader.read(part, problems.append)) == []
    assert problems[1].reason == "io.vanished"


def test_windows_longer_than_rows_may_be_are_refused() -> None:
    with pytest.raises(FieldError, match="window_s 3000 makes rows of up to 4500 seconds, above max_seconds 3600"):
        Audio(window_s=3000)
    with pytest.raises(FieldError, match="wanted a number above 0"):
        Audio(window_s=0)
