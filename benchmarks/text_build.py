"""Claim: text is read, filtered, freed of equal documents, tokenised and written faster a core than by datatrove.

    python -m benchmarks.text_build [--data FOLDER] [--megabytes 32] [--peer-python PYTHON] [--quick]

Peer: datatrove, in an interpreter of its own, since its packages need not fit ours:

    python -m venv peer && peer/bin/pip install "datatrove[io,processing]" orjson tokenizers spacy

named by `--peer-python` or `SSLPIPE_PEER_PYTHON`; without it only ours is measured, and the output says so. Its pipeline is
(`_datatrove_build.py`), as in its own examples: `JsonlReader`, `GopherQualityFilter`, `JsonlWriter`, `ExactDedupSignature`;
then `ExactFindDedups`; then `JsonlReader`, `ExactDedupFilter`, `DocumentTokenizer`, each line by
`LocalPipelineExecutor(tasks=1, workers=1)`. Ours is
`readers.jsonl`, `filters.gopher_quality`, `dedups.exact`, `maps.tokenize`, by the inline engine.

Fair: one JSONL file, one process and one thread each (thread pools of libraries set to one), the same `tokenizer.json`, a fresh
process a run, in turns after one run each that isn't counted. The time begins when libraries are imported and the language
tables loaded (theirs), and at the call of `build` (ours, so its imports count). Both shuffle documents and write uint16 ids.
Differences: ours also writes keys, an index, a ledger with a reason for each document that was dropped, and syncs all to disk;
documents kept and tokens are printed, and differ as far as the filters' words do. No goal: the ratio is what it is.
The text: files of `--data`, else the docstrings of Python files on this machine. Limit: a bare read of the input.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.harness import ROOT, ratios, versions

ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1") | {"TOKENIZERS_PARALLELISM": "false"}

OURS = """
import json, sys, time, warnings
from benchmarks.harness import memory
warnings.simplefilter("ignore")
raw, tokenizer, out = sys.argv[1:4]
import sslpipe
from sslpipe import dedups, filters, maps, readers
start, cpu = time.perf_counter(), time.process_time()
recipe = sslpipe.Recipe(
    name="bench", sources={"main": readers.Jsonl(paths=[raw])},
    build=(filters.GopherQuality(), dedups.Exact(), maps.Tokenize(tokenizer=tokenizer)),
)
made = sslpipe.build(recipe, out, engine="inline").manifest
spent = time.perf_counter() - start, time.process_time() - cpu
tokens = sum(shard.elements["ids"] for shard in made.shards)
print(json.dumps({"seconds": spent[0], "cpu": spent[1], **memory(), "kept": made.totals["kept"], "tokens": tokens,
                  "duplicates": made.totals["duplicate"]}))
"""


def write_jsonl(target: Path, data: Path | None, megabytes: float) -> float:
    """The input of both; returns its MB."""
    if data is None:
        from sslpipe._demo.docstrings import write_docstrings

        whole = target.with_name("all.jsonl")
        write_docstrings(whole)
        lines = whole.read_text("utf-8").splitlines(keepends=True)
        whole.unlink()
    else:
        from benchmarks.gopher_quality import documents

        lines = [json.dumps({"text": text}) + "\n" for text in documents(data, 20_000).values()]
        random.Random(0).shuffle(lines)  # else the first folder would stand for all
    size = 0
    with target.open("w", encoding="utf-8") as file:
        for line in lines:
            if size >= megabytes * 1e6:
                break
            size += file.write(line)
    return target.stat().st_size / 1e6


def learn(raw: Path, target: Path) -> None:
    """The tokenizer that both are given, with ids that fit uint16."""
    import numpy as np

    from sslpipe.core.names import Names
    from sslpipe.core.ragged import Ragged
    from sslpipe.core.rows import Rows
    from sslpipe.fits.byte_level_bpe import ByteLevelBpe

    with raw.open(encoding="utf-8") as file:
        texts = [json.loads(line)["text"] for line in file]
    keys = np.arange(len(texts), dtype=np.uint64)
    ByteLevelBpe(vocab_size=16_000).fit(Rows(Names.from_keys(keys, keys), {"text": Ragged.from_texts(texts)}), target)


def run(python: str, program: list[str], raw: Path, tokenizer: Path) -> dict[str, float]:
    """One build in a fresh process."""
    with tempfile.TemporaryDirectory(prefix="sslpipe-bench-") as out:
        command = [python, *program, str(raw), str(tokenizer), f"{out}/out"]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **ONE}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"a build failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def bare(raw: Path) -> dict[str, float]:
    """The limit."""
    start, cpu = time.perf_counter(), time.process_time()
    raw.read_bytes()
    return {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="a folder of text files")
    parser.add_argument("--megabytes", type=float, default=32.0)
    parser.add_argument(
        "--peer-python", default=os.environ.get("SSLPIPE_PEER_PYTHON"), help="an interpreter that has datatrove"
    )
    parser.add_argument("--quick", action="store_true", help="one round on 2 MB, to see that it works")
    chosen = parser.parse_args()
    programs: dict[str, tuple[str, list[str]]] = {"sslpipe": (sys.executable, ["-c", OURS])}
    print(versions("sslpipe", "tokenizers"))
    if chosen.peer_python:
        programs["datatrove"] = (chosen.peer_python, ["-m", "benchmarks._datatrove_build"])
        names = ("datatrove", "spacy", "tokenizers")
        asked = f"from importlib.metadata import version as v; print(*(n + ' ' + v(n) for n in {names}), sep=', ')"
        told = subprocess.run([chosen.peer_python, "-c", asked], check=True, capture_output=True, text=True)
        print("peer:", told.stdout.strip())
    else:
        print(
            "no peer: name an interpreter with datatrove by --peer-python or SSLPIPE_PEER_PYTHON; --help says how to make one"
        )
    rounds = 1 if chosen.quick else 5
    with tempfile.TemporaryDirectory(prefix="sslpipe-bench-") as name:
        raw, tokenizer = Path(name) / "input" / "raw.jsonl", Path(name) / "tokenizer.json"
        raw.parent.mkdir()
        size = write_jsonl(raw, chosen.data, 2.0 if chosen.quick else chosen.megabytes)
        learn(raw, tokenizer)
        for program in programs.values():
            run(*program, raw, tokenizer)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in (*programs, "a bare read of the input")}
        for _ in range(rounds):
            for side, program in programs.items():
                found[side].append(run(*program, raw, tokenizer))
            found["a bare read of the input"].append(bare(raw))
    print(f"{size:.1f} MB of JSON lines ({'files given' if chosen.data else 'docstrings'})\n")
    print(f"{'median of ' + str(rounds):<28}{'MB/s':>10}{'CPU s':>9}{'peak MB':>9}{'kept':>9}{'duplicates':>12}{'tokens':>12}")
    for side, runs in found.items():
        middle = {what: statistics.median(one[what] for one in runs) for what in runs[0]}
        line = f"{side:<28}{size / middle['seconds']:>10,.2f}{middle['cpu']:>9.2f}"
        if "kept" in middle:
            line += f"{middle['peak']:>9,.0f}{middle['kept']:>9,.0f}{middle['duplicates']:>12,.0f}{middle['tokens']:>12,.0f}"
        if side == "datatrove":
            for what in ("seconds", "cpu"):
                ratio, low, high = ratios([one[what] for one in runs], [one[what] for one in found["sslpipe"]])
                line += f"   {what} {ratio:.1f} x ({low:.1f} to {high:.1f}) sslpipe's"
        print(line)


if __name__ == "__main__":
    main()
