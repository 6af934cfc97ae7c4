"""A row for each channel, with names that know nothing of the batch, and everything else taken along."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.codecs.audio import Sound, facts_of
from sslpipe.codecs.encoded import codec_of, sounds
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.rows import Rows
from sslpipe.cuts.channels import Channels
from tests.badinputs.audio import good
from tests.support_audio import AUDIO, audio_context, audio_rows, noise


def cut(rows: Rows) -> Rows:
    return Channels().open(audio_context()).cut(rows)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_every_channel_is_a_row(channels: list[int]) -> None:
    originals = [Sound(noise(50, count, row), 16_000) for row, count in enumerate(channels)]
    rows = audio_rows(originals, _file=np.arange(len(channels), dtype=np.int32))
    made = cut(rows)
    wanted = [(row, channel) for row, count in enumerate(channels) for channel in range(count)]
    assert list(zip(made.array("_file").tolist(), made.array("_piece").tolist(), strict=True)) == wanted
    assert made.array("_piece").dtype == np.uint16
    assert made.ragged("text").to_texts() == [f"row {row}" for row, _ in wanted]
    for (row, channel), sound in zip(wanted, sounds(made, "audio").values(), strict=True):
        np.testing.assert_array_equal(sound.samples, originals[row].samples[channel : channel + 1])
    assert len(set(made.names.texts())) == len(wanted)
    assert made.names.occurrence.tolist() == [0] * len(wanted)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3), min_size=2, max_size=5), st.randoms(use_true_random=False))
def test_names_know_nothing_of_the_batch(channels: list[int], chance: object) -> None:
    rows = audio_rows([Sound(noise(5, count, row), 16_000) for row, count in enumerate(channels)])
    one_by_one = [text for row in range(len(rows)) for text in cut(rows.view(row, row + 1)).names.texts()]
    assert cut(rows).names.texts() == one_by_one
    assert sorted(cut(rows.take(np.arange(len(rows))[::-1])).names.texts()) == sorted(one_by_one)


def test_a_row_of_one_channel_keeps_its_name_and_bytes() -> None:
    rows = audio_rows([good()["cbr.mp3"], good()["stereo.wav"]])
    made = cut(rows)
    assert made.names.texts()[0] == rows.names.texts()[0] and rows.names.texts()[1] not in made.names.texts()
    data = made.ragged("audio").to_bytes()
    assert data[0] == good()["cbr.mp3"] and facts_of(data[1]).channels == facts_of(data[2]).channels == 1
    again = cut(made)
    assert again.names.texts() == made.names.texts() and again.ragged("audio").to_bytes() == data, "twice is once"


def test_equal_rows_have_pieces_told_apart_by_occurrence() -> None:
    rows = audio_rows([good()["stereo.wav"]] * 2)
    names = rows.names.take(np.array([0, 0]))
    second = Rows(type(names)(names.high, names.low, np.array([0, 1], np.uint32), names.offset), rows.columns)
    texts = cut(second).names.texts()
    assert [text + "x1" for text in texts[:2]] == texts[2:]


def test_damage_is_noted_in_its_place() -> None:
    rows = audio_rows([good()["stereo.wav"], b"no sound", good()["s16.flac"]])
    forgiving = Encoded.of(rows.ragged("audio"), codec_of("audio"), forgiving=True)
    made = cut(rows.with_columns(audio=forgiving)).columns["audio"]
    assert isinstance(made, Encoded) and len(made) == 4
    assert {row: damage.reason for row, damage in made.damages.items()} == {2: "audio.unknown_format"}


def test_outputs() -> None:
    assert Channels().outputs(AUDIO)["audio"] == Field(kind="audio", channels=1)
    stereo = {"audio": Field(kind="audio", rate=8000, channels=2, format="flac")}
    assert Channels().outputs(stereo)["audio"] == Field(kind="audio", rate=8000, channels=1)
    with pytest.raises(RecipeError, match=r"cuts\.channels needs a field of audio; there is none"):
        Channels().outputs({"text": Field(kind="text")})
    with pytest.raises(SslpipeError, match="must be opened"):
        Channels().cut(audio_rows([]))
