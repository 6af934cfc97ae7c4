"""The recipe cut into segments: what runs together, what waits for all rows, and which fields flow between."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar, get_args

from sslpipe.core.errors import RecipeError
from sslpipe.core.fields import ENCODED, Fields
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context, Cut, Dedup, Filter, Fit, Map, Measure, Pack, Reader, Step, Task
from sslpipe.filters.empty import Empty
from sslpipe.maps.tokenize import Tokenize
from sslpipe.recipe.order import short_rows, unstreamable
from sslpipe.recipe.recipe import Recipe
from sslpipe.shards.layout import stored
from sslpipe.shards.ledger import MEASURED

Result = TypeVar("Result")
Place = tuple[str | int, ...]
"""What an error is about: `("build", 3)`, `("shards", "splits", "by")`."""


@dataclass(frozen=True)
class Segment:
    """Steps that run as one pass over the rows, and the global steps that then need all of them.

    Global steps run in this order: the dedup, or the keying that numbers equal payloads where no dedup does, then the fits.
    Only the last segment has a pack or a task, and no global step but, in a recipe without any, the keying.
    """

    steps: tuple[Step, ...] = ()
    """Maps, measures, filters and cuts in the order written."""
    dedup: Dedup | None = None
    """The dedup that ends the segment, if one does."""
    fits: tuple[Fit, ...] = ()
    """The fits that learn from what is left then."""
    pack: Pack | None = None
    """The pack that makes the rows of the shards, if one does."""
    task: Task | None = None
    """The task that labels them, if one does."""
    fields_in: Fields = field(default_factory=dict)
    """Before the steps."""
    fields: Fields = field(default_factory=dict)
    """After the steps, before pack and task."""
    fields_out: Fields = field(default_factory=dict)
    """After pack and task; those of the shards where the segment is the last."""


@dataclass(frozen=True)
class Plan:
    """What a recipe will do, checked: every step's fields are there and of the right kind."""

    segments: tuple[Segment, ...]
    """In the order they run."""
    kept_measures: tuple[str, ...]
    """Columns of measures that are stored beside each row, for filters right of the fence."""
    labels: Mapping[Measure, str]
    """What each measure is called in columns and ledger: `LABEL.number`."""
    measured: Mapping[str, Mapping[str, object]]
    """What the kept measures are, by label: path, version, and fields, with the field of the row that they resolved to."""
    stream_fields: Fields
    """What a row holds after the `stream:` half."""

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        artefacts: Mapping[str, Path] | None = None,
        locate: Callable[[Place, RecipeError], RecipeError] | None = None,
    ) -> Plan:
        """Check and cut a recipe; `locate` puts the place in the file before a message."""
        return _Planner(recipe, artefacts or {}, locate or (lambda _, error: error)).plan()

    def keyed(self, segment: int) -> bool:
        """Whether rows leave a segment with records for a global step: after the first always, later for a dedup."""
        return segment == 0 or self.segments[segment].dedup is not None

    def travelling(self, rows: Rows) -> Rows:
        """The rows as they are spilled: without what only the ledger wants."""
        wanted = {f"{MEASURED}{name}" for name in self.kept_measures}
        unwanted = [name for name in rows.columns if name.startswith(MEASURED) and name not in wanted]
        return rows.without("_file", "_place", *unwanted)


class _Planner:
    def __init__(
        self, recipe: Recipe, artefacts: Mapping[str, Path], locate: Callable[[Place, RecipeError], RecipeError]
    ) -> None:
        self._recipe, self._locate = recipe, locate
        self._build = tuple(step.bind(artefacts) for step in recipe.build)
        halves = (("build", self._build), ("stream", recipe.stream))
        self._resolved: dict[Measure, Measure] = {}
        self._places = {id(step): (half, number) for half, steps in halves for number, step in enumerate(steps)}

    def plan(self) -> Plan:
        fields = self._source_fields()
        learnt: set[str] = set()
        checked = []
        for segment in self._cut():
            start = fields
            for step in segment.steps:
                self._check_requirement(step, learnt)
                self._resolve(step, fields)
                fields = self._after(step, fields)
            inner = fields
            for tail in (segment.pack, segment.task):
                if tail is not None:
                    fields = self._after(tail, fields)
            if segment.dedup is not None:
                self._after(segment.dedup, fields)
            for fit in segment.fits:
                self._placed(fit, partial(fit.sample, fields))
                self._check_new(fit, learnt)
                learnt.add(fit.artefact)
            checked.append(replace(segment, fields_in=start, fields=inner, fields_out=fields))
        if not stored(fields):
            error = RecipeError("nothing is left to store: every field is gone after the last build step")
            raise self._locate(self._last_place(), error)
        self._check_formats(fields)
        self._check_groups()
        self._check_cuts()
        if fault := unstreamable(self._recipe.stream):
            raise self._locate(("stream", fault[0]), RecipeError(fault[1]))
        stream = fields
        for step in self._recipe.stream:
            # A filter right of the fence judges stored measures; the field that was measured may be gone.
            stream = stream if isinstance(step, Filter) else self._after(step, stream)
        if fault := short_rows(self._recipe.stream, fields):
            raise self._locate(("stream", fault[0]), RecipeError(fault[1]))
        labels = self._labels()
        kept = self._kept_measures()
        if kept and checked[-1].pack is not None:
            raise self._at(
                checked[-1].pack,
                f"{checked[-1].pack.path()} in `build:` makes rows of many documents, and {kept[0].path()} measures one;"
                " put the pack into `stream:`, or take the measure and the filters that need it out",
            )
        columns = tuple(f"{labels[measure]}.{name}" for measure in kept for name in measure.names())
        measured = {
            labels[measure]: {
                "path": measure.path(),
                "version": measure.version,
                "fields": self._resolved[measure].model_dump(mode="json"),
            }
            for measure in kept
        }
        return Plan(tuple(checked), columns, labels, measured, stream)

    def _check_new(self, fit: Fit, learnt: set[str]) -> None:
        if fit.artefact in learnt:
            raise self._at(fit, f"{fit.path()}: {fit.artefact} is learnt before already; one recipe learns one of them")

    def _check_formats(self, fields: Fields) -> None:
        """Rows of one field are stored alike: a reader of WebDataset goes by the extension."""
        ways = {"image": "maps.encode_jpeg (small), or maps.encode_png (exact),", "audio": "maps.encode_flac"}
        last = max((place for place, step in enumerate(self._build) if isinstance(step, Map)), default=None)
        for name, kind in fields.items():
            if kind.kind in ENCODED and kind.format is None:
                where = "at the end of `build:`" if last is None else f"behind {self._build[last].path()}"
                error = RecipeError(
                    f"field `{name}` would be stored in as many formats as it was read in; put {ways[kind.kind]} {where}"
                )
                raise self._locate(self._last_place() if last is None else ("build", last), error)

    def _check_groups(self) -> None:
        """A split by group needs the group's name beside every row, from every source."""
        column = self._recipe.shards.splits.by
        for name, reader in self._recipe.sources.items() if column is not None else ():
            if column not in getattr(reader, "keep", ()):
                choices = _kept_choices(reader)
                if column in choices or not choices:
                    way = f"write `keep: [{column}]` into {reader.path()}"
                else:
                    way = f"{reader.path()} can keep {', '.join(choices)} alone: `by: folder` groups by the folders of files"
                error = RecipeError(f"`by: {column}` needs that column of `meta`, and source `{name}` doesn't keep it; {way}")
                raise self._locate(("shards", "splits", "by"), error)

    def _check_cuts(self) -> None:
        """One cut a recipe: the pieces of a record are numbered in its own number, once."""
        cuts = [step for step in self._build if isinstance(step, Cut)]
        if len(cuts) > 1:
            raise self._at(cuts[1], f"{cuts[1].path()} comes after {cuts[0].path()}; a recipe divides its rows once")

    def _resolve(self, step: Step, fields: Fields) -> None:
        """Remember which field each measure looks at, where it is first computed."""
        for measure in step.needs() if isinstance(step, Filter) else (step,) if isinstance(step, Measure) else ():
            if measure not in self._resolved:
                self._resolved[measure] = self._placed(step, partial(measure.open, Context(fields)))

    def _check_requirement(self, step: Step, learnt: set[str]) -> None:
        wanted = step.requires()
        if wanted is not None and wanted not in learnt:
            raise self._at(
                step,
                f"{step.path()} needs {wanted}, and no step before it learns one;"
                f" put fits.byte_level_bpe before it, or give a file: `{step.path()}: {{tokenizer: path/to/{wanted}}}`",
            )

    def _cut(self) -> list[Segment]:
        segments = [Segment((Empty(),))]
        for step in self._build:
            last = segments[-1]
            closed = last.dedup is not None or bool(last.fits)
            if isinstance(step, Dedup):
                # Numbering goes by payload, which meta is no part of: a dedup by meta can't number equal rows on the way.
                if closed or (len(segments) == 1 and getattr(step, "field", None) == "meta"):
                    segments.append(Segment())
                segments[-1] = replace(segments[-1], dedup=step)
            elif isinstance(step, Fit):
                segments[-1] = replace(last, fits=(*last.fits, step))
            elif closed:
                segments.append(_with(Segment(), step))
            else:
                segments[-1] = _with(last, step)
        first, last = segments[0], segments[-1]
        if last.dedup is not None or last.fits:
            segments.append(Segment())
        elif len(segments) == 1:
            # Keying needs all rows even where the recipe asks for nothing global: what follows it is the writing.
            segments = [replace(first, pack=None, task=None), Segment(pack=first.pack, task=first.task)]
        return segments

    def _source_fields(self) -> Fields:
        kinds = {name: reader.outputs({}) for name, reader in self._recipe.sources.items()}
        first, *others = kinds
        for other in others:
            if kinds[other] != kinds[first]:
                error = RecipeError(
                    f"sources `{first}` and `{other}` fill different fields ({_listed(kinds[first])};"
                    f" {_listed(kinds[other])}); all sources of a dataset fill the same ones"
                )
                raise self._locate(("sources", other), error)
        return kinds[first]

    def _after(self, step: Step, fields: Fields) -> Fields:
        return self._placed(step, partial(step.outputs, fields))

    def _placed(self, step: Step, act: Callable[[], Result]) -> Result:
        try:
            return act()
        except RecipeError as error:
            raise self._at(step, str(error)) from None

    def _at(self, step: Step, message: str) -> RecipeError:
        """An error with the step's place in front; steps that stand in no recipe have none."""
        place = self._places.get(id(step))
        return self._locate(place, RecipeError(message)) if place else RecipeError(message)

    def _last_place(self) -> Place:
        """Where the fields to be stored were made: by the last build step, or by the first source."""
        return ("build", len(self._build) - 1) if self._build else ("sources", next(iter(self._recipe.sources)))

    def _labels(self) -> dict[Measure, str]:
        """Names for the columns of measures; the field is added where one class measures several."""
        measures: list[Measure] = []
        for step in (*self._recipe.build, *self._recipe.stream):
            needed = (step,) if isinstance(step, Measure) else step.needs() if isinstance(step, Filter) else ()
            measures += [measure for measure in needed if measure not in measures]
        stems = [measure.path().rpartition(".")[2] for measure in measures]
        return {
            measure: stem if stems.count(stem) == 1 else f"{stem}[{getattr(measure, 'field', None) or stems.index(stem)}]"
            for measure, stem in zip(measures, stems, strict=True)
        }

    def _kept_measures(self) -> list[Measure]:
        """Those that stand in `build:` by themselves, and those that filters of the stream judge by."""
        kept = [step for step in self._build if isinstance(step, Measure)]
        for step in self._recipe.stream:
            for wanted in step.needs() if isinstance(step, Filter) else ():
                made = [measure for measure in self._resolved if _alike(wanted, measure, self._resolved[measure])]
                if len(made) != 1:
                    several = "several, of different fields: say which with `field:`" if made else "nothing"
                    before = ", before maps.tokenize" if any(isinstance(step, Tokenize) for step in self._build) else ""
                    error = RecipeError(
                        f"{step.path()} in `stream:` judges by {wanted.path()}; of that, `build:` computes {several}."
                        f" Put `{wanted.path()}` into `build:`{before}"
                    )
                    raise self._locate(self._places[id(step)], error)
                kept += [measure for measure in made if measure not in kept]
        return kept


def _with(segment: Segment, step: Step) -> Segment:
    if isinstance(step, Pack):
        return replace(segment, pack=step)
    if isinstance(step, Task):
        return replace(segment, task=step)
    if isinstance(step, Map):
        return replace(segment, steps=(*segment.steps, step, Empty()))
    return replace(segment, steps=(*segment.steps, step))


def _kept_choices(reader: Reader) -> tuple[str, ...]:
    """What a reader can keep, where that is a few things that it knows; none where it keeps any column of its records."""
    kept = type(reader).model_fields.get("keep")
    return get_args(get_args(kept.annotation)[0]) if kept is not None else ()


def _listed(fields: Fields) -> str:
    return ", ".join(f"{name}: {field.kind}" for name, field in fields.items())


def explained(segments: Sequence[Segment]) -> list[str]:
    """One line a segment, for people."""
    lines = []
    for number, segment in enumerate(segments):
        names = [step.path() for step in segment.steps if not isinstance(step, Empty)]
        names += [step.path() for step in (segment.pack, segment.task) if step is not None]
        globals_ = [step.path() for step in (segment.dedup, *segment.fits) if step is not None]
        if number == len(segments) - 1:
            globals_ = ["shards"]
        lines.append(f"{number}  {' · '.join(names) or 'as they are'}  ─  {' · '.join(globals_) or 'number equal rows'}")
    return lines


def _alike(wanted: Measure, written: Measure, resolved: Measure) -> bool:
    """Whether a filter that wants one measure can judge by another; a field that is left open fits any."""
    if type(wanted) is not type(written):
        return False
    fields, known = wanted.model_dump(), resolved.model_dump()
    if fields.get("field", "") is None:
        return {**fields, "field": known["field"]} == known
    return fields == known
