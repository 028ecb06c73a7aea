"""A rectangle against the coarser level: good slides agree everywhere, damaged pixels do not pass."""

import numpy as np
import pytest

from ihcscore.errors import ReadError
from ihcscore.slide import open_slide
from ihcscore.slide.checks.levels import check_levels_agree
from writers import damage
from writers.formats import WRITERS

TILE_BYTES = 325


def held(slide, x, y, side) -> None:
    check_levels_agree(slide, 0, (x, y), slide.read(0, (x, y), (side, side)))


def opened(path):
    return open_slide(min(path.iterdir()) if path.is_dir() else path)


@pytest.fixture(scope="module")
def detailed(picture):
    """A picture with grain in it, so that its JPEG has as many bytes as tissue has."""
    rng = np.random.default_rng(1)
    large = np.kron(picture, np.ones((2, 2, 1))) + rng.normal(0, 12, (1040, 1800, 1))
    return large.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", list(WRITERS))
def test_good_slides_agree_at_any_place(name, tmp_path, picture):
    with opened(WRITERS[name](tmp_path, picture)) as slide:
        for x in range(-41, 900, 190):
            for y in range(-33, 520, 170):
                held(slide, x, y, 233)


def test_a_real_slide_agrees(shared_data):
    with open_slide(shared_data / "slides" / "tcga-cr-7395-01a-01-ts1.svs", mpp_um=0.25) as slide:
        for x in range(-41, 4443, 1500):
            for y in range(-33, 3567, 1400):
                held(slide, x, y, 760)


def test_a_missing_tile_is_no_white_glass(tmp_path, detailed):
    path = WRITERS["tiff"](tmp_path, detailed)
    damage.set_value(path, TILE_BYTES, 0, at=9 / 39)  # 256 px tiles, 8 across and 5 down: column 1, row 1
    with open_slide(path) as slide:
        assert (slide.read(0, (300, 300), (20, 20)) == 255).all()
        with pytest.raises(ReadError, match="levels 0 and 1 show different pixels"):
            held(slide, 200, 200, 400)
        held(slide, 600, 520, 400)


@pytest.mark.parametrize("name", ["svs jpeg", "mirax", "dicom"])
def test_a_tile_that_decodes_to_other_pixels(name, tmp_path, detailed):
    """A lost sector in the stream of a tile: the decoder carries on, with other colours."""
    path = WRITERS[name](tmp_path, detailed)
    if name == "dicom":
        file = path / "level0.dcm"
        places = damage.dicom_data_places(file)
    elif name == "mirax":
        stored = damage.find_mirax_tile(path, 3 + 5, 2 + 3)
        file, places = stored.file, [range(stored.offset + 700, stored.offset + stored.length)]
    else:
        file, places = path, damage.tiff_data_places(path)
    rng = np.random.default_rng(5)
    for _ in range(1 if name == "mirax" else 3):
        damage.wipe(file, places, rng, 1500)
    failed = 0
    with opened(path) as slide:
        for x in range(0, 1800, 300):
            for y in range(0, 1040, 300):
                try:
                    held(slide, x, y, 320)
                except ReadError:
                    failed += 1
    assert 1 <= failed <= 12


def test_a_slide_of_one_level_passes(tmp_path, picture):
    with open_slide(WRITERS["ome"](tmp_path, picture)) as slide:
        held(slide, 0, 0, 300)
