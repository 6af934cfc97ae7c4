"""Laws 1 and 2 across machines: builds and batches are the same bytes with SIMD switched off; run by `make soak`.

Each run is a fresh process that builds the law corpus and takes one epoch of batches. Beside the plain one, one in which every
library that has a switch leaves its SIMD code, and numba compiles for a processor without any extension, and one with another
hash seed, locale and time zone. `tokenizers` has no switch. Prints a table; the exit code is 1 where any byte differs.
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
from typing import Any

ROOT = Path(__file__).parents[2]
Outcome = dict[str, str]


def optional_features() -> list[str]:
    """The extensions that numpy found on this processor and can do without."""
    code = (
        "import json, numpy; found = numpy.show_config(mode='dicts')['SIMD Extensions'].get('found', []);"
        "print(json.dumps(found))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def environments(scratch: Path) -> dict[str, dict[str, str]]:
    """The variables of each run; no kernel compiled for one is used by another."""
    without = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(optional_features()),
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
        "ARROW_USER_SIMD_LEVEL": "NONE",
        "JSIMD_FORCENONE": "1",
        "SSLPIPE_CACHE": str(scratch / "cache"),
    }
    other = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "LANG": "C", "TZ": "Asia/Kathmandu", "PYTHONUTF8": "0"}
    return {"as is": {"PYTHONHASHSEED": "0"}, "without SIMD": without, "other locale": other}


def outcome(corpus: Path, out: Path, variables: Mapping[str, str]) -> tuple[Outcome, dict[str, Any]]:
    """The sha256 of everything that one run makes, and what it says of itself."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.laws.without_simd", str(corpus), str(out)],
        cwd=ROOT, env={**os.environ, **variables}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise SystemExit(f"a run with {dict(variables)} ended with {done.returncode}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["made"], answer["facts"]


def _make(corpus: Path, out: Path) -> None:
    """One run, in its process."""
    import numba
    import numpy as np
    import pyarrow as pa

    from sslpipe.building.driver import Builder
    from sslpipe.engines.inline import Inline
    from sslpipe.packs.concatenate import Concatenate
    from sslpipe.stream.dataset import Dataset
    from sslpipe.tasks.masked_tokens import MaskedTokens
    from sslpipe.tasks.next_token import NextToken
    from tests.laws.corpus_text import law_recipe

    manifest = Builder(law_recipe(corpus), out, Inline()).run()
    made = {shard.path: hashlib.sha256((out / shard.path).read_bytes()).hexdigest() for shard in manifest.shards}
    for name, entry in manifest.artefacts.items():
        made[name] = hashlib.sha256((out / entry.path).read_bytes()).hexdigest()
    forms = {
        "masked tokens": (MaskedTokens(),),
        "packed masked tokens": (Concatenate(length=128), MaskedTokens()),
        "packed next tokens": (Concatenate(length=128), NextToken()),
    }
    for name, steps in forms.items():
        digest = hashlib.sha256()
        for batch in Dataset(out).stream(*steps, batch_size=8, threads=2, with_keys=True):
            for field, value in sorted(batch.items()):
                data = value.numpy().tobytes() if hasattr(value, "numpy") else repr(value).encode()
                digest.update(f"{field} {len(data)} ".encode() + data)
        made[f"batches of {name}"] = digest.hexdigest()
    made |= _pictures()
    facts = {
        "numpy": len(np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])),
        "arrow": pa.runtime_info().simd_level,
        "numba": numba.config.CPU_NAME or "this processor",
        "hash": hash("sslpipe"),
    }
    sys.stdout.write(json.dumps({"made": made, "facts": facts}) + "\n")


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
    from tests.support_images import jpeg, photo

    keys = np.arange(60, dtype=np.uint64)
    stored = Ragged.from_bytes([jpeg(photo(150 + 7 * number, 200, number % 9)) for number in range(len(keys))])
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


def main() -> int:
    """Run all, print the table; 1 where anything differs."""
    from tests.laws.corpus_text import lay

    runs: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        corpus = lay(scratch / "corpus")
        for number, (run, variables) in enumerate(environments(scratch).items()):
            runs[run], facts = outcome(corpus, scratch / str(number), variables)
            sys.stdout.write(f"{run}: {', '.join(f'{key} {value}' for key, value in facts.items())}\n")
            if run == "without SIMD" and (facts["numpy"], facts["arrow"], facts["numba"]) != (0, "none", "generic"):
                raise SystemExit("a library kept its SIMD code, so this run would prove nothing")
    lines = table(runs)
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if any(line.endswith("DIFFERS") for line in lines) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if len(sys.argv) == 3:
        _make(Path(sys.argv[1]), Path(sys.argv[2]))
    else:
        raise SystemExit(main())
