"""The page about a dataset: its numbers are the manifest's, and nothing that is in the data can do anything there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sslpipe.codecs.audio import AudioCodec, Sound
from sslpipe.core.errors import DataError
from sslpipe.cuts.channels import Channels
from sslpipe.dedups.exact import Exact
from sslpipe.filters.audio_levels import AudioLevels
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.encode_flac import EncodeFlac
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize
from sslpipe.packs.concatenate import Concatenate
from sslpipe.readers.audio import Audio
from sslpipe.readers.jsonl import Jsonl
from sslpipe.recipe.recipe import Recipe, Shards
from sslpipe.report import findings, html, ledger_pass
from sslpipe.report.report import write_report
from sslpipe.report.sections import outcomes, shards
from sslpipe.shards.manifest import Manifest
from sslpipe.shards.storage import LocalStorage
from sslpipe.tasks.next_token import NextToken
from tests.building.corpora import lay, limits, recipe, records, run
from tests.building.foreign.filters.long_enough import LongEnough
from tests.laws.modality import NAMES
from tests.report.pages import Element, by_reason, differs, harms, page_of, read
from tests.support_audio import noise

Datasets = Callable[[str], Path]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_the_manifests_and_nothing_can_run(name: str, datasets: Datasets) -> None:
    page = page_of(datasets(name))
    assert [section.attributes["id"] for section in page.all("section")] == [
        "what-became", "recipe", "measures", "kept", "dropped", "duplicates", "bad", "shards",
    ]  # fmt: skip
    cards = list(page.one(id="kept").all("article"))
    assert len(cards) == 24, "eight of each source"
    drawn = {"text": "pre", "images": "img", "audio": "svg"}[name]
    assert all(list(card.all(drawn)) for card in cards)


@pytest.mark.parametrize("name", NAMES)
def test_histograms_count_every_row_that_was_measured(name: str, datasets: Datasets) -> None:
    page = page_of(datasets(name))
    read_whole = Manifest.load(LocalStorage(datasets(name))).totals
    figures = [figure for figure in page.one(id="measures").all("figure") if list(figure.all("svg"))]
    assert len(figures) >= 6
    for figure in figures:
        rows = sum(int(count) for bar in figure.all("g") for count in bar.attributes.get("data-rows", "").split())
        said = int(figure.one("figcaption").one("small").text.partition(" rows")[0].rpartition(" ")[2].replace(",", ""))
        assert rows == said <= read_whole["read"]


def test_the_same_page_again_and_nothing_outside_is_read(
    datasets: Datasets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_report(datasets("text")).read_bytes()
    copy = tmp_path / "elsewhere"
    shutil.copytree(datasets("text"), copy)
    (copy / "report.html").unlink()
    corpus = datasets("text").parent / "in"
    corpus.rename(tmp_path / "gone")  # What was read is no longer where the ledger says.
    monkeypatch.setattr(ledger_pass, "ROWS", 37)
    try:
        assert write_report(copy, tmp_path / "page.html") == tmp_path / "page.html"
    finally:
        (tmp_path / "gone").rename(corpus)
    assert (tmp_path / "page.html").read_bytes() == first
    assert not (copy / "report.html").exists()


EVIL = "</pre></p><script>alert(1)</script><img src=x onerror=alert(2)>\"'><!-- \u202e\0"
NAME = "<svg onload=alert(3)> \" ' & <!--"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with markup in texts, in metadata, in the names of files, and in what can't be read."""
    folder = tmp_path_factory.mktemp("hostile")
    lines = [
        *({"text": f"{EVIL} row {number} of them with some more words", "url": EVIL} for number in range(6)),
        {"text": f"{EVIL} row 0 of them with some more words\r\n", "url": "copy"},
        {"text": "few <b>words</b>", "url": EVIL},
        ("{" + EVIL).encode(),
    ]
    lay(folder / NAME, {NAME: lines})
    made = Recipe(
        name="hostile",
        sources={"main": Jsonl(paths=(str(folder / NAME),), keep=("url",))},
        build=(NormalizeText(), GopherQuality(min_words=8, min_stop_words=0, min_alphabetic_words=0), Exact()),
        shards=Shards(count=1),
        limits=limits(),
    )
    run(made, folder / "out")
    return folder / "out"


def test_markup_in_the_data_is_text(hostile: Path) -> None:
    page = page_of(hostile)
    shown = page.text
    assert shown.count("<script>alert(1)</script>") >= 6 and "\\u202e" in shown and "\\u0000" in shown
    assert "\u202e" not in shown and "\0" not in shown
    paths = [path.text for path in page.all("bdi")]
    assert len(paths) >= 4 and all(NAME in path for path in paths), "files are named, and are no links"


def test_markup_that_is_not_escaped_is_caught(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_ENTITIES", {letter: letter for letter in "&<>\"'"})
    with pytest.raises(AssertionError):
        harms_of(hostile)


def harms_of(out: Path) -> None:
    assert harms(read(write_report(out).read_text("utf-8"))) == []


def test_long_names_are_cut(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 200) / ("e" * 200)
    lay(deep, {"a": [*records(3), {"text": "x" * 100_000, "url": "u" * 100_000}, {"text": "few", "url": ""}]})
    made = Recipe(
        name="long",
        sources={"a": Jsonl(paths=(str(deep),), keep=("url",))},
        build=(GopherQuality(min_words=1, min_stop_words=0, max_mean_word_length=1e9, min_alphabetic_words=0), Exact()),
        shards=Shards(count=1),
        limits=limits(),
    )
    run(made, tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert (tmp_path / "out/report.html").stat().st_size < 120_000
    assert max(len(pre.text) for pre in page.all("pre")) <= 601


def changed(out: Path, target: Path, file: str, change: Callable[[str], str]) -> Path:
    """A copy of a dataset with one of its files changed."""
    shutil.copytree(out, target)
    path = target / file
    path.write_text(change(path.read_text()))
    return target


def test_counts_that_contradict_the_ledger_are_refused(hostile: Path, tmp_path: Path) -> None:
    def more(text: str) -> str:
        return text.replace('"filtered:gopher.too_few_words": 1', '"filtered:gopher.too_few_words": 2')

    with pytest.raises(DataError, match=r"the ledger has 1 rows of source `main` that are filtered:gopher\.too_few_words, the"):
        write_report(changed(hostile, tmp_path / "more", "manifest.json", more))
    with pytest.raises(DataError, match=r"the decisions name 1 duplicates, the manifest counts 4"):
        write_report(
            changed(hostile, tmp_path / "other", "manifest.json", lambda text: text.replace('"duplicate": 1', '"duplicate": 4'))
        )


def test_numbers_that_do_not_sum_are_caught(hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "REASONS", 0)  # All reasons are summed up, and the line for them says one too few.
    original = outcomes._reason_row
    monkeypatch.setattr(outcomes, "_reason_row", lambda o, r, count, *rest: original(o, r, count - ("other" in r), *rest))
    page = read(write_report(hostile).read_text("utf-8"))
    assert differs(page, Manifest.load(LocalStorage(hostile))) == ["reasons of filtered", "reasons of quarantined"]


def test_a_ledger_that_is_gone_or_cut_is_told(hostile: Path, tmp_path: Path) -> None:
    shutil.copytree(hostile, tmp_path / "out")
    (ledger,) = (tmp_path / "out/.sslpipe/ledger").iterdir()
    whole = ledger.read_bytes()
    ledger.write_bytes(whole[:-1])
    with pytest.raises(DataError, match=rf"{ledger.name} has [\d,]+ bytes instead of [\d,]+; restore it"):
        write_report(tmp_path / "out")
    ledger.unlink()
    with pytest.raises(DataError, match=rf"{ledger.name} is missing; restore it, or build again with --update"):
        write_report(tmp_path / "out")


def test_reasons_beyond_the_commonest_are_summed_up(datasets: Datasets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "REASONS", 2)
    monkeypatch.setattr(findings, "REASONS", 2)
    page = page_of(datasets("text"))
    assert len(by_reason(page)["filtered"][1]) == 3 and "2 other reasons" in page.text
    assert len(list(page.one(id="dropped").all("details"))) == 2


def test_many_shards_are_drawn_together_and_listed_in_part(datasets: Datasets, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "BARS", 3)
    monkeypatch.setattr(shards, "LISTED", 4)
    page = page_of(datasets("text"))
    assert [len(list(strip.all("rect"))) for strip in page.all("svg", "strip")] == [3, 1, 1]
    assert "and 5 more, in manifest.json" in page.one(id="shards").text


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset with a filter of another package behind the dedup."""
    folder = tmp_path_factory.mktemp("foreign")
    lay(folder / "in", {"a": [*records(6), records(1)[0], {"text": "short", "url": ""}]})
    run(recipe(folder / "in", Exact(), LongEnough(least=10), limits=limits()), folder / "out")
    return folder / "out"


def dropped(page: Element) -> Element:
    return page.one(id="dropped").one("li")


def test_code_of_others_runs_only_if_trusted(foreign: Path) -> None:
    page = page_of(foreign)
    assert "Thresholds can't be told" in page.one(id="measures").text and "(`--trust` on the command line)" in page.text
    assert "5 elements" not in page.text
    assert dropped(page).one("bdi").text.endswith("in/a/0.jsonl"), "the file is known from the entry of the read"
    page = page_of(foreign, trust=True)
    assert "Thresholds" not in page.text and "5 elements, least is 10" in dropped(page).text
    assert "only rows that were dropped there" in page.one(id="measures").text


def test_a_recipe_that_was_replaced_is_not_shown(hostile: Path, tmp_path: Path) -> None:
    other = changed(
        hostile, tmp_path / "out", ".sslpipe/recipe.json", lambda text: json.dumps({**json.loads(text), "build": "x"})
    )
    page = page_of(other)
    assert page.one(id="recipe").text == (
        "The recipeAnother build has begun in this folder, and its recipe has taken the place of this one."
    )
    assert "Thresholds can't be told: another build has begun" in page.text


def test_a_recipe_that_no_build_wrote_is_refused(hostile: Path, tmp_path: Path) -> None:
    def other(text: str) -> str:
        told = json.loads(text)
        return json.dumps({**told, "recipe": {**told["recipe"], "sources": {"main": "readers.jsonl"}}})

    with pytest.raises(DataError, match=r"recipe\.json: sources\.main is not what a build writes; build again with --update"):
        write_report(changed(hostile, tmp_path / "out", ".sslpipe/recipe.json", other))


def test_numbers_that_are_none_do_not_end_it(hostile: Path, tmp_path: Path) -> None:
    """A ledger is somebody's file: a measure in it may be NaN, or text."""
    shutil.copytree(hostile, tmp_path / "out")
    (file,) = (tmp_path / "out/.sslpipe/ledger").iterdir()
    table = pq.read_table(file)
    for name, values in (
        ("text_statistics.words", pa.array([float("nan")] * len(table))),
        ("text_statistics.lines", ["x"] * len(table)),
    ):
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    pq.write_table(table, file)
    (rollup,) = (tmp_path / "out/.sslpipe/builds").iterdir()
    stages = json.loads(rollup.read_text())
    for output in [output for done in stages.values() for commit in done for output in commit["outputs"]]:
        output["bytes"] = file.stat().st_size if output["role"] == "ledger" else output["bytes"]
    rollup.write_text(json.dumps(stages))
    page = page_of(tmp_path / "out")
    (words,) = [figure for figure in page.one(id="measures").all("figure") if next(figure.all("b")).text == "words"]
    assert "9 are no numbers" in words.text and words.text.endswith("no number in any row")
    assert "min_words is" not in page.one(id="dropped").text


def test_the_recipe_shows_what_was_changed(hostile: Path) -> None:
    section = page_of(hostile).one(id="recipe")
    assert [step.text for step in section.all("code") if "." in step.text] == [
        "main: readers.jsonl", "maps.normalize_text", "filters.gopher_quality", "dedups.exact",
    ]  # fmt: skip
    told = [fields.text for fields in section.all("span", "changed")]
    assert "min_words: 8" in told and not any(text.startswith("max_words") for text in told)
    assert "max_words: 100000" in section.text, "thresholds are shown changed or not"
    assert "unicode" not in section.text, "other fields only if they were changed"


def test_duplicates_are_named_with_their_survivor(hostile: Path) -> None:
    (group,) = page_of(hostile).one(id="duplicates").all("article")
    kept, lost = [entry.text for entry in group.one("ul").all("li")]
    assert kept.startswith("kept ") and lost.startswith("dropped ")
    assert {kept[-8:], lost[-8:]} == {"record 1", "record 7"}


def test_nothing_kept(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(3)})
    run(recipe(tmp_path / "in", GopherQuality(), limits=limits()), tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert "No row was kept" in page.one(id="kept").text


def test_packed_rows_that_a_task_made_left_of_the_fence(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": [*records(12), *records(4)]})
    steps = (Exact(), ByteLevelBpe(vocab_size=300), Tokenize(), Concatenate(length=16), NextToken())
    run(recipe(tmp_path / "in", *steps, limits=limits(), shards=Shards(count=1)), tmp_path / "out")
    page = page_of(tmp_path / "out")
    assert {label.text for label in page.one(id="kept").all("b")} == {"document_ids", "input_ids", "labels", "position_ids"}
    assert "river" in page.one(id="kept").text, "ids are shown as the text that they stand for"


def test_one_source_has_no_line_for_all(hostile: Path) -> None:
    assert not list(page_of(hostile).all("tfoot"))


def test_not_finished(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/nothing does not exist$"):
        write_report(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"is not finished yet; `sslpipe status .*` says how far it is"):
        write_report(tmp_path)
    assert not (tmp_path / "nothing").exists()


@pytest.mark.parametrize("behind", [False, True], ids=["before the dedup", "behind it"])
def test_pieces_that_were_dropped_name_the_file_they_were_cut_from(behind: bool, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, frames in enumerate((4000, 9000, 12_000)):
        (tmp_path / f"in/{number}.flac").write_bytes(AudioCodec().encode(Sound(noise(frames, 2, number), 8000)))
    steps = (Exact(), Channels()) if behind else (Channels(), Exact())
    made = Recipe(
        name="pieces",
        sources={"main": Audio(paths=(str(tmp_path / "in"),))},
        build=(*steps, AudioLevels(min_s=1), EncodeFlac()),
        shards=Shards(count=1),
        limits=limits(),
    )
    assert run(made, tmp_path / "out").totals["filtered"] == 2
    items = list(page_of(tmp_path / "out").one(id="dropped").all("li"))
    assert [item.one("bdi").text for item in items] == [str(tmp_path / "in/0.flac")] * 2
    assert all("frames / rate = 0.5, min_s is 1.0" in item.text for item in items)
