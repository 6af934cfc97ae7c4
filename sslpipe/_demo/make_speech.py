"""Makes the spoken sentences of the demo: `python sslpipe/_demo/make_speech.py`, with espeak-ng 1.51 on the path.

Each sentence is spoken by one of six voices at one of three speeds, brought to 16 kHz by `maps.resample_audio` and stored as
FLAC beside its text. What the files are, and whose: `README.md` beside this script.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

import numpy as np

from sslpipe.core.draw import Draw
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.maps.resample_audio import ResampleAudio

_ZERO: Final = np.zeros(1, np.uint64)
FOLDER: Final = Path(__file__).parent / "speech"
RATE: Final = 16_000
SPEEDS: Final = (150, 170, 190)
"""Words a minute."""
VOICES: Final = {
    "us": "en-us",
    "gb": "en-gb",
    "scot": "en-gb-scotland",
    "ann": "en-us+f3",
    "eve": "en-gb+f4",
    "max": "en-us+m7",
}
"""Our name of a voice, and espeak-ng's."""

SENTENCES: Final = (
    "A shard is a tar file that anyone can open.",
    "Every record has a key, and the key is its content.",
    "The ledger knows what became of each file.",
    "Nothing is dropped without a reason.",
    "Run the same command again, and it goes on.",
    "A filter judges numbers, not feelings.",
    "Two equal files are stored once.",
    "The order of rows depends on the seed alone.",
    "Half of the frames are hidden from the model.",
    "It has to guess what was said there.",
    "A crop begins somewhere else in each epoch.",
    "Short recordings are padded with silence.",
    "Resampling comes before masking.",
    "Sixteen thousand samples make one second.",
    "One frame is as long as twenty milliseconds.",
    "The tokenizer learns words from a sample.",
    "Next, the text becomes a row of numbers.",
    "Documents are packed into rows of one length.",
    "No attention crosses from one to another.",
    "The mask token takes the place of a word.",
    "Pictures are cut, flipped and blurred.",
    "Both views show the same photograph.",
    "A patch is sixteen pixels wide.",
    "Damaged files go to the quarantine.",
    "The header is read before anything is decoded.",
    "A promise of terabytes is not believed.",
    "Kill the build, and no reader sees half a shard.",
    "Old commits are never changed.",
    "The number of workers changes nothing.",
    "Four machines and one machine give equal bytes.",
    "Training stops here and resumes over there.",
    "The state of the stream is a single number.",
    "Each batch says which rows it holds.",
    "Count the tokens before you spend the money.",
    "A validation set stays a validation set.",
    "Split by speaker, and no voice is on both sides.",
    "Silence teaches the model very little.",
    "Clipped sound is dropped by the levels.",
    "A recording with two channels becomes two rows.",
    "Captions travel beside their pictures.",
    "This sentence has a transcript of its own.",
    "The recipe is a page that you can read.",
    "A typing error is shown with its line.",
    "Plans are printed before they are run.",
    "The demo needs no network at all.",
    "It is done in less than a minute.",
    "Ask the dataset why a row is missing.",
    "It will name the filter and the number.",
    "Compression saves room and loses nothing.",
    "Sound is rounded once, and then never again.",
    "Small steps are easy to replace.",
    "Write a filter of your own in one file.",
    "The folder is the list of all steps.",
    "Chance is a function of names and seeds.",
    "Shuffling costs neither memory nor time.",
    "A slow disk is read ahead of need.",
    "The trainer should never have to wait.",
    "Measure first, and then make it fast.",
    "Good data is worth more than a larger model.",
    "That was all, and thank you for listening.",
)


def main() -> None:
    """Speak every sentence, and write it with its text; files of an earlier run are replaced."""
    FOLDER.mkdir(exist_ok=True)
    for old in (*FOLDER.glob("*.flac"), *FOLDER.glob("*.txt")):
        old.unlink()
    resample = ResampleAudio(rate=RATE, field="audio")
    for number, sentence in enumerate(SENTENCES):
        name = list(VOICES)[number % len(VOICES)]
        speed = SPEEDS[number // len(VOICES) % len(SPEEDS)]
        command = ["espeak-ng", "-v", VOICES[name], "-s", str(speed), "-a", "80", "--stdout", sentence]
        spoken = subprocess.run(command, check=True, capture_output=True).stdout
        rows = Rows(Names.from_keys(_ZERO, _ZERO), {"audio": Ragged.from_bytes([spoken])})
        made = resample.map(rows, Draw(0, resample.path())).ragged("audio")
        stem = f"{number:02}-{name}"
        (FOLDER / f"{stem}.flac").write_bytes(made.to_bytes()[0])
        (FOLDER / f"{stem}.txt").write_text(sentence + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
