"""ICC profiles: applied where a file has one, left alone where it says sRGB or the user wants none."""

from concurrent.futures import ThreadPoolExecutor

import imagecodecs
import numpy as np
import pytest
import tifffile

from ihcscore.errors import SlideError
from ihcscore.slide import open_slide
from ihcscore.slide.colour import SrgbTransform
from writers.dicom import DicomSettings, write_dicom
from writers.jpeg_tiles import JpegSettings, write_jpeg_tiles
from writers.svs import SvsSettings, write_svs

GAMMA = 1.8
# sRGB's own white point and primaries (IEC 61966-2-1), so that only the curve differs.
PROFILE = imagecodecs.cms_profile(
    "rgb",
    whitepoint=[0.3127, 0.3290, 1.0],
    primaries=[0.64, 0.33, 1.0, 0.30, 0.60, 1.0, 0.15, 0.06, 1.0],
    gamma=GAMMA,
)
SRGB = imagecodecs.cms_profile("srgb")


def by_hand(rgb):
    """A device of gamma 1.8 to the curve of sRGB (IEC 61966-2-1)."""
    linear = (rgb / 255.0) ** GAMMA
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def write_ome(path, rgb, icc):
    tifffile.imwrite(
        path, rgb, tile=(128, 128), photometric="rgb", compression="jpeg", iccprofile=icc, ome=True,
        compressionargs={"level": 95}, metadata={"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5},
    )  # fmt: skip
    return path


WRITE = {
    "svs": lambda folder, rgb, icc: write_svs(folder / "a.svs", rgb, SvsSettings(icc=icc)),
    "tiff": lambda folder, rgb, icc: write_jpeg_tiles(folder / "a.tif", rgb, JpegSettings(icc=icc)),
    "dicom": lambda folder, rgb, icc: write_dicom(folder / "a", rgb, DicomSettings(icc=icc)),
    "ome": lambda folder, rgb, icc: write_ome(folder / "a.ome.tif", rgb, icc),
}


@pytest.mark.parametrize("kind", WRITE)
def test_a_files_profile_is_applied(kind, tmp_path, picture):
    path = WRITE[kind](tmp_path, picture, PROFILE)
    with open_slide(path) as slide, open_slide(path, icc=False) as plain:
        assert (slide.icc_applied, slide.icc_name) == (True, "RGB built-in")
        assert (plain.icc_applied, plain.icc_name) == (False, None)
        stored = plain.read(0, (100, 50), (300, 200))
        assert np.abs(stored.astype(int) - picture[50:250, 100:400]).mean() < 2
        converted = slide.read(0, (100, 50), (300, 200))
        assert np.abs(converted - by_hand(stored)).max() < 2
        assert np.abs(converted.astype(int) - stored).mean() > 5
        # beyond the edge lies background, which is in sRGB already
        assert (slide.read(0, (-9, -9), (9, 9)) == slide.background_rgb).all()


@pytest.mark.parametrize("kind", WRITE)
def test_without_a_profile_nothing_changes(kind, tmp_path, picture):
    with open_slide(WRITE[kind](tmp_path, picture, None)) as slide:
        assert (slide.icc_applied, slide.icc_name) == (False, None)


def test_a_profile_that_is_srgb_costs_nothing(tmp_path, picture):
    with open_slide(WRITE["svs"](tmp_path, picture, SRGB)) as slide:
        assert slide.icc_applied
        assert slide.icc_name == "sRGB built-in"
    transform = SrgbTransform(SRGB, slide_name="a.svs")
    assert transform(picture) is picture


@pytest.mark.parametrize("profile", [b"not a profile" * 30, imagecodecs.cms_profile("gray"), PROFILE[:300]])
def test_a_profile_that_cannot_be_used_is_one_line(profile, tmp_path, picture):
    path = WRITE["ome"](tmp_path, picture, profile)
    with pytest.raises(SlideError, match=r"^a\.ome\.tif: its ICC colour profile .* give icc off$"):
        open_slide(path)
    with open_slide(path, icc=False) as slide:
        assert slide.read(0, (0, 0), (9, 9)).shape == (9, 9, 3)


def test_a_damaged_profile_in_a_slide_of_openslides(tmp_path, picture):
    path = WRITE["svs"](tmp_path, picture, PROFILE[:300])
    with pytest.raises(SlideError, match="give icc off"):
        open_slide(path)
    with open_slide(path, icc=False) as slide:
        assert not slide.icc_applied


def test_alpha_stays():
    rgba = np.random.default_rng(0).integers(0, 256, (40, 30, 4), dtype=np.uint8)
    transform = SrgbTransform(PROFILE, slide_name="a")
    converted = transform(rgba)
    np.testing.assert_array_equal(converted[..., 3], rgba[..., 3])
    np.testing.assert_array_equal(converted[..., :3], transform(np.ascontiguousarray(rgba[..., :3])))


def test_threads_share_a_transform():
    transform = SrgbTransform(PROFILE, slide_name="a")
    pictures = np.random.default_rng(1).integers(0, 256, (16, 200, 200, 3), dtype=np.uint8)
    alone = [transform(pixels) for pixels in pictures]
    with ThreadPoolExecutor(4) as pool:
        for one, other in zip(alone, pool.map(transform, pictures), strict=True):
            np.testing.assert_array_equal(one, other)
