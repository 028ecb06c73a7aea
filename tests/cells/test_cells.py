import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from ihcscore import stain
from ihcscore.cells import classical as cells
from ihcscore.cells.features import HALO_UM
from ihcscore.cells.features import blob_contrast as blob_of
from ihcscore.geometry.grid import BLOCK_PX
from ihcscore.profiles import load_profile
from ihcscore.synthetic.tile import TileSettings, draw_tile
from reference_counter import above_background, amounts, blob_contrast, cell_centres

MPP_UM = 0.25
WHITE = (243.0, 243.0, 240.0)
DATA = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture(scope="module")
def tile():
    settings = TileSettings(size_xy_px=(640, 560), n_positive=40, n_melanophages=6, pigmented_fraction=0.1)
    return draw_tile(settings, seed=3)


def drawn(shapes, side=400):
    """White glass with discs and rings: x, y, outer and inner radius in px, haematoxylin, DAB."""
    od = np.zeros((side, side, 3))
    used = stain.estimate_stains(np.full((4, 4, 3), 240, np.uint8))
    rows, columns = np.mgrid[:side, :side]
    for x, y, outer, inner, hematoxylin, dab in shapes:
        radius = np.hypot(columns - x, rows - y)
        mask = (radius <= outer) & (radius >= inner)
        od[mask] += hematoxylin * np.array(used.hematoxylin.rgb) + dab * np.array(used.chromogen.rgb)
    return cv2.GaussianBlur(np.rint(stain.od_to_rgb(od, WHITE)).astype(np.uint8), (0, 0), 1.0)


def counted(rgb, name="CD3", used=None, mpp_um=MPP_UM, start_xy_px=None):
    used = used or stain.estimate_stains(rgb, mpp_um=mpp_um)
    maps = stain.separate(rgb, mpp_um=mpp_um, stains=used, start_xy_px=start_xy_px)
    return cells.ClassicalFinder(profile=load_profile(name))(maps, used).cells


def rounded(found):
    kept = found.loc[:, ["x_px", "y_px", "class"]].round(3)
    return sorted(map(tuple, kept.to_numpy().tolist()))


def test_blob_filter_answers_most_to_its_own_radius():
    rows, columns = np.mgrid[:161, :161]
    disc = np.hypot(rows - 80, columns - 80)
    answers = [blob_of((disc <= 10).astype(np.float32), r)[80, 80] for r in range(5, 18)]
    assert 9 <= 5 + int(np.argmax(answers)) <= 11


def test_a_ring_around_a_nucleus_is_one_cell_at_its_centre():
    ring = [(200, 180, 17, 11, 0.0, 0.7), (200, 180, 11, 0, 0.4, 0.25)]
    found = counted(drawn(ring))
    positive = found[found["class"] == "Positive"]
    assert len(positive) == 1
    assert_allclose(positive[["x_px", "y_px"]].to_numpy(), [[200, 180]], atol=2)
    assert 6 < positive["diameter_um"].item() < 12


def test_touching_cells_are_told_apart():
    discs = [(150 + 30 * i, 200, 13, 0, 0.3, 0.6) for i in range(4)]
    assert (counted(drawn(discs))["class"] == "Positive").sum() == 4


def test_a_blue_nucleus_is_negative():
    found = counted(drawn([(200, 200, 13, 0, 0.5, 0.0)]))
    assert found["class"].tolist() == ["Negative"]


def test_brown_nucleus_is_positive_for_a_nuclear_marker():
    found = counted(drawn([(120, 200, 18, 0, 0.1, 0.9), (280, 200, 18, 0, 0.5, 0.0)]), "KI67")
    assert found["class"].tolist() == ["Positive", "Negative"]


def test_maps_equal_the_plain_reference(tile):
    used = stain.estimate_stains(tile.rgb)
    maps = stain.separate(tile.rgb, mpp_um=MPP_UM, stains=used)
    plain = amounts(tile.rgb, MPP_UM, used)
    assert_allclose(maps.chromogen_od, plain[..., 1], atol=1e-5)
    same = maps.chromogen_od.astype(float)
    assert_allclose(stain.chromogen_above_background(maps), above_background(same, maps.mpp_um), atol=1e-5)
    assert_allclose(blob_of(maps.chromogen_od, 7.0), blob_contrast(same, 7.0), atol=1e-5)


@pytest.mark.parametrize("name", ["CD3", "KI67"])
def test_candidates_equal_the_plain_reference(tile, name):
    used, profile = stain.estimate_stains(tile.rgb), load_profile(name)
    found = cells.detect_cells(tile.rgb, mpp_um=MPP_UM, profile=profile, stains=used)
    plain = cell_centres(tile.rgb, mpp_um=MPP_UM, profile=profile, stains=used)
    mine = {tuple(point) for point in found[["x_px", "y_px"]].to_numpy().tolist()}
    theirs = {tuple(point) for point in plain.tolist()}
    assert mine == theirs


def test_turned_and_mirrored_images_give_the_same_counts(tile):
    used = stain.estimate_stains(tile.rgb)
    expected = counted(tile.rgb, used=used)["class"].value_counts().to_dict()
    assert expected["Positive"] > 20
    for turned in (tile.rgb[::-1], tile.rgb[:, ::-1], np.rot90(tile.rgb), np.rot90(tile.rgb, 2)):
        rgb = np.ascontiguousarray(turned)
        assert counted(rgb, used=used)["class"].value_counts().to_dict() == expected


@pytest.mark.parametrize("name", ["CD3", "KI67"])
def test_touching_fields_give_the_cells_of_the_whole(name):
    settings = TileSettings(size_xy_px=(1024, 1024), n_positive=120, n_melanophages=10)
    whole = draw_tile(settings, seed=5).rgb
    used = stain.estimate_stains(whole)
    block = int(BLOCK_PX * stain.working_step_px(MPP_UM))
    halo = block * math.ceil(HALO_UM / MPP_UM / block)
    parts = []
    for left in range(0, 1024, 256):
        for top in range(0, 1024, 512):
            x0, y0 = max(left - halo, 0), max(top - halo, 0)
            part = whole[y0 : top + 512 + halo, x0 : left + 256 + halo]
            found = counted(np.ascontiguousarray(part), name, used, start_xy_px=(0.0, 0.0))
            found = found.assign(x_px=found["x_px"] + x0, y_px=found["y_px"] + y0)
            inside = found["x_px"].between(left - 0.5, left + 255.5, inclusive="left") & found[
                "y_px"
            ].between(top - 0.5, top + 511.5, inclusive="left")
            parts += rounded(found[inside])
    assert sorted(parts) == rounded(counted(whole, name, used))


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((1, 1, 3), 240, np.uint8),
        np.full((1, 200, 3), 90, np.uint8),
        np.full((3, 2, 3), 0, np.uint8),
        np.full((120, 90, 3), 255, np.uint8),
        np.full((120, 90, 3), 0, np.uint8),
        np.full((121, 91, 3), (120, 80, 50), np.uint8),
        np.full((120, 90, 3), (90, 90, 160), np.uint8),
    ],
)
@pytest.mark.parametrize("name", ["CD3", "KI67"])
def test_odd_images_give_a_result_without_nan(rgb, name):
    found = counted(rgb, name)
    assert (found["class"] == "Positive").sum() == 0
    assert np.isfinite(found.select_dtypes(float).to_numpy()).all()


@pytest.mark.parametrize("mpp_um", [0.22, 0.35, 0.5])
def test_the_count_does_not_hang_on_the_scale(tile, mpp_um):
    expected = (counted(tile.rgb)["class"] == "Positive").sum()
    factor = MPP_UM / mpp_um
    rgb = cv2.resize(tile.rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    assert (counted(rgb, mpp_um=mpp_um)["class"] == "Positive").sum() == pytest.approx(expected, rel=0.15)


@pytest.mark.skipif(not DATA.is_dir(), reason="the measured tiles are not here")
def test_counts_on_measured_tiles_stay_close_to_peoples():
    import pandas as pd
    from PIL import Image

    truth = pd.read_csv(DATA / "lysto_cd3cd8" / "counts.csv")
    folder = DATA / "lysto_cd3cd8" / "images"
    found = []
    for image in truth["image"]:
        rgb = np.asarray(Image.open(folder / image).convert("RGB"))
        found.append((counted(rgb, mpp_um=0.24)["class"] == "Positive").sum())
    assert 0.9 < sum(found) / truth["count"].sum() < 1.1
    assert np.abs(np.array(found) - truth["count"]).mean() < 1.3
