"""The recipe for text, as it is shipped, from files to batches."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

from sslpipe.building.driver import Builder
from sslpipe.engines.inline import Inline
from sslpipe.recipe.load import load_recipe
from tests.building.corpora import WORDS, sound

DOCUMENTS = 150


def prose(rng: random.Random, words: int) -> str:
    """Sentences of so many words, long enough to learn a tokenizer from."""
    return " ".join(rng.choice(WORDS) + "." * (rng.random() < 0.1) for _ in range(words))


def lay_texts(folder: Path) -> dict[str, str]:
    """Files with every outcome; returns the texts that are to be kept, by the name of their file."""
    rng = random.Random(0)
    folder.mkdir()
    kept = {f"{number:03d}": prose(rng, 80 + number) for number in range(DOCUMENTS)}
    for name, text in kept.items():
        (folder / f"{name}.txt").write_text(text)
    for number in range(10):
        (folder / f"short{number}.txt").write_text(prose(rng, 20))
        (folder / f"twice{number}.txt.gz").write_bytes(gzip.compress(kept[f"{number:03d}"].encode()))
    (folder / "strange.txt").write_text("kraxl " * 100)
    (folder / "broken.txt").write_bytes(b"caf\xe9 " * 60)
    return kept


def test_the_shipped_recipe(tmp_path: Path) -> None:
    kept = lay_texts(tmp_path / "in")
    recipe = load_recipe("text", input=tmp_path / "in", overrides=["limits.max_bad=0.5"])
    manifest = Builder(recipe, tmp_path / "out", Inline()).run()
    dataset = sound(tmp_path / "out", manifest)
    assert manifest.by_source["main"] == {
        "read": DOCUMENTS + 22, "kept": DOCUMENTS, "duplicate": 10, "filtered:gopher.too_few_words": 10,
        "filtered:gopher.too_few_stop_words": 1, "quarantined:text.utf8": 1,
    }  # fmt: skip
    ends = dataset.tokenizer.token_to_id("<|endoftext|>")
    texts = [dataset.tokenizer.decode([i for i in row["ids"].tolist() if i != ends]) for row in dataset]
    assert sorted(texts) == sorted(kept.values())
    batch = next(iter(dataset.stream(batch_size=4)))
    for name in ("input_ids", "labels", "position_ids", "document_ids"):
        assert batch[name].shape == (4, 1024)
    seen = batch["labels"] != -100
    assert (batch["labels"] == batch["input_ids"])[seen].all() and not seen[batch["position_ids"] == 0].any()
