"""Law 4: moving a step across the fence changes no example of epoch 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sslpipe.building.driver import Builder
from sslpipe.core.draw import Draw
from sslpipe.core.steps import Step
from sslpipe.dedups.exact import Exact
from sslpipe.engines.inline import Inline
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.filters.image_quality import ImageQuality
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.encode_flac import EncodeFlac
from sslpipe.maps.encode_png import EncodePng
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.resample_audio import ResampleAudio
from sslpipe.maps.resize_image import ResizeImage
from sslpipe.maps.tokenize import Tokenize
from sslpipe.measures.text_statistics import TextStatistics
from sslpipe.packs.concatenate import Concatenate
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.masked_patches import MaskedPatches
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from sslpipe.tasks.two_views import TwoViews
from tests.laws.corpus_audio import FRAMES, RATE
from tests.laws.modality import Modality, modality

START: dict[str, tuple[Step, ...]] = {
    "text": (NormalizeText(), Exact(), ByteLevelBpe(vocab_size=500, sample_bytes=50_000)),
    "images": (ImageQuality(min_side=16), Exact()),
    "audio": (ResampleAudio(rate=RATE), AudioLevels(min_s=0.2, max_s=60), Exact()),
}
PACK = Concatenate(length=64)
FILTER = GopherQuality(min_words=70)

Halves = tuple[tuple[Step, ...], tuple[Step, ...]]

SMALL, VIEWS, PATCHES = ResizeImage(short_side=24), TwoViews(size=16), MaskedPatches(size=16, patch=4)
PNG, FLAC = EncodePng(), EncodeFlac()

TEXT_MOVES: dict[str, tuple[Halves, Halves]] = {
    "pack": (((Tokenize(),), (PACK, NextToken())), ((Tokenize(), PACK), (NextToken(),))),
    "padding pack": (
        ((Tokenize(),), (Concatenate(length=50, remainder="pad"), NextToken())),
        ((Tokenize(), Concatenate(length=50, remainder="pad")), (NextToken(),)),
    ),
    "pack and next token": (((Tokenize(),), (PACK, NextToken())), ((Tokenize(), PACK, NextToken()), ())),
    "pack and masked tokens": (((Tokenize(),), (PACK, MaskedTokens())), ((Tokenize(), PACK, MaskedTokens()), ())),
    "masked tokens": (((Tokenize(),), (MaskedTokens(),)), ((Tokenize(), MaskedTokens()), ())),
    "filter": (
        ((TextStatistics(), FILTER, Tokenize()), (PACK, MaskedTokens())),
        ((TextStatistics(), Tokenize()), (FILTER, PACK, MaskedTokens())),
    ),
}

IMAGE_MOVES: dict[str, tuple[Halves, Halves]] = {
    "two views": (((PNG,), (VIEWS,)), ((PNG, VIEWS), ())),
    "masked patches": (((PNG,), (PATCHES,)), ((PNG, PATCHES), ())),
    "map": (((PNG,), (SMALL, VIEWS)), ((SMALL, PNG), (VIEWS,))),
    "map and task": (((PNG,), (SMALL, PATCHES)), ((SMALL, PNG, PATCHES), ())),
}
AUDIO_MOVES: dict[str, tuple[Halves, Halves]] = {"masked frames": (((FLAC,), (FRAMES,)), ((FLAC, FRAMES), ()))}
MOVES = {
    name: (law, *halves)
    for law, moves in (("text", TEXT_MOVES), ("images", IMAGE_MOVES), ("audio", AUDIO_MOVES))
    for name, halves in moves.items()
}
"""By name: the corpus, the halves with the step right of the fence, and those with it left of it."""


@pytest.fixture
def law(request: pytest.FixtureRequest) -> Modality:
    """The modality of the move that the test is at; text where it is at none."""
    return modality(MOVES[request.node.callspec.params["move"]][0] if hasattr(request.node, "callspec") else "text")


def epoch(law: Modality, corpus: Path, out: Path, halves: Halves, number: int = 0) -> list[dict[str, Any]]:
    """The batches of one epoch of a build with these halves, keys among them."""
    recipe = law.recipe(corpus, build=(*START[law.name], *halves[0]), stream=halves[1])
    Builder(recipe, out, Inline(), update=True).run()
    stream = Dataset(out).stream(batch_size=8, with_keys=True, tail="drop")
    stream.set_epoch(number)
    return [dict(batch) for batch in stream]


def differences(left: list[dict[str, Any]], right: list[dict[str, Any]]) -> list[str]:
    """Where two lists of batches differ."""
    found = [] if len(left) == len(right) else [f"{len(left)} batches, {len(right)} batches"]
    for number, (a, b) in enumerate(zip(left, right, strict=False)):
        if sorted(a) != sorted(b):
            return [f"fields {sorted(a)}, {sorted(b)}"]
        for name in a:
            equal = a[name] == b[name] if isinstance(a[name], list | int) else np.array_equal(a[name], b[name])
            if not equal:
                found.append(f"batch {number}: {name}")
    return found


@pytest.mark.parametrize("move", MOVES)
def test_moving_a_step_changes_nothing(move: str, law: Modality, corpus: Path, tmp_path: Path) -> None:
    _, right, left = MOVES[move]
    streamed = epoch(law, corpus, tmp_path / "right", right)
    stored = epoch(law, corpus, tmp_path / "left", left)
    assert len(streamed) > 5
    assert differences(stored, streamed) == []


def test_later_epochs_differ_where_the_step_is_streamed_and_not_where_it_is_stored(
    law: Modality, corpus: Path, tmp_path: Path
) -> None:
    _, right, left = MOVES["pack and masked tokens"]
    assert differences(epoch(law, corpus, tmp_path / "right", right), epoch(law, corpus, tmp_path / "right", right, 1))

    def rows(batches: list[dict[str, Any]]) -> set[bytes]:
        return {row.numpy().tobytes() for batch in batches for row in batch["input_ids"]}

    stored, again = epoch(law, corpus, tmp_path / "left", left), epoch(law, corpus, tmp_path / "left", left, 1)
    assert len(rows(stored) & rows(again)) > 0.9 * len(rows(stored))


def test_mutant_a_draw_keyed_by_the_place_in_the_batch(
    law: Modality, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, right, left = MOVES["masked tokens"]
    streamed = epoch(law, corpus, tmp_path / "right", right)
    keys = Draw.keys
    monkeypatch.setattr(Draw, "keys", lambda self, count: keys(self, count) + np.arange(count, dtype=np.uint64))
    stored = epoch(law, corpus, tmp_path / "left", left)
    assert differences(stored, streamed)


def test_what_is_stored_is_read_back(law: Modality, corpus: Path, tmp_path: Path) -> None:
    """A packed and labelled row, one by one, is the batch's row."""
    *_, left = MOVES["pack and masked tokens"]
    batches = epoch(law, corpus, tmp_path / "left", left)
    dataset = Dataset(tmp_path / "left")
    places = {key: number for number, key in enumerate(dataset.keys)}
    for row, key in enumerate(batches[0]["__key__"]):
        sample = dataset[places[key]]
        assert np.array_equal(sample["input_ids"], batches[0]["input_ids"][row])
        assert np.array_equal(sample["labels"], batches[0]["labels"][row])
