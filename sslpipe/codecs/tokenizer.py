"""Text to token ids, by a `tokenizer.json`, such that no text ever yields a control token."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.errors import DataError, RecipeError
from sslpipe.core.fields import Vocabulary
from sslpipe.core.ragged import Ragged

if TYPE_CHECKING:
    import tokenizers

MAX_FILE_BYTES: Final = 64 * 1000**2
"""A larger tokenizer.json is refused; the largest published ones are about half of it."""

SLICE_BYTES: Final = 2**20
"""Text encoded at once. The library needs some 100 bytes a token while it works, so this, or the longest row, bounds memory."""

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|padding|>", "<|finetune_right_pad_id|>", "<PAD>"),
    "eos": (
        "</s>",
        "<eos>",
        "<|endoftext|>",
        "<|end_of_text|>",
        "<|eos|>",
        "<|eot_id|>",
        "<|im_end|>",
        "[EOS]",
        "<EOS>",
        "[SEP]",
    ),
    "mask": ("[MASK]", "<mask>", "<|mask|>", "<MASK>"),
}
"""Names by which control tokens are known; the first that the tokenizer has is taken."""


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer opened for raw text.

    Its working copy has no added tokens, so `<eos>` quoted in a text is encoded as the characters that it is made of. Where the
    model's own vocabulary holds such a string too (Unigram and WordLevel models would yield it), it is renamed there to a
    random string that no text can quote, and merges that lead to it are left out. What comes out is checked all the same: an
    id of a control token in encoded text (possible where the end token doubles as the unknown token) is an error.

    The price: added tokens that are no control tokens (runs of spaces in some vocabularies) are not used either; such a text
    becomes a few more tokens than with the publisher's own pipeline.
    """

    vocabulary: Vocabulary
    dtype: np.dtype[Any]
    """uint16 for at most 65,536 ids, else uint32."""
    source: str
    _working: tokenizers.Tokenizer
    _control: NDArray[np.bool_]

    @classmethod
    def load(cls, path: Path, pad: str | None = None, eos: str | None = None, mask: str | None = None) -> Tokenizer:
        """Open a `tokenizer.json`; `pad`, `eos` and `mask` name tokens that are not among `ROLES`. Raises RecipeError."""
        try:
            facts = path.stat()
        except OSError as error:
            raise RecipeError(
                f"{path}: no tokenizer can be read there ({error.strerror}); give the path of a tokenizer.json"
            ) from error
        if facts.st_size > MAX_FILE_BYTES:
            raise RecipeError(f"{path} has {facts.st_size:,} bytes; a tokenizer.json may have {MAX_FILE_BYTES:,}")
        return _load(str(path), facts.st_mtime_ns, facts.st_size, pad, eos, mask)

    def encode(self, rows: Ragged) -> Ragged:
        """The ids of each row of UTF-8, in `dtype`, without control tokens; raises DataError for what is no UTF-8."""
        _settle_parallelism()
        parts = [Ragged(np.empty(0, self.dtype), np.zeros(1, np.int64))]
        for start, stop in text_slices(rows, SLICE_BYTES):
            part = self._encode_slice(_texts(rows.view(start, stop), start))
            if self._control[part.values].any():
                bad = int(part.values[self._control[part.values]][0])
                raise DataError(
                    f"{self.source}: text was encoded to id {bad}, which is a control token and its unknown token too. "
                    "Take a tokenizer whose control tokens are its own (byte-level ones need no unknown token)"
                )
            parts.append(part)
        return Ragged.concat(parts)

    def _encode_slice(self, texts: list[str]) -> Ragged:
        encodings = self._working.encode_batch_fast(texts, add_special_tokens=False)
        lists = [np.array(encoding.ids, self.dtype) for encoding in encodings]
        return Ragged.from_lengths(np.concatenate(lists), np.fromiter(map(len, lists), np.int64, len(lists)))


def text_slices(rows: Ragged, size: int) -> Iterator[tuple[int, int]]:
    """Runs of rows, `(start, stop)`, of about `size` bytes; a longer row stands alone."""
    start = 0
    while start < len(rows):
        limit = rows.offsets[start] + size
        stop = max(start + 1, int(np.searchsorted(rows.offsets, limit, side="right")) - 1)
        yield start, stop
        start = stop


def _texts(rows: Ragged, first: int) -> list[str]:
    texts = []
    for row, payload in enumerate(rows.to_bytes(), first):
        try:
            texts.append(payload.decode())
        except UnicodeDecodeError as error:
            raise DataError(f"row {row} of the batch is no UTF-8: byte {error.start}: {error.reason}") from error
    return texts


def _settle_parallelism() -> None:
    """Say once, unless the user has, that the library needs no threads of its own.

    Workers are processes or threads of ours. Left unsaid, a fork after the first encoding prints a warning; results are the
    same either way.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@lru_cache(maxsize=8)
def _load(path: str, _modified: int, _size: int, pad: str | None, eos: str | None, mask: str | None) -> Tokenizer:
    import tokenizers

    try:
        content = json.loads(Path(path).read_bytes())
        whole = tokenizers.Tokenizer.from_str(json.dumps(content))
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"{path} is no JSON ({error}); wanted a tokenizer.json of the `tokenizers` library") from error
    except Exception as error:  # the library raises nothing narrower
        raise RecipeError(f"{path} is no tokenizer ({error}); wanted a tokenizer.json of the `tokenizers` library") from error
    ids: dict[str, int] = whole.get_vocab(with_added_tokens=True)
    added = {token["content"]: token for token in content.get("added_tokens") or ()}
    roles = {role: _role(path, role, name, ids, added) for role, name in (("pad", pad), ("eos", eos), ("mask", mask))}
    control = _control_names(content["model"], added, {name for name in roles.values() if name})
    try:
        working = tokenizers.Tokenizer.from_str(json.dumps(_without(content, control)))
    except Exception as error:  # as above
        raise RecipeError(f"{path}: the tokenizer can't be used without its control tokens ({error})") from error
    control_ids = sorted({ids[name] for name in control})
    size = max(ids.values()) + 1
    flags = np.zeros(size, np.bool_)
    flags[control_ids] = True
    by_role = {role: ids[name] for role, name in roles.items() if name}
    vocabulary = Vocabulary(size=size, control=tuple(control_ids), **by_role)
    return Tokenizer(vocabulary, np.dtype(np.uint16 if size <= 2**16 else np.uint32), path, working, flags)


def _role(path: str, role: str, name: str | None, ids: Mapping[str, int], added: Mapping[str, Any]) -> str | None:
    if name is None:
        return next((known for known in ROLES[role] if known in added), None)
    if name not in ids:
        have = ", ".join(f"`{token}`" for token in list(added)[:20]) or "none"
        raise RecipeError(f"{path} has no token `{name}`, asked for by `{role}:`; its added tokens: {have}")
    return name


def _control_names(model: Mapping[str, Any], added: Mapping[str, Any], roles: set[str]) -> set[str]:
    """Tokens that text must not yield: those with a role, special ones, and added ones that the model by itself can't make.

    The unknown token is none of them, unless it has a role: text yields it legitimately.
    """
    made = {entry if isinstance(entry, str) else entry[0] for entry in model["vocab"]}
    names = {name for name, token in added.items() if token.get("special") or name not in made}
    return (names - {_unknown(model)}) | roles


def _unknown(model: Mapping[str, Any]) -> str | None:
    if model.get("unk_id") is not None:
        return str(model["vocab"][model["unk_id"]][0])
    return model.get("unk_token")


def _without(content: Mapping[str, Any], control: set[str]) -> dict[str, Any]:
    """The JSON of the working copy: no added tokens, nothing put around a text, no control string in the model's vocabulary."""
    model = dict(content["model"])
    hidden = control - {_unknown(model)}
    nonce = secrets.token_hex(16)
    if isinstance(model["vocab"], dict):
        model["vocab"] = {f"{nonce}-{index}" if name in hidden else name: index for name, index in model["vocab"].items()}
    else:
        model["vocab"] = [
            [f"{nonce}-{index}" if name in hidden else name, score] for index, (name, score) in enumerate(model["vocab"])
        ]
    if "merges" in model:
        model["merges"] = [merge for merge in model["merges"] if hidden.isdisjoint(_touched(merge))]
    return {**content, "model": model, "added_tokens": [], "post_processor": None, "truncation": None, "padding": None}


def _touched(merge: str | list[str]) -> tuple[str, str, str]:
    """Both sides of a merge and what they make; older files write it as one string."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right, left + right
