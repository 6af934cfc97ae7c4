"""Exit codes are an interface: scripts go by them."""

from __future__ import annotations

import errno
import inspect

import pytest

from sslpipe.core import errors
from sslpipe.core.errors import (
    DataError,
    EnvironmentFault,
    FieldError,
    OutputLocked,
    RecipeError,
    SslpipeError,
    TooMuchBadData,
    advice,
)

CODES = {SslpipeError: 1, RecipeError: 2, FieldError: 2, TooMuchBadData: 3, EnvironmentFault: 4, OutputLocked: 5, DataError: 2}


@pytest.mark.parametrize(("error", "code"), CODES.items())
def test_exit_codes(error: type[SslpipeError], code: int) -> None:
    assert error.exit_code == code
    assert error("what happened").exit_code == code
    assert str(error("what happened")) == "what happened"


def test_every_error_is_listed_and_one_catches_all() -> None:
    found = {value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, Exception)}
    assert found == set(CODES)
    assert all(issubclass(error, SslpipeError) for error in found)


def test_the_page_shows_the_codes() -> None:
    for error, code in CODES.items():
        line = next(line for line in (errors.__doc__ or "").splitlines() if error.__name__ in line)
        assert f"exit {code}" in line or error is FieldError


def test_what_to_do_about_the_operating_system() -> None:
    assert advice(OSError(errno.ENOSPC, "full")).startswith("the disk is full; free some space")
    assert advice(PermissionError(errno.EACCES, "no")) == "check who owns it"
    assert advice(FileNotFoundError(errno.ENOENT, "gone")) == advice(OSError("odd")) == "", "a bug of ours, perhaps"


def test_errors_of_the_interpreter_are_not_ours() -> None:
    assert not any(issubclass(kind, SslpipeError) for kind in (ValueError, OSError, KeyboardInterrupt))
