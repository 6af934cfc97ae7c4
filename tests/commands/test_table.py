"""The table at the end of a build."""

from __future__ import annotations

from sslpipe.commands.table import TOP_REASONS, aligned, outcomes, reasons, unread

COUNTS = {
    "a": {"read": 2000, "kept": 1000, "duplicate": 100} | {f"filtered:r{i}": 100 - i for i in range(9)},
    "b": {"read": 50, "kept": 50},
}


def test_the_commonest_reasons_then_the_rest() -> None:
    found = reasons(COUNTS, "filtered")
    assert found[:2] == [("r0", 100), ("r1", 99)] and len(found) == TOP_REASONS + 1
    assert found[-1] == ("other reasons", 94 + 93 + 92)
    assert reasons(COUNTS, "quarantined") == []


def test_equal_counts_stand_by_name() -> None:
    assert reasons({"a": {"filtered:z": 1, "filtered:b": 1}, "b": {"filtered:b": 1, "filtered:z": 1}}, "filtered") == [
        ("b", 2),
        ("z", 2),
    ]


def test_columns() -> None:
    assert aligned(outcomes({"a": {"read": 1234, "kept": 1000, "filtered:short": 234}})) == [
        "  read         1,234",
        "  filtered       234  19.0 %",
        "    short        234  19.0 %",
        "  duplicate        0",
        "  quarantined      0",
        "  kept         1,000  81.0 %",
    ]


def test_nothing_read() -> None:
    assert [line[1] for line in outcomes({})] == ["0"] * 5


def test_files_that_no_reader_claims() -> None:
    assert unread([]) is unread([{}, {}]) is None
    assert unread([{".png": 1}]) == ("1", "file (.png 1)")
    assert unread([{".png": 1, ".yaml": 8, "same_file": 2}, {".png": 3}]) == ("14", "files (.yaml 8, .png 4, same file 2)")
    assert unread([{".a_b": 1000}, {"hidden": 30}]) == ("1,030", "files (.a_b 1,000, hidden 30)")
    many = {f".{letter}": 100 - place for place, letter in enumerate("abcdefgh")}
    assert unread([many]) == ("772", "files (.a 100, .b 99, .c 98, .d 97, .e 96, others 282)")
