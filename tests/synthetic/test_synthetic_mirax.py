from __future__ import annotations

from pathlib import Path

import numpy as np
import openslide
import pytest
from numpy.typing import NDArray

from ihcscore.synthetic import ArraySource, MiraxSettings, RepeatedSource, write_mirax

Rgb = NDArray[np.uint8]
PNG = MiraxSettings(image_format="PNG", tile_px=64)


@pytest.fixture(scope="module")
def picture() -> Rgb:
    y, x = np.mgrid[0:300, 0:500]
    return np.stack([x // 2, 255 - y // 2, (x + y) % 97 + 60], axis=-1).astype(np.uint8)


def region(path: Path, x: int, y: int, size_xy: tuple[int, int], level: int = 0) -> Rgb:
    with openslide.OpenSlide(path) as slide:
        return np.asarray(slide.read_region((x, y), level, size_xy))


def test_png_tiles_come_back_exactly(tmp_path: Path, picture: Rgb) -> None:
    path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.25, settings=PNG)
    assert openslide.OpenSlide.detect_format(path) == "mirax"
    whole = region(path, 0, 0, (500, 300))
    assert np.array_equal(whole[..., :3], picture)
    assert (whole[..., 3] == 255).all()


def test_properties_and_levels(tmp_path: Path, picture: Rgb) -> None:
    settings = MiraxSettings(tile_px=64, background_rgb=(250, 240, 230), objective_power=40)
    path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.25, settings=settings)
    with openslide.OpenSlide(path) as slide:
        assert slide.level_dimensions == ((512, 320), (256, 160), (128, 80), (64, 40))
        assert float(slide.properties["openslide.mpp-x"]) == 0.25
        assert float(slide.properties["openslide.mpp-y"]) == 0.25
        assert slide.properties["openslide.background-color"] == "FAF0E6"
        assert slide.properties["openslide.objective-power"] == "40"
        # with all tiles scanned OpenSlide states no bounds: they are the whole
        assert [slide.properties.get(f"openslide.bounds-{k}", "0") for k in ("x", "y")] == ["0", "0"]


def test_jpeg_is_close(tmp_path: Path) -> None:
    y, x = np.mgrid[0:300, 0:500]
    smooth = np.stack([x // 2, 255 - y // 2, (x + y) // 4], axis=-1).astype(np.uint8)
    path = write_mirax(tmp_path / "a.mrxs", smooth, mpp_um=0.25)
    got = region(path, 100, 50, (300, 200))[..., :3].astype(int)
    assert np.abs(got - smooth[50:250, 100:400]).max() <= 6


def test_coarser_levels_are_means(tmp_path: Path, picture: Rgb) -> None:
    path = write_mirax(tmp_path / "a.mrxs", picture[:256, :448], mpp_um=0.25, settings=PNG)
    coarse = region(path, 0, 0, (112, 64), level=2)[..., :3]
    expected = picture[:256, :448].reshape(64, 4, 112, 4, 3).mean(axis=(1, 3))
    assert np.abs(coarse - expected).max() <= 1.5


def test_picture_begins_at_the_bounds(tmp_path: Path, picture: Rgb) -> None:
    settings = MiraxSettings(image_format="PNG", tile_px=64, border_tiles_xy=(3, 2))
    path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.25, settings=settings)
    with openslide.OpenSlide(path) as slide:
        bounds = [int(slide.properties[f"openslide.bounds-{k}"]) for k in ("x", "y", "width", "height")]
        assert bounds == [192, 128, 512, 320]
        assert slide.dimensions == (704, 448)
    assert np.array_equal(region(path, 192 + 40, 128 + 30, (200, 100))[..., :3], picture[30:130, 40:240])
    assert (region(path, 0, 0, (192, 448))[..., 3] == 0).all()
    assert (region(path, 0, 0, (704, 128))[..., 3] == 0).all()


def test_unscanned_tiles_are_transparent_at_every_level(tmp_path: Path, picture: Rgb) -> None:
    scanned = np.ones((5, 8), dtype=bool)
    scanned[:4, 4:] = False
    source = ArraySource(rgb=picture, scanned=scanned)
    path = write_mirax(tmp_path / "a.mrxs", source, mpp_um=0.25, settings=PNG)
    assert (region(path, 256, 0, (244, 256))[..., 3] == 0).all()
    assert (region(path, 0, 0, (256, 256))[..., 3] == 255).all()
    level_2 = region(path, 0, 0, (128, 80), level=2)[..., 3]
    assert (level_2[:64, 64:] == 0).all()
    assert (level_2[:, :64] == 255).all()


def test_more_tiles_than_a_page_and_more_bytes_than_a_file(tmp_path: Path, picture: Rgb) -> None:
    settings = MiraxSettings(image_format="PNG", tile_px=8, file_bytes=100_000, levels=2)
    path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.25, settings=settings)
    assert len(list((tmp_path / "a").glob("Data*.dat"))) > 1
    assert np.array_equal(region(path, 0, 0, (500, 300))[..., :3], picture)
    with openslide.OpenSlide(path) as slide:
        assert slide.level_count == 2


@pytest.mark.parametrize("share", [False, True])
def test_repeated_block(tmp_path: Path, picture: Rgb, share: bool) -> None:
    block = picture[:128, :192]
    settings = MiraxSettings(image_format="PNG", tile_px=64, share_repeats=share)
    source = RepeatedSource(block=block, size_xy_px=(1920, 1024))
    path = write_mirax(tmp_path / "a.mrxs", source, mpp_um=0.25, settings=settings)
    assert np.array_equal(region(path, 0, 0, (1920, 1024))[..., :3], np.tile(block, (8, 10, 1)))
    # 480 tiles of level 0, of which 6 differ
    assert ((tmp_path / "a" / "Data0000.dat").stat().st_size < 50_000) == share


def test_block_that_does_not_fit_the_tiles(tmp_path: Path, picture: Rgb) -> None:
    source = RepeatedSource(block=picture[:100, :128], size_xy_px=(512, 512))
    with pytest.raises(ValueError, match="multiples"):
        write_mirax(tmp_path / "a.mrxs", source, mpp_um=0.25, settings=PNG)


def test_same_slide_same_bytes(tmp_path: Path, picture: Rgb) -> None:
    paths = [write_mirax(tmp_path / folder / "a.mrxs", picture, mpp_um=0.25) for folder in ("x", "y")]
    for name in ("a.mrxs", "a/Slidedat.ini", "a/Index.dat", "a/Data0000.dat"):
        assert len({(path.parent / name).read_bytes() for path in paths}) == 1


class Failing:
    size_xy_px = (512, 512)

    def tile(self, left_px: int, top_px: int, side_px: int) -> Rgb | None:
        if left_px > 0:
            raise RuntimeError("the scanner stopped")
        return np.zeros((side_px, side_px, 3), dtype=np.uint8)


def test_failure_leaves_the_older_slide_and_nothing_else(tmp_path: Path, picture: Rgb) -> None:
    path = write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0.25, settings=PNG)
    with pytest.raises(RuntimeError, match="scanner stopped"):
        write_mirax(path, Failing(), mpp_um=0.25, settings=PNG)
    assert np.array_equal(region(path, 0, 0, (500, 300))[..., :3], picture)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.mrxs"]


def test_writing_again_replaces(tmp_path: Path, picture: Rgb) -> None:
    for rgb in (picture, picture[:200, :300]):
        path = write_mirax(tmp_path / "a.mrxs", rgb, mpp_um=0.25, settings=PNG)
    with openslide.OpenSlide(path) as slide:
        assert slide.dimensions == (320, 256)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "a.mrxs"]


def test_refusals(tmp_path: Path, picture: Rgb) -> None:
    with pytest.raises(ValueError, match=r"\.mrxs"):
        write_mirax(tmp_path / "a.svs", picture, mpp_um=0.25)
    with pytest.raises(ValueError, match="mpp_um"):
        write_mirax(tmp_path / "a.mrxs", picture, mpp_um=0)
    with pytest.raises(ValueError, match="uint8"):
        write_mirax(tmp_path / "a.mrxs", picture.astype(float), mpp_um=0.25)  # type: ignore[arg-type]
    for wrong in ({"tile_px": 63}, {"image_format": "BMP"}, {"quality": 0}, {"levels": 0}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            MiraxSettings(**wrong)  # type: ignore[arg-type]
