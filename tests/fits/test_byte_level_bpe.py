"""A tokenizer learnt from the corpus: what it is, and that only the multiset of rows decides."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from sslpipe.codecs.tokenizer import Tokenizer
from sslpipe.core.errors import DataError, FieldError, RecipeError
from sslpipe.core.fields import Field
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.fits import byte_level_bpe
from sslpipe.fits.byte_level_bpe import ByteLevelBpe

WORDS = ["the", "cat", "sat", "on", "mat", "hat", "caf\u00e9", "<eos>", "x1", "1999", "\u2603"]


def corpus(seed: int = 0, count: int = 120) -> list[str]:
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, 8).tolist()) for _ in range(count)]


def rows_of(texts: list[str]) -> Rows:
    keys = np.arange(len(texts), dtype=np.uint64)
    return Rows(Names.from_keys(keys, keys), {"text": Ragged.from_texts(texts)})


def learn(texts: list[str], path: Path, **changes: int) -> bytes:
    ByteLevelBpe(**{"vocab_size": 320, **changes}).fit(rows_of(texts), path)
    return path.read_bytes()


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([1, 100, 2**20]), st.sampled_from(["true", "false"]))
def test_only_the_multiset_of_rows_decides(
    tmp_path_factory: pytest.TempPathFactory, random: object, size: int, threads: str
) -> None:
    """Neither order, nor the size of batches, nor threads."""
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    texts = corpus()
    wanted = learn(texts, path)
    random.shuffle(texts)  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(byte_level_bpe, "SLICE_BYTES", size)
        patch.setenv("TOKENIZERS_PARALLELISM", threads)
        assert learn(texts, path) == wanted


def test_other_rows_give_another_tokenizer(tmp_path: Path) -> None:
    """The mutant: half of the rows, or a row more often, is another multiset."""
    path, texts = tmp_path / "tokenizer.json", corpus()
    wanted = learn(texts, path)
    assert learn(texts[:3], path) != wanted
    assert learn([*texts, *["dogs and frogs"] * 9], path) != wanted


def test_control_tokens_come_first_and_all_bytes_are_there(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    learn(corpus(), path)
    facts = Tokenizer.load(path).vocabulary
    assert (facts.pad, facts.eos, facts.mask, facts.control) == (0, 1, 2, (0, 1, 2))
    assert 259 < facts.size <= 320
    made = Library.from_file(str(path))
    assert [made.id_to_token(token) for token in range(3)] == ["<pad>", "<eos>", "<mask>"]


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=30))
def test_every_text_comes_back(text: str, round_trip: tuple[Tokenizer, Library]) -> None:
    tokenizer, library = round_trip
    ids = tokenizer.encode(Ragged.from_texts([text]))[0]
    assert library.decode(ids.tolist(), skip_special_tokens=False) == text


@pytest.fixture(scope="module")
def round_trip(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tokenizer, Library]:
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    learn(corpus(), path)
    return Tokenizer.load(path), Library.from_file(str(path))


def test_frequent_words_become_one_token(round_trip: tuple[Tokenizer, Library]) -> None:
    assert [
        len(row) for row in map(round_trip[0].encode(Ragged.from_texts([" cat", " the", " zq"])).__getitem__, range(3))
    ] == [1, 1, 3]


def test_rare_pairs_are_not_merged(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    learn(["ab ab", "cd"], path, min_frequency=2)
    assert Tokenizer.load(path).vocabulary.size == 260
    learn(["ab ab", "cd"], path, min_frequency=1)
    assert Tokenizer.load(path).vocabulary.size > 260


def test_the_sample_is_of_the_text_field() -> None:
    fields = {"text": Field(kind="text"), "meta": Field(kind="meta")}
    spec = ByteLevelBpe(sample_bytes="1.5MiB").sample(fields)
    assert (spec.field, spec.bytes) == ("text", 1_572_864)
    with pytest.raises(RecipeError, match=r"fits\.byte_level_bpe needs a field of text; there is none"):
        ByteLevelBpe().sample({"image": Field(kind="image")})
    assert ByteLevelBpe.artefact == "tokenizer.json"


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the sample holds no row; there is nothing to learn from"):
        learn([], tmp_path / "tokenizer.json")
    rows = rows_of(["a"]).with_columns(more=Ragged.from_texts(["b"]))
    with pytest.raises(DataError, match="the sample has the fields text, more; say which with `field:`"):
        ByteLevelBpe().fit(rows, tmp_path / "tokenizer.json")
    for wrong in ({"vocab_size": 258}, {"sample_bytes": "many"}, {"sample_bytes": 0}, {"min_frequency": 0}):
        with pytest.raises(FieldError):
            ByteLevelBpe(**wrong)


def test_what_the_user_says_of_threads_stands_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for before, after in (("true", "true"), ("false", "false"), (None, "false")):
        monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
        if before is not None:
            monkeypatch.setenv("TOKENIZERS_PARALLELISM", before)
        learn(["a b"], tmp_path / "tokenizer.json")
        assert os.environ["TOKENIZERS_PARALLELISM"] == after
