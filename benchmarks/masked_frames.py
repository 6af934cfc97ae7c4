"""Goal: wav2vec 2.0 batches from FLAC, 8 crops of 15.6 s, ten times as fast as `datasets` with transformers' functions.

    python -m benchmarks.masked_frames [--dataset DIR] [--quick]

Peer: Hugging Face `datasets` with `Wav2Vec2FeatureExtractor`, `_compute_mask_indices` and `_sample_negative_indices`, put
together as the collator of transformers' example of pretraining is, in the ways that its users know:

* *on the fly*: rows are FLAC, as ours, decoded, cropped and normalised in each epoch;
* the same with a worker process for each core, against our default threads;
* *prepared ahead*: decoded, cropped and normalised once by a `map` before training, as the example does. That needs 4 bytes a
  sample on disk instead of about 1, crops every epoch alike, and spares the peer the decoding; its time isn't counted.

Fair: the same FLAC bytes on both sides, mapped into memory, shuffled; `input_values`, `attention_mask`, `mask_time_indices`
and `sampled_negative_indices` of the same shapes (checked), shorter rows padded, the values of rows equal (checked on a
batch). The peer decodes by soundfile, not by torchcodec, the default of `datasets`: the wheel of torchcodec on PyPI needs
CUDA's libraries, and there is none beside a torch for processors. Torch computes in one thread. Differences: the peer's
attention mask has half the bytes, its negatives are places within the batch, and its masks have equally many spans in all
rows, which is quicker; ours checks the checksum of each recording, and draws each number from a key (equal on any machine).
Speed is seconds of sound handed out a second, padding left out: times real time. Limit: decoding the same FLAC by soundfile.
"""

from __future__ import annotations

import importlib
import io
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.corpus import members, open_dataset, options, workspace
from benchmarks.harness import Pace, Side, report, verdict, versions
from benchmarks.recordings import RATE, build_joined
from benchmarks.streams import endless, one_thread
from benchmarks.views import torchvision

BATCH, CROP, NEGATIVES, GOAL = 8, 250_000, 100, 10.0
OURS, OURS_DEFAULT = "sslpipe, threads=1", "sslpipe, default threads"
ON_THE_FLY, AHEAD = "datasets, soundfile, on the fly", "datasets, prepared ahead"
NAMES = ("input_values", "attention_mask", "mask_time_indices", "sampled_negative_indices")


def ours(folder: Path, threads: int | None) -> Iterable[Any]:
    """Our stream."""
    from sslpipe import tasks

    one_thread()
    return open_dataset(folder).stream(tasks.MaskedFrames(), batch_size=BATCH, threads=threads)


@cache
def wav2vec2() -> Any:
    """transformers' module; it imports torchvision, which is loaded before it as `views.py` does."""
    torchvision()
    return importlib.import_module("transformers.models.wav2vec2.modeling_wav2vec2")


def extractor() -> Any:
    """The peer's, with the settings of wav2vec 2.0 that pad."""
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(return_attention_mask=True)


def frames_of(samples: Any) -> Any:
    """How many frames the convolutions make of so many samples."""
    for kernel, stride in ((10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2):
        samples = (samples - kernel) // stride + 1
    return samples


def sound_of(stored: bytes) -> NDArray[np.float32]:
    """Samples by soundfile."""
    import soundfile

    samples: NDArray[np.float32] = soundfile.read(io.BytesIO(stored), dtype="float32")[0]
    return samples


def masked(batch: dict[str, Any]) -> dict[str, Any]:
    """Mask and negatives as in transformers' example."""
    import torch

    lengths, frames = frames_of(batch["attention_mask"].sum(-1)), frames_of(CROP)
    heard = (torch.arange(frames) < lengths[:, None]).long()
    shape = len(lengths), frames
    mask = wav2vec2()._compute_mask_indices(shape, 0.65, 10, attention_mask=heard, min_masks=2)
    negatives = wav2vec2()._sample_negative_indices(shape, NEGATIVES, mask_time_indices=mask)
    more = {"mask_time_indices": torch.from_numpy(mask), "sampled_negative_indices": torch.from_numpy(negatives).long()}
    return {**batch, **more}


def save(folder: Path) -> None:
    """The peer's rows: FLAC, and as prepared ahead."""
    import datasets

    datasets.disable_progress_bars()
    stored = members(folder, ".flac")
    rows = datasets.Dataset.from_dict({"audio": [{"bytes": one, "path": None} for one in stored]})
    rows.cast_column("audio", datasets.Audio(RATE, decode=False)).save_to_disk(folder / "rows")
    prepare = extractor()

    def values() -> Iterator[dict[str, Any]]:
        for one in stored:
            made = prepare(sound_of(one), sampling_rate=RATE, max_length=CROP, truncation=True)
            yield {"input_values": made["input_values"][0]}

    features = datasets.Features({"input_values": datasets.List(datasets.Value("float32"))})
    ahead = datasets.Dataset.from_generator(values, features=features, cache_dir=str(folder / "cache"))
    ahead.save_to_disk(folder / "ahead")


def on_the_fly(folder: Path, workers: int = 0) -> Iterable[Any]:
    """The peer from FLAC."""
    import datasets
    from torch.utils.data import DataLoader

    one_thread()
    extract, draw = extractor(), np.random.default_rng(0)

    def crop(row: dict[str, Any]) -> NDArray[np.float32]:
        samples = sound_of(row["audio"]["bytes"])
        start = int(draw.integers(max(1, len(samples) - CROP + 1)))
        return samples[start : start + CROP]

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        made = extract(
            [crop(row) for row in rows], sampling_rate=RATE, padding="max_length", max_length=CROP, return_tensors="pt"
        )
        return masked(dict(made))

    rows = datasets.load_from_disk(str(folder / "rows"))
    return DataLoader(
        rows, BATCH, True, num_workers=workers, collate_fn=collate, drop_last=True, persistent_workers=workers > 0
    )


def ahead(folder: Path) -> Iterable[Any]:
    """The peer from prepared rows, as arrays, which is quicker than the lists of the example."""
    import datasets
    from torch.utils.data import DataLoader

    one_thread()
    rows, extract = datasets.load_from_disk(str(folder / "ahead")).with_format("numpy"), extractor()

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        return masked(dict(extract.pad(rows, padding="max_length", max_length=CROP, return_tensors="pt")))

    return DataLoader(rows, BATCH, True, collate_fn=collate, drop_last=True)


def decoding(stored: list[bytes], each: float) -> Iterator[float]:
    """Decodes and throws away, as many rows at a time as a batch has."""
    while True:
        for start in range(0, len(stored) - BATCH + 1, BATCH):
            for one in stored[start : start + BATCH]:
                sound_of(one)
            yield each


def seconds(folder: Path) -> float:
    """Of sound that a batch has on average, padding left out."""
    import soundfile

    lengths = [min(CROP, soundfile.info(io.BytesIO(one)).frames) for one in members(folder, ".flac")]
    return BATCH * float(np.mean(lengths)) / RATE


def sides(folder: Path) -> list[Side]:
    """All that are measured."""
    each, cores = seconds(folder), os.cpu_count() or 1

    def side(name: str, make: Any, against: str | None = None, weigh: bool = True) -> Side:
        return Side(name, endless(make, "input_values", each), against, weigh=weigh)

    return [
        side(OURS, lambda: ours(folder, 1)),
        side(ON_THE_FLY, lambda: on_the_fly(folder), OURS),
        side(AHEAD, lambda: ahead(folder), OURS),
        Side("decoding alone, by soundfile", partial(decoding, members(folder, ".flac"), each), OURS, limit=True),
        side(OURS_DEFAULT, lambda: ours(folder, None)),
        side(f"{ON_THE_FLY}, {cores} workers", lambda: on_the_fly(folder, cores), OURS_DEFAULT, False),
    ]


def check(folder: Path) -> None:
    """Stop where shapes differ, or the values of a row that fits into a crop."""
    batches = {OURS: next(iter(ours(folder, 1))), ON_THE_FLY: next(iter(on_the_fly(folder))), AHEAD: next(iter(ahead(folder)))}
    wanted = {name: tuple(batches[OURS][name].shape) for name in NAMES}
    for side, batch in batches.items():
        if (found := {name: tuple(batch[name].shape) for name in NAMES}) != wanted:
            raise SystemExit(f"{side} makes {found}, wanted {wanted}")
        shares = batch["mask_time_indices"].sum() / frames_of(batch["attention_mask"].sum(-1)).sum()
        print(f"{side}: {', '.join(f'{batch[name].dtype} {list(wanted[name])}' for name in NAMES)}; {shares:.0%} masked")
    lengths = batches[OURS]["attention_mask"].sum(-1)
    extract, whole = extractor(), defaultdict(list)
    for sound in map(sound_of, members(folder, ".flac")):
        whole[len(sound)].append(sound)
    short = [row for row in range(BATCH) if lengths[row] < CROP]
    for row in short:
        mine = batches[OURS]["input_values"][row, : lengths[row]].numpy()
        made = [extract(sound, sampling_rate=RATE)["input_values"][0] for sound in whole[int(lengths[row])]]
        if (apart := min(float(np.abs(mine - theirs).max()) for theirs in made)) > 1e-3:
            raise SystemExit(f"row {row} of a batch differs by {apart:g}")
    print(f"{len(short)} rows of a batch compared: the same values on both sides")


def main() -> None:
    """Check, measure, print."""
    chosen = options(__doc__, "sound at 16 kHz").parse_args()
    print(versions("sslpipe", "datasets", "transformers", "soundfile", "torch", "numpy"))
    with workspace(chosen.dataset, chosen.quick, build_joined) as folder:
        save(folder)
        check(folder)
        found = report("masked_frames", folder, sides(folder), "x real time", Pace.of(chosen.quick), 4 if chosen.quick else 40)
    for name in (ON_THE_FLY, AHEAD):
        verdict(name, found[name], GOAL)


if __name__ == "__main__":
    main()
