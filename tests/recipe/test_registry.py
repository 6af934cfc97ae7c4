"""The folder is the registry; a stranger's code runs only when it is trusted."""

from __future__ import annotations

import sys

import pytest

from sslpipe.recipe.registry import ROLES, UnknownStep, catalogue, describe, first_sentence, resolve, role_of, step_names

LISTED = ", ".join(ROLES)


def test_every_built_in_step_resolves_to_the_class_of_its_file() -> None:
    for role, shape in ROLES.items():
        for name in step_names(role):
            found = resolve(name)
            assert issubclass(found, shape)
            assert found.path() == name
            assert resolve(f"sslpipe.{name}") is found


def test_every_built_in_step_has_a_sentence_and_field_docs() -> None:
    for role in ROLES:
        for entry in catalogue(role):
            assert len(entry.sentence) > 10, entry.name


def test_a_foreign_step_is_found_by_the_same_rule() -> None:
    found = resolve("toy.filters.long", trust=True)
    assert found.__name__ == "Long"
    assert found.path() == "toy.filters.long"


def test_without_trust_nothing_foreign_is_imported() -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "toy"]:
        del sys.modules[name]
    with pytest.raises(UnknownStep, match=r"^`toy.filters.long` is code of the package `toy`, which this recipe may not run"):
        resolve("toy.filters.long")
    assert "toy" not in sys.modules


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy.filters.lnog", "the package `toy.filters` has no module `lnog`; did you mean `toy.filters.long`?"),
        (
            "toy.fliters.long",
            f"got the step `toy.fliters.long`, wanted its folder to be a role: one of {LISTED}; did you mean `filters`?",
        ),
        ("toy.maps.broken", "`toy.maps.broken` can't be imported: RuntimeError: toy is broken"),
        ("toy.maps.stranger", "`toy.maps.stranger` is the class Stranger, wanted a subclass of sslpipe's Map"),
        ("gone.maps.x", "`gone.maps.x` can't be imported: there is no module `gone`; install it, or put it on PYTHONPATH"),
        ("os.system", f"there is no role `os`; the roles are {LISTED}"),
        ("filter.x", f"there is no role `filter`; the roles are {LISTED}; did you mean `filters`?"),
        ("zzzzz", "got the step `zzzzz`, wanted a role before it, as in `filters.zzzzz`"),
        ("maps._x", "got the step `maps._x`, wanted a name like `filters.gopher_quality`"),
        ("maps.", "got the step `maps.`, wanted a name like `filters.gopher_quality`"),
        ("../maps.x", "got the step `../maps.x`, wanted a name like `filters.gopher_quality`"),
    ],
)
def test_unknown_names_are_told_the_nearest(name: str, message: str) -> None:
    with pytest.raises(UnknownStep) as caught:
        resolve(name, trust=True)
    assert str(caught.value) == message


def test_an_unknown_built_in_names_the_listing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "sslpipe.recipe.registry.step_names", lambda role: [f"{role}.gopher_quality"] if role == "filters" else []
    )
    with pytest.raises(UnknownStep) as caught:
        resolve("filters.gopher_qualty")
    assert str(caught.value) == (
        "there is no step `filters.gopher_qualty`; `sslpipe list filters` shows all; did you mean `filters.gopher_quality`?"
    )
    for near in ("gopher_quality", "filter.gopher_quality"):
        with pytest.raises(UnknownStep, match=r"did you mean `filters.gopher_quality`\?$"):
            resolve(near)


def test_a_step_is_described_from_its_docstrings() -> None:
    entry = describe(resolve("toy.filters.long", trust=True), "toy.filters.long")
    assert entry.sentence == "Keeps long rows."
    fields = {field.name: field for field in entry.fields}
    assert fields["min_words"].default == "50"
    assert fields["min_words"].doc == "The fewest words."
    assert fields["threshold"].doc == "A share over two lines."
    assert (fields["limit"].type, fields["limit"].default) == ("int | None", "null")
    assert fields["scores"].default == "[]"
    assert fields["mode"].default == '"words"'


@pytest.mark.parametrize(
    ("doc", "sentence"),
    [
        ("One. Two.", "One."),
        ("One\nline (A et al. 2019; B. C.). Two.", "One line (A et al. 2019; B. C.)."),
        ("No stop\n\nMore.", "No stop."),
        ("As Rae et al. did. Two.", "As Rae et al. did."),
    ],
)
def test_the_first_sentence_ends_where_it_ends(doc: str, sentence: str) -> None:
    assert first_sentence(doc) == sentence


def test_the_role_is_the_folder() -> None:
    assert [role_of(name) for name in ("maps.x", "a.b.tasks.x", "x", "os.system")] == ["maps", "tasks", "", ""]
