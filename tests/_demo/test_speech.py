"""The spoken sentences that come with the package: whole, in pairs, small, and copied."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import sslpipe
from sslpipe._demo.speech import write_speech
from sslpipe.codecs.audio import facts_of
from sslpipe.measures.audio_levels import AudioLevels
from sslpipe.readers.audio import Audio
from tests.readers.support import everything
from tests.support_audio import audio_rows

DEMO = Path(sslpipe.__file__).parent / "_demo"
SPEECH = DEMO / "speech"


def sentences() -> tuple[str, ...]:
    """The sentences of the script, read without running it."""
    for node in ast.parse((DEMO / "make_speech.py").read_text()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "SENTENCES" and node.value is not None:
            found: tuple[str, ...] = ast.literal_eval(node.value)
            return found
    raise AssertionError("the script has no SENTENCES")


def test_every_sentence_is_spoken_and_written() -> None:
    stems = sorted(path.stem for path in SPEECH.glob("*.flac"))
    assert sorted(path.stem for path in SPEECH.glob("*.txt")) == stems and len(stems) == 60
    assert tuple((SPEECH / f"{stem}.txt").read_text().rstrip("\n") for stem in stems) == sentences()
    assert len({stem.partition("-")[2] for stem in stems}) == 6
    assert {path.suffix for path in SPEECH.iterdir()} == {".flac", ".txt"}


def test_all_of_it_is_sound_speech_of_one_kind() -> None:
    rows, problems = everything(Audio(paths=(str(SPEECH),)))
    assert problems == [] and len(rows) == 60
    facts = [facts_of(data) for _, _, data in rows]
    assert {(each.container, each.bits, each.rate, each.channels) for each in facts} == {("flac", 16, 16_000, 1)}
    levels = AudioLevels(field="audio").measure(audio_rows([data for _, _, data in rows]))
    assert levels["clipped"].sum() == 0 and (levels["silent_slices"] * 2 < levels["slices"]).all()
    assert (levels["frames"] > 24_000).all()


def test_it_is_small_and_goes_into_the_wheel() -> None:
    assert sum(path.stat().st_size for path in SPEECH.iterdir()) <= 3_000_000
    wheel = tomllib.loads((DEMO.parents[1] / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["packages"] == ["sslpipe"] and "exclude" not in wheel
    assert not {".flac", "*.flac", "*.txt", "_demo"} & set((DEMO.parents[1] / ".gitignore").read_text().split())


def test_recordings_are_copied(tmp_path: Path) -> None:
    count = write_speech(tmp_path / "speech")
    copied = {path.name: path.read_bytes() for path in (tmp_path / "speech").iterdir()}
    assert copied == {path.name: path.read_bytes() for path in SPEECH.glob("*.flac")} and len(copied) == count
