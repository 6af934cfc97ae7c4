"""Who survives and what each row is called, against a reference that goes record by record."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.building import resolve
from sslpipe.dedups.exact import Exact
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.recipe.recipe import Shards
from sslpipe.recipe.splits import Splits
from tests.building.corpora import Record, lay, limits, recipe, run, sound
from tests.building.reference import numbered, rows_of, survivors

LINES = st.builds(
    lambda text, tail, url: {"text": f"text {text}{tail}", "url": str(url)},
    st.integers(0, 4), st.sampled_from(["", " ", "\r\n"]), st.integers(0, 2),
)  # fmt: skip
CORPORA = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.lists(LINES, min_size=1, max_size=12), min_size=1, max_size=3)
SHARDS = st.builds(
    lambda count, val: Shards(count=count, splits=Splits(val=val)), st.integers(1, 3), st.sampled_from([0.1, 0.5])
)

Corpus = dict[str, list[Record]]


def stored(sources: Corpus, folder: Path, *steps: object, **changes: object) -> dict[str, tuple[str, str, str]]:
    """Source, text and url of every row by its name."""
    made = recipe(lay(folder / "in", sources), *steps, limits=limits(), **changes)  # type: ignore[arg-type]
    dataset = sound(folder / "out", run(made, folder / "out"))
    return {row["__key__"]: (dataset.source(number), row["text"], row["meta"]["url"]) for number, row in enumerate(dataset)}


@settings(max_examples=12)
@given(CORPORA, SHARDS)
def test_equal_payloads_are_numbered_as_the_reference_numbers_them(sources: Corpus, shards: Shards) -> None:
    wanted = {name: (row.source, row.text, row.url) for name, row in numbered(rows_of(sources)).items()}
    with tempfile.TemporaryDirectory() as folder:
        assert stored(sources, Path(folder), shards=shards) == wanted


def kept(sources: Corpus, same: Callable[[str], str] = str.strip) -> dict[str, tuple[str, str, str]]:
    rows = survivors(rows_of(sources), same)
    return {row.key.hex(): (row.source, row.text.strip(), row.url) for row in rows}


@settings(max_examples=12)
@given(CORPORA, SHARDS)
def test_survivors_are_those_of_the_reference(sources: Corpus, shards: Shards) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert stored(sources, Path(folder), NormalizeText(), Exact(), shards=shards) == kept(sources)


@settings(max_examples=6)
@given(CORPORA)
def test_a_dedup_behind_a_dedup(sources: Corpus) -> None:
    """What is the same as it was read goes first; what is the same once it is tidied goes after."""
    rows = survivors(survivors(rows_of(sources), str), str.strip)
    with tempfile.TemporaryDirectory() as folder:
        found = stored(sources, Path(folder), Exact(), NormalizeText(), Exact())
    assert found == {row.key.hex(): (row.source, row.text.strip(), row.url) for row in rows}


@settings(max_examples=6)
@given(CORPORA)
def test_a_dedup_by_meta_keeps_the_numbers_of_equal_payloads(sources: Corpus) -> None:
    names = numbered(rows_of(sources))
    with tempfile.TemporaryDirectory() as folder:
        found = stored(sources, Path(folder), Exact(field="meta"))
    assert Counter(url for _, _, url in found.values()) == Counter({row.url for row in names.values()})
    assert all(found[name] == (names[name].source, names[name].text, names[name].url) for name in found)


CROWD: Corpus = {
    source: [{"text": f"text {number % 50}{tail}", "url": source} for number in range(150) for tail in ("", " ")]
    for source in ("a", "b")
}


def test_a_mutant_that_lets_the_last_one_survive_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stored(CROWD, tmp_path / "right", NormalizeText(), Exact()) == kept(CROWD)
    merged = resolve.merged

    def weakest_first(*arguments: object) -> object:
        for records in merged(*arguments):  # type: ignore[arg-type]
            order = np.lexsort((~records["priority"], records["digest_low"], records["digest_high"]))
            yield {name: column[order] for name, column in records.items()}

    monkeypatch.setattr(resolve, "merged", weakest_first)
    assert stored(CROWD, tmp_path / "wrong", NormalizeText(), Exact()) != kept(CROWD)
