"""The thresholds that filters tell for pictures are those that they judge by."""

from __future__ import annotations

import numpy as np
import pytest

from sslpipe.core.rooms import class_of
from sslpipe.core.steps import Filter, Limit
from sslpipe.filters.gopher_quality import GopherQuality
from sslpipe.recipe.registry import step_names

FILTERS = [name.partition(".")[2] for name in step_names("filters")]


def wrong(step: Filter) -> list[str]:
    """What a filter tells that isn't so."""
    names = [name for measure in step.needs() for name in measure.names()]
    reasons = step.judge({name: np.empty(0, np.int64) for name in names}).reasons
    problems = []
    for limit in step.limits():
        numbers = dict.fromkeys(names, 7)
        if limit.reason not in reasons:
            problems.append(f"no reason {limit.reason}")
        elif {limit.part, limit.whole} - {*names, ""}:
            problems.append(f"{limit.reason} compares what is not measured")
        elif limit.value != getattr(step, limit.field):
            problems.append(f"{limit.field} is not {limit.value}")
        elif f"{limit.field} is " not in step.explain(limit.reason, numbers):
            problems.append(f"{limit.reason} is explained by another field")
    return problems


@pytest.mark.parametrize("name", FILTERS)
def test_limits_are_what_the_filter_has(name: str) -> None:
    step = class_of("sslpipe.filters", name)()
    assert isinstance(step, Filter)
    assert wrong(step) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"reason": "gopher.nothing"}, "no reason gopher.nothing"),
        ({"whole": "letters"}, "gopher.hashes compares what is not measured"),
        ({"value": 0.2}, "max_hash_ratio is not 0.2"),
        ({"reason": "gopher.ellipses"}, "gopher.ellipses is explained by another field"),
    ],
)
def test_a_wrong_limit_is_caught(change: dict[str, object], problem: str) -> None:
    class Wrong(GopherQuality):
        def limits(self) -> tuple[Limit, ...]:
            right = next(limit for limit in super().limits() if limit.reason == "gopher.hashes")
            return (Limit(**{**vars(right), **change}),)

    assert wrong(Wrong()) == [problem]


def test_every_rule_of_gopher_has_its_limit_and_its_side() -> None:
    told = {limit.reason: (limit.part, limit.whole, limit.value, limit.drops) for limit in GopherQuality(min_words=7).limits()}
    assert len(told) == 10
    assert told["gopher.too_few_words"] == ("words", "", 7, "below")
    assert told["gopher.hashes"] == ("hashes", "tokens", 0.1, "above")
    assert {drops for *_, drops in told.values()} == {"below", "above"}
