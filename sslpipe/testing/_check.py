"""The one check that runs them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sslpipe.core.fields import Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Task
from sslpipe.testing._bench import Bench, expect, frozen
from sslpipe.testing._every import check_classes, check_draws, check_types
from sslpipe.testing._frames import (
    Covered,
    Frames,
    check_covered,
    check_ends,
    check_frames,
    check_negatives,
    check_shortest_sound,
    check_unheard,
)
from sslpipe.testing._masks import check_masks, masks_of
from sslpipe.testing._pictures import check_smallest, check_views
from sslpipe.testing._places import Places, check_count, check_even, runs_of
from sslpipe.testing._tokens import Tokens, check_hidden, check_shortest, check_stays, check_tokens


def check_task(
    task: Task,
    fields: Fields,
    rows: Rows,
    *,
    source: str | None = None,
    offset: int = 0,
    share: float | Literal["all"] | None = None,
    count: Callable[[int], int] | None = None,
    stays: float | None = None,
    even: bool = True,
    runs: Callable[[NDArray[np.int64]], None] | None = None,
    classes: Mapping[str, int] | None = None,
    frames: Callable[[int], int] | None = None,
    covered: Covered | None = None,
    normalized: bool = True,
    hides: bool = True,
    draws: bool = True,
    epochs: int = 4,
    seed: int = 0,
    artefacts: Mapping[str, Path] | None = None,
) -> None:
    """Hold a task to the twenty assertions of `docs/tasks.md`; an AssertionError names the first that fails, by number.

    `rows` (some hundred: the statistical assertions look at `rows * epochs`) have the types of `fields`. Which assertions apply
    follows from what the task takes and makes; all others are run.

    Tokens: `source` is the field of ids whose tokens are the targets, by default the one of kind `ids` that the task replaces.
    A label at place `i` is the token at `i + offset`. Masks (`bool_masked_pos`, `mask_time_indices`): the hidden places are the
    targets, every place is eligible. Pictures: the smallest one works, a broken one is refused; the `views` of a row differ.

    Sound: `source` is the field that the task replaces. `input_values` are a crop of it, `normalized` to a mean of 0 and a
    variance of 1 or not. `frames` says how many frames so many samples make, so that padding is known; `covered`, of a row with
    so many frames, which share of them is hidden on average, and with what deviation. Spans want `even=False` and `runs`.

    How many targets: `share` of the eligible tokens on average, each drawn by itself, or "all" for every token but the first
    of each document; or `count`, exactly so many of `n` eligible. `stays` is the share of targets that keep their value in the
    input. `even` says that every arrangement of as many targets is as likely; where it isn't, `runs` is given the lengths of
    all runs of targets and raises AssertionError if they break the declared law. `classes` names outputs that hold one of so
    many balanced classes. `hides` says that the model doesn't see targets (false for next-token tasks), `draws` that chance
    enters. That labels and inputs together restore the source (11) follows from 1 to 3.

    Eligible are ordinary tokens where targets are hidden, all tokens elsewhere; padding never is.
    """
    bench = Bench(task, Context(fields, artefacts or {}), rows, seed)
    sound = bench.replaced("audio")
    source = None if sound else source or bench.replaced("ids")
    picture = bench.replaced("image")
    before = frozen(rows)
    made = [bench.label(rows, epoch) for epoch in range(epochs)]
    expect(17, frozen(rows) == before, "the input arrays were changed")
    check_types(bench, made[0])
    check_draws(bench, made, draws)
    places: Places = [mask for result in made for mask in masks_of(result)]
    lengths = [runs_of(mask) for mask in places]
    if picture is not None:
        check_smallest(bench, picture)
        check_views(made)
    for result in made:
        check_masks(result)
    if sound is not None:
        heard = Frames(bench, sound, frames, normalized)
        check_shortest_sound(heard)
        for result in made:
            check_frames(heard, result)
        places = [mask for result in made for mask in heard.masks(result)]
        lengths = [runs_of(mask) for mask in places]
        if places:
            check_ends(list(places))
            check_negatives(made)
            check_unheard(heard, made[0])
        if covered is not None:
            check_covered(list(places), covered)
    if source is not None:
        tokens = Tokens(bench, source, hides, offset)
        check_shortest(tokens)
        for result in made:
            check_tokens(tokens, result, share)
        if hides:
            check_hidden(tokens, made[0])
        looked_at = [row for result in made for row in tokens.each(result)]
        places, lengths = [row.targets[row.eligible] for row in looked_at], [runs_of(row.targets) for row in looked_at]
    if places and (hides or source is None):
        check_count(places, share, count)
        if source is not None and stays is not None:
            check_stays(tokens, made, stays)
        if even:
            check_even(places)
    if runs is not None:
        runs(np.concatenate(lengths))
    for name, number in (classes or {}).items():
        check_classes(np.concatenate([result.array(name) for result in made]), name, number)
