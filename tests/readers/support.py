"""What the tests of text readers share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from sslpipe.core.steps import Bad, Reader

Row = tuple[bytes, ...]


def write(folder: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """Files by name, in folders of their own where the name says so."""
    for name, data in files:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def everything(reader: Reader, part_bytes: int = 1 << 20) -> tuple[list[Row], list[Bad]]:
    """All rows, each as file name, place and payloads; and all bad records. Checks the shape of every batch on the way."""
    rows: list[Row] = []
    bad: list[Bad] = []
    outputs = reader.outputs({})
    for part in reader.parts(part_bytes):
        assert len(part.files) == len(part.sizes) == len(part.stamps) > 0
        assert all(Path(name).is_absolute() for name in part.files)
        last = (-1, -1)
        for batch in reader.read(part, bad.append):
            assert 0 < len(batch) <= 4096
            assert len(batch) == 1 or batch.nbytes().sum() <= 8 << 20
            assert set(batch.columns) == {*outputs, "_file", "_place"}
            assert not batch.names.high.any() and not batch.names.low.any()
            files, places = batch.array("_file"), batch.array("_place")
            assert (files.dtype, places.dtype) == ("int32", "int64")
            columns = [batch.ragged(name).to_bytes() for name in outputs]
            for file, place, *payloads in zip(files.tolist(), places.tolist(), *columns, strict=True):
                assert (file, place) > last
                last = (file, place)
                rows.append((os.fsencode(part.files[file]), b"%d" % place, *payloads))
    return rows, bad


def payloads(rows: list[Row]) -> list[Row]:
    """Rows without where they came from, sorted."""
    return sorted(row[2:] for row in rows)
