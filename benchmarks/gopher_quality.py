"""Claim: the Gopher quality filter decides as datatrove's does, many times faster on one core.

    python benchmarks/gopher_quality.py FOLDER [--peer PYTHON] [--files 2000] [--rounds 5] [--agreement-only]

FOLDER holds text files, plain or `.gz`; they are taken in the order of a hash of their path. PYTHON is an interpreter that has
datatrove with its text extras; it runs in its own process, so that its packages need not fit ours. Both sides get the same
documents in memory and are timed without reading, one process and one thread each, alternating, median of the rounds. Printed:
the share of documents on which keep or drop is the same, how the others divide, and MB/s.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SUFFIXES = {".txt", ".html", ".pod", ".gz", ".rst", ".md"}
LARGEST = 1_000_000

SAME = {
    None: None,
    "gopher_short_doc": "gopher.too_few_words",
    "gopher_long_doc": "gopher.too_many_words",
    "gopher_below_avg_threshold": "gopher.short_words",
    "gopher_above_avg_threshold": "gopher.long_words",
    "gopher_too_many_hashes": "gopher.hashes",
    "gopher_too_many_ellipsis": "gopher.ellipses",
    "gopher_too_many_bullets": "gopher.bullet_lines",
    "gopher_too_many_end_ellipsis": "gopher.ellipsis_lines",
    "gopher_below_alpha_threshold": "gopher.non_alphabetic_words",
    "gopher_enough_stop_words": "gopher.too_few_stop_words",
}

PEER = """
import json, sys, time
from datatrove.data import Document
from datatrove.pipeline.filters import GopherQualityFilter
texts = json.load(open(sys.argv[1]))
step = GopherQualityFilter()
step.filter(Document(text="A first call loads the tokenizer. " * 20, id="0"))
for line in sys.stdin:
    start = time.perf_counter()
    found = []
    for text in texts:
        verdict = step.filter(Document(text=text, id="0"))
        found.append(None if verdict is True else verdict[1])
    print(json.dumps({"seconds": time.perf_counter() - start, "found": found}), flush=True)
"""


def documents(folder: Path, count: int) -> dict[str, str]:
    """Up to `count` files that are UTF-8 text, at most a megabyte each, by name."""
    found: dict[str, str] = {}
    paths = [path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink()]
    for path in sorted(paths, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest()):
        if len(found) == count:
            break
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        try:
            text = raw[: LARGEST + 1].decode()
        except UnicodeDecodeError:
            continue
        if 0 < len(raw) <= LARGEST and "\0" not in text:
            found[str(path.relative_to(folder))] = text
    return found


class Ours:
    """sslpipe's filter over one column."""

    def __init__(self, texts: list[str]) -> None:
        import numpy as np

        from sslpipe.core.names import Names
        from sslpipe.core.ragged import Ragged
        from sslpipe.core.rows import Rows
        from sslpipe.filters.gopher_quality import GopherQuality

        keys = np.arange(len(texts), dtype=np.uint64)
        self.rows = Rows(Names.from_keys(keys, keys), {"text": Ragged.from_texts(texts)})
        self.step = GopherQuality(field="text")
        self.measure = self.step.needs()[0]
        self.measure.measure(self.rows.view(0, 1))

    def run(self) -> tuple[float, list[str | None]]:
        """Seconds, and the reason for every document."""
        start = time.perf_counter()
        verdicts = self.step.judge(self.measure.measure(self.rows))
        seconds = time.perf_counter() - start
        reasons = [None, *verdicts.reasons]
        return seconds, [reasons[code] for code in verdicts.codes]


class Peer:
    """datatrove's filter in a process of its own, which runs once for every line that it is sent."""

    def __init__(self, python: str, texts: list[str]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(texts, file)
        one = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [python, "-c", PEER, file.name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=one)
        self.texts = Path(file.name)

    def run(self) -> tuple[float, list[str | None]]:
        """Seconds, and the reason for every document, in our words."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the peer ended; does its Python have datatrove and spacy? See --peer")
        answer = json.loads(line)
        return answer["seconds"], [SAME[reason] for reason in answer["found"]]

    def close(self) -> None:
        """End the process and remove its input."""
        self.process.communicate()
        self.texts.unlink()


def report_agreement(names: list[str], ours: list[str | None], theirs: list[str | None]) -> None:
    """Print how often the decision, and the reason too, are the same, and what the other documents are."""
    total = len(names)
    decision = sum((a is None) == (b is None) for a, b in zip(ours, theirs, strict=True))
    reason = sum(a == b for a, b in zip(ours, theirs, strict=True))
    kept = sum(b is None for b in theirs)
    print(f"documents {total}; kept by datatrove {kept}, by sslpipe {sum(a is None for a in ours)}")
    print(f"same decision {decision} ({decision / total:.2%}); same reason too {reason} ({reason / total:.2%})")
    others: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
    for name, a, b in zip(names, ours, theirs, strict=True):
        if a != b:
            others[a or "kept", b or "kept"].append(name)
    for (a, b), where in sorted(others.items(), key=lambda item: -len(item[1])):
        print(f"  {len(where):5d}  sslpipe {a:28s} datatrove {b:28s} e.g. {where[0]}")


def main() -> None:
    """Compare, then time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peer", default=sys.executable)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--agreement-only", action="store_true")
    options = parser.parse_args()

    found = documents(options.folder, options.files)
    if not found:
        sys.exit(f"no text files below {options.folder}")
    texts = list(found.values())
    ours, peer = Ours(texts), Peer(options.peer, texts)
    try:
        runs = [(ours.run(), peer.run()) for _ in range(1 if options.agreement_only else options.rounds)]
    finally:
        peer.close()
    report_agreement(list(found), runs[0][0][1], runs[0][1][1])
    if options.agreement_only:
        return
    size = sum(len(text.encode()) for text in texts) / 1e6
    speed = [size / statistics.median(run[side][0] for run in runs) for side in (0, 1)]
    print(f"{size:.1f} MB, median of {options.rounds} rounds, one core each")
    print(f"  sslpipe   {speed[0]:8.2f} MB/s")
    print(f"  datatrove {speed[1]:8.2f} MB/s")
    print(f"  ratio     {speed[0] / speed[1]:8.1f}")


if __name__ == "__main__":
    main()
