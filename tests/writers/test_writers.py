"""Every writer makes a file that the reader of its format takes, with the same pixels in the same places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from numpy.typing import NDArray

from writers.ome_tiff import write_ome_tiff
from writers.pyramid import halved, levels_of
from writers.svs import SvsSettings, write_svs
from writers.tiff import write_tiff

Rgb = NDArray[np.uint8]


def region(slide: openslide.OpenSlide, x: int, y: int, w: int, h: int, level: int = 0) -> Rgb:
    return np.asarray(slide.read_region((x, y), level, (w, h)).convert("RGB"))


def assert_close(got: Rgb, expected: Rgb) -> None:
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected.astype(int)).mean() < 1.5


def test_halved_is_the_mean_of_four() -> None:
    rgb = np.zeros((2, 3, 3), dtype=np.uint8)
    rgb[:, :2, 0] = [[10, 20], [30, 41]]
    assert halved(rgb)[0, 0, 0] == 25
    assert halved(rgb).shape == (1, 1, 3)


@pytest.mark.parametrize("kind", ["svs", "tiff"])
def test_pyramids_come_back(tmp_path: Path, picture: Rgb, kind: str) -> None:
    path = tmp_path / f"slide.{kind}"
    (write_svs if kind == "svs" else write_tiff)(path, picture)
    assert openslide.OpenSlide.detect_format(path) == {"svs": "aperio", "tiff": "generic-tiff"}[kind]
    with openslide.OpenSlide(path) as slide:
        assert slide.level_dimensions == ((900, 520), (450, 260), (225, 130))
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(0.5)
        assert_close(region(slide, 610, 130, 220, 90), picture[130:220, 610:830])
        assert_close(region(slide, 0, 0, 225, 130, level=2), levels_of(picture, 3)[2])


def test_svs_states_magnification_and_pictures(tmp_path: Path, picture: Rgb) -> None:
    label = np.full((60, 50, 3), (250, 240, 10), dtype=np.uint8)
    macro = np.full((40, 120, 3), 200, dtype=np.uint8)
    path = write_svs(tmp_path / "a.svs", picture, SvsSettings(label=label, macro=macro, app_mag=40))
    with openslide.OpenSlide(path) as slide:
        assert slide.properties["openslide.objective-power"] == "40"
        assert set(slide.associated_images) == {"thumbnail", "label", "macro"}
        assert slide.associated_images["label"].size == (50, 60)
        assert slide.associated_images["label"].convert("RGB").getpixel((3, 3)) == (250, 240, 10)


def test_svs_without_a_pixel_size(tmp_path: Path, picture: Rgb) -> None:
    path = write_svs(tmp_path / "a.svs", picture, SvsSettings(mpp_um=None, app_mag=None))
    with openslide.OpenSlide(path) as slide:
        assert slide.properties["openslide.vendor"] == "aperio"
        assert "openslide.mpp-x" not in slide.properties
        assert "openslide.objective-power" not in slide.properties
        assert set(slide.associated_images) == {"thumbnail"}


def test_tiff_without_a_pixel_size(tmp_path: Path, picture: Rgb) -> None:
    with openslide.OpenSlide(write_tiff(tmp_path / "a.tiff", picture, mpp_xy_um=None)) as slide:
        assert "openslide.mpp-x" not in slide.properties


def test_tiff_with_pixels_that_are_not_square(tmp_path: Path, picture: Rgb) -> None:
    with openslide.OpenSlide(write_tiff(tmp_path / "a.tiff", picture, mpp_xy_um=(0.5, 0.25))) as slide:
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(0.5)
        assert float(slide.properties["openslide.mpp-y"]) == pytest.approx(0.25)


@pytest.mark.parametrize("n_levels", [1, 3])
def test_ome_tiff_comes_back(tmp_path: Path, picture: Rgb, n_levels: int) -> None:
    path = write_ome_tiff(tmp_path / "a.ome.tif", picture, mpp_xy_um=(0.25, 0.3), n_levels=n_levels)
    with tifffile.TiffFile(path) as tiff:
        series = tiff.series[0]
        assert tiff.is_ome
        assert [level.shape for level in series.levels] == [(520 >> k, 900 >> k, 3) for k in range(n_levels)]
        assert_close(series.levels[0].asarray(), picture)
        assert_close(series.levels[-1].asarray(), levels_of(picture, n_levels)[-1])
        pixels = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"]
        assert (pixels["SizeX"], pixels["SizeY"]) == (900, 520)
        assert (pixels["PhysicalSizeX"], pixels["PhysicalSizeY"]) == (0.25, 0.3)
        assert (pixels["PhysicalSizeXUnit"], pixels["PhysicalSizeYUnit"]) == ("µm", "µm")


def test_ome_tiff_without_a_pixel_size(tmp_path: Path, picture: Rgb) -> None:
    with tifffile.TiffFile(write_ome_tiff(tmp_path / "a.ome.tif", picture, mpp_xy_um=None)) as tiff:
        assert "PhysicalSizeX" not in tiff.ome_metadata
