import numpy as np
import pytest
import shapely

from ihcscore.tissue.mask import find_tissue, glass_colour, mask_to_polygons


def thumbnail(tissue_rgb=(200, 180, 210), glass_rgb=(243, 243, 240), *, seed=0):
    """Glass with a disc of tissue of radius 60 px and a speck of dust, at 8 µm/px."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[0:200, 0:300]
    disc = (xx - 150) ** 2 + (yy - 100) ** 2 < 60**2
    rgb = np.where(disc[..., None], tissue_rgb, glass_rgb) + rng.normal(0, 2, (200, 300, 3))
    rgb[20:23, 20:23] = 120
    return np.clip(rgb, 0, 255).astype(np.uint8), disc


def find(rgb, scanned=None):
    scanned = np.ones(rgb.shape[:2], bool) if scanned is None else scanned
    return find_tissue(rgb, scanned=scanned, downsample=32, mpp_um=8.0)


@pytest.mark.parametrize("tissue_rgb", [(200, 180, 210), (215, 215, 225), (120, 100, 150), (190, 150, 110)])
def test_tissue_pale_and_dark_is_found_and_dust_is_not(tissue_rgb):
    rgb, disc = thumbnail(tissue_rgb)
    found = find(rgb)
    dice = 2 * (found.mask & disc).sum() / (found.mask.sum() + disc.sum())
    assert dice > 0.97
    assert not found.mask[20:23, 20:23].any()
    assert found.white_rgb == pytest.approx((243, 243, 240), abs=1.5)
    assert found.white_source == "glass"
    assert found.area_mm2 == pytest.approx(disc.sum() * 64e-6, rel=0.05)


def test_empty_glass_has_no_tissue():
    rng = np.random.default_rng(1)
    rgb = np.clip(243 + rng.normal(0, 2, (200, 300, 3)), 0, 255).astype(np.uint8)
    assert not find(rgb).mask.any()
    assert not find(np.full((200, 300, 3), 255, np.uint8)).mask.any()


def test_tissue_without_glass_is_tissue_all_over():
    rng = np.random.default_rng(1)
    rgb = np.clip(rng.normal((180, 150, 190), 15, (200, 300, 3)), 0, 255).astype(np.uint8)
    found = find(rgb)
    assert found.mask.mean() > 0.95
    assert found.white_source == "brightest tissue"


def test_what_was_not_scanned_is_neither_tissue_nor_glass():
    rgb, disc = thumbnail()
    scanned = np.ones(rgb.shape[:2], bool)
    scanned[:, :150] = False
    rgb[:, :150] = 0  # a reader that leaves it black must not make it tissue
    found = find(rgb, scanned)
    assert not found.mask[:, :150].any()
    assert found.mask[disc & scanned].mean() > 0.95
    white, _ = glass_colour(rgb, np.zeros(rgb.shape[:2], bool))
    assert white == (255, 255, 255)


def test_what_cannot_be_read_is_taken_for_what_lies_nearest():
    rgb, _ = thumbnail()
    unreadable = np.zeros(rgb.shape[:2], bool)
    unreadable[90:110, 140:160] = True  # in the middle of the tissue
    unreadable[0:10, 0:10] = True  # on the glass
    rgb[unreadable] = 255
    found = find_tissue(
        rgb, scanned=np.ones(rgb.shape[:2], bool), unreadable=unreadable, downsample=32, mpp_um=8.0
    )
    assert found.mask[90:110, 140:160].all()
    assert not found.mask[0:10, 0:10].any()


def test_outline_has_the_mask_s_place_area_and_hole():
    mask = np.zeros((50, 80), bool)
    mask[10:30, 20:60] = True
    mask[15:20, 30:40] = False
    outline = mask_to_polygons(mask, downsample=4.0)
    assert outline.bounds == pytest.approx((80, 40, 240, 120), abs=2)
    assert outline.area == pytest.approx(mask.sum() * 16, rel=0.05)
    assert not outline.contains(shapely.Point(35 * 4, 17.5 * 4))
    assert mask_to_polygons(np.zeros((5, 5), bool), downsample=1).is_empty
