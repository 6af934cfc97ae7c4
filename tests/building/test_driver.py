"""Recipes of every shape give a sound dataset."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sslpipe.building import driver
from sslpipe.building.driver import Builder
from sslpipe.building.progress import Silent
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.hashes import payload_digest
from sslpipe.core.steps import Step
from sslpipe.dedups.exact import Exact
from sslpipe.engines.inline import Inline
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize
from sslpipe.measures.text_statistics import TextStatistics
from sslpipe.packs.concatenate import Concatenate
from sslpipe.readers.jsonl import Jsonl
from sslpipe.recipe.recipe import Limits, Recipe, Shards
from sslpipe.recipe.splits import Splits
from sslpipe.shards.commits import Commit
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.next_token import NextToken
from tests.building.corpora import lay, limits, recipe, records, run, sound
from tests.building.foreign.filters.long_enough import LongEnough
from tests.building.foreign.fits.counted import Counted
from tests.building.foreign.measures.size import Size

BPE = ByteLevelBpe(vocab_size=300, sample_bytes=1000)
BYTES = ByteLevelBpe(vocab_size=259)
TEXTS = records(30)
TWICE = [{**line, "url": "again"} for line in TEXTS[:10]]
TIDY = [{**line, "text": line["text"] + "  \r\n"} for line in TEXTS[10:15]]
CORPUS = {"one": [*TEXTS[:20], *TWICE, b"{"], "two": [*TEXTS[10:], *TIDY, {"text": " ", "url": "empty"}]}

SHAPES: dict[str, tuple[tuple[Step, ...], dict[str, int]]] = {
    "nothing": ((), {"kept": 55, "filtered": 1}),
    "filter": ((LongEnough(least=2),), {"kept": 55, "filtered": 1}),
    "normalise": ((NormalizeText(),), {"kept": 55, "filtered": 1}),
    "dedup": ((NormalizeText(), Exact()), {"kept": 30, "duplicate": 25}),
    "dedup of what was read": ((Exact(),), {"kept": 35, "duplicate": 20}),
    "dedup by meta": ((Exact(field="meta"),), {"kept": 31, "duplicate": 24}),
    "fit": ((BPE,), {"kept": 55}),
    "fit and tokenize": ((BPE, Tokenize()), {"kept": 55}),
    "two dedups": ((Exact(), NormalizeText(), Exact()), {"kept": 30, "duplicate": 25, "filtered": 1}),
    "dedup after fit": ((BPE, NormalizeText(), Exact(), Tokenize()), {"kept": 30, "duplicate": 25}),
    "dedup of ids": ((NormalizeText(), BPE, Tokenize(), Exact()), {"kept": 30, "duplicate": 25}),
    "two fits": ((BPE, Tokenize(keep_text=True), Counted()), {"kept": 55}),
    "filter after dedup": ((NormalizeText(), Exact(), LongEnough(least=62)), {"duplicate": 25}),
    "filter after tokenize": (
        (NormalizeText(), Exact(), BYTES, Tokenize(), LongEnough(least=62, field="ids")),
        {"duplicate": 25},
    ),
    "keep text": ((NormalizeText(), BPE, Tokenize(keep_text=True)), {"kept": 55}),
    "measures": ((NormalizeText(), TextStatistics(), Size(), Exact(), BPE, Tokenize()), {"kept": 30}),
    "pack": ((NormalizeText(), Exact(), BPE, Tokenize(), Concatenate(length=32)), {"kept": 30}),
    "pack and task": ((NormalizeText(), Exact(), BPE, Tokenize(), Concatenate(length=32), NextToken()), {"kept": 30}),
    "task": ((NormalizeText(), Exact(), BPE, Tokenize(), MaskedTokens()), {"kept": 30}),
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay(tmp_path_factory.mktemp("driver"), CORPUS, files=3)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape(shape: str, corpus: Path, tmp_path: Path) -> None:
    steps, wanted = SHAPES[shape]
    made = recipe(corpus, *steps, limits=limits(), shards=Shards(count=2, splits=Splits(val=0.2, test=0.1)))
    manifest = run(made, tmp_path / "out")
    dataset = sound(tmp_path / "out", manifest)
    assert {outcome: manifest.totals[outcome] for outcome in wanted} == wanted
    assert manifest.totals["read"] == 57 and manifest.totals["quarantined"] == 1
    assert set(dataset.splits) == {"train", "val", "test"}
    assert (manifest.totals["filtered"] > 1) == (shape in ("filter after dedup", "filter after tokenize"))
    if not any(isinstance(step, Concatenate) for step in steps):
        assert len(dataset) == manifest.totals["kept"]
    assert {dataset.source(row) for row in range(len(dataset))} == {"one", "two"}


def test_what_the_shapes_store(corpus: Path, tmp_path: Path) -> None:
    kept = {}
    for shape in ("keep text", "measures", "pack and task"):
        out = tmp_path / shape.replace(" ", "-")
        manifest = run(recipe(corpus, *SHAPES[shape][0], limits=limits()), out)
        kept[shape] = sorted(sound(out, manifest)[0])
        if shape == "measures":
            assert manifest.measures[0].startswith("text_statistics.") and manifest.measures[-1] == "size.elements"
    assert kept == {
        "keep text": ["__key__", "ids", "meta", "text"],
        "measures": ["__key__", "ids", "meta"],
        "pack and task": ["__key__", "document_ids", "input_ids", "labels", "position_ids"],
    }


def test_one_artefact_is_learnt_once(corpus: Path, tmp_path: Path) -> None:
    twice = (BPE, Tokenize(keep_text=True), ByteLevelBpe(vocab_size=260, sample_bytes=100))
    with pytest.raises(RecipeError, match=r"fits.byte_level_bpe: tokenizer.json is learnt before already"):
        run(recipe(corpus, *twice, limits=limits()), tmp_path / "out")


def test_two_maps_in_one_segment_each_see_their_own_fields(corpus: Path, tmp_path: Path) -> None:
    """`empty` follows both: it looks at text behind the first, at ids behind the second."""
    learnt = run(recipe(corpus, BPE, Tokenize(), limits=limits()), tmp_path / "learnt")
    given = str(tmp_path / "learnt" / learnt.artefacts["tokenizer.json"].path)
    manifest = run(recipe(corpus, NormalizeText(), Tokenize(tokenizer=given), limits=limits()), tmp_path / "out")
    assert manifest.totals["kept"] == 55
    sound(tmp_path / "out", manifest)


def test_shards_of_another_recipe_are_never_taken_for_ours(corpus: Path, tmp_path: Path) -> None:
    """A, then B, then A again, none of the first two finished: their shards have the same names and sizes."""

    class Stop(Exception):
        pass

    class Stops(Silent):
        def close(self) -> None: ...

        def tick(self, commit: Commit) -> None:
            if commit.stage.endswith("-shards") and commit.task == 3:
                raise Stop

    def made(seed: int) -> Recipe:
        return recipe(corpus, NormalizeText(), seed=seed, limits=limits(), shards=Shards(count=4))

    whole = run(made(1), tmp_path / "whole")
    for seed in (1, 2):
        with pytest.raises(Stop):
            Builder(made(seed), tmp_path / "out", Inline(), Stops(), update=True).run()
    manifest = run(made(1), tmp_path / "out", update=True)
    sound(tmp_path / "out", manifest)
    assert [shard.xxh3_128 for shard in manifest.shards] == [shard.xxh3_128 for shard in whole.shards]


def test_a_renamed_source_after_a_stopped_build(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": [{"text": "same", "url": ""}] * 4})
    steps, tight = (Exact(),), Limits(max_duplicate=0.5)
    with pytest.raises(RecipeError, match="are duplicates"):
        run(recipe(folder, *steps, limits=tight), tmp_path / "out")
    (folder / "a").rename(folder / "docs")
    manifest = run(recipe(folder, *steps, limits=Limits(max_duplicate=1.0)), tmp_path / "out", update=True)
    assert manifest.by_source == {"docs": {"read": 4, "kept": 1, "duplicate": 3}}


def test_a_finished_build_whose_files_are_gone_is_not_finished(corpus: Path, tmp_path: Path) -> None:
    made = recipe(corpus, NormalizeText(), limits=limits())
    first = run(made, tmp_path / "out")
    (tmp_path / "out" / first.shards[0].path).unlink()
    with pytest.raises(DataError, match="1 of its files are gone or cut short"):
        run(made, tmp_path / "out")
    again = run(made, tmp_path / "out", update=True)
    sound(tmp_path / "out", again)
    assert [shard.xxh3_128 for shard in again.shards] == [shard.xxh3_128 for shard in first.shards]


def test_documents_that_fill_no_row_are_not_kept(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(5)})
    manifest = run(recipe(folder, BYTES, Tokenize(), Concatenate(length=4096), shards=Shards(count=1)), tmp_path / "out")
    assert manifest.totals["kept"] == 0 and manifest.shards == ()
    assert manifest.by_source["a"]["filtered:too_few_tokens"] == 5


def test_keying_alone_numbers_equal_payloads_by_source_then_metadata(tmp_path: Path) -> None:
    same = [{"text": "same", "url": url} for url in "abc"]
    folder = lay(tmp_path / "in", {"b": same[::-1], "a": [same[1], same[1]], "c": [{"text": "other", "url": ""}]})
    manifest = run(recipe(folder), tmp_path / "out")
    rows = {row["__key__"]: row["meta"]["url"] for row in sound(tmp_path / "out", manifest)}
    key = payload_digest({"text": b"same"}).hex()
    assert sorted(rows) == sorted(
        [key, *(f"{key}x{number}" for number in range(1, 5)), payload_digest({"text": b"other"}).hex()]
    )
    assert [rows[key], rows[f"{key}x1"]] == ["b", "b"], "source a comes first"
    assert sorted(rows[f"{key}x{number}"] for number in (2, 3, 4)) == ["a", "b", "c"]


def test_a_given_tokenizer_is_copied_and_its_content_counts(corpus: Path, tmp_path: Path) -> None:
    learnt = run(recipe(corpus, BPE, Tokenize(), limits=limits()), tmp_path / "learnt")
    file = tmp_path / "mine.json"
    file.write_bytes((tmp_path / "learnt" / learnt.artefacts["tokenizer.json"].path).read_bytes())
    made = recipe(corpus, Tokenize(tokenizer=str(file)), limits=limits())
    manifest = run(made, tmp_path / "out")
    dataset = sound(tmp_path / "out", manifest)
    copy = tmp_path / "out" / manifest.artefacts["tokenizer.json"].path
    assert copy.read_bytes() == file.read_bytes()
    assert dataset.tokenizer.get_vocab_size() == 300
    assert [shard.xxh3_128 for shard in manifest.shards] == [shard.xxh3_128 for shard in learnt.shards]

    changed = json.loads(file.read_text())
    changed["model"]["merges"] = changed["model"]["merges"][:10]
    file.write_text(json.dumps(changed))
    with pytest.raises(RecipeError, match="another version of a step, or other content of a file that it names"):
        run(made, tmp_path / "out")
    again = run(made, tmp_path / "out", update=True)
    assert sum(shard.elements["ids"] for shard in again.shards) > sum(shard.elements["ids"] for shard in manifest.shards)
    sound(tmp_path / "out", again)


def test_a_source_that_is_filtered_away(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"gone": [{"text": "x", "url": ""}] * 5, "here": records(10)})
    manifest = run(recipe(folder, LongEnough(least=10), Exact()), tmp_path / "out")
    sound(tmp_path / "out", manifest)
    assert manifest.by_source == {"gone": {"read": 5, "filtered:short": 5}, "here": {"read": 10, "kept": 10}}


def test_an_empty_split_has_no_shard(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(10)})
    manifest = run(recipe(folder, shards=Shards(count=2, splits=Splits(val=1e-9, test=1e-9))), tmp_path / "out")
    assert sound(tmp_path / "out", manifest).splits == {"train": 10}


@pytest.mark.parametrize("shards", [Shards(), Shards(count=3)])
def test_all_filtered_is_an_empty_dataset_that_says_so(tmp_path: Path, shards: Shards) -> None:
    folder = lay(tmp_path / "in", {"a": records(10)})
    manifest = run(recipe(folder, LongEnough(least=10_000), Exact(), shards=shards), tmp_path / "out")
    dataset = sound(tmp_path / "out", manifest)
    assert len(dataset) == 0 and manifest.shards == () and manifest.totals["filtered"] == 10
    with pytest.raises(RecipeError, match="split `train` has no rows for this stream"):
        dataset.stream(batch_size=1)


def test_nothing_to_learn_from_is_an_error_that_says_so(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(10)})
    with pytest.raises(DataError) as caught:
        run(recipe(folder, LongEnough(least=10_000), BPE, Tokenize()), tmp_path / "out")
    assert str(caught.value) == (
        "fits.byte_level_bpe has nothing to learn from: no row of the training split is left."
        " Look at what was filtered with `sslpipe status`, or loosen the filters"
    )
    assert not (tmp_path / "out" / "manifest.json").exists()


@pytest.mark.parametrize("steps", [(), (Exact(),), (NormalizeText(), Exact(), BPE, Tokenize())])
def test_one_record(tmp_path: Path, steps: tuple[Step, ...]) -> None:
    folder = lay(tmp_path / "in", {"a": records(1)})
    manifest = run(recipe(folder, *steps, shards=Shards(count=7)), tmp_path / "out")
    assert len(sound(tmp_path / "out", manifest)) == 1
    assert len(manifest.shards) == 1


def test_more_shards_than_rows_lists_no_empty_one(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(5)})
    manifest = run(recipe(folder, shards=Shards(count=40)), tmp_path / "out")
    assert len(sound(tmp_path / "out", manifest)) == 5
    assert 2 <= len(manifest.shards) <= 5
    assert all(int(shard.path[-10:-4]) < 40 for shard in manifest.shards)


def test_tiny_shards(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(40)})
    manifest = run(recipe(folder, shards=Shards(max_bytes=4_000)), tmp_path / "out")
    assert len(sound(tmp_path / "out", manifest)) == 40
    sizes = [shard.bytes for shard in manifest.shards]
    assert len(sizes) >= 10 and np.mean(sizes) < 8_000


def test_rows_larger_than_all_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sample by bytes would hold no row at all: nothing to learn from, and all rows in one shard."""
    monkeypatch.setattr(driver, "WEIGH_BYTES", 1)
    folder = lay(tmp_path / "in", {"a": records(200)})
    shards = Shards(max_bytes=20_000)
    made = recipe(folder, ByteLevelBpe(vocab_size=300, sample_bytes=1), Tokenize(keep_text=True), shards=shards)
    manifest = run(made, tmp_path / "out")
    assert len(sound(tmp_path / "out", manifest)) == 200
    assert 15 <= len(manifest.shards) <= 40


def test_a_folder_without_files_for_the_reader(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(b"")
    made = recipe(tmp_path, sources={"a": Jsonl(paths=(str(tmp_path / "in"),))})
    with pytest.raises(RecipeError) as caught:
        run(made, tmp_path / "out")
    told = f"recipe.sources.a.readers.jsonl.paths: source `a`: no file under {tmp_path}/in is one that readers.jsonl reads"
    assert str(caught.value) == (
        f"{told} (.jsonl, .ndjson); found 1 file (.png 1). `sslpipe list readers.jsonl` says which it does"
    )
    (tmp_path / "in" / "a.png").unlink()
    with pytest.raises(RecipeError, match=r"; found nothing\. `sslpipe list readers\.jsonl` says"):
        run(made, tmp_path / "out")
    assert not (tmp_path / "out").exists(), "an error in the recipe writes nothing"


def test_names_by_reason(corpus: Path, tmp_path: Path) -> None:
    manifest = run(recipe(corpus, NormalizeText(), LongEnough(least=62), Exact(), limits=limits()), tmp_path / "out")
    reasons = Counter(name for outcomes in manifest.by_source.values() for name in outcomes)
    assert set(reasons) == {"read", "kept", "duplicate", "quarantined:json.syntax", "filtered:empty", "filtered:short"}


def test_rows_of_one_group_fall_to_one_split(tmp_path: Path) -> None:
    """By group: no speaker is heard in two splits, whatever the seed, and rows without one are divided by themselves."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    lines = [json.dumps({"text": f"text {number} of somebody", "speaker": f"s{number % 40}"}) for number in range(400)]
    lines += [json.dumps({"text": f"text {number} of nobody"}) for number in range(200)]
    (folder / "a.jsonl").write_text("\n".join(lines))
    reader = Jsonl(paths=(str(folder),), keep=("speaker",))
    shards = Shards(count=2, splits=Splits(val=0.3, test=0.2, by="speaker"))
    held: list[dict[str, set[str]]] = []
    for seed in (1, 2):
        made = Recipe(name="groups", seed=seed, sources={"main": reader}, shards=shards)
        manifest = run(made, tmp_path / f"out{seed}")
        found: dict[str, set[str]] = {}
        alone: dict[str, int] = {}
        dataset = Dataset(tmp_path / f"out{seed}")
        ends = dataset.splits
        place = 0
        for split, count in ends.items():
            speakers = [dataset[row]["meta"]["speaker"] for row in range(place, place + count)]
            found[split], alone[split] = set(speakers) - {""}, speakers.count("")
            place += count
        assert manifest.totals["kept"] == 600
        assert not found["train"] & found["val"] and not found["train"] & found["test"] and not found["val"] & found["test"]
        assert all(len(speakers) > 2 for speakers in found.values())
        assert all(count > 10 for count in alone.values()), "rows without a group are not one group"
        held.append(found)
    assert held[0] == held[1]
    with pytest.raises(RecipeError, match=r"keep: \[speaker\]"):
        run(Recipe(name="groups", sources={"main": Jsonl(paths=(str(folder),))}, shards=shards), tmp_path / "refused")
