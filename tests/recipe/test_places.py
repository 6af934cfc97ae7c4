"""What a plan refuses is said with its place in the recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_support import written

from sslpipe.building.inputs import parts_by_source
from sslpipe.core.errors import RecipeError
from sslpipe.recipe.load import load_located
from sslpipe.recipe.plan import Plan

HEAD = "name: x\n"
TEXTS = "source: {readers.text: {paths: data}}\n"
PICTURES = "source: {readers.images: {paths: data}}\n"
REFUSED = {
    "no encode step": (
        PICTURES + "build:\n  - filters.image_quality\n  - maps.resize_image: {short_side: 64}\n",
        "5:5: field `image` would be stored in as many formats as it was read in; put maps.encode_jpeg",
    ),
    "no step at all": (PICTURES, "2:10: field `image` would be stored in as many formats as it was read in"),
    "sources that differ": (
        "sources:\n  b: {readers.text: {paths: data}}\n  a: {readers.images: {paths: data}}\n",
        "4:7: sources `b` and `a` fill different fields (text: text; image: image)",
    ),
    "a measure that isn't stored": (
        TEXTS + "stream: [filters.gopher_quality]\n",
        "3:10: filters.gopher_quality in `stream:` judges by measures.text_statistics; of that, `build:` computes nothing.",
    ),
    "a measure of packed documents": (
        TEXTS + "build: [measures.text_statistics, fits.byte_level_bpe, maps.tokenize, packs.concatenate]\n",
        "3:71: packs.concatenate in `build:` makes rows of many documents, and measures.text_statistics measures one;",
    ),
    "a group that isn't kept": (
        TEXTS + "shards: {splits: {val: 0.1, by: speaker}}\n",
        "3:33: `by: speaker` needs that column of `meta`, and source `main` doesn't keep it;"
        " readers.text can keep path, folder alone: `by: folder` groups by the folders of files\n",
    ),
    "a folder that isn't kept": (
        TEXTS + "shards: {splits: {val: 0.1, by: folder}}\n",
        "3:33: `by: folder` needs that column of `meta`, and source `main` doesn't keep it;"
        " write `keep: [folder]` into readers.text\n",
    ),
    "a column that isn't kept": (
        "source: {readers.jsonl: {paths: data}}\nshards: {splits: {val: 0.1, by: speaker}}\n",
        "3:33: `by: speaker` needs that column of `meta`, and source `main` doesn't keep it;"
        " write `keep: [speaker]` into readers.jsonl\n",
    ),
    "a requirement": (TEXTS + "build: [maps.tokenize]\n", "3:9: maps.tokenize needs tokenizer.json, and no step before it"),
}


@pytest.mark.parametrize(("text", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = written(tmp_path, text, HEAD)
    located = load_located(file)
    with pytest.raises(RecipeError) as caught:
        Plan.of(located.recipe, locate=located.locate)
    assert str(caught.value).startswith(f"{file}:{told}")


@pytest.mark.parametrize(
    ("source", "names", "told"),
    [
        (
            "readers.jsonl",
            ("a.txt", "b.png", "c.md"),
            "readers.jsonl reads (.jsonl, .ndjson); found 3 files (.md 1, .png 1, .txt 1).",
        ),
        ("readers.text", (), "readers.text reads (.txt, .md, .rst, .pod, .html, .htm, no suffix); found nothing."),
        ("readers.stems", ("a.wav",), "readers.stems reads (.jpg, .jpeg, .png, .webp, .gif, .txt); found 1 file (.wav 1)."),
    ],
)
def test_a_folder_with_nothing_to_read(tmp_path: Path, source: str, names: tuple[str, ...], told: str) -> None:
    (tmp_path / "data").mkdir()
    for name in names:
        (tmp_path / "data" / name).write_text("x")
    file = written(tmp_path, f"source: {{{source}: {{paths: data}}}}\n", HEAD)
    located = load_located(file)
    with pytest.raises(RecipeError) as caught:
        parts_by_source(located.recipe, located)
    first = str(caught.value).splitlines()[0]
    assert (
        first == f"{file}:2:{len(source) + 20}: source `main`: no file under {tmp_path}/data is one that {told}"
        f" `sslpipe list {source}` says which it does"
    )
