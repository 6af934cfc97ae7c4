"""Laws 1 and 2 across machines: builds and batches are the same bytes with SIMD switched off; run by `make soak`.

Each run is a fresh process that builds one law corpus and takes an epoch of each stream that draws on it: of text, pictures and
sound in turn. Beside the plain one, one in which every library that has a switch leaves its SIMD code, and numba compiles for a
processor without any extension, and one with another hash seed, locale and time zone. Prints a table for each corpus; the exit
code is 1 where any byte differs.

That the switch worked is checked of numpy, Arrow and numba, which say so; of OpenCV, which tells what it dispatches to (its
code for SSE3, the least it is built for, stays); and of soxr, whose unrounded samples must come out otherwise. libjpeg-turbo
reads its switch, but tells nobody. Without a switch are tokenizers, libsndfile with its FLAC, and libwebp: of those the runs
prove nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sslpipe.core.steps import Step

ROOT = Path(__file__).parents[2]
Outcome = dict[str, str]
OFF = {"numpy": 0, "arrow": "none", "numba": "generic", "opencv": 0}
"""What a process says of itself that left its SIMD code."""


def optional_features() -> tuple[list[str], list[str]]:
    """The extensions that numpy and OpenCV found on this processor and can do without."""
    code = "import json; from tests.laws.without_simd import features; print(json.dumps(features()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    numpy, opencv = json.loads(done.stdout)
    return numpy, opencv


def features() -> tuple[list[str], list[str]]:
    """The extensions that numpy and OpenCV use in this process, beyond those that they were built for."""
    import cv2
    import numpy as np

    line = cv2.getCPUFeaturesLine().split()  # `*` is dispatched to, `?` isn't there or is switched off
    dispatched = [name.strip("*") for name in line if name.startswith("*") and not name.endswith("?")]
    return np.show_config(mode="dicts")["SIMD Extensions"].get("found", []), dispatched


def environments(scratch: Path) -> dict[str, dict[str, str]]:
    """The variables of each run; no kernel compiled for one is used by another."""
    numpy, opencv = optional_features()
    without = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(numpy),
        "OPENCV_CPU_DISABLE": ",".join(opencv),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "JSIMD_FORCENONE": "1",
        "SOXR_USE_SIMD": "0",
        "SSLPIPE_CACHE": str(scratch / "cache"),
    }
    other = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONUTF8": "0"}
    return {"as is": {"PYTHONHASHSEED": "0"}, "without SIMD": without, "other locale": other}


def outcome(name: str, corpus: Path, out: Path, variables: Mapping[str, str]) -> tuple[Outcome, dict[str, Any]]:
    """The sha256 of everything that one run makes, and what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.laws.without_simd", name, str(corpus), str(out)],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"a run with {dict(variables)} ended with {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["made"], answer["facts"]


def _make(name: str, corpus: Path, out: Path) -> None:
    """One run, in its process."""
    import numba
    import pyarrow as pa

    from sslpipe.building.driver import Builder
    from sslpipe.engines.inline import Inline
    from sslpipe.stream.dataset import Dataset
    from tests.laws.modality import modality

    law = modality(name)
    manifest = Builder(law.recipe(corpus), out, Inline()).run()
    made = {shard.path: hashlib.sha256((out / shard.path).read_bytes()).hexdigest() for shard in manifest.shards}
    for artefact, entry in manifest.artefacts.items():
        made[artefact] = hashlib.sha256((out / entry.path).read_bytes()).hexdigest()
    for stream, steps in {"the law": law.drawing(""), **_streams(name)}.items():
        digest = hashlib.sha256()
        for batch in Dataset(out).stream(*steps, batch_size=8, threads=2, with_keys=True):
            for field, value in sorted(batch.items()):
                data = value.numpy().tobytes() if hasattr(value, "numpy") else repr(value).encode()
                digest.update(f"{field} {len(data)} ".encode() + data)
        made[f"batches of {stream}"] = digest.hexdigest()
    if name == "images":
        made |= _pictures()
    numpy, opencv = features()
    facts = {
        "numpy": len(numpy),
        "arrow": pa.runtime_info().simd_level,
        "numba": numba.config.CPU_NAME or "this processor",
        "opencv": len(opencv),
        "soxr": _unrounded(),
        "hash": hash("sslpipe"),
    }
    sys.stdout.write(json.dumps({"made": made, "facts": facts}) + "\n")


def _streams(name: str) -> dict[str, tuple[Step, ...]]:
    """Streams beside the one that the laws are held to."""
    from sslpipe.packs.concatenate import Concatenate
    from sslpipe.tasks.masked_patches import MaskedPatches
    from sslpipe.tasks.masked_tokens import MaskedTokens
    from sslpipe.tasks.next_token import NextToken
    from sslpipe.tasks.two_views import TwoViews

    if name == "text":
        return {
            "masked tokens": (MaskedTokens(),),
            "packed next tokens": (Concatenate(length=128), NextToken()),
        }
    if name == "images":
        return {
            "bicubic views": (TwoViews(size=32, interpolation="bicubic"),),
            "masked patches": (MaskedPatches(size=32, patch=8, patch_targets=True),),
        }
    from tests.laws.corpus_audio import FRAMES

    return {"frames as they are": (FRAMES.model_copy(update={"normalize": False}),)}


def _unrounded() -> str:
    """Some hash of what soxr makes before anybody rounds it, which tells its code paths apart."""
    import numpy as np
    import soxr

    samples = np.random.default_rng(0).normal(size=100_000)
    return hashlib.sha256(soxr.resample(samples, 44_100, 16_000, quality="VHQ").tobytes()).hexdigest()[:8]


def _pictures() -> Outcome:
    """What the tasks of pictures make of JPEGs; encoded here, so that the encoder is held to it too."""
    import numpy as np

    from sslpipe.core.draw import Draw
    from sslpipe.core.fields import Field
    from sslpipe.core.names import Names
    from sslpipe.core.ragged import Ragged
    from sslpipe.core.rows import Rows
    from sslpipe.core.steps import Context
    from sslpipe.tasks.masked_patches import MaskedPatches
    from sslpipe.tasks.two_views import TwoViews
    from tests.support_images import exif, jpeg, photo, with_segment

    keys = np.arange(60, dtype=np.uint64)
    plain = [jpeg(photo(150 + 7 * number, 200, number % 9)) for number in range(len(keys))]
    turned = [with_segment(data, 0xE1, exif(1 + number % 8)) for number, data in enumerate(plain)]  # what OpenCV is used for
    stored = Ragged.from_bytes(turned)
    rows, made = Rows(Names.from_keys(keys, keys), {"image": stored}), {"JPEGs": hashlib.sha256(stored.values).hexdigest()}
    for task in (TwoViews(), TwoViews(interpolation="bicubic", output="uint8"), MaskedPatches(patch_targets=True)):
        columns = task.open(Context({"image": Field(kind="image")})).label(rows, Draw(0, task.path())).columns
        data = b"".join(np.asarray(columns[name]).tobytes() for name in sorted(columns))
        made[f"{task.path()}, {task.interpolation}"] = hashlib.sha256(data).hexdigest()
    return made


def table(runs: Mapping[str, Outcome]) -> list[str]:
    """A line for each thing made, with the start of its hash in every run and a mark where they differ."""
    names = list(dict.fromkeys(name for made in runs.values() for name in made))
    width = max(map(len, names))
    lines = [" ".join([" " * width, *(f"{run:14}" for run in runs)])]
    for name in names:
        hashes = [made.get(name, "missing") for made in runs.values()]
        mark = "" if len(set(hashes)) == 1 else "DIFFERS"
        lines.append(" ".join([f"{name:{width}}", *(f"{value[:12]:14}" for value in hashes), mark]).rstrip())
    return lines


def compared(name: str, scratch: Path) -> bool:
    """Run one corpus in all environments, print the table; whether all bytes are the same."""
    from tests.laws.modality import modality

    corpus = modality(name).lay(scratch / "corpus")
    runs: dict[str, Outcome] = {}
    said: dict[str, dict[str, Any]] = {}
    for number, (run, variables) in enumerate(environments(scratch).items()):
        runs[run], said[run] = outcome(name, corpus, scratch / str(number), variables)
        sys.stdout.write(f"{name}, {run}: {', '.join(f'{key} {value}' for key, value in said[run].items())}\n")
        sys.stdout.flush()
    without = said["without SIMD"]
    if without | OFF != without or without["soxr"] == said["as is"]["soxr"]:
        raise SystemExit("a library kept its SIMD code, so this run would prove nothing")
    lines = table(runs)
    sys.stdout.write("\n".join(lines) + "\n")
    return not any(line.endswith("DIFFERS") for line in lines)


def main() -> int:
    """Run all; 1 where anything differs."""
    from tests.laws.modality import NAMES

    same = []
    for name in NAMES:
        with tempfile.TemporaryDirectory() as scratch:
            same.append(compared(name, Path(scratch)))
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) == 4:
        _make(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        raise SystemExit(main())
