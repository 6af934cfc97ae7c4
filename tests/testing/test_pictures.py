"""`check_task` on tasks of pictures: a sound one passes, and each assertion catches the mutant made to break it."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from sslpipe.codecs.encoded import pictures
from sslpipe.core.draw import Draw
from sslpipe.core.fields import Field, Fields, Kind
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Task
from sslpipe.testing import check_task
from tests.support_images import noise, saved

COUNT, PATCHES, HIDDEN, SIDE = 80, 16, 10, 4
FIELDS: Fields = {"image": Field(kind="image"), "side": Field(kind="array", dtype="int32", shape=())}


def some_rows() -> Rows:
    rng = np.random.default_rng(0)
    high, low = rng.integers(0, 2**63, (2, COUNT)).astype(np.uint64)
    stored = [saved(noise(*rng.integers(1, 12, 2), seed), "PNG") for seed in range(COUNT)]
    columns = {"image": Ragged.from_bytes(stored), "side": np.arange(COUNT, dtype=np.int32)}
    return Rows(Names.from_keys(high, low), columns)


class Toy(Task):
    """Two views of one pixel each, repeated, and a mask over 16 patches, plainly; a mutant changes draws or what comes out."""

    kind: ClassVar[Kind] = "image"

    def outputs(self, fields: Fields) -> Fields:
        return {
            "side": fields["side"],
            "views": Field(kind="array", dtype="float32", shape=(2, 3, SIDE, SIDE)),
            "view_params": Field(kind="array", dtype="float32", shape=(2, 2)),
            "bool_masked_pos": Field(kind="array", dtype="bool", shape=(PATCHES,)),
            "ids_keep": Field(kind="array", dtype="int64", shape=(PATCHES - HIDDEN,)),
            "ids_restore": Field(kind="array", dtype="int64", shape=(PATCHES,)),
        }

    def minimum(self) -> int:
        return 1

    def open(self, context: Context) -> Any:
        return self

    def places(self, rows: Rows, draw: Draw) -> np.ndarray:
        return np.stack([draw.for_view(view).uint32(rows.names, 2) / 2**32 for view in range(2)], axis=1)

    def noise(self, rows: Rows, draw: Draw) -> np.ndarray:
        return draw.uint32(rows.names, PATCHES) / 2**32

    def pixels(self, rows: Rows) -> list[np.ndarray]:
        return pictures(rows, "image").values()

    def label(self, rows: Rows, draw: Draw) -> Rows:
        places = self.places(rows, draw)
        found = []
        for pixels, pair in zip(self.pixels(rows), places, strict=True):
            dots = [pixels[tuple((place * pixels.shape[:2]).astype(int))] * place[0] for place in pair]
            found.append([np.broadcast_to(dot[:, None, None], (3, SIDE, SIDE)) for dot in dots])
        shuffle = self.noise(rows, draw).argsort(axis=1, kind="stable")
        restore = shuffle.argsort(axis=1)
        made: dict[str, np.ndarray] = {
            "views": np.array(found, np.float32).reshape(len(rows), 2, 3, SIDE, SIDE),
            "view_params": places.astype(np.float32),
            "bool_masked_pos": restore >= PATCHES - HIDDEN,
            "ids_keep": shuffle[:, : PATCHES - HIDDEN].copy(),
            "ids_restore": restore,
        }
        return self.spoil(rows.without("image").with_columns(**made), rows)

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made


def check(task: Task, **changes: Any) -> None:
    declared: dict[str, Any] = {"count": lambda patches: HIDDEN}
    check_task(task, FIELDS, some_rows(), **{**declared, **changes})


def test_a_sound_task_passes() -> None:
    check(Toy())


def test_another_count_is_caught() -> None:
    with pytest.raises(AssertionError, match="assertion 6: row 0 has 10 targets, declared are 9"):
        check(Toy(), count=lambda patches: 9)
    check(Toy(), count=None)


def test_a_law_of_runs_is_held() -> None:
    def no_run_above_three(runs: np.ndarray) -> None:
        assert runs.max() <= 3, "a run is too long"

    with pytest.raises(AssertionError, match="a run is too long"):
        check(Toy(), runs=no_run_above_three)


class NothingHidden(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(bool_masked_pos=np.zeros((len(made), PATCHES), np.bool_))


class AllHidden(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(bool_masked_pos=np.ones((len(made), PATCHES), np.bool_))


class NeverTheFirst(Toy):
    def noise(self, rows: Rows, draw: Draw) -> np.ndarray:
        drawn = super().noise(rows, draw)
        drawn[:, 0] = -1
        return drawn


class NeverTheLast(Toy):
    def noise(self, rows: Rows, draw: Draw) -> np.ndarray:
        drawn = super().noise(rows, draw)
        drawn[:, -1] = -1
        return drawn


class InPairs(Toy):
    def noise(self, rows: Rows, draw: Draw) -> np.ndarray:
        drawn = super().noise(rows, draw)
        drawn[:, 1::2] = drawn[:, ::2]
        return drawn


class NoPermutation(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        made.array("ids_restore")[:, 0] = made.array("ids_restore")[:, 1]
        return made


class OrderLost(Toy):
    """The bug of sorting what is kept, after the order was taken down."""

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(ids_keep=np.sort(made.array("ids_keep"), axis=1))


class KeepsOthers(Toy):
    """A mask of the other polarity has as many hidden as were visible; here half of each, so the count holds."""

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(bool_masked_pos=np.roll(made.array("bool_masked_pos"), 1, axis=1))


class WrongDtype(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(ids_keep=made.array("ids_keep").astype(np.int32))


class PictureStays(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.with_columns(image=rows["image"])


STREAM = np.random.default_rng(0)


class SharedStream(Toy):
    def places(self, rows: Rows, draw: Draw) -> np.ndarray:
        return STREAM.random((len(rows), 2, 2))


class OneEpoch(Toy):
    def label(self, rows: Rows, draw: Draw) -> Rows:
        return super().label(rows, Draw(0, "toy"))


class OneDrawForBoth(Toy):
    def places(self, rows: Rows, draw: Draw) -> np.ndarray:
        return np.repeat(super().places(rows, draw)[:, :1], 2, axis=1)


class Related(Toy):
    """Views differ, and still one parameter is shared."""

    def places(self, rows: Rows, draw: Draw) -> np.ndarray:
        drawn = super().places(rows, draw)
        drawn[:, 1, 1] = drawn[:, 0, 1]
        return drawn


class ByBatch(Toy):
    def places(self, rows: Rows, draw: Draw) -> np.ndarray:
        places = np.arange(len(rows), dtype=np.uint64)
        return super().places(Rows(Names.from_keys(places, places), {}), draw)


class InPlace(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        rows.array("side")[:] += 1
        return made.with_columns(side=rows.array("side") * 0)


class Fewer(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return made.view(0, max(len(made) - 1, 1))


class OtherOrder(Toy):
    """Pairs are another's: names go one way, columns the other."""

    def spoil(self, made: Rows, rows: Rows) -> Rows:
        return Rows(made.names.take(np.arange(len(made))[::-1]), made.columns)


class TakesBroken(Toy):
    def pixels(self, rows: Rows) -> list[np.ndarray]:
        column = pictures(rows, "image")
        try:
            return column.values()
        except Exception:
            return [np.zeros((1, 1, 3), np.uint8)] * len(column)


class NotFinite(Toy):
    def spoil(self, made: Rows, rows: Rows) -> Rows:
        made.array("views")[-1, -1] = np.nan
        return made


@pytest.mark.parametrize(
    ("number", "task"),
    [
        (4, NothingHidden()),
        (5, AllHidden()),
        (7, NeverTheFirst()),
        (7, NeverTheLast()),
        (8, InPairs()),
        (11, NoPermutation()),
        (11, OrderLost()),
        (11, KeepsOthers()),
        (13, WrongDtype()),
        (13, PictureStays()),
        (14, SharedStream()),
        (15, OneEpoch()),
        (15, OneDrawForBoth()),
        (15, Related()),
        (16, ByBatch()),
        (17, InPlace()),
        (18, Fewer()),
        (18, OtherOrder()),
        (19, TakesBroken()),
        (20, NotFinite()),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Task) else str(value),
)
def test_mutants_are_caught(number: int, task: Task) -> None:
    with pytest.raises(AssertionError, match=f"assertion {number}:"):
        check(task)


def test_a_task_that_needs_more_than_a_pixel_is_caught() -> None:
    class TwoPixels(Toy):
        def pixels(self, rows: Rows) -> list[np.ndarray]:
            return [pixels[[0, 1]] if len(pixels) * pixels.shape[1] == 1 else pixels for pixels in super().pixels(rows)]

    with pytest.raises(IndexError):
        check(TwoPixels())
