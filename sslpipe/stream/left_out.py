"""What to say of rows that a stream can't use: all of a split, or most of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sslpipe.core.words import counted
from sslpipe.shards.manifest import SPLITS, Manifest
from sslpipe.stream.stream_steps import StreamSteps

_ELEMENTS: Final = {"ids": "token", "audio": "sample", "text": "byte"}


def why_none(report: Mapping[str, Any], split: str, steps: StreamSteps, manifest: Manifest) -> str:
    """Why a stream has no rows, and what to do; `report` is that of its `Selection`."""
    told = ", ".join(f"{name}: {count}" for name, count in report.items() if count)
    start = f"split `{split}` has no rows for this stream, so there is no step ({told or 'nothing is stored in it'}); "
    if not report["rows"]:
        others = [
            f"{name}: {sum(shard.samples for shard in manifest.split(name)):,}" for name in SPLITS if manifest.split(name)
        ]
        if others:
            return f"{start}the dataset has {', '.join(others)}"
        return f"{start}the dataset has none at all, and `sslpipe status` says what became of what was read"
    todo = ["choose another split"]
    todo += ["looser filters"] if report["filtered"] else []
    todo += ["a shorter `length:` of the pack"] if steps.pack is not None else []
    todo += [f"a task that takes rows below the {_wants(steps)}"] if report["too_short"] else []
    return f"{start}{', or '.join(todo)}"


def most_too_short(report: Mapping[str, Any], split: str, steps: StreamSteps) -> str:
    """A warning where a task leaves more than half of a split out; empty where it doesn't."""
    if 2 * report["too_short"] <= report["rows"]:
        return ""
    left_out = f"{report['too_short']:,} of {counted(report['rows'], 'row')} of split `{split}` are left out"
    return f"{left_out}: they are shorter than the {_wants(steps)}"


def _wants(steps: StreamSteps) -> str:
    """`32,000 samples that tasks.masked_frames needs`."""
    assert steps.task is not None and steps.units is not None
    kind = steps.fields[steps.units].kind
    return f"{counted(steps.task.minimum(), _ELEMENTS.get(kind, 'element'))} that {steps.task.path()} needs"
