"""The measure: names, types, the field it looks at. What is counted is tested at the kernel."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.core.errors import RecipeError, SslpipeError
from sslpipe.core.fields import Field
from sslpipe.core.ragged import Ragged
from sslpipe.measures.text_statistics import TextStatistics
from tests.support_text import TEXT, rows_of, text_context, text_rows


def test_one_int64_array_a_name() -> None:
    measure = TextStatistics().open(text_context())
    measures = measure.measure(text_rows(["the cat...\n- of #1", "", "é"]))
    assert tuple(measures) == measure.names()
    assert all(counts.dtype == np.int64 and counts.shape == (3,) and counts.flags.c_contiguous for counts in measures.values())
    assert {name: counts.tolist() for name, counts in measures.items()} == {
        "bytes": [18, 0, 2],
        "characters": [18, 0, 1],
        "tokens": [7, 0, 1],
        "words": [4, 0, 1],
        "word_characters": [9, 0, 1],
        "alphabetic_tokens": [3, 0, 1],
        "hashes": [1, 0, 0],
        "ellipses": [1, 0, 0],
        "lines": [2, 0, 1],
        "bullet_lines": [1, 0, 0],
        "ellipsis_lines": [1, 0, 0],
        "stop_words": [2, 0, 0],
    }


def test_stop_words_are_counted_once_each() -> None:
    measure = TextStatistics(field="text")
    texts = ["the the the", "the be to of and that have with", "The BE", "with, of", "haven't have"]
    assert measure.measure(text_rows(texts))["stop_words"].tolist() == [1, 8, 0, 2, 1]


def test_equal_measures_are_equal_and_hash_alike() -> None:
    opened = TextStatistics().open(text_context())
    assert opened == TextStatistics(field="text") and hash(opened) == hash(TextStatistics(field="text"))
    assert opened != TextStatistics(field="caption")


def test_it_reads_the_field_it_is_given() -> None:
    rows = rows_of(title=Ragged.from_texts(["#"]), text=Ragged.from_texts(["a"]))
    assert TextStatistics(field="title").measure(rows)["hashes"].tolist() == [1]


def test_fields_are_checked_at_plan_time() -> None:
    assert TextStatistics().outputs(TEXT) is TEXT
    with pytest.raises(RecipeError, match=r"measures.text_statistics needs a field of text; there is none"):
        TextStatistics().outputs({"ids": Field(kind="ids")})
    with pytest.raises(RecipeError, match="field `image` should be text; it is image"):
        TextStatistics(field="image").outputs({"image": Field(kind="image")})


def test_unopened_without_a_field_it_refuses_to_measure() -> None:
    with pytest.raises(SslpipeError, match=r"measures.text_statistics must be opened, or given a `field:`, before it measures"):
        TextStatistics().measure(text_rows(["a"]))


def test_a_view_of_rows_counts_like_a_copy() -> None:
    rows = text_rows(["one", "two words", "and three words"])
    measure = TextStatistics(field="text")
    assert measure.measure(rows.view(1, 3))["words"].tolist() == [2, 3]
    assert measure.measure(rows.view(0, 0))["words"].tolist() == []
