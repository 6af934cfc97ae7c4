"""What a stream says of rows that it can't use."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from sslpipe.codecs.audio import AudioCodec, Sound
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.masked_frames import MaskedFrames
from sslpipe.tasks.masked_tokens import MaskedTokens
from tests.stream.toys import Between, Cutter, Flip, ids_dataset, write_dataset

START = "split `{}` has no rows for this stream, so there is no step ({}); {}"


def refusal(dataset: Dataset, *steps: object, split: str = "train") -> str:
    with pytest.raises(RecipeError) as caught:
        dataset.stream(*steps, batch_size=1, split=split)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_split_in_which_nothing_lies(tmp_path: Path) -> None:
    some, none = ids_dataset(tmp_path / "some", [[5, 5], [5]]), ids_dataset(tmp_path / "none", [])
    nothing = "nothing is stored in it"
    assert refusal(some, split="val") == START.format("val", nothing, "the dataset has train: 3")
    told = "the dataset has none at all, and `sslpipe status` says what became of what was read"
    assert refusal(none) == START.format("train", nothing, told)


@pytest.mark.parametrize(
    ("steps", "todo"),
    [
        ([Between(least=1000), MaskedTokens()], "choose another split, or looser filters"),
        ([Cutter(length=400)], "choose another split, or a shorter `length:` of the pack"),
        ([Flip(least=99)], "choose another split, or a task that takes rows below the 99 tokens that tasks.flip needs"),
        (
            [Between(least=6), Flip(least=99)],
            "choose another split, or looser filters, or a task that takes rows below the 99 tokens that tasks.flip needs",
        ),
    ],
)
def test_what_to_do_depends_on_what_left_them_out(steps: list[object], todo: str, tmp_path: Path) -> None:
    assert refusal(ids_dataset(tmp_path, [[5, 6, 7]]), *steps).endswith(f"); {todo}")


def sounds(folder: Path, seconds: list[float]) -> Dataset:
    """A dataset of sound at 16 kHz, a clip of each of these lengths."""
    codec = AudioCodec()
    clips = [codec.encode(Sound(np.zeros((1, int(16_000 * each)), np.float32), 16_000)) for each in seconds]
    keys = np.arange(len(clips), dtype=np.uint64)
    rows = Rows(Names.from_keys(keys, keys), {"audio": Ragged.from_bytes(clips), "_source": np.zeros(len(clips), np.uint16)})
    return write_dataset(folder, {"train": [rows]}, {"audio": Field(kind="audio", format="flac", rate=16_000, channels=1)},
                         measures=())  # fmt: skip


def test_clips_that_are_too_short_are_not_left_out_in_silence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wants = "the 32,000 samples that tasks.masked_frames needs"
    with caplog.at_level(logging.WARNING):
        stream = sounds(tmp_path / "most", [1, 1.5, 3]).stream(MaskedFrames(), batch_size=1)
    assert caplog.messages == [f"2 of 3 rows of split `train` are left out: they are shorter than {wants}"]
    assert len(stream) == 1 and stream.report()["too_short"] == 2
    caplog.clear()
    sounds(tmp_path / "half", [1, 3]).stream(MaskedFrames(), batch_size=1)
    assert caplog.messages == [], "half of them may be meant"
    assert refusal(sounds(tmp_path / "all", [1, 1]), MaskedFrames()).endswith(f"a task that takes rows below {wants}")
