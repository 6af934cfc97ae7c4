"""Concatenation against a sequential tape in plain Python, and its laws."""

import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslpipe.core.documents import Documents
from sslpipe.core.errors import DataError, FieldError, RecipeError, SslpipeError
from sslpipe.core.fields import Field, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Packer
from sslpipe.packs.concatenate import Concatenate

PAD, EOS = 0, 1
VOCABULARY = Vocabulary(size=2**16, pad=PAD, eos=EOS, control=(PAD, EOS))
IDS = Field(kind="ids", dtype="uint16", vocabulary=VOCABULARY)


def named(count: int, salt: int = 0) -> Names:
    rng = np.random.default_rng([count, salt])
    high, low = rng.integers(0, 2**63, (2, count)).astype(np.uint64)
    return Names.from_keys(high, low)


def corpus(lengths: list[int], dtype: type = np.uint16) -> Ragged:
    """Tokens that count upwards from 2, so that each says where it comes from."""
    return Ragged.from_lengths(np.arange(2, 2 + sum(lengths), dtype=dtype), np.array(lengths, np.int64))


def opened(step: Concatenate, field: Field = IDS) -> Packer:
    return step.open(Context({"ids": field}))


def pack_shard(step: Concatenate, column: Ragged, shift: int = 0) -> Rows:
    packer = opened(step)
    packer.add(0, Documents.from_ragged(named(len(column)), column))
    count = step.count(column.lengths)
    zeros = np.zeros(count, np.int64)
    return packer.pack(zeros, np.arange(count), zeros + shift)


def tape(step: Concatenate, column: Ragged) -> list[tuple[int, int, int]]:
    """(token, document, offset) for every place of the tape."""
    places = []
    for document in range(len(column)):
        tokens = column[document].tolist() + [EOS] * (step.separator == "eos")
        places += [(token, document, offset) for offset, token in enumerate(tokens)]
    return places


def reference(step: Concatenate, column: Ragged, shift: int) -> list[tuple[list[int], list[int], tuple[int, int]]]:
    places, length = tape(step, column), step.length
    count = max(0, len(places) // length - 1) if step.remainder == "drop" else -(-len(places) // length)
    rows = []
    for start in range(shift, shift + count * length, length):
        piece = places[start : start + length]
        documents = sorted({document for _, document, _ in piece})
        missing = length - len(piece)
        tokens = [token for token, _, _ in piece] + [PAD] * missing
        rows.append((tokens, [documents.index(place[1]) for place in piece] + [-1] * missing, piece[0][1:]))
    return rows


steps = st.builds(
    Concatenate,
    length=st.integers(2, 40),
    separator=st.sampled_from(["eos", "none"]),
    remainder=st.sampled_from(["drop", "pad"]),
)
documents = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 120)), max_size=12)


@settings(max_examples=200, deadline=None)
@given(steps, documents, st.integers(0, 39), st.sampled_from([np.uint16, np.uint32]))
def test_equals_the_sequential_tape(step: Concatenate, lengths: list[int], shift: int, dtype: type) -> None:
    column = corpus(lengths, dtype)
    shift %= step.period()
    rows = pack_shard(step, column, shift)
    names = named(len(column))
    wanted = reference(step, column, shift)
    assert rows.array("ids").dtype == dtype
    assert rows.array("document_ids").dtype == np.int32
    assert rows.array("ids").tolist() == [tokens for tokens, _, _ in wanted]
    assert rows.array("document_ids").tolist() == [numbers for _, numbers, _ in wanted]
    firsts, offsets = (np.array([place[axis] for _, _, place in wanted], np.int64) for axis in (0, 1))
    assert rows.names.texts() == names.pieces(firsts, offsets).texts()


@settings(max_examples=100, deadline=None)
@given(steps, documents, st.integers(0, 39))
def test_every_token_at_most_once_and_a_counted_loss(step: Concatenate, lengths: list[int], shift: int) -> None:
    column = corpus(lengths)
    rows = pack_shard(step, column, shift % step.period())
    ids, numbers = rows.array("ids"), rows.array("document_ids")
    used = Counter(ids[(numbers >= 0) & (ids != EOS)].tolist())
    assert not used or max(used.values()) == 1
    whole = sum(lengths) + (len(lengths) if step.separator == "eos" else 0)
    lost = whole - int((numbers >= 0).sum())
    assert lost == 0 if step.remainder == "pad" else 0 <= lost < 2 * step.length
    assert len(rows) == step.count(np.array(lengths, np.int64))


@settings(max_examples=100, deadline=None)
@given(steps, documents, st.integers(0, 39))
def test_no_two_rows_of_a_shard_share_a_name(step: Concatenate, lengths: list[int], shift: int) -> None:
    names = pack_shard(step, corpus(lengths), shift % step.period()).names.texts()
    assert len(set(names)) == len(names)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.integers(2, 10))
def test_exactly_one_end_token_between_documents(lengths: list[int], length: int) -> None:
    """Hugging Face's `group_texts` puts in none (transformers #23198)."""
    rows = pack_shard(Concatenate(length=length, remainder="pad"), corpus(lengths))
    real = rows.array("ids")[rows.array("document_ids") >= 0]
    pieces = "".join("." if token == EOS else "x" for token in real.tolist())
    assert pieces == "".join("x" * count + "." for count in lengths)


def test_one_row_by_hand() -> None:
    rows = pack_shard(
        Concatenate(length=4, remainder="pad"), Ragged.from_lengths(np.array([7, 8, 9, 5], np.uint16), np.array([3, 0, 1]))
    )
    assert rows.array("ids").tolist() == [[7, 8, 9, EOS], [EOS, 5, EOS, PAD]]
    assert rows.array("document_ids").tolist() == [[0, 0, 0, 0], [0, 1, 1, -1]]
    assert rows.names.offset.tolist() == [0, 0]


def test_a_row_that_begins_on_the_separator_belongs_to_the_document_before_it() -> None:
    column = corpus([3, 20])
    rows = pack_shard(Concatenate(length=3), column, 0)
    assert rows.array("ids")[1].tolist() == [EOS, 5, 6]
    assert rows.array("document_ids")[1].tolist() == [0, 1, 1]
    assert rows.names.texts()[1] == named(2).texts()[0] + "-3"


def test_shifts_move_the_cuts_and_nothing_else() -> None:
    step, column = Concatenate(length=8), corpus([50, 50])
    flat = [token for token, _, _ in tape(step, column)]
    for shift in range(8):
        assert pack_shard(step, column, shift).array("ids").reshape(-1).tolist() == flat[shift : shift + 8 * 11]


def test_rows_of_many_shards_in_any_order() -> None:
    step = Concatenate(length=5)
    columns = [corpus([shard * 7 + 3, 40, shard]) for shard in range(6)]
    packer = opened(step)
    for shard in reversed(range(6)):
        packer.add(100 * shard, Documents.from_ragged(named(3, shard), columns[shard]))
    wanted = [
        (shard, row, shift) for shard in range(6) for row in range(step.count(columns[shard].lengths)) for shift in (0, 3)
    ]
    np.random.default_rng(0).shuffle(wanted)
    shards, numbers, shifts = np.array(wanted).T
    rows = packer.pack(100 * shards, numbers, shifts)
    for place, (shard, row, shift) in enumerate(wanted):
        tokens, documents, (first, offset) = reference(step, columns[shard], shift)[row]
        assert rows.array("ids")[place].tolist() == tokens
        assert rows.array("document_ids")[place].tolist() == documents
        assert rows.names.texts()[place] == named(3, shard).texts()[first] + f"-{offset}"


@pytest.mark.parametrize("start", range(5))
def test_documents_lie_where_they_lie(start: int) -> None:
    """A file in memory, documents apart and out of order, at odd addresses: none of it shows."""
    lengths = np.array([6, 9, 4], np.int64)
    column = Ragged.from_lengths(np.arange(100, 119, dtype=np.uint32), lengths)
    data = np.full(200, 255, np.uint8)
    starts = np.array([start + 90, start, start + 45], np.int64)
    for document in range(3):
        payload = np.frombuffer(column[document].tobytes(), np.uint8)
        data[starts[document] : starts[document] + len(payload)] = payload
    packer = opened(Concatenate(length=6, remainder="pad"))
    packer.add(0, Documents(named(3), data, starts, lengths, np.dtype(np.uint32)))
    rows = packer.pack(np.zeros(4, np.int64), np.arange(4), np.zeros(4, np.int64))
    wanted = reference(Concatenate(length=6, remainder="pad"), column, 0)
    assert rows.array("ids").tolist() == [tokens for tokens, _, _ in wanted]


def test_a_hole_is_padding_and_moves_nothing() -> None:
    step, column = Concatenate(length=5, remainder="pad"), corpus([4, 6, 3])
    whole = pack_shard(step, column)
    laid = Documents.from_ragged(named(3), column)
    starts = laid.starts.copy()
    starts[1] = -1
    packer = opened(step)
    packer.add(0, Documents(laid.names, laid.data, starts, laid.lengths, laid.dtype))
    zeros = np.zeros(4, np.int64)
    rows = packer.pack(zeros, np.arange(4), zeros)
    erased = np.array([document == 1 for _, document, _ in tape(step, column)] + [True] * 4)
    assert rows.array("ids").reshape(-1).tolist() == np.where(erased, PAD, whole.array("ids").reshape(-1)).tolist()
    assert ((rows.array("document_ids").reshape(-1) < 0) == erased).all()
    assert rows.array("document_ids").reshape(-1)[11:15].tolist() == [-1, 0, 0, 0]
    assert rows.names.texts() == whole.names.texts()


def test_shards_are_added_while_others_are_packed() -> None:
    step, column = Concatenate(length=16), corpus([100, 100])
    packer = opened(step)
    packer.add(0, Documents.from_ragged(named(2), column))
    wanted = pack_shard(step, column).array("ids")
    problems: list[BaseException] = []

    def add() -> None:
        for shard in range(1, 400):
            packer.add(shard, Documents.from_ragged(named(2), corpus([100, 100])))

    def pack() -> None:
        try:
            for _ in range(300):
                zeros = np.zeros(len(wanted), np.int64)
                assert (packer.pack(zeros, np.arange(len(wanted)), zeros).array("ids") == wanted).all()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=target) for target in (add, pack, pack)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    last = packer.pack(np.full(len(wanted), 399), np.arange(len(wanted)), np.zeros(len(wanted), np.int64))
    assert (last.array("ids") == wanted).all()


@pytest.mark.parametrize(
    ("shards", "rows", "shifts", "problem"),
    [
        ([1], [0], [0], "rows of a shard were asked for that was never added"),
        ([1000], [0], [0], "rows of a shard were asked for that was never added"),
        ([-1], [0], [0], "rows of a shard were asked for that was never added"),
        ([0], [2], [0], "a row was asked for beyond the last one of its shard"),
        ([0], [-1], [0], "a row was asked for beyond the last one of its shard"),
        ([0], [0], [8], "a shift was asked for that isn't below 8"),
        ([0], [0], [-1], "a shift was asked for that isn't below 8"),
        ([0, 0], [0], [0], "2 shards, 1 rows, 1 shifts were asked for"),
    ],
)
def test_rows_that_are_not_there_are_refused(shards: list[int], rows: list[int], shifts: list[int], problem: str) -> None:
    packer = opened(Concatenate(length=8))
    packer.add(0, Documents.from_ragged(named(1), corpus([23])))
    with pytest.raises(SslpipeError, match=problem):
        packer.pack(np.array(shards), np.array(rows), np.array(shifts))


def laid(**changes: object) -> Documents:
    good = Documents.from_ragged(named(1), corpus([8]))
    parts = {name: getattr(good, name) for name in ("names", "data", "starts", "lengths", "dtype")}
    return Documents(**{**parts, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("documents", "problem"),
    [
        (laid(lengths=np.array([9])), "a document lies outside the shard's 16 bytes"),
        (laid(lengths=np.array([-1])), "a document lies outside the shard's 16 bytes"),
        (laid(starts=np.array([2])), "a document lies outside the shard's 16 bytes"),
        (laid(starts=np.array([-2])), "a document lies outside the shard's 16 bytes"),
        (laid(lengths=np.array([2**62])), "a document lies outside the shard's 16 bytes"),
        (laid(dtype=np.dtype(np.int64)), "shard 7 holds int64, wanted ids of uint16 or uint32"),
        (laid(data=np.zeros(32, np.uint8)[::2]), "the documents should lie in one piece of uint8"),
        (laid(starts=np.array([0, 0])), "1 names, 2 starts, 1 lengths"),
        (laid(names=named(1).pieces(np.array([0]), np.array([5]))), "shard 7 holds pieces of a pack"),
    ],
)
def test_documents_that_are_not_there_are_refused(documents: Documents, problem: str) -> None:
    with pytest.raises(SslpipeError, match=problem):
        opened(Concatenate(length=8)).add(7, documents)


def test_a_shard_is_added_once_and_in_one_dtype() -> None:
    packer = opened(Concatenate(length=8))
    packer.add(3, laid())
    with pytest.raises(SslpipeError, match="shard 3 was added before"):
        packer.add(3, laid())
    with pytest.raises(DataError, match="shard 4 holds ids of uint32, earlier shards uint16"):
        packer.add(4, Documents.from_ragged(named(1), corpus([8], np.uint32)))
    with pytest.raises(SslpipeError, match="numbers of shards start at 0"):
        packer.add(-1, laid())


def test_outputs() -> None:
    fields = Concatenate(length=64).outputs({"ids": IDS})
    assert fields["ids"] == Field(kind="ids", dtype="uint16", shape=(64,), vocabulary=VOCABULARY)
    assert fields["document_ids"] == Field(kind="array", dtype="int32", shape=(64,))
    assert Concatenate(length=64).period() == 64
    assert Concatenate(length=64, remainder="pad").period() == 1


def test_what_does_not_fit_is_refused_by_the_plan() -> None:
    without = Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=10))
    with pytest.raises(RecipeError, match="needs an end token, and the tokenizer has none by a usual name"):
        Concatenate().outputs({"ids": without})
    with pytest.raises(RecipeError, match="nothing is known of the tokenizer behind field `ids`"):
        Concatenate().open(Context({"ids": Field(kind="ids", dtype="uint16")}))
    with pytest.raises(RecipeError, match="already; pack once"):
        Concatenate().outputs(Concatenate().outputs({"ids": IDS}))
    with pytest.raises(RecipeError, match=r"put maps\.tokenize before it"):
        Concatenate().outputs({"text": Field(kind="text")})
    assert Concatenate().outputs({"ids": Field(kind="ids", dtype="uint32")})["ids"].vocabulary is None
    assert Concatenate(separator="none").open(Context({"ids": without}))


def test_the_end_token_stands_in_where_there_is_no_pad_token() -> None:
    field = Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=100, eos=EOS, control=(EOS,)))
    packer = opened(Concatenate(length=4, remainder="pad"), field)
    packer.add(0, Documents.from_ragged(named(1), corpus([2])))
    rows = packer.pack(np.array([0]), np.array([0]), np.array([0]))
    assert rows.array("ids").tolist() == [[2, 3, EOS, EOS]]
    assert rows.array("document_ids").tolist() == [[0, 0, 0, -1]]


def test_a_mutant_that_forgets_the_shift_is_caught() -> None:
    step, column = Concatenate(length=4), corpus([40])
    assert pack_shard(step, column, 0).array("ids").tolist() != [tokens for tokens, _, _ in reference(step, column, 1)]


def test_joined_rows_hold_the_same_ids_and_nothing_else() -> None:
    names = Names.from_keys(np.arange(5, dtype=np.uint64), np.arange(5, dtype=np.uint64))
    column = Ragged.from_lengths(np.arange(3, 103, dtype=np.uint16), np.full(5, 20))
    fields = {"ids": Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=200, eos=1))}
    made = []
    for documents in ("separate", "joined"):
        pack = Concatenate(length=10, documents=documents)
        packer = pack.open(Context(fields))
        packer.add(0, Documents.from_ragged(names, column))
        rows = np.arange(pack.count(column.lengths))
        made.append(packer.pack(np.zeros_like(rows), rows, np.zeros_like(rows)))
        assert set(made[-1].columns) == set(pack.outputs(fields))
    assert np.array_equal(made[0].array("ids"), made[1].array("ids"))
    assert set(made[1].columns) == {"ids"}
    with pytest.raises(FieldError, match="leaves nothing that says where padding is"):
        Concatenate(length=10, documents="joined", remainder="pad")
