"""Fits: a sample chosen by hash, and the artefact learnt from it."""

from __future__ import annotations

import numpy as np

from sslpipe.building.job import Task
from sslpipe.building.spill import ROW_BYTES, live_rows
from sslpipe.building.workspace import Workspace
from sslpipe.core.hashes import purpose_hash
from sslpipe.core.rows import Rows
from sslpipe.shards.commits import Commit, Output
from sslpipe.shards.tables import Table, write_rows

MARGIN = 1.1
"""A sample aims this much above what was asked, so that the cut to size falls inside it."""


def sample(work: Workspace, task: Task) -> Commit:
    """Collect the rows of one range whose sample hash is below the bound; only `train` is learnt from.

    What lies behind the bytes asked for in this range alone can't be among the first of all ranges, and is let go on the way.
    """
    low, high = task.arguments["range"]
    field, bound = task.arguments["field"], task.arguments["bound"]
    wanted = task.arguments["bytes"]
    found: list[Rows] = []
    held = 0
    for rows in live_rows(work.storage, task.inputs["spill"], task.inputs.get("decisions", ()), 0, low, high, work.batch_bytes):
        hashes = purpose_hash("sample", rows.names.high, rows.names.low, work.recipe.seed)
        chosen = np.ones(len(rows), np.bool_) if bound is None else hashes < np.uint64(bound)
        picked = Rows(rows.names, {field: rows[field], "_sample": hashes}).take(chosen)
        if len(picked):
            found.append(picked)
            held += int(picked.nbytes().sum()) + ROW_BYTES * len(picked)
        if held > 2 * wanted + work.batch_bytes:
            found = [_first(Rows.concat(found), wanted, beyond=1)]
            held = int(found[0].nbytes().sum())
    file = work.storage.put_unique(f".sslpipe/sample/{task.stem}", ".arrow")
    if found:
        write_rows(file, Rows.concat(found))
    file.publish()
    return Commit(stage=task.stage, task=task.number, fingerprint=task.fingerprint, outputs=(Output.of("sample", file),))


def _first(rows: Rows, wanted: int, beyond: int = 0) -> Rows:
    """The first rows by sample hash that stay within the bytes wanted, one at least.

    `beyond` is how many more: a part of a sample keeps the row that ends it, or smaller ones of other parts would slip in.
    """
    names = rows.names
    order = np.lexsort((names.occurrence, names.low, names.high, rows.array("_sample")))
    sizes = np.cumsum(rows.nbytes()[order])
    return rows.take(order[: max(1, int(np.searchsorted(sizes, wanted, side="right"))) + beyond])


def fit(work: Workspace, task: Task) -> Commit:
    """Learn from the first rows of the sample, by sample hash, up to the bytes asked for."""
    step = work.plan.segments[task.segment].fits[task.arguments["fit"]]
    spec = step.sample(work.plan.segments[task.segment].fields)
    batches = [
        Rows.from_arrow(batch) for output in task.inputs["sample"] for batch in Table(work.storage.path(output.name)).batches
    ]
    if not batches:
        from sslpipe.core.errors import DataError

        raise DataError(
            f"{step.path()} has nothing to learn from: no row of the training split is left."
            " Look at what was filtered with `sslpipe status`, or loosen the filters"
        )
    rows = _first(Rows.concat(batches), spec.bytes)
    stem, dot, suffix = step.artefact.partition(".")
    file = work.storage.put_unique(f".sslpipe/artefacts/{stem}", dot + suffix)
    step.fit(rows.without("_sample"), file.temporary)
    file.adopt()
    file.publish()
    return Commit(
        stage=task.stage,
        task=task.number,
        fingerprint=task.fingerprint,
        outputs=(Output.of(step.artefact, file),),
        facts={"rows": len(rows), "bytes": int(rows.nbytes().sum())},
    )
