"""The base of what people write down: steps, and the parts of a recipe."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from sslpipe.core.errors import FieldError


class Value(BaseModel):
    """A frozen value that refuses unknown fields, and says what is wrong with a field in the words of a recipe's errors.

    Making one in Python raises FieldError. `model_validate` and its like raise pydantic's ValidationError, with which a recipe
    finds the place in its file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            from sslpipe.core.complaints import sentences

            raise FieldError(sentences(type(self), error, fields, self._called())) from None

    # As on pydantic's own: else it would make values out of JSON by calling this, and `strict` would be lost on the way.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def _called(cls) -> str:
        """What messages call it."""
        return cls.__name__
