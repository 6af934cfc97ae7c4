"""All benchmarks, and a report of them.

    python -m benchmarks [--quick] [--dataset DIR] [--data FOLDER] [--images DIR] [--audio DIR] [--peer-python PYTHON]
                         [--out FOLDER]

Each runs in a process of its own, one after another; the report is what they print, headed by what they ran on. Those that need
something that wasn't given are skipped, and the report says so. A benchmark that fails is in it too, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.util
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus import workspace
from benchmarks.harness import ROOT, versions

STREAMS = ("masked_tokens", "next_token", "members", "first_batch")
PACKAGES = ("sslpipe", "datasets", "transformers", "webdataset", "torch", "numpy", "numba", "pyarrow", "tokenizers")


def cpu_model() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
        if found:
            return " ".join(found[1].replace("(R)", "").replace("(TM)", "").split())
    return platform.processor() or platform.machine()


def memory_gigabytes() -> float:
    """Installed memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def revision() -> str:
    """What was measured, by git."""
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    return "unknown"


def machine() -> str:
    """A short name for files: processor and cores."""
    return f"{re.sub(r'[^a-z0-9]+', '-', cpu_model().lower()).strip('-')}-{os.cpu_count()}c"


def commands(chosen: argparse.Namespace, dataset: Path) -> Iterator[tuple[str, list[str] | str]]:
    """Each benchmark with its arguments, or with the reason why it doesn't run."""
    quick = ["--quick"] if chosen.quick else []
    for name in STREAMS:
        yield name, ["--dataset", str(dataset), *quick]
    peer = ["--peer-python", chosen.peer_python] if chosen.peer_python else []
    yield "text_build", [*quick, *peer, *(["--data", str(chosen.data)] if chosen.data else [])]
    yield "views", quick
    images, audio = _given("--dataset", chosen.images), _given("--dataset", chosen.audio)
    for name, given in {
        "masked_patches": images,
        "masked_frames": audio,
        "learns_images": images,
        "learns_audio": audio,
    }.items():
        yield name, [*given, *quick]
    yield "large_photographs", quick
    yield "two_threads", [*_given("--images", chosen.images), *_given("--audio", chosen.audio), *quick]
    if chosen.data and chosen.peer_python:
        few = ["--files", "200", "--rounds", "1"] if chosen.quick else []
        yield "gopher_quality", [str(chosen.data), "--peer", chosen.peer_python, *few]
    else:
        yield "gopher_quality", "skipped: it needs --data, a folder of text files, and --peer-python"
    if chosen.dataset:
        yield "learns_text", [str(chosen.dataset), *(["--steps", "20"] if chosen.quick else [])]
    else:
        yield "learns_text", "skipped: it needs --dataset, built from real text with a val split"


def _given(option: str, value: Path | None) -> list[str]:
    return [option, str(value)] if value else []


def run(name: str, arguments: list[str]) -> tuple[str, bool]:
    """What a benchmark printed, and whether it ended well."""
    command = [sys.executable, "-W", "ignore", "-m", f"benchmarks.{name}", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return f"{done.stdout}FAILED with {done.returncode}\n{done.stderr[-3000:]}", False
    return done.stdout, True


def main() -> None:
    """Run all, write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short rounds on little data, to see that all work")
    parser.add_argument("--dataset", type=Path, help="a finished dataset of real text; by default one is made up")
    parser.add_argument("--data", type=Path, help="a folder of text files for the benchmarks of builds")
    parser.add_argument("--images", type=Path, help="a finished dataset of pictures with a val split; else made up")
    parser.add_argument("--audio", type=Path, help="a finished dataset of speech with a val split; else the demo's")
    parser.add_argument(
        "--peer-python", default=os.environ.get("SSLPIPE_PEER_PYTHON"), help="an interpreter that has datatrove"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "reports")
    chosen = parser.parse_args()
    today = datetime.date.today().isoformat()
    kind = "a quick run: it shows that all work, its numbers mean little" if chosen.quick else "a full run"
    parts = [
        f"# Benchmarks, {today}\n\n{cpu_model()}, {os.cpu_count()} cores, {memory_gigabytes():.0f} GB; {platform.system()}"
        f" {platform.release()}, Python {platform.python_version()}; load before {os.getloadavg()[0]:.1f}\n\n"
        f"{versions(*PACKAGES)}\n\nRevision {revision()}; {kind}. What is compared, and how it is kept fair, stands at the top"
        " of each file.\n"
    ]
    fine = True
    with workspace(chosen.dataset, chosen.quick) as folder:
        for name, arguments in commands(chosen, (folder / "dataset").resolve()):
            print(f"\n== {name}", flush=True)
            text, well = (arguments, True) if isinstance(arguments, str) else run(name, arguments)
            fine &= well
            print(text, flush=True)
            source = importlib.util.find_spec(f"benchmarks.{name}")
            assert source is not None and source.origin is not None
            claim = Path(source.origin).read_text("utf-8").removeprefix('"""').split("\n\n")[0].replace("\n", " ")
            parts.append(f"\n## {name}\n\n{claim}\n\n```text\n{text.strip()}\n```\n")
    chosen.out.mkdir(parents=True, exist_ok=True)
    target = chosen.out / f"{today}-{machine()}.md"
    target.write_text("".join(parts), encoding="utf-8")
    print(f"\nreport: {target}")
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
