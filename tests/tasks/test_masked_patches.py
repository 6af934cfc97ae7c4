"""Masked patches: exact counts, even choices, Hugging Face's and MAE's conventions, and the bugs that others had."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import torch
import xxhash
from scipy import stats

from sslpipe.codecs.encoded import pictures
from sslpipe.core.draw import Draw
from sslpipe.core.errors import FieldError, RecipeError
from sslpipe.core.fields import Field, Fields
from sslpipe.core.names import Names
from sslpipe.core.ragged import Ragged
from sslpipe.core.rows import Rows
from sslpipe.core.steps import Context
from sslpipe.kernels.draw_crop import crop_law
from sslpipe.kernels.masked_patches import make_crop
from sslpipe.kernels.resize import resize_room
from sslpipe.tasks.masked_patches import MaskedPatches
from sslpipe.testing import check_task
from tests.support_draws import P_VALUE
from tests.support_images import jpeg, noise, photo, saved
from tests.support_torchvision import from_lines

FIELDS: Fields = {"image": Field(kind="image"), "text": Field(kind="text")}
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
PATCHES, HIDDEN, COUNT = 196, 147, 3000


def rows_of(stored: list[bytes]) -> Rows:
    high, low = np.random.default_rng(len(stored)).integers(0, 2**63, (2, len(stored))).astype(np.uint64)
    columns = {"image": Ragged.from_bytes(stored), "text": Ragged.from_texts(["a"] * len(stored))}
    return Rows(Names.from_keys(high, low), columns)


def label(rows: Rows, *, seed: int = 0, epoch: int = 0, **changes: Any) -> Rows:
    step = MaskedPatches(**changes)
    return step.open(Context(FIELDS)).label(rows, Draw(seed, step.path(), step.salt, epochs=epoch))


@lru_cache(maxsize=1)
def many() -> Rows:
    """14 x 14 patches of a pixel each, in many rows."""
    return label(rows_of([saved(noise(4, 4), "PNG")] * COUNT), size=14, patch=1)


def test_the_count_is_exact_in_every_row() -> None:
    mask = many().array("bool_masked_pos")
    assert mask.shape == (COUNT, PATCHES) and (mask.sum(1) == HIDDEN).all()
    assert many().array("ids_keep").shape == (COUNT, PATCHES - HIDDEN)


@pytest.mark.parametrize(
    ("ratio", "patches", "hidden"),
    [(0.75, 196, 147), (0.9, 100, 90), (0.8, 25, 20), (0.6, 196, 118), (0.575, 100, 58), (0.285, 100, 28), (0.5, 49, 24),
     (0.5, 25, 12)],
)  # fmt: skip
def test_counts_are_rounded_half_to_even_as_written(ratio: float, patches: int, hidden: int) -> None:
    """int(N * (1 - ratio)) keeps 3 of 20 where 4 are meant, and 9 of 100 where 10 are; half of 49 is 24, as numpy rounds."""
    side = math.isqrt(patches)
    step = MaskedPatches(size=side * 8, patch=8, ratio=ratio)
    assert (step.patches, step.masked) == (patches, hidden)
    assert (
        label(rows_of([jpeg(photo(20, 20))]), size=side * 8, patch=8, ratio=ratio).array("ids_keep").shape[1]
        == patches - hidden
    )


def test_every_patch_is_hidden_as_often() -> None:
    found = many().array("bool_masked_pos").mean(0)
    sigma = math.sqrt(0.75 * 0.25 / COUNT)
    assert np.abs(found - 0.75).max() < 4.5 * sigma
    assert abs(found[0] - 0.75) < 4 * sigma and abs(found[-1] - 0.75) < 4 * sigma


def test_pairs_are_as_chance_has_them_given_the_count() -> None:
    mask = many().array("bool_masked_pos").astype(np.float64)
    wanted = HIDDEN * (HIDDEN - 1) / (PATCHES * (PATCHES - 1))
    sigma = math.sqrt(wanted * (1 - wanted) / COUNT)
    both = mask.T @ mask / COUNT
    assert np.abs(both[np.triu_indices(PATCHES, 1)] - wanted).max() < 5.5 * sigma


def test_the_order_of_what_is_kept_is_even_too() -> None:
    """The first of `ids_keep` is any patch, and neighbours in it are no neighbours in the picture."""
    keep = many().array("ids_keep")
    assert stats.chisquare(np.bincount(keep[:, 0], minlength=PATCHES)).pvalue > P_VALUE
    assert stats.chisquare(np.bincount(keep[:, -1], minlength=PATCHES)).pvalue > P_VALUE
    assert abs(np.corrcoef(keep[:, 0], keep[:, 1])[0, 1]) < 4.5 / math.sqrt(COUNT)


def test_ids_restore_undoes_the_shuffle() -> None:
    made = many()
    keep, restore, mask = (made.array(name) for name in ("ids_keep", "ids_restore", "bool_masked_pos"))
    assert (np.sort(restore, axis=1) == np.arange(PATCHES)).all()
    assert (np.take_along_axis(restore, keep, axis=1) == np.arange(PATCHES - HIDDEN)).all()
    assert (mask == (restore >= PATCHES - HIDDEN)).all()


def test_hugging_face_masks_the_same_given_ids_restore_as_noise() -> None:
    from transformers import ViTMAEConfig
    from transformers.models.vit_mae.modeling_vit_mae import ViTMAEEmbeddings

    config = ViTMAEConfig(hidden_size=12, image_size=14, patch_size=1, mask_ratio=0.75)
    embeddings = ViTMAEEmbeddings(config)
    sequence = torch.arange(PATCHES).repeat(5, 1)[..., None].expand(5, PATCHES, 12).float()
    restore = torch.from_numpy(many().array("ids_restore")[:5])
    kept, mask, restored = embeddings.random_masking(sequence, noise=restore.float())
    assert torch.equal(restored, restore)
    assert torch.equal(mask.bool(), torch.from_numpy(many().array("bool_masked_pos")[:5]))
    assert torch.equal(kept[..., 0].long(), torch.from_numpy(many().array("ids_keep")[:5]))


def test_pixels_are_a_bicubic_crop_normalised() -> None:
    rows = rows_of([jpeg(photo(40, 60)), saved(noise(33, 20), "PNG")])
    made = label(rows, size=32, patch=8, seed=3)
    keys = Draw(3, "tasks.masked_patches").keys(2)
    for row, pixels in enumerate(pictures(rows, "image").values()):
        lines, room = np.empty(3 * 32 * 32, np.uint8), np.empty(resize_room(*pixels.shape[:2], 32), np.uint8)
        law = crop_law((0.2, 1.0), (3 / 4, 4 / 3))
        make_crop(pixels, rows.names.words()[row], keys[row], 2**31, law, True, 32, room, lines)
        wanted = (from_lines(lines).transpose(2, 0, 1) / 255 - MEAN[:, None, None]) / STD[:, None, None]
        assert np.abs(made.array("pixel_values")[row] - wanted).max() < 1e-6
    other = label(rows, size=32, patch=8, seed=3, interpolation="bilinear")
    assert (other.array("pixel_values") != made.array("pixel_values")).any()
    assert (other.array("ids_keep") == made.array("ids_keep")).all()


def test_the_mask_does_not_depend_on_the_picture() -> None:
    rows = rows_of([saved(noise(9, 9), "PNG")] * 3)
    other = Rows(rows.names, {**rows.columns, "image": Ragged.from_bytes([jpeg(photo(50, 80))] * 3)})
    assert (label(rows).array("ids_keep") == label(other).array("ids_keep")).all()


def test_targets_are_patches_less_their_mean_over_their_spread() -> None:
    """Row, column, channel, as MAE's patchify; undone, patches are the picture again."""
    rows = rows_of([jpeg(photo(64, 64)), saved(noise(40, 70), "PNG")])
    made = label(rows, size=48, patch=16, patch_targets=True)
    values = torch.from_numpy(made.array("pixel_values")).double()
    patches = torch.einsum("nchpwq->nhwpqc", values.reshape(2, 3, 3, 16, 3, 16)).reshape(2, 9, 768)
    wanted = (patches - patches.mean(-1, keepdim=True)) / (patches.var(-1, keepdim=True) + 1e-6) ** 0.5
    found = torch.from_numpy(made.array("patch_targets")).double()
    assert (found - wanted).abs().max() < 1e-5
    restored = found * (patches.var(-1, keepdim=True) + 1e-6) ** 0.5 + patches.mean(-1, keepdim=True)
    picture = torch.einsum("nhwpqc->nchpwq", restored.reshape(2, 3, 3, 16, 16, 3)).reshape(2, 3, 48, 48)
    assert (picture - values).abs().max() < 1e-4
    assert "patch_targets" not in label(rows, size=48).columns


def test_golden_patches() -> None:
    """Changes to draws or pixels change every training run: raise the step's version with them."""
    names = Names.from_keys(np.array([0x0123456789ABCDEF], np.uint64), np.array([0xFEDCBA9876543210], np.uint64))
    columns = {"image": Ragged.from_bytes([saved(noise(60, 80), "PNG")]), "text": Ragged.from_texts(["a"])}
    made = label(Rows(names, columns), seed=1, epoch=2, size=32, patch=8, patch_targets=True)
    assert MaskedPatches.version == 1
    assert made.array("ids_keep").tolist() == [[0, 7, 4, 5]]
    assert xxhash.xxh3_64_hexdigest(made.array("pixel_values").tobytes()) == "fb447b3b194b6c97"
    assert xxhash.xxh3_64_hexdigest(made.array("patch_targets").tobytes()) == "56aba51dbd113887"


@pytest.mark.parametrize("targets", [False, True])
def test_the_twenty_assertions(targets: bool) -> None:
    rows = rows_of([jpeg(photo(20 + seed % 7, 30), quality=80) for seed in range(150)])
    task = MaskedPatches(size=24, patch=4, patch_targets=targets)
    check_task(task, FIELDS, rows, count=lambda patches: 27)


def test_the_other_polarity_is_caught() -> None:
    class Kept(MaskedPatches):
        def open(self, context: Context) -> Any:
            opened = super().open(context)

            class Turned:
                def label(self, rows: Rows, draw: Draw) -> Rows:
                    made = opened.label(rows, draw)
                    return made.with_columns(bool_masked_pos=~made.array("bool_masked_pos"))

            return Turned()

    rows = rows_of([saved(noise(9, 9), "PNG")] * 60)
    with pytest.raises(AssertionError, match="assertion 11: row 0: `ids_keep` isn't what the mask leaves"):
        check_task(Kept(size=24, patch=4), FIELDS, rows, count=lambda patches: 27)


def test_what_does_not_fit_is_refused() -> None:
    step = MaskedPatches()
    with pytest.raises(RecipeError, match="needs a field of image; there is none"):
        step.outputs({"text": Field(kind="text")})
    with pytest.raises(RecipeError, match="there is a field `pixel_values` already"):
        step.outputs({**FIELDS, "pixel_values": Field(kind="array")})
    made = step.outputs(FIELDS)
    assert list(made) == ["text", "pixel_values", "bool_masked_pos", "ids_keep", "ids_restore"]
    assert made["ids_keep"].shape == (49,)
    assert step.minimum() == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"size": 225}, "size 225 should be a multiple of patch 16"),
        ({"size": 224, "patch": 14, "ratio": 0.001}, "hides 0 of 256 patches"),
        ({"size": 16, "patch": 16}, "hides 1 of 1 patches"),
        ({"ratio": 1}, "hides 196 of 196 patches"),
        ({"ratio": 1.5}, "got 1.5 for `ratio`, wanted a number from 0 to 1"),
        ({"scale": (0.9, 0.2)}, "from 0.0001 to 1, the smaller first"),
    ],
)
def test_fields_out_of_range_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(FieldError, match=problem):
        MaskedPatches(**changes)
