"""Masked tokens: against Hugging Face's collator in distribution, and the bugs that others had."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer, models
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

from sslpipe.core.draw import Draw
from sslpipe.core.errors import DataError, FieldError, RecipeError
from sslpipe.core.fields import Field, Fields, Vocabulary
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.testing import check_task

SIZE, PAD, EOS, MASK, IGNORED = 500, 0, 1, 2, -100
CONTROL = (PAD, EOS, MASK)
VOCABULARY = Vocabulary(size=SIZE, pad=PAD, eos=EOS, mask=MASK, control=CONTROL)
PLAIN: Fields = {"ids": Field(kind="ids", dtype="uint16", vocabulary=VOCABULARY)}
LENGTH, COUNT = 64, 4000
ROWS: Fields = {"ids": Field(kind="ids", dtype="uint16", shape=(LENGTH,), vocabulary=VOCABULARY)}
PACKED: Fields = {**ROWS, "document_ids": Field(kind="array", dtype="int32", shape=(LENGTH,))}
CHI2_LIMIT = 3.719
"""The standard normal quantile of 1 in 10^4, for Wilson and Hilferty's approximation."""


def named(count: int, salt: int = 0) -> Names:
    high, low = np.random.default_rng([count, salt]).integers(0, 2**63, (2, count)).astype(np.uint64)
    return Names.from_keys(high, low)


def rows_of(ids: np.ndarray, **columns: np.ndarray) -> Rows:
    return Rows(named(len(ids)), {"ids": ids.astype(np.uint16), **columns})


def label(rows: Rows, fields: Fields = ROWS, *, seed: int = 0, epoch: int = 0, **changes: Any) -> Rows:
    step = MaskedTokens(**changes)
    return step.open(Context(fields)).label(rows, Draw(seed, step.path(), step.salt, epochs=epoch))


def source(count: int = COUNT) -> np.ndarray:
    return np.random.default_rng(5).integers(3, SIZE, (count, LENGTH))


@lru_cache(maxsize=1)
def ours() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ids = source()
    made = label(rows_of(ids))
    return ids, made.array("input_ids"), made.array("labels")


@lru_cache(maxsize=1)
def theirs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vocabulary = {"<pad>": PAD, "<eos>": EOS, "<mask>": MASK} | {f"t{number}": number for number in range(3, SIZE)}
    model = Tokenizer(models.WordLevel(vocabulary, unk_token="t3"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=model, pad_token="<pad>", eos_token="<eos>", mask_token="<mask>")
    ids = source()
    collator = DataCollatorForLanguageModeling(tokenizer, mlm=True, mlm_probability=0.15, seed=11)
    made = collator([{"input_ids": row} for row in ids.tolist()])
    return ids, made["input_ids"].numpy(), made["labels"].numpy()


def near(one: np.ndarray, other: np.ndarray) -> None:
    """Two samples of a yes or no have the same share, within 4 sigma."""
    share = (one.sum() + other.sum()) / (one.size + other.size)
    sigma = math.sqrt(share * (1 - share) * (1 / one.size + 1 / other.size))
    assert abs(one.mean() - other.mean()) <= 4 * sigma, (one.mean(), other.mean(), sigma)


def chi2_two(one: np.ndarray, other: np.ndarray) -> None:
    """Two histograms come from one law, at 1 in 10^4; bins expected below 5 are joined."""
    total = one + other
    order = np.argsort(-total)
    one, other, total = one[order], other[order], total[order]
    rare = np.minimum(one.sum(), other.sum()) / total.sum() * total < 5
    if rare.any():
        one, other = (np.append(part[~rare], part[rare].sum()) for part in (one, other))
    table = np.array([one, other], np.float64)
    table = table[:, table.sum(0) > 0]
    wanted = table.sum(1, keepdims=True) * table.sum(0) / table.sum()
    below_chi2(float(((table - wanted) ** 2 / wanted).sum()), table.shape[1] - 1)


def below_chi2(chi2: float, freedom: int) -> None:
    assert chi2 <= freedom * (1 - 2 / (9 * freedom) + CHI2_LIMIT * math.sqrt(2 / (9 * freedom))) ** 3


def runs(targets: np.ndarray) -> np.ndarray:
    """How many runs of 1, 2, ... targets there are."""
    padded = np.pad(targets.astype(np.int8), ((0, 0), (1, 1)))
    edges = np.diff(padded, axis=1)
    lengths = np.nonzero(edges == -1)[1] - np.nonzero(edges == 1)[1]
    return np.bincount(lengths, minlength=LENGTH + 1)


def test_as_many_are_selected_as_by_hugging_face() -> None:
    near(ours()[2] != IGNORED, theirs()[2] != IGNORED)


def test_first_and_last_place_are_selected_as_by_hugging_face() -> None:
    for place in (0, 1, LENGTH // 2, LENGTH - 1):
        near(ours()[2][:, place] != IGNORED, theirs()[2][:, place] != IGNORED)


def test_runs_are_as_long_as_by_hugging_face() -> None:
    chi2_two(runs(ours()[2] != IGNORED), runs(theirs()[2] != IGNORED))


def test_targets_of_a_row_are_as_many_as_by_hugging_face() -> None:
    chi2_two(*(np.bincount((labels != IGNORED).sum(1), minlength=LENGTH) for _, _, labels in (ours(), theirs())))


def test_targets_become_what_they_become_by_hugging_face() -> None:
    """Masked, random or themselves: 80, 10, 10; theirs draw control tokens as random ones too, which changes 3 in 500."""
    for what in (lambda ids, inputs: inputs == MASK, lambda ids, inputs: inputs == ids):
        shares = []
        for ids, inputs, labels in (ours(), theirs()):
            chosen = labels != IGNORED
            shares.append(what(ids, inputs)[chosen])
        near(*shares)


def test_shares_are_those_of_the_paper() -> None:
    ids, inputs, labels = ours()
    chosen = labels != IGNORED
    count = int(chosen.sum())
    assert abs(chosen.mean() - 0.15) <= 4 * math.sqrt(0.15 * 0.85 / chosen.size)
    random = (inputs != MASK) & (inputs != ids) & chosen
    for found, share in ((inputs == MASK, 0.8), (random, 0.1 * (1 - 1 / (SIZE - 3))), (inputs == ids, 0.1 + 0.1 / (SIZE - 3))):
        assert abs(int((found & chosen).sum()) - share * count) <= 4 * math.sqrt(share * (1 - share) * count)


def test_every_place_of_a_block_is_selected_as_often() -> None:
    found = (ours()[2] != IGNORED).sum(0)
    wanted = found.mean()
    below_chi2(float(((found - wanted) ** 2 / (wanted * 0.85)).sum()), LENGTH - 1)


def test_random_tokens_are_uniform_over_ordinary_ones() -> None:
    """Hugging Face draws them from the whole tokenizer: pad, mask and all."""
    ids = source()
    inputs = label(rows_of(ids), mask_share=0.0, random_share=1.0, probability=0.5).array("input_ids")
    labels = label(rows_of(ids), mask_share=0.0, random_share=1.0, probability=0.5).array("labels")
    drawn = inputs[labels != IGNORED]
    assert drawn.min() == len(CONTROL)
    assert drawn.max() == SIZE - 1
    found = np.bincount(drawn, minlength=SIZE)[3:]
    below_chi2(float(((found - found.mean()) ** 2 / found.mean()).sum()), SIZE - 4)


def test_two_epochs_overlap_as_chance_has_it() -> None:
    ids = source()
    first, second = (label(rows_of(ids), epoch=epoch).array("labels") != IGNORED for epoch in (0, 1))
    union, both = int((first | second).sum()), int((first & second).sum())
    share = 0.15 / 1.85
    assert abs(both / union - share) <= 4 * math.sqrt(share * (1 - share) / union)


def test_views_salts_and_seeds_differ_and_seed_zero_is_a_seed() -> None:
    """Hugging Face's collator asks `if self.seed`, so 0 means none."""
    rows = rows_of(source(20))
    made = {
        label(rows, **changes).array("input_ids").tobytes()
        for changes in ({}, {"seed": 1}, {"epoch": 1}, {"salt": "other"}, {"seed": 2**63})
    }
    assert len(made) == 5
    assert label(rows).array("input_ids").tobytes() == label(rows).array("input_ids").tobytes()


def test_padding_and_control_tokens_are_never_selected() -> None:
    """Padding was maskable in transformers 4.3 (#11155); fairseq selects begin and end tokens."""
    ids = np.random.default_rng(0).integers(0, 8, (500, LENGTH))
    documents = np.zeros((500, LENGTH), np.int32)
    documents[:, 50:] = -1
    made = label(rows_of(ids, document_ids=documents), PACKED, probability=0.9)
    labels, inputs = made.array("labels"), made.array("input_ids")
    assert not np.isin(labels, CONTROL).any()
    assert (labels[:, 50:] == IGNORED).all()
    assert (inputs == ids)[np.isin(ids, CONTROL) | (documents < 0)].all()


def test_a_row_that_quotes_the_mask_token_keeps_it() -> None:
    ids = np.full((50, LENGTH), 9)
    ids[:, 10] = MASK
    made = label(rows_of(ids), probability=0.5)
    assert (made.array("labels")[:, 10] == IGNORED).all()


@pytest.mark.parametrize("length", [2, 3, 5, 20])
@pytest.mark.parametrize("probability", [2**-16, 0.15, 0.95, 1.0])
def test_one_target_and_one_visible_token_at_least(length: int, probability: float) -> None:
    """A row without targets makes the mean of its loss NaN: 44 of 100 rows of five tokens."""
    fields: Fields = {"ids": ROWS["ids"].model_copy(update={"shape": (length,)})}
    labels = label(rows_of(source(1000)[:, :length]), fields, probability=probability).array("labels")
    chosen = (labels != IGNORED).sum(1)
    assert chosen.min() >= 1
    assert chosen.max() <= length - 1
    if probability == 1.0:
        assert (chosen == length - 1).all()


def test_the_forced_target_is_anywhere_alike() -> None:
    labels = label(rows_of(source()[:, :4]), {"ids": ROWS["ids"].model_copy(update={"shape": (4,)})}, probability=2**-16)
    found = (labels.array("labels") != IGNORED).sum(0)
    below_chi2(float(((found - COUNT / 4) ** 2 / (COUNT / 4)).sum()), 3)


def test_a_row_with_one_ordinary_token_has_it_as_target_and_one_with_none_has_no_target() -> None:
    ids = np.array([[EOS, 9, EOS], [EOS, EOS, PAD]])
    fields: Fields = {"ids": ROWS["ids"].model_copy(update={"shape": (3,)})}
    for probability in (2**-16, 1.0):
        labels = label(rows_of(ids), fields, probability=probability).array("labels")
        assert labels.tolist() == [[IGNORED, 9, IGNORED], [IGNORED] * 3]


def test_golden_row() -> None:
    """Changes to the layout of draws change every training run: raise the step's version with them."""
    names = Names.from_keys(np.array([0x0123456789ABCDEF], np.uint64), np.array([0xFEDCBA9876543210], np.uint64))
    ids = np.arange(10, 42, dtype=np.uint16)[None]
    fields: Fields = {"ids": ROWS["ids"].model_copy(update={"shape": (32,)})}
    made = label(Rows(names, {"ids": ids}), fields, seed=1, epoch=2, probability=0.3)
    changed = {
        place: (int(made.array("input_ids")[0, place]), int(made.array("labels")[0, place]))
        for place in np.flatnonzero(made.array("labels")[0] != IGNORED).tolist()
    }
    assert changed == {0: (2, 10), 1: (2, 11), 2: (2, 12), 4: (2, 14), 12: (255, 22), 19: (29, 29), 28: (2, 38), 30: (2, 40)}


def test_ragged_rows_draw_as_rows_of_one_length() -> None:
    ids = source(30)
    whole = label(rows_of(ids))
    column = Ragged.from_lengths(ids.astype(np.uint16).reshape(-1), np.full(30, LENGTH))
    ragged = label(Rows(named(30), {"ids": column}), PLAIN)
    for name in ("input_ids", "labels"):
        assert ragged.ragged(name).values.tolist() == whole.array(name).reshape(-1).tolist()
    assert set(ragged.columns) == {"input_ids", "labels"}


def test_storage_of_32_bits_makes_the_same_pairs() -> None:
    ids = source(30)
    wide = Rows(named(30), {"ids": ids.astype(np.uint32)})
    assert label(wide).array("input_ids").tobytes() == label(rows_of(ids)).array("input_ids").tobytes()


def test_padding_to_a_longer_row_changes_nothing() -> None:
    ids = source(200)
    documents = np.zeros((200, LENGTH), np.int32)
    documents[:, 40:] = -1
    padded = label(rows_of(ids, document_ids=documents), PACKED)
    short = label(rows_of(ids[:, :40]), {"ids": ROWS["ids"].model_copy(update={"shape": (40,)})})
    for name in ("input_ids", "labels"):
        assert (padded.array(name)[:, :40] == short.array(name)).all()


def test_packed_rows_bring_documents_and_positions() -> None:
    documents = np.repeat([[0, 1, 2, -1]], 16, axis=1).reshape(1, LENGTH).astype(np.int32)
    made = label(rows_of(source(1), document_ids=documents), PACKED)
    assert set(made.columns) == {"input_ids", "labels", "position_ids", "document_ids"}
    assert made.array("position_ids").tolist() == [list(range(16)) * 4]
    assert list(MaskedTokens().outputs(PACKED)) == ["document_ids", "input_ids", "labels", "position_ids"]
    assert list(MaskedTokens().outputs(ROWS)) == ["input_ids", "labels"]


@pytest.mark.parametrize("fields", [PLAIN, ROWS, PACKED], ids=["plain", "rows", "packed"])
def test_the_twenty_assertions(fields: Fields) -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, SIZE, (300, LENGTH)).astype(np.uint16)
    columns: dict[str, Any] = {"ids": ids}
    if "document_ids" in fields:
        documents = np.sort(rng.integers(0, 4, (300, LENGTH)), axis=1).astype(np.int32)
        documents[:, -5:] = -1
        columns["document_ids"] = documents
    if fields is PLAIN:
        lengths = rng.integers(2, LENGTH, 300)
        columns["ids"] = Ragged.from_lengths(rng.integers(0, SIZE, lengths.sum()).astype(np.uint16), lengths)
    check_task(MaskedTokens(), fields, Rows(named(300), columns), share=0.15, stays=0.1, epochs=7)


@pytest.mark.parametrize(
    ("changes", "number"),
    [({"random_share": 0.02}, 6), ({"probability": 0.16}, 6), ({"mask_share": 0.9, "random_share": 0.1}, 6)],
)
def test_other_shares_are_caught(changes: dict[str, float], number: int) -> None:
    """TF whole-word masking once gave 2 random and 18 unchanged of 100."""
    rows = rows_of(np.random.default_rng(1).integers(3, SIZE, (300, LENGTH)))
    with pytest.raises(AssertionError, match=f"assertion {number}:"):
        check_task(MaskedTokens(**changes), ROWS, rows, share=0.15, stays=0.1, epochs=7)


def test_what_does_not_fit_is_refused() -> None:
    without: Fields = {"ids": Field(kind="ids", dtype="uint16", vocabulary=Vocabulary(size=9, eos=1, control=(1,)))}
    for refuse in (MaskedTokens().outputs, lambda fields: MaskedTokens().open(Context(fields))):
        with pytest.raises(
            RecipeError, match=r"needs a mask token.*name it by `mask:` on maps\.tokenize, or learn a tokenizer"
        ):
            refuse(without)
    unknown: Fields = {"ids": Field(kind="ids", dtype="uint32")}
    assert "labels" in MaskedTokens().outputs(unknown)
    with pytest.raises(RecipeError, match="nothing is known of the tokenizer behind field `ids`"):
        MaskedTokens().open(Context(unknown))
    full = Vocabulary(size=2, mask=1, control=(0, 1))
    with pytest.raises(RecipeError, match="all 2 ids of field `ids` are control tokens"):
        MaskedTokens().open(Context({"ids": Field(kind="ids", vocabulary=full)}))
    with pytest.raises(DataError, match="holds an id of 500 or more, the size of the vocabulary"):
        label(rows_of(np.full((2, LENGTH), SIZE)))
    with pytest.raises(DataError, match="row 0 of the batch has 1 tokens, wanted at least 2"):
        label(rows_of(source(1)[:, :1]))


@pytest.mark.parametrize("changes", [{"probability": 0}, {"probability": 1.1}, {"mask_share": 0.9, "random_share": 0.2}])
def test_shares_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(FieldError):
        MaskedTokens(**changes)
