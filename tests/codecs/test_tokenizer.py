"""Raw text never yields a control token, whatever the kind of tokenizer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Tokenizer as Library

from sslpipe.codecs import tokenizer as codec
from sslpipe.codecs.tokenizer import Tokenizer, text_slices
from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.ragged import Ragged

WORDS = ["the cat sat on the mat", "a cat and a hat", "<eos> is how it ends", "end of text </s> here [MASK]", "unk"] * 4


def byte_level() -> Library:
    made = Library(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<eos>", "<mask>"]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    made.train_from_iterator(WORDS, trainer)
    made.post_processor = processors.TemplateProcessing(single="$A <eos>", special_tokens=[("<eos>", 1)])
    made.enable_truncation(5)
    made.enable_padding(length=7)
    return made


def unigram() -> Library:
    """The shape of T5's: `</s>` is a piece of the model itself."""
    made = Library(models.Unigram())
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>", "<mask>"]
    trainer = trainers.UnigramTrainer(vocab_size=60, special_tokens=special, unk_token="<unk>", show_progress=False)
    made.train_from_iterator(WORDS, trainer)
    return made


def word_level() -> Library:
    made = Library(models.WordLevel({"<pad>": 0, "<eos>": 1, "<mask>": 2, "[UNK]": 3, "the": 4, "cat": 5}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<pad>", "<eos>", "<mask>", "[UNK]"])
    return made


def word_piece() -> Library:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "the": 5, "cat": 6, "##s": 7, "[": 8, "]": 9}
    made = Library(models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=False)
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return made


def merged() -> Library:
    """A BPE whose merges lead to its own end token, and which takes whole words first, as Llama 3's does."""
    vocabulary = {"<eos>": 0, "<": 1, "e": 2, "o": 3, "s": 4, ">": 5, "<e": 6, "os": 7, "os>": 8, "<mask>": 9, "x": 10}
    made = Library(models.BPE(vocabulary, [("<", "e"), ("o", "s"), ("os", ">"), ("<e", "os>")], ignore_merges=True))
    made.add_special_tokens(["<eos>", "<mask>"])
    return made


KINDS = {kind.__name__: kind for kind in (byte_level, unigram, word_level, word_piece, merged)}


@pytest.fixture(scope="module", params=list(KINDS))
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return saved(KINDS[request.param](), tmp_path_factory.mktemp(request.param))


def saved(made: Library, folder: Path, **names: str) -> Tokenizer:
    path = folder / "tokenizer.json"
    made.save(str(path))
    return Tokenizer.load(path, **names)


def encode(tokenizer: Tokenizer, *texts: str) -> list[list[int]]:
    rows = tokenizer.encode(Ragged.from_texts(texts))
    return [rows[row].tolist() for row in range(len(rows))]


quotes = st.sampled_from(
    ["<eos>", "</s>", "<mask>", "[MASK]", "[SEP]", "<pad>", " <eos>", "the", "cat", "<", "eos", ">", "\x00"]
)
texts = st.lists(st.one_of(quotes, st.text(max_size=5)), max_size=8).map("".join)


@settings(max_examples=150, deadline=None)
@given(text=texts)
def test_text_never_yields_a_control_token(opened: Tokenizer, text: str) -> None:
    (ids,) = encode(opened, text)
    assert not set(ids) & set(opened.vocabulary.control)
    assert all(0 <= token < opened.vocabulary.size for token in ids)


def test_the_tokenizer_as_published_does_yield_one() -> None:
    """The mutant: without the working copy every kind gives control ids to text that quotes them."""
    for kind, quote in (("byte_level", "<eos>"), ("unigram", "</s>"), ("word_level", "<eos>"), ("merged", "<eos>")):
        made = KINDS[kind]()
        assert made.token_to_id(quote) in made.encode(quote, add_special_tokens=False).ids, kind


@pytest.mark.parametrize(
    ("kind", "quote"), [(unigram, "</s>"), (word_level, "<eos>"), (word_piece, "[MASK]"), (merged, "<eos>")]
)
def test_leaving_out_the_added_tokens_alone_is_not_enough(kind: Any, quote: str) -> None:
    """The mutant for models whose own vocabulary holds the control tokens."""
    content = json.loads(kind().to_str())
    content["added_tokens"] = []
    bare = Library.from_str(json.dumps(content))
    assert bare.token_to_id(quote) in bare.encode(quote, add_special_tokens=False).ids


def test_ordinary_text_is_encoded_as_published(tmp_path: Path) -> None:
    for kind in (byte_level, word_piece):
        made = kind()
        made.no_truncation()
        made.no_padding()
        tokenizer = saved(made, tmp_path)
        for text in ("the cat sat", "the cats", "mat  hat\n"):
            assert encode(tokenizer, text) == [made.encode(text, add_special_tokens=False).ids]


def test_nothing_is_put_around_text_nor_cut_nor_padded(tmp_path: Path) -> None:
    tokenizer = saved(byte_level(), tmp_path)
    assert [len(row) for row in encode(tokenizer, "", "x", "xyzxyzxyz")] == [0, 1, 9]


def test_facts_are_found_by_usual_names(tmp_path: Path) -> None:
    facts = saved(byte_level(), tmp_path).vocabulary
    assert (facts.pad, facts.eos, facts.mask, facts.control) == (0, 1, 2, (0, 1, 2))
    facts = saved(word_piece(), tmp_path).vocabulary
    assert (facts.pad, facts.eos, facts.mask) == (0, 3, 4)
    assert facts.control == (0, 2, 3, 4), "the unknown token is yielded by text, so it is no control token"
    facts = saved(unigram(), tmp_path).vocabulary
    assert (facts.pad, facts.eos, facts.mask, facts.control) == (0, 1, 3, (0, 1, 3))


def test_added_tokens_that_the_model_cannot_make_are_control_tokens(tmp_path: Path) -> None:
    made = byte_level()
    size = made.get_vocab_size()
    made.add_tokens([AddedToken("<image>", special=False), AddedToken("the", special=False)])
    facts = saved(made, tmp_path).vocabulary
    assert made.token_to_id("<image>") == size
    assert facts.size == size + 1
    assert facts.control == (0, 1, 2, size)


def test_names_can_be_given(tmp_path: Path) -> None:
    made = byte_level()
    made.add_special_tokens(["<|fin|>"])
    tokenizer = saved(made, tmp_path, eos="<|fin|>", mask="<|fin|>")
    assert tokenizer.vocabulary.eos == tokenizer.vocabulary.mask == made.token_to_id("<|fin|>")
    with pytest.raises(RecipeError, match=r"has no token `nope`, asked for by `pad:`; its added tokens: `<pad>`, `<eos>`"):
        Tokenizer.load(tmp_path / "tokenizer.json", pad="nope")


def test_an_ordinary_token_can_be_made_a_control_token(tmp_path: Path) -> None:
    tokenizer = saved(merged(), tmp_path, eos="x")
    assert tokenizer.vocabulary.eos == 10
    assert 10 not in encode(tokenizer, "xx<eos>")[0]


def test_an_unknown_token_that_is_the_end_token_too_is_an_error(tmp_path: Path) -> None:
    made = Library(models.WordLevel({"<eos>": 0, "the": 1}, unk_token="<eos>"))
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.add_special_tokens(["<eos>"])
    tokenizer = saved(made, tmp_path)
    assert encode(tokenizer, "the the") == [[1, 1]]
    with pytest.raises(DataError, match="text was encoded to id 0, which is a control token and its unknown token too"):
        encode(tokenizer, "the cat")


def test_ids_above_16_bits_are_stored_in_32(tmp_path: Path) -> None:
    def sized(size: int) -> Tokenizer:
        made = Library(models.WordLevel({f"w{number}": number for number in range(size)}, unk_token="w0"))
        made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        return saved(made, tmp_path)

    small, large = sized(2**16), sized(2**16 + 1)
    assert small.encode(Ragged.from_texts(["w65535"])).values.dtype == np.uint16
    assert encode(small, "w65535") == [[65535]]
    assert large.encode(Ragged.from_texts(["w65536"])).values.dtype == np.uint32
    assert encode(large, "w65536") == [[65536]]


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(texts, max_size=12), size=st.integers(1, 40))
def test_slices_change_nothing(opened: Tokenizer, rows: list[str], size: int) -> None:
    column = Ragged.from_texts(["front", *rows, "back"]).view(1, len(rows) + 1)
    whole = encode(opened, *rows)
    kept = codec.SLICE_BYTES
    try:
        codec.SLICE_BYTES = size  # type: ignore[misc]
        sliced = opened.encode(column)
    finally:
        codec.SLICE_BYTES = kept  # type: ignore[misc]
    assert [sliced[row].tolist() for row in range(len(sliced))] == whole


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 50))
def test_slices_cover_all_rows_in_order(lengths: list[int], size: int) -> None:
    rows = Ragged.from_lengths(np.zeros(sum(lengths), np.uint8), np.array(lengths, np.int64))
    slices = list(text_slices(rows, size))
    assert [row for start, stop in slices for row in range(start, stop)] == list(range(len(lengths)))
    assert all(stop - start == 1 or sum(lengths[start:stop]) <= size for start, stop in slices)


def test_what_is_no_utf8_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 1 of the batch is no UTF-8: byte 2: invalid start byte"):
        saved(byte_level(), tmp_path).encode(Ragged.from_bytes([b"fine", b"ab\xff"]))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"{}", "is no tokenizer"),
        (b"[]", "is no tokenizer"),
        (b'{"model": {"type": "BPE"}}', "is no tokenizer"),
    ],
)
def test_what_is_no_tokenizer_is_an_error(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match=problem):
        Tokenizer.load(path)


def test_a_missing_or_huge_file_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match="no tokenizer can be read there"):
        Tokenizer.load(tmp_path / "tokenizer.json")
    saved(byte_level(), tmp_path)
    monkeypatch.setattr(codec, "MAX_FILE_BYTES", 1000)
    with pytest.raises(RecipeError, match=r"bytes; a tokenizer\.json may have 1,000"):
        Tokenizer.load(tmp_path / "tokenizer.json")


SCRIPT = """
import os, sys
from pathlib import Path
from sslpipe.codecs.tokenizer import Tokenizer
from sslpipe.core.ragged import Ragged
rows = Ragged.from_texts(["the cat sat on the mat " * 20] * 200)
tokenizer = Tokenizer.load(Path(sys.argv[1]))
print(tokenizer.encode(rows).values.tobytes().hex(), flush=True)
if os.fork() == 0:
    print(tokenizer.encode(rows).values.tobytes().hex(), flush=True)
    os._exit(0)
os.wait()
"""


def test_a_fork_prints_no_warning_and_threads_change_nothing(tmp_path: Path) -> None:
    saved(byte_level(), tmp_path)
    seen = set()
    for said in (None, "false"):
        environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
        if said is not None:
            environment["TOKENIZERS_PARALLELISM"] = said
        command = [sys.executable, "-c", SCRIPT, str(tmp_path / "tokenizer.json")]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        seen.update(done.stdout.split())
    assert len(seen) == 1
