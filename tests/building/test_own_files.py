"""Steps of a finished dataset read its own copies of the files that they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from sslpipe.building.own_files import artefact_name, with_own_files
from sslpipe.core.errors import RecipeError
from sslpipe.core.steps import Map
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize


class Reads(Map):
    """A step that names two files, and a path that is no file of its."""

    words: str = "/etc/words.txt"
    more: str = "/etc/more.txt"
    other: str = "/etc/other.txt"

    def files(self) -> tuple[str, ...]:
        """Two of the three."""
        return (self.words, self.more)


def test_a_tokenizer_is_the_datasets_own() -> None:
    own = {"tokenizer.json": Path("/out/.sslpipe/artefacts/tokenizer-1.json")}
    step = with_own_files(Tokenize(tokenizer="/dev/zero", keep_text=True), own)
    assert step == Tokenize(tokenizer="/out/.sslpipe/artefacts/tokenizer-1.json", keep_text=True)


def test_files_go_by_their_names() -> None:
    own = {"words.txt": Path("/out/w"), "more.txt": Path("/out/m"), "other.txt": Path("/out/o")}
    assert with_own_files(Reads(), own) == Reads(words="/out/w", more="/out/m", other="/etc/other.txt")
    assert artefact_name(Reads(), "/etc/words.txt") == "words.txt"


def test_a_step_without_files_stays_as_it_is() -> None:
    step = NormalizeText()
    assert with_own_files(step, {}) is step
    learnt = Tokenize()
    assert with_own_files(learnt, {"tokenizer.json": Path("/out/t")}) is learnt, "it takes what was learnt when it is bound"


def test_a_file_that_the_dataset_has_no_copy_of_is_not_read() -> None:
    with pytest.raises(RecipeError) as caught:
        with_own_files(Tokenize(tokenizer="/dev/zero"), {})
    assert str(caught.value) == (
        "maps.tokenize: tokenizer: the dataset has no copy of /dev/zero, and files outside are not read"
    )
