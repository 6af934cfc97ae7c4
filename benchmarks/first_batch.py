"""Claim: the first batch comes sooner than with `datasets` or `webdataset`, in a fresh process, imports included.

    python -m benchmarks.first_batch [--dataset DIR] [--quick]

Each round starts one Python process a side, in turns, and takes the time from the start of the process until it has said that
its first batch of 64 x 512 tokens is there. CPU seconds and peak memory are its own.

* sslpipe: `open`, `stream(packs.Concatenate(512), tasks.MaskedTokens(), batch_size=64)`, `next`; its kernels were compiled by
  an earlier run. One row more shows the first run on a machine, with nothing compiled.
* `datasets`: rows packed beforehand and saved to disk, `DataLoader(shuffle=True)`, `DataCollatorForLanguageModeling`.
* `webdataset`: the same tars, `decode()`, samples laid end to end and cut by hand; unshuffled and unmasked, so it does less.

Fair: all make int64 `[64, 512]` (checked by each process), all read files that are in the page cache after a first round that
isn't counted. Limit: a process that imports torch, which all of them need.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.corpus import open_dataset, options, save_rows, workspace
from benchmarks.harness import ROOT, ratios, versions
from benchmarks.masked_tokens import LENGTH, columns

SSLPIPE, HUGGING_FACE, WEBDATASET, TORCH = (
    "sslpipe",
    "datasets, DataLoader, collator",
    "webdataset, cut by hand",
    "import torch",
)
FIRST_RUN = "sslpipe, nothing compiled yet"

PROGRAMS = {
    SSLPIPE: """
import sslpipe
from sslpipe import packs, tasks
batch = next(iter(sslpipe.open(folder + "/dataset").stream(packs.Concatenate(length=512), tasks.MaskedTokens(), batch_size=64)))
ids = batch["input_ids"]
""",
    HUGGING_FACE: """
import datasets
from torch.utils.data import DataLoader
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast
tokenizer = PreTrainedTokenizerFast(tokenizer_file=folder + "/tokenizer.json", model_input_names=["input_ids"], **roles)
rows = datasets.load_from_disk(folder + "/rows").with_format("torch")
collator = DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15)
ids = next(iter(DataLoader(rows, 64, shuffle=True, collate_fn=collator)))["input_ids"]
""",
    WEBDATASET: """
import numpy, torch, webdataset
parts, count = [], 0
for sample in webdataset.WebDataset(urls, shardshuffle=False).decode():
    parts += [sample["ids.npy"], [end]]
    count += len(parts[-2]) + 1
    if count >= 64 * 512:
        break
ids = torch.from_numpy(numpy.concatenate(parts)[: 64 * 512].astype(numpy.int64).reshape(64, 512))
""",
    TORCH: """
import torch
ids = torch.zeros((64, 512), dtype=torch.int64)
""",
}
PROGRAMS[FIRST_RUN] = PROGRAMS[SSLPIPE]

AROUND = """
import json, sys
facts = json.loads(sys.argv[1])
folder, urls, end, roles = facts["folder"], facts["urls"], facts["end"], facts["roles"]
{program}
assert str(ids.dtype) == "torch.int64" and tuple(ids.shape) == (64, 512)
print("ready", flush=True)
from benchmarks.harness import cpu_seconds, memory
print(json.dumps({{"cpu": cpu_seconds(), **memory()}}))
"""


def facts_of(folder: Path) -> str:
    """What the programs are told, as JSON; the peer finds the tokenizer as a file."""
    dataset = open_dataset(folder)
    vocabulary = dataset.manifest.fields["ids"].vocabulary
    assert vocabulary is not None
    dataset.tokenizer.save(str(folder / "tokenizer.json"))
    ids = {"pad_token": vocabulary.pad, "eos_token": vocabulary.eos, "mask_token": vocabulary.mask}
    roles = {role: dataset.tokenizer.id_to_token(number) for role, number in ids.items() if number is not None}
    urls = [str(folder / "dataset" / entry.path) for entry in dataset.manifest.split("train")]
    return json.dumps({"folder": str(folder), "urls": urls, "end": vocabulary.eos, "roles": roles})


def run(name: str, facts: str) -> dict[str, float]:
    """One fresh process."""
    with tempfile.TemporaryDirectory() as empty:
        environment = {**os.environ, **({"SSLPIPE_CACHE": empty} if name == FIRST_RUN else {})}
        command = [sys.executable, "-W", "ignore", "-c", AROUND.format(program=PROGRAMS[name]), facts]
        start = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            seconds = time.perf_counter() - start
            rest = process.stdout.read()
    if ready != "ready\n" or process.returncode:
        raise SystemExit(f"{name}: its process ended with {process.returncode} before its first batch")
    return {"seconds": seconds, **json.loads(rest)}


def main() -> None:
    """Measure, print."""
    chosen = options(__doc__).parse_args()
    print(versions("sslpipe", "datasets", "transformers", "webdataset", "torch"))
    rounds = 3 if chosen.quick else 7
    with workspace(chosen.dataset, chosen.quick) as folder:
        save_rows(open_dataset(folder), LENGTH, folder / "rows", columns(folder))
        facts = facts_of(folder)
        for name in PROGRAMS:
            run(name, facts)
        found: dict[str, list[dict[str, float]]] = {name: [] for name in PROGRAMS}
        for _ in range(rounds):
            for name in PROGRAMS:
                found[name].append(run(name, facts))
    print(f"\n{'median of ' + str(rounds) + ' processes each':<34}{'seconds':>9}{'CPU s':>8}{'peak MB':>9}{'own MB':>8}")
    ours = [one["seconds"] for one in found[SSLPIPE]]
    for name, runs in found.items():
        middle = {what: statistics.median(one[what] for one in runs) for what in runs[0]}
        line = f"{name:<34}{middle['seconds']:>9.2f}{middle['cpu']:>8.2f}{middle['peak']:>9,.0f}{middle['own']:>8,.0f}"
        if name != SSLPIPE:
            ratio, low, high = ratios([one["seconds"] for one in runs], ours)
            line += f"   {ratio:.2f} ({low:.2f} to {high:.2f}) of sslpipe's time"
        print(line)


if __name__ == "__main__":
    main()
