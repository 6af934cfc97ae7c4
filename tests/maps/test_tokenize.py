"""Text to ids, by a tokenizer that is given or learnt."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer as Library

from sslpipe.core.draw import Draw
from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.tokenize import Tokenize

TEXT: Fields = {"text": Field(kind="text"), "meta": Field(kind="meta")}
TEXTS = ["the cat sat on the mat", "", "it ends with <eos>, hides <mask>", "caf\u00e9 \u2603 \U0001f600"]
DRAW = Draw(0, "maps.tokenize")


def some_rows(**more: Ragged) -> Rows:
    keys = np.arange(len(TEXTS), dtype=np.uint64)
    return Rows(
        Names.from_keys(keys, keys), {"text": Ragged.from_texts(TEXTS), "meta": Ragged.from_texts(["{}"] * len(TEXTS)), **more}
    )


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    ByteLevelBpe(vocab_size=300, field="text").fit(some_rows(), path)
    return path


def test_ids_take_the_place_of_the_text(learnt: Path) -> None:
    step = Tokenize(tokenizer=str(learnt))
    rows = some_rows()
    made = step.open(Context(TEXT)).map(rows, DRAW)
    assert set(made.columns) == {"ids", "meta"}
    assert made.names is rows.names
    ids = made.ragged("ids")
    assert ids.values.dtype == np.uint16
    library = Library.from_file(str(learnt))
    assert [library.decode(ids[row].tolist()) for row in range(len(TEXTS))] == TEXTS
    assert not np.isin(ids.values, [0, 1, 2]).any()


def test_text_can_be_kept(learnt: Path) -> None:
    step = Tokenize(tokenizer=str(learnt), keep_text=True)
    assert step.open(Context(TEXT)).map(some_rows(), DRAW).ragged("text").to_texts() == TEXTS
    assert set(step.outputs(TEXT)) == {"text", "meta", "ids"}


def test_the_learnt_tokenizer_is_found(learnt: Path) -> None:
    """By `open` as by the plan, which binds it once it is there."""
    step, artefacts = Tokenize(), {"tokenizer.json": learnt}
    assert (step.requires(), step.files()) == ("tokenizer.json", ())
    bound = step.bind(artefacts)
    assert (bound.requires(), bound.files()) == (None, (str(learnt),))
    by_context = step.open(Context(TEXT, artefacts)).map(some_rows(), DRAW)
    by_path = bound.open(Context(TEXT)).map(some_rows(), DRAW)
    assert by_context.ragged("ids").to_bytes() == by_path.ragged("ids").to_bytes()
    given = Tokenize(tokenizer="elsewhere.json")
    assert given.bind(artefacts) == given


def test_outputs(learnt: Path) -> None:
    unknown = Tokenize().outputs(TEXT)
    assert unknown["ids"] == Field(kind="ids", dtype="uint32")
    assert set(unknown) == {"ids", "meta"}
    ids = Tokenize().bind({"tokenizer.json": learnt}).outputs(TEXT)["ids"]
    assert ids.dtype == "uint16"
    assert ids.vocabulary is not None
    assert (ids.vocabulary.pad, ids.vocabulary.eos, ids.vocabulary.mask) == (0, 1, 2)
    renamed = Tokenize(tokenizer=str(learnt), eos="<pad>").outputs(TEXT)["ids"].vocabulary
    assert renamed is not None
    assert renamed.eos == 0


def test_what_does_not_fit_is_refused(learnt: Path, tmp_path: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"maps\.tokenize has no tokenizer; give `tokenizer:` the path.*put fits\.byte_level_bpe"
    ):
        Tokenize().open(Context(TEXT))
    with pytest.raises(RecipeError, match="there is a field `ids` already"):
        Tokenize(tokenizer=str(learnt)).outputs({**TEXT, "ids": Field(kind="ids")})
    with pytest.raises(RecipeError, match=r"maps\.tokenize needs a field of text; there is none"):
        Tokenize(tokenizer=str(learnt)).outputs({"image": Field(kind="image")})
    with pytest.raises(RecipeError, match="there are several; say which with `field:`"):
        Tokenize(tokenizer=str(learnt)).outputs({**TEXT, "caption": Field(kind="text")})
    with pytest.raises(RecipeError, match="no tokenizer can be read there"):
        Tokenize(tokenizer=str(tmp_path / "none.json")).outputs(TEXT)
    assert Tokenize.changes_lengths
