"""The peer of `text_build`, run by an interpreter that has datatrove: INPUT.jsonl TOKENIZER.json OUT."""

import json
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup.exact_dedup import ExactDedupConfig, ExactDedupFilter, ExactDedupSignature, ExactFindDedups
from datatrove.pipeline.filters import GopherQualityFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.tokens import DocumentTokenizer
from datatrove.pipeline.writers import JsonlWriter
from loguru import logger

from benchmarks.harness import memory


def content(document: Document) -> str:
    """What documents are compared by; the library looks at the annotation."""
    return document.text


def main(raw: str, tokenizer: str, out: str) -> None:
    """Build, and print what was measured as JSON."""
    logger.remove()
    GopherQualityFilter().filter(Document(text="A first call loads the tables. " * 20, id="0"))
    start, cpu = time.perf_counter(), time.process_time()
    config = ExactDedupConfig(content_getter=content)
    reader = JsonlReader(str(Path(raw).parent), glob_pattern=Path(raw).name)
    tokenize = DocumentTokenizer(f"{out}/tokens", tokenizer_name_or_path=tokenizer, seed=0)
    kept = JsonlWriter(f"{out}/kept", output_filename="${rank}.jsonl", compression=None)
    pipelines = [
        [reader, GopherQualityFilter(), kept, ExactDedupSignature(f"{out}/signatures", config=config)],
        [ExactFindDedups(f"{out}/signatures", f"{out}/duplicates", config=config)],
        [JsonlReader(f"{out}/kept"), ExactDedupFilter(f"{out}/duplicates", config=config), tokenize],
    ]
    for number, pipeline in enumerate(pipelines):
        LocalPipelineExecutor(pipeline, tasks=1, workers=1, logging_dir=f"{out}/logs{number}").run()
    measured = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, **memory()}
    written = sum(len(file.read_bytes().splitlines()) for file in Path(out, "kept").glob("*.jsonl"))
    tokens = sum(file.stat().st_size for file in Path(out, "tokens").glob("*.ds")) // 2
    ends = sum(file.stat().st_size for file in Path(out, "tokens").glob("*.ds.index")) // 8
    print(json.dumps({**measured, "kept": ends, "duplicates": written - ends, "tokens": tokens}))


if __name__ == "__main__":
    main(*sys.argv[1:])
