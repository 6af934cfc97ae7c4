"""What a recipe would read, and what to say where that is nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from sslpipe.core.steps import Part
from sslpipe.core.words import counted
from sslpipe.recipe.located import Located
from sslpipe.recipe.recipe import Recipe

TOP_SUFFIXES = 5


def parts_by_source(recipe: Recipe, located: Located | None = None) -> dict[str, list[Part]]:
    """The parts of each source, sources by name; raises RecipeError for one without a file that its reader reads."""
    located = located or Located.of(recipe)
    found = {}
    for name in sorted(recipe.sources):
        reader = recipe.sources[name]
        found[name] = reader.parts(recipe.limits.part_bytes)
        if not found[name]:
            skipped = unread([reader.unclaimed()])
            there = f"; found {' '.join(skipped)}" if skipped else ""
            kinds = ", ".join(suffix or "no suffix" for suffix in reader.claimed())
            raise located.error(
                ("sources", name, "paths"),
                f"source `{name}`: no file under {', '.join(reader.paths)} is one that {reader.path()} reads"
                f"{f' ({kinds})' if kinds else ''}{there or '; found nothing'}."
                f" `sslpipe list {reader.path()}` says which it does",
            )
    return found


def unread(by_suffix: Iterable[Mapping[str, int]]) -> tuple[str, str] | None:
    """How many files no reader claims, and in words which: `12`, `files (.yaml 8, .png 4)`; None where there are none."""
    total: Counter[str] = Counter()
    for counts in by_suffix:
        total.update(counts)
    if not total.total():
        return None
    ranked = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    told = [f"{name if name.startswith('.') else name.replace('_', ' ')} {count:,}" for name, count in ranked[:TOP_SUFFIXES]]
    rest = sum(count for _, count in ranked[TOP_SUFFIXES:])
    told += [f"others {rest:,}"] if rest else []
    number, _, files = counted(total.total(), "file").partition(" ")
    return number, f"{files} ({', '.join(told)})"
