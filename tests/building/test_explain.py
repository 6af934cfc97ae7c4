"""Every record can be looked up, whatever became of it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sslpipe.building.explain import LIMIT, explain
from sslpipe.building.state import RECIPE
from sslpipe.core.errors import DataError
from sslpipe.core.hashes import payload_digest
from sslpipe.dedups.exact import Exact
from sslpipe.fits.byte_level_bpe import ByteLevelBpe
from sslpipe.maps.normalize_text import NormalizeText
from sslpipe.maps.tokenize import Tokenize
from sslpipe.packs.concatenate import Concatenate
from sslpipe.readers.text import Text
from sslpipe.recipe.recipe import Shards
from sslpipe.shards.storage import LocalStorage
from sslpipe.stream.dataset import Dataset
from sslpipe.tasks.next_token import NextToken
from tests.building.corpora import lay, limits, recipe, records, run
from tests.building.foreign.filters.long_enough import LongEnough

LINES = [
    {"text": "a row of thirty letters or more", "url": "kept"},
    {"text": "a row of thirty letters or more\r\n", "url": "copy"},
    {"text": "too short", "url": ""},
    b"{broken",
    {"text": "long enough at first, not behind the dedup", "url": ""},
    {"text": "a row that is kept, with its own words in it, and many of them", "url": "long"},
]


def key(text: str) -> str:
    return payload_digest({"text": text.encode()}).hex()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explain")
    lay(folder / "in", {"a": LINES})
    steps = (NormalizeText(), LongEnough(least=10), Exact(), LongEnough(least=30, field="text"), LongEnough(least=43))
    run(recipe(folder / "in", *steps, limits=limits(), shards=Shards(count=1)), folder / "out")
    return folder / "out"


def told(out: Path, wanted: str) -> str:
    (story,) = explain(LocalStorage(out), wanted, trust=True)
    return "\n".join(story).replace(str(out.parent), "/x")


def test_kept(out: Path) -> None:
    name = key(LINES[5]["text"])
    assert told(out, name) == (
        f"/x/in/a/0.jsonl, record 6\n"
        f"  key {name}, source a\n"
        "  measured: blank.blank_fields 0, size.elements 62\n"
        "  passed the filters before the first dedup or fit\n"
        f"  kept: shards/train-000000.tar, member {name}"
    )


@pytest.mark.parametrize("cut", [6, 12, 31])
def test_the_start_of_a_key_is_enough(cut: int, out: Path) -> None:
    name = key(LINES[5]["text"])
    assert told(out, name[:cut].upper()) == told(out, name)
    assert told(out, f"{name}x3") == told(out, f"{name}-128") == told(out, name), "names of shards work too"


def test_filtered_at_once(out: Path) -> None:
    assert told(out, key("too short")).splitlines()[2:] == [
        "  measured: blank.blank_fields 0, size.elements 9",
        "  filtered: short: 9 elements, least is 10",
    ]


def test_filtered_behind_the_dedup(out: Path) -> None:
    assert told(out, key(LINES[4]["text"])).splitlines()[-3:] == [
        "  passed the filters before the first dedup or fit",
        "  measured: size.elements 42",
        "  filtered: short: 42 elements, least is 43",
    ]


def test_duplicate(out: Path) -> None:
    stories = [told(out, key(LINES[row]["text"])) for row in (0, 1)]
    lost, survivor = sorted(stories, key=lambda story: "duplicate" not in story)
    name = survivor.split("key ")[1][:32]
    assert lost.splitlines()[-1] == f"  duplicate of {name}, which survives; `sslpipe explain /x/out {name}` shows it"
    assert "filtered: short" in survivor or "kept" in survivor


def test_without_trust_no_step_of_another_package_runs(out: Path) -> None:
    (story,) = explain(LocalStorage(out), key("too short"))
    assert story[3] == "  filtered: short"
    assert story[4].startswith("  thresholds can't be told: recipe.build[1].tests.building.foreign.filters.long_enough: ")
    assert story[4].endswith("pass trust=True if it may (`--trust` on the command line)")
    (kept,) = explain(LocalStorage(out), key(LINES[5]["text"]))
    assert "thresholds" not in "".join(kept), "nothing was missed"


@pytest.fixture
def between(tmp_path: Path) -> LocalStorage:
    """Two filters of one kind with a map between them that shortens rows, and one more behind the second."""
    texts = ["word of ten", "four  \r\n      ", "some twenty letters!", "x" * 45 + " \n" * 10, "y" * 60]
    lay(tmp_path / "in", {"a": [{"text": text, "url": ""} for text in texts]})
    steps = (LongEnough(least=12), NormalizeText(), LongEnough(least=20), LongEnough(least=50))
    run(recipe(tmp_path / "in", *steps, limits=limits(), shards=Shards(count=1)), tmp_path / "out")
    return LocalStorage(tmp_path / "out")


def test_the_filter_that_dropped_a_row_is_found_among_several(between: LocalStorage) -> None:
    stories = ["\n".join(story) for story in explain(between, "0.jsonl", trust=True)]
    told = [story.partition("filtered: short: ")[2] for story in stories]
    # A row of 4 is short for both, and the numbers don't say whether they were taken before or behind the map.
    both = ["11 elements, least is 12 or 11 elements, least is 20", "4 elements, least is 12 or 4 elements, least is 20"]
    assert told == [*both, "20 elements, least is 50", "45 elements, least is 50", ""]


def test_a_recipe_that_was_replaced_explains_nothing(between: LocalStorage) -> None:
    before = json.loads(between.get(".sslpipe/recipe.json"))
    between.replace(".sslpipe/recipe.json", json.dumps({**before, "build": "another"}).encode())
    story = explain(between, "0.jsonl", trust=True)[0]
    assert story[-2:] == [
        "  filtered: short",
        "  thresholds can't be told: another build has begun in this folder, and its recipe has taken the place of this"
        " dataset's",
    ]
    between.delete(".sslpipe/recipe.json")
    assert explain(between, "0.jsonl", trust=True)[0] == story


def test_a_recipe_of_another_version_explains_nothing(between: LocalStorage) -> None:
    text = between.get(".sslpipe/recipe.json").replace(b'"least": 12', b'"fewest": 12')
    between.replace(".sslpipe/recipe.json", text)
    assert "got `fewest`, wanted a field of" in explain(between, "0.jsonl", trust=True)[0][-1]


def test_what_no_filter_dropped_has_no_threshold(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": [*records(4), {"text": "a", "url": ""}]})
    steps = (ByteLevelBpe(vocab_size=300), Tokenize(), NextToken())
    run(recipe(tmp_path / "in", *steps, limits=limits()), tmp_path / "out")
    assert told(tmp_path / "out", key("a")).splitlines()[-1] == "  filtered: too_short"


def test_by_path(out: Path) -> None:
    whole = explain(LocalStorage(out), "a/0.jsonl")
    assert len(whole) == len(LINES)
    for wanted in ("0.jsonl", "./0.jsonl", "in/a/0.jsonl", str(out.parent / "in/a/0.jsonl")):
        assert explain(LocalStorage(out), wanted) == whole
    broken = [story for story in whole if "no key" in story[1]]
    assert broken == [
        [
            f"{out.parent}/in/a/0.jsonl, line 4",
            "  key no key, source a",
            "  quarantined: json.syntax " + broken[0][2].removeprefix("  quarantined: json.syntax "),
        ]
    ]


def test_by_a_path_that_leads_over_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "b.txt").write_text("some text")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    made = recipe(tmp_path / "real", sources={"a": Text(paths=(str(tmp_path / "link"),))})
    run(made, tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    for wanted in ("link/b.txt", "b.txt", str(tmp_path / "link" / "b.txt"), os.path.relpath(tmp_path / "link/b.txt")):
        (story,) = explain(LocalStorage(tmp_path / "out"), wanted)
        assert story[0] == f"{tmp_path}/link/b.txt, record 1"


def test_by_a_name_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for name in (b"a\xff.txt", b"b\n.txt"):
        Path(os.fsdecode(os.fsencode(tmp_path / "in") + b"/" + name)).write_bytes(b"text of " + str(len(name)).encode())
    run(recipe(tmp_path / "in", sources={"a": Text(paths=(str(tmp_path / "in"),))}), tmp_path / "out")
    monkeypatch.chdir(tmp_path)
    for wanted in ("in/a\udcff.txt", "a\udcff.txt", "a\\xff.txt"):
        (story,) = explain(LocalStorage(tmp_path / "out"), wanted)
        assert story[0] == f"{tmp_path}/in/a\\xff.txt, record 1"
    (story,) = explain(LocalStorage(tmp_path / "out"), "in/b\n.txt")
    assert "kept: " in story[-1]


def test_unknown(out: Path) -> None:
    for wanted in ("f" * 32, "nowhere.txt", "onl", "jsonl"):
        with pytest.raises(DataError) as caught:
            explain(LocalStorage(out), wanted)
        assert str(caught.value) == (
            f"nothing in {out} is called `{wanted}`; give a key (32 hex digits, or how it starts), or a path"
        )


def test_a_packed_row_is_found_by_the_document_it_begins_in(tmp_path: Path) -> None:
    lay(tmp_path / "in", {"a": records(LIMIT + 5)})
    steps = (ByteLevelBpe(vocab_size=300), Tokenize(), Concatenate(length=16))
    run(recipe(tmp_path / "in", *steps), tmp_path / "out")
    member = Dataset(tmp_path / "out").keys[0]
    assert f"member {member}" in told(tmp_path / "out", member.partition("-")[0])
    assert len(explain(LocalStorage(tmp_path / "out"), "0.jsonl")) == LIMIT


def test_a_file_of_a_kind_that_is_not_read(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"a": records(2)})
    (folder / "a" / "Film.MP4").write_bytes(b"moving pictures")
    run(recipe(folder), tmp_path / "out")
    for wanted in ("Film.MP4", "in/a/Film.MP4", "gone.mp4"):
        with pytest.raises(DataError) as caught:
            explain(LocalStorage(tmp_path / "out"), wanted)
        where = f"nothing in {tmp_path}/out is called `{wanted}`"
        assert str(caught.value) == f"{where}: source `a` reads no files that end in .mp4"


def test_not_finished(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no build; `sslpipe build RECIPE -o .*` starts one$"):
        explain(LocalStorage(tmp_path), "x")
    LocalStorage(tmp_path).replace(RECIPE, b"{}")
    with pytest.raises(DataError) as caught:
        explain(LocalStorage(tmp_path), "x")
    assert str(caught.value) == f"{tmp_path} is not finished yet; `sslpipe status {tmp_path}` says how far it is"


def test_a_tokenizer_that_was_given_is_read_from_the_dataset(tmp_path: Path, out: Path) -> None:
    """The recipe may have come from elsewhere, and name any file of this machine; or the file may have moved."""
    learnt = tmp_path / "learnt"
    run(recipe(out.parent / "in", ByteLevelBpe(vocab_size=300), Tokenize(), limits=limits()), learnt)
    given = tmp_path / "given.json"
    given.write_bytes((learnt / Dataset(learnt).manifest.artefacts["tokenizer.json"].path).read_bytes())
    steps = (LongEnough(least=10), Tokenize(tokenizer=str(given)))
    run(recipe(out.parent / "in", *steps, limits=limits(), shards=Shards(count=1)), tmp_path / "out")
    given.unlink()
    os.mkfifo(given)  # Whoever opens it now waits for ever.
    (story,) = explain(LocalStorage(tmp_path / "out"), key("too short"), trust=True)
    assert story[-1] == "  filtered: short: 9 elements, least is 10"
