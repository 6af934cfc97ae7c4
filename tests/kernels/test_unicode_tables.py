"""The committed table of character kinds against the interpreter's own Unicode data.

`python tests/kernels/test_unicode_tables.py` prints the runs anew, wrapped as they stand in the module.
"""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata

import numpy as np

from sslpipe.kernels import unicode_tables as tables

LETTERS = {"Ll": "l", "Lu": "u", "Lt": "u", "Lm": "o", "Lo": "o"}


def kind_of(character: str) -> str:
    if character.isspace():
        return "w"
    category = unicodedata.category(character)
    if category == "Cc":
        return "c"
    return "p" if category[0] in "PS" else LETTERS.get(category, "n")


def runs_of_this_python() -> str:
    kinds = map(kind_of, map(chr, range(sys.maxunicode + 1)))
    return "".join(f"{sum(1 for _ in group)}{kind}" for kind, group in itertools.groupby(kinds))


def expanded(runs: str) -> np.ndarray:
    pairs = re.findall(r"(\d+)([a-z])", runs)
    return np.repeat(np.array([ord(kind) for _, kind in pairs], np.uint8), [int(length) for length, _ in pairs])


def test_the_committed_runs_are_those_of_their_unicode_version() -> None:
    if unicodedata.unidata_version == tables.UNICODE_VERSION:
        assert "".join(tables.RUNS.split()) == runs_of_this_python()
        return
    # Another version names more characters and, very rarely, moves one; what both name must agree but for a handful.
    here, committed = expanded(runs_of_this_python()), expanded(tables.RUNS)
    named = (here != ord("n")) & (committed != ord("n"))
    assert np.count_nonzero(here[named] != committed[named]) < 32


def test_every_code_point_has_exactly_one_kind() -> None:
    kinds = tables.character_kinds()
    assert kinds.dtype == np.uint8 and kinds.shape == (sys.maxunicode + 1,)
    letter = (kinds & (tables.LOWER | tables.UPPER)) != 0
    others = [(kinds & bit) != 0 for bit in (tables.DIGIT, tables.WHITE, tables.SYMBOL, tables.OTHER)]
    assert np.array_equal(np.sum([letter, *others], axis=0), np.ones(len(kinds)))


def test_edges_are_symbols() -> None:
    kinds = tables.character_kinds()
    edge = (kinds & (tables.PREFIX | tables.SUFFIX)) != 0
    assert ((kinds[edge] & tables.SYMBOL) != 0).all()
    assert {chr(code) for code in np.flatnonzero(edge[:128])} == set("%=+,:;!?()[]{}<>_#*&'\"`$")


def test_the_table_is_read_only() -> None:
    assert not tables.character_kinds().flags.writeable


if __name__ == "__main__":
    import textwrap

    sys.stdout.write("\n".join(textwrap.wrap(re.sub(r"([a-z])", r"\1 ", runs_of_this_python()), 128)) + "\n")
