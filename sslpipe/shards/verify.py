"""Re-hashes a finished dataset: every shard and index against the manifest, every row against its checksum."""

from __future__ import annotations

import json
from collections.abc import Iterator

import xxhash

from sslpipe.core.errors import DataError
from sslpipe.shards.layout import rollup_name, stored
from sslpipe.shards.manifest import FileEntry, Manifest, ShardEntry
from sslpipe.shards.shard import Shard
from sslpipe.shards.storage import LocalStorage


def verify(storage: LocalStorage, manifest: Manifest) -> Iterator[tuple[str, list[str]]]:
    """Each file with what is wrong with it, nothing where it is whole."""
    for entry in (*manifest.artefacts.values(), *_records(storage, manifest)):
        yield entry.path, _file(storage, entry)
    for shard in manifest.shards:
        problems = _file(storage, shard.index) + _file(storage, shard)
        yield shard.path, problems or _rows(storage, manifest, shard)


def _records(storage: LocalStorage, manifest: Manifest) -> list[FileEntry]:
    """The ledger, the quarantine and the decisions, as the build's commits name them."""
    name = rollup_name(manifest.build)
    if storage.size(name) is None:
        raise DataError(f"{storage.path(name)} is missing; it says which files of the ledger there should be")
    outputs = [output for done in json.loads(storage.get(name)).values() for commit in done for output in commit["outputs"]]
    return [
        FileEntry(path=output["name"], bytes=output["bytes"], xxh3_128=output["xxh3_128"])
        for output in outputs
        if output["role"] in ("ledger", "quarantine", "decisions")
    ]


def _file(storage: LocalStorage, entry: FileEntry) -> list[str]:
    found = storage.size(entry.path)
    if found is None:
        return [f"{entry.path} is missing"]
    if found != entry.bytes:
        return [f"{entry.path} has {found} bytes, the manifest says {entry.bytes}"]
    digest = xxhash.xxh3_128()
    with storage.path(entry.path).open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != entry.xxh3_128:
        return [f"{entry.path} has other bytes than the manifest says: its xxh3 is {digest.hexdigest()}, not {entry.xxh3_128}"]
    return []


def _rows(storage: LocalStorage, manifest: Manifest, entry: ShardEntry) -> list[str]:
    """Rows whose data does not give the checksum of the index."""
    try:
        shard = Shard(storage, entry, manifest.fields)
        fields = stored(manifest.fields)
        places = {name: (shard.column(f"{name}.start").tolist(), shard.column(f"{name}.bytes").tolist()) for name in fields}
    except DataError as error:
        return [str(error)]
    problems = []
    for row, checksum in enumerate(shard.column("_checksum").tolist()):
        digest = xxhash.xxh3_64()
        for starts, sizes in places.values():
            digest.update(shard.data[starts[row] : starts[row] + sizes[row]].data)
        if digest.intdigest() != checksum:
            problems.append(f"{entry.path}: row {row} ({shard.names.texts()[row]}) does not give its checksum")
    return problems
