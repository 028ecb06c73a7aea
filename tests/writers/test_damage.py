"""Damage does what it says: the damaged area fails in OpenSlide, the rest reads as before."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest
from numpy.typing import NDArray

from ihcscore.synthetic import MiraxSettings, write_mirax
from writers import damage
from writers.svs import write_svs

Rgb = NDArray[np.uint8]


@pytest.fixture
def mirax(tmp_path: Path, picture: Rgb) -> Path:
    settings = MiraxSettings(border_tiles_xy=(1, 2), image_format="PNG")
    return write_mirax(tmp_path / "slide.mrxs", picture, mpp_um=0.5, settings=settings)


def read(path: Path, x: int, y: int) -> Rgb:
    """80 × 60 pixels; a slide is opened anew for each, as OpenSlide stops after the first error."""
    with openslide.OpenSlide(path) as slide:
        return np.asarray(slide.read_region((x, y), 0, (80, 60)).convert("RGB"))


def test_missing_data_folder_cannot_be_opened(mirax: Path) -> None:
    damage.remove_data_folder(mirax)
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(mirax)


def test_truncated_data_cannot_be_opened(mirax: Path) -> None:
    damage.truncate_data(mirax, keep=0.5)  # the coarsest level, which OpenSlide hashes, lies at the end
    with pytest.raises(openslide.OpenSlideError):
        openslide.OpenSlide(mirax)


def test_broken_mirax_tile_fails_alone(mirax: Path, picture: Rgb) -> None:
    damage.break_mirax_tile(mirax, ix=2, iy=3)
    with pytest.raises(openslide.OpenSlideError):
        read(mirax, 2 * 256 + 60, 3 * 256 + 60)
    with pytest.raises(openslide.OpenSlideError):
        read(mirax, 2 * 256 - 40, 3 * 256 + 60)
    assert np.array_equal(read(mirax, 3 * 256 + 10, 3 * 256 + 60), picture[316:376, 522:602])


def test_tile_that_was_never_stored(mirax: Path) -> None:
    with pytest.raises(ValueError, match="column 0, row 0"):
        damage.break_mirax_tile(mirax, ix=0, iy=0)


def test_broken_svs_tile_fails_alone(tmp_path: Path, picture: Rgb) -> None:
    path = write_svs(tmp_path / "a.svs", picture)
    before = read(path, 300, 20)
    damage.break_svs_tile(path, index=4)  # the first of the second row: four tiles of 240 px a row
    with pytest.raises(openslide.OpenSlideError):
        read(path, 100, 300)
    assert np.array_equal(read(path, 300, 20), before)
