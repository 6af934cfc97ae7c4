"""Pictures show what a row holds: hidden is hidden, every token is there, and colours say what they should."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sslpipe.core.errors import DataError
from sslpipe.report.pictures import frames, masked_text, packed_text, patches, sheet, views
from sslpipe.report.pictures.drawers import drawer_of
from sslpipe.report.pictures.flow import Cell, Placed, flow, placed
from sslpipe.report.pictures.fonts import Fonts
from sslpipe.report.pictures.pieces import IGNORED, Pieces, visible
from sslpipe.report.pictures.pixels import fitted, seen
from sslpipe.report.pictures.scene import Sample, Scene, written
from sslpipe.tasks.masked_frames import MaskedFrames
from sslpipe.tasks.masked_patches import MaskedPatches
from sslpipe.tasks.masked_tokens import MaskedTokens
from sslpipe.tasks.two_views import TwoViews
from tests.support_images import photo

MASK, EOS = 2, 1


def scene(*samples: Sample, steps: tuple[Any, ...] = (), original: NDArray[Any] | None = None) -> Scene:
    return Scene("a title", steps, samples, lambda token: f" w{token}", MASK, frozenset({0, EOS, MASK}), lambda _: original)


def tokens(ids: list[int], labels: list[int], documents: list[int] | None = None) -> Sample:
    values = {"input_ids": np.array(ids), "labels": np.array(labels)}
    return Sample("ab" * 16, {**values, **({"document_ids": np.array(documents)} if documents is not None else {})})


def test_which_picture_fits() -> None:
    masked = tokens([5, MASK, 7], [IGNORED, 9, IGNORED])
    for labels in ([IGNORED, 6, 7], [6, 7, IGNORED]):
        assert drawer_of([tokens([5, 6, 7], labels)]) is packed_text.draw_packed_text
    assert drawer_of([masked, tokens([5, 6, 7], [IGNORED, 6, IGNORED])]) is masked_text.draw_masked_text
    assert drawer_of([Sample("x", {"views": np.empty(0)})]) is views.draw_views
    assert drawer_of([Sample("x", {"input_values": np.empty(0), "mask_time_indices": np.empty(0)})]) is frames.draw_frames
    assert drawer_of([Sample("x", {"text": np.empty(0)})]) is None


def boxes(sample: Sample) -> list[Cell]:
    made = scene(sample)
    return masked_text._cells(sample, made, Pieces(made))


@given(st.lists(st.tuples(st.integers(3, 9), st.sampled_from(["plain", "mask", "random", "same"])), min_size=1, max_size=30))
def test_masked_tokens_are_told_apart(fates: list[tuple[int, str]]) -> None:
    ids = [{"mask": MASK, "random": token + 10}.get(fate, token) for token, fate in fates]
    labels = [IGNORED if fate == "plain" else token for token, fate in fates]
    cells = boxes(tokens(ids, labels))
    fills = {"plain": None, "mask": masked_text.MASKED, "random": masked_text.RANDOM, "same": masked_text.SAME}
    assert [cell.fill for cell in cells] == [fills[fate] for _, fate in fates]
    assert [cell.label for cell in cells] == ["" if fate == "plain" else f"w{token}" for token, fate in fates]
    assert [cell.text.strip() for cell in cells] == [f"w{token}" for token in ids], "the model's input, not the answer"


def test_control_tokens_padding_and_documents_are_marked() -> None:
    cells = boxes(tokens([5, EOS, 6, 0], [IGNORED] * 4, [0, 0, 1, -1]))
    assert [cell.fill for cell in cells] == [None, masked_text.CONTROL, None, masked_text.CONTROL]
    assert [cell.bar for cell in cells] == [None, None, masked_text.BEGINS, None]


def test_counts_are_said() -> None:
    said = masked_text._said(tokens([MASK, 12, 6, 7], [5, 4, 6, IGNORED]), MASK)
    assert said == "3 of 4 tokens are targets (75.0 %): 1 masked, 1 replaced, 1 as they were"


def test_documents_have_their_colours_and_boundaries_no_target() -> None:
    sample = tokens([5, 6, 7, 8, 0], [IGNORED, 6, IGNORED, 8, IGNORED], [0, 0, 1, 1, -1])
    cells = packed_text._cells(sample, Pieces(scene(sample)))
    first, second = packed_text.DOCUMENTS[:2]
    assert [cell.fill for cell in cells] == [first, first, second, second, packed_text.PADDING]
    assert [cell.edge is not None for cell in cells] == [True, False, True, False, False]
    assert packed_text._said(sample) == "5 tokens of 2 documents, 2 targets, 1 padding"
    band = np.asarray(packed_text._strip(np.array([0, 0, 1, -1]), 400, Fonts()))
    assert [tuple(band[2, x].tolist()) for x in (50, 250, 350)] == [first, second, packed_text.PADDING]


PIECES = st.lists(st.text("ab cdé\n中\u202e\0", max_size=12).map(visible), min_size=1, max_size=40)


def off_the_paper(found: list[Placed], width: int) -> list[Placed]:
    """Cells that leave the paper, stand on the one before them, or come before it."""
    wrong = [place for place in found if place.left < 0 or place.left + place.width > width + 1e-6]
    for one, other in itertools.pairwise(found):
        end = (one.line, one.left + one.width - 1e-6)
        wrong += [other] if (other.line, other.left) < end and other.line <= one.line else []
    return wrong


@settings(max_examples=40)
@given(PIECES, st.integers(40, 300), st.booleans())
def test_cells_are_wrapped_and_none_is_lost(texts: list[str], width: int, boxed: bool) -> None:
    cells = [Cell(text, (9, 9, 9) if boxed else None, label=text[:3] if boxed else "") for text in texts]
    found = placed(cells, Fonts(texts), width, 1000)
    assert [place.cell for place in found] == cells and off_the_paper(found, width) == []
    image, shown = flow(cells, Fonts(texts), width, 1000)
    assert shown == len(cells) and image.width == width
    few, some = flow(cells, Fonts(texts), width, 1)
    assert 1 <= some <= shown and few.height <= image.height


@pytest.mark.parametrize("change", [{"left": 190.0}, {"line": 0}, {"width": 90.0}])
def test_a_cell_in_another_place_is_caught(change: dict[str, Any]) -> None:
    found = placed([Cell("word", (9, 9, 9), label="longer than it") for _ in range(9)], Fonts(), 200, 1000)
    assert off_the_paper(found, 200) == [] and found[4].line > 0
    found[4] = dataclasses.replace(found[4], **change)
    assert off_the_paper(found, 200)


def test_lines_that_are_too_many_are_left_out_and_said() -> None:
    sample = tokens([5] * 3000, [IGNORED] * 3000)
    pieces = Pieces(scene(sample))
    image, said = pieces.flow(masked_text._cells(sample, scene(sample), pieces), 500)
    assert said.startswith(", the first ") and image.height < 700


def test_what_cannot_be_seen_is_spelt_out() -> None:
    assert visible("a\n\t\u202e\0") == "a\\n\\t\\u202e\\x00"
    assert visible("x" * 99) == "x" * 37 + "..."


def picture_scene(values: NDArray[Any], steps: tuple[Any, ...]) -> Scene:
    return scene(Sample("x", {"pixel_values": values}), steps=steps)


@pytest.mark.parametrize("step", [TwoViews(), MaskedPatches(mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))])
def test_normalisation_is_undone(step: TwoViews) -> None:
    pixels = photo(20, 30)
    planes = np.moveaxis((pixels / 255 - step.mean) / step.std, 2, 0).astype(np.float32)
    assert np.array_equal(seen(planes, picture_scene(planes, (step,))), pixels)
    assert np.array_equal(seen(np.moveaxis(pixels, 2, 0), picture_scene(planes, ())), pixels), "bytes are what they are"
    guessed = seen(planes, picture_scene(planes, ()))
    assert guessed.min() == 0 and guessed.max() == 255


def test_pictures_fit_the_sheet() -> None:
    large, scale = fitted(photo(448, 896))
    assert large.size == (224, 112) and scale == 0.25
    small, times = fitted(photo(8, 16))
    assert small.size == (128, 64) and times == 8
    assert np.array_equal(np.asarray(small)[::8, ::8], photo(8, 16))


def masked_patches(masked: NDArray[Any], side: int = 32) -> Scene:
    values = np.full((3, side, side), 200, np.uint8)
    return scene(
        Sample("x" * 32, {"pixel_values": values, "bool_masked_pos": masked}), steps=(MaskedPatches(size=side, patch=8),)
    )


def hidden(drawn: Image.Image, column: int) -> NDArray[Any]:
    """Which patches of the picture in a column are drawn as hidden, `[4, 4]`: the colour in the middle of each."""
    top = sheet.MARGIN + 62 + sheet.GAP + 22 + sheet.GAP
    left = sheet.MARGIN + column * (patches.TILE + 12)
    pixels = np.asarray(drawn)
    side = 128 // 4
    middles = [side * place + side // 2 for place in range(4)]
    return np.array([[tuple(pixels[top + y, left + x].tolist()) == patches.HIDDEN for x in middles] for y in middles])


def test_hidden_patches_are_hidden_and_the_others_are_not() -> None:
    masked = np.zeros(16, np.bool_)
    masked[[0, 5, 6, 15]] = True
    drawn = patches.draw_patches(masked_patches(masked))
    assert not hidden(drawn, 0).any()
    assert np.array_equal(hidden(drawn, 1).reshape(-1), masked)
    assert np.array_equal(hidden(drawn, 2).reshape(-1), ~masked)


def test_a_mask_turned_over_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = np.arange(16) < 3
    without = patches._without
    monkeypatch.setattr(patches, "_without", lambda pixels, mask: without(pixels, ~mask))
    drawn = patches.draw_patches(masked_patches(masked))
    assert not np.array_equal(hidden(drawn, 1).reshape(-1), masked)


def test_masks_that_divide_no_picture_are_refused() -> None:
    with pytest.raises(DataError, match="15 masks don't divide a picture of 32 x 32 into squares"):
        patches.draw_patches(masked_patches(np.zeros(15, np.bool_)))


def test_views_and_what_they_were_cut_from() -> None:
    red, blue = (np.full((3, 16, 16), 0, np.uint8) for _ in range(2))
    red[0], blue[2] = 250, 250
    parameters = np.array([[2, 4, 8, 6, 1, 1.2, 1, 0.8, 0, 3, 0, 0.7], [0, 0, 16, 16, 0, 1, 1, 1, 0.25, 0, 1, 0]], np.float32)
    sample = Sample("c" * 32, {"views": np.stack([red, blue]), "view_params": parameters})
    drawn = np.asarray(views.draw_views(scene(sample, steps=(TwoViews(),), original=np.full((16, 16, 3), 255, np.uint8))))
    top, left = sheet.MARGIN + 62 + 2 * sheet.GAP + 22, sheet.MARGIN
    middle = [tuple(drawn[top + 64, left + place * (views.LARGEST + 12) + 64].tolist()) for place in (1, 2)]
    assert middle == [(250, 0, 0), (0, 0, 250)]
    # The picture is drawn eight times as large: the first crop begins at row 16, column 32, and is 64 by 48.
    frame = views.VIEWS[0]
    corners = ((17, 33), (16 + 62, 32 + 46))
    assert [tuple(drawn[top + y, left + x].tolist()) for y, x in corners] == [frame, frame]
    assert views._told(parameters[0]) == ("6 x 8, mirrored", "light 1.20, colour 0.80", "blur 0.7")
    assert views._told(parameters[1]) == ("16 x 16", "", "hue +90°, grey")
    views.draw_views(scene(Sample("c" * 32, {"views": np.stack([red] * 20)})))  # No original, no parameters, many views.


def sounding(masked: NDArray[Any], **more: NDArray[Any]) -> Scene:
    values = {"input_values": np.zeros(8000, np.float32), "mask_time_indices": masked, **more}
    return scene(Sample("d" * 32, values), steps=(MaskedFrames(rate=8000),))


def veiled(drawn: Image.Image, frames_: int) -> NDArray[Any]:
    """Which frames have the band of hidden ones below their wave."""
    pixels = np.asarray(drawn)
    top = sheet.MARGIN + 62 + 2 * sheet.GAP + 22 + 34 + 12 + frames.WAVE - 3
    width = frames.WIDTH - 2 * sheet.MARGIN
    at = [sheet.MARGIN + int(width * (frame + 0.5) / frames_) for frame in range(frames_)]
    return np.array([tuple(pixels[top, x].tolist()) == frames.HIDDEN for x in at])


def test_hidden_frames_are_shaded_where_they_are() -> None:
    masked = np.array([1, 0, 0, 1, 1, 0, 1, 0, 0, 1], np.bool_)
    assert np.array_equal(veiled(frames.draw_frames(sounding(masked)), 10), masked)
    negatives = np.zeros((10, 3), np.int64)
    padded = sounding(masked, sampled_negative_indices=negatives, attention_mask=(np.arange(8000) < 5000).astype(np.int64))
    assert np.array_equal(veiled(frames.draw_frames(padded), 10), masked)
    assert frames._said(padded.samples[0], padded) == "0.6 s at 8,000 Hz, 5 of 6 frames hidden (83 %) in 4 runs"


def test_a_mask_one_frame_late_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    masked = np.array([1, 0, 0, 1, 1, 0, 1, 0, 0, 0], np.bool_)
    original = frames._runs
    monkeypatch.setattr(frames, "_runs", lambda mask: [(start + 1, stop + 1) for start, stop in original(mask)])
    assert not np.array_equal(veiled(frames.draw_frames(sounding(masked)), 10), masked)


def test_a_tone_is_loudest_at_its_frequency() -> None:
    time = np.arange(16_000) / 16_000
    loudness = frames.spectrum(np.sin(2 * np.pi * 4000 * time).astype(np.float32), 50)
    assert loudness.shape == (frames.WINDOW // 2 + 1, 50)
    assert (loudness[:, 5:-5].argmax(axis=0) == frames.WINDOW // 4).all(), "4 kHz of 8 kHz is half way up"
    assert frames.spectrum(np.zeros(100, np.float32), 20).shape[1] == 20


def test_sheets_are_bounded() -> None:
    made = sheet.Sheet(Fonts(), 300, "title", "subtitle")
    for _ in range(30):
        made.add(Image.new("RGB", (228, 1000), (0, 0, 0)))
    drawn = made.drawn()
    assert drawn.width == 300 and drawn.height <= sheet.TALLEST + 2 * sheet.MARGIN + 60


def test_steps_as_they_would_be_written() -> None:
    assert written(MaskedTokens()) == written(MaskedTokens(probability=0.15)) == "tasks.masked_tokens"
    assert written(MaskedTokens(probability=0.3)) == "tasks.masked_tokens {probability: 0.3}"
    changed = TwoViews(blur=0, views=1, scale=(0.9, 1), interpolation="bicubic")
    assert written(changed) == "tasks.two_views {views: 1, scale: [0.9, 1], interpolation: bicubic, blur: 0}"


def test_a_long_title_stays_on_the_paper() -> None:
    made = sheet.Sheet(Fonts(), 300, "title", "step " * 100)
    assert made._cut("short") == "short"
    assert Fonts().of(15).getlength(made._cut("step " * 100)) <= 228


def test_letters_that_the_font_lacks_have_a_plain_form() -> None:
    fonts = Fonts()
    fonts._lacking = frozenset("é中")
    assert fonts.drawable("café 中") == "cafe 中"
