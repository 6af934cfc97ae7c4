"""FLAC of 16 or 24 bits out of everything, and nothing done twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sslpipe.codecs.audio import AudioCodec, Sound, facts_of
from sslpipe.codecs.encoded import codec_of, sounds
from sslpipe.core.draw import Draw
from sslpipe.core.encoded import Encoded
from sslpipe.core.errors import DataError, RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.rows import Rows
from sslpipe.maps.encode_flac import EncodeFlac
from tests.badinputs.audio import good
from tests.support_audio import AUDIO, audio_context, audio_rows, noise

DRAW = Draw(0, "maps.encode_flac")


def mapped(rows: Rows, **fields: Any) -> Rows:
    return EncodeFlac(**fields).open(audio_context()).map(rows, DRAW)


@pytest.mark.parametrize("bits", [16, 24])
def test_every_row_becomes_flac_within_half_a_step(bits: int) -> None:
    files = list(good().values())
    made = mapped(audio_rows(files), bits=bits)
    for data, before in zip(made.ragged("audio").to_bytes(), files, strict=True):
        facts = facts_of(data)
        assert (facts.container, facts.bits) == ("flac", bits)
        old, new = AudioCodec().decode(before)[0], AudioCodec().decode(data)[0]
        assert new.rate == old.rate
        assert np.abs(np.clip(old.samples, -1, 1 - 2.0 ** (1 - bits)) - new.samples).max() <= 2.0**-bits


def test_flac_of_that_kind_keeps_its_bytes() -> None:
    rows = audio_rows([good()["s16.flac"], good()["s24.flac"]])
    for bits, row in ((16, 0), (24, 1)):
        made = mapped(rows, bits=bits).ragged("audio").to_bytes()
        assert made[row] == rows.ragged("audio").to_bytes()[row] and made[1 - row] != rows.ragged("audio").to_bytes()[1 - row]
        assert mapped(mapped(rows, bits=bits), bits=bits).ragged("audio").to_bytes() == made, "twice is once"


def test_later_steps_see_the_rounded_samples() -> None:
    rows = audio_rows([Sound(noise(100) + np.float32(2.0**-18), 16_000)])
    made = mapped(rows)
    before, after = sounds(rows, "audio").value(0).samples, sounds(made, "audio").value(0).samples
    assert (before != after).all()
    np.testing.assert_array_equal(after, AudioCodec().decode(made.ragged("audio").to_bytes()[0])[0].samples)


def test_values_without_bytes_are_encoded() -> None:
    rows = audio_rows([good()["s16.flac"]])
    changed = sounds(rows, "audio").with_values({0: Sound(noise(50), 8000)})
    made = mapped(rows.with_columns(audio=changed))
    assert facts_of(made.ragged("audio").to_bytes()[0]).frames == 50


def test_what_can_not_be_read_is_noted() -> None:
    rows = audio_rows([good()["s16.flac"], b"no sound"])
    forgiving = Encoded.of(rows.ragged("audio"), codec_of("audio"), forgiving=True)
    mapped(rows.with_columns(audio=forgiving))
    assert {row: damage.reason for row, damage in forgiving.damages.items()} == {1: "audio.unknown_format"}


def test_outputs_and_limits() -> None:
    assert EncodeFlac().outputs(AUDIO)["audio"] == Field(kind="audio", format="flac")
    assert not EncodeFlac.changes_lengths
    with pytest.raises(RecipeError, match=r"has 9 channels at None Hz; FLAC holds 8 at 655350; put maps\.resample_audio"):
        EncodeFlac().outputs({"audio": Field(kind="audio", channels=9)})
    with pytest.raises(DataError, match="row 0 of the batch has 9 channels at 8000 Hz"):
        mapped(audio_rows([Sound(np.zeros((9, 5), np.float32), 8000)]))
    with pytest.raises(SslpipeError, match="must be opened"):
        EncodeFlac().map(audio_rows([]), DRAW)
