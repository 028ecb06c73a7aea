"""The finder by a network: what it needs of a picture, and what may not change its answer."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ihcscore import count_cells, stain
from ihcscore.cells import CELL_COLUMNS, NetworkFinder, finder_of
from ihcscore.cells.network import HEADS, pigment_of, probabilities, stain_planes
from ihcscore.geometry.grid import BLOCK_PX
from ihcscore.profiles import load_profile
from ihcscore.synthetic import PigmentManner, TileSettings, draw_tile, varied_tile
from ihcscore.weights import load_network_model

MPP_UM = 0.25
MODEL = load_network_model()


@pytest.fixture(scope="module")
def tile():
    return draw_tile(TileSettings(size_xy_px=(640, 576), n_positive=40), seed=3)


@pytest.fixture(scope="module")
def stains(tile):
    return stain.estimate_stains(tile.rgb)


def found(rgb, stains, marker="CD3", mpp_um=MPP_UM, start_xy_px=None):
    maps = stain.separate(np.ascontiguousarray(rgb), mpp_um=mpp_um, stains=stains, start_xy_px=start_xy_px)
    return NetworkFinder(profile=load_profile(marker))(maps, stains)


def positive(cells):
    return cells[cells["class"] == "Positive"]


def test_drawn_cells_are_found_where_they_are(tile):
    cells = positive(count_cells(tile.rgb, mpp_um=MPP_UM, profile="CD3"))[["x_px", "y_px"]].to_numpy()
    true = tile.cells.loc[tile.cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy()
    near = np.hypot(*(cells[:, None] - true[None]).transpose(2, 0, 1)) < 4 / MPP_UM
    assert near.any(axis=1).sum() >= 0.85 * len(cells)
    assert near.any(axis=0).sum() >= 0.85 * len(true)


def test_the_table_is_the_same_as_any_finder_s(tile, stains):
    answer = found(tile.rgb, stains)
    assert list(answer.cells.columns) == CELL_COLUMNS
    assert answer.cells["confidence"].between(0, 1).all()
    assert answer.cells["y_px"].is_monotonic_increasing
    assert answer.pigment.dtype == bool
    classical = finder_of(replace(load_profile("CD3"), finder="classical"))
    maps = stain.separate(tile.rgb, mpp_um=MPP_UM, stains=stains)
    assert list(classical(maps, stains).cells.columns) == CELL_COLUMNS


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_field_has_the_same_answer_turned(tile, stains, turns):
    seen = stain_planes(stain.separate(tile.rgb, mpp_um=MPP_UM, stains=stains), 0.5)
    here = probabilities(seen, MODEL)
    there = probabilities(np.ascontiguousarray(np.rot90(seen, turns, (1, 2))), MODEL)
    for head in HEADS:
        assert np.array_equal(np.rot90(here[head], turns), there[head])


def test_turned_and_mirrored_fields_have_the_same_count(tile, stains):
    expected = len(positive(found(tile.rgb, stains).cells))
    for turned in (np.rot90(tile.rgb), np.rot90(tile.rgb, 2), tile.rgb[::-1], tile.rgb[:, ::-1]):
        assert abs(len(positive(found(turned, stains).cells)) - expected) <= 0.03 * expected


def test_parts_of_a_slide_have_the_cells_of_the_whole():
    whole = draw_tile(TileSettings(size_xy_px=(1024, 1024), n_positive=120), seed=5).rgb
    used = stain.estimate_stains(whole)
    finder = finder_of(load_profile("CD3"))
    block = int(BLOCK_PX * stain.working_step_px(MPP_UM))
    halo = block * math.ceil(finder.halo_um / MPP_UM / block)
    expected = found(whole, used).cells
    for left, top in ((256, 256), (512, 256), (256, 512)):
        part = whole[top - halo : top + 256 + halo, left - halo : left + 256 + halo]
        cells = found(part, used, start_xy_px=(0.0, 0.0)).cells
        cells = cells.assign(x_px=cells["x_px"] + left - halo, y_px=cells["y_px"] + top - halo)
        mine, all_of_them = (
            one[
                one["x_px"].between(left - 0.5, left + 255.5, "left")
                & one["y_px"].between(top - 0.5, top + 255.5, "left")
            ].round({"x_px": 2, "y_px": 2})[["x_px", "y_px", "class"]].to_numpy().tolist()
            for one in (cells, expected)
        )  # fmt: skip
        assert mine == all_of_them


def test_large_pictures_are_answered_in_squares_as_if_whole(monkeypatch):
    rng = np.random.default_rng(0)
    planes = np.abs(rng.normal(0, 0.4, (4, 320, 256))).astype(np.float32)
    whole = probabilities(planes, MODEL)
    monkeypatch.setattr("ihcscore.cells.network._PART_PX", 128)
    parts = probabilities(planes, MODEL)
    for head in HEADS:
        np.testing.assert_allclose(parts[head], whole[head], atol=1e-5)


def test_the_answer_is_the_same_on_any_number_of_threads(tile, stains):
    before, answers = cv2.getNumThreads(), []
    try:
        for n in (1, 4):
            cv2.setNumThreads(n)
            answers.append(found(tile.rgb, stains).cells)
    finally:
        cv2.setNumThreads(before)
    assert answers[0].equals(answers[1])


@pytest.mark.parametrize("manner", [PigmentManner.MELANOPHAGES, PigmentManner.SOLID])
def test_melanin_is_suspect_and_costs_no_cells(manner):
    held = called = clumps = 0
    for seed in range(900, 912):
        drawn = varied_tile(seed, manners=(manner,))
        if drawn.settings.staining.nuclear or len(drawn.clumps) == 0:
            continue
        cells = count_cells(drawn.rgb, mpp_um=drawn.mpp_um, profile="CD3")
        middle, radius_px = (
            drawn.clumps[["x_px", "y_px"]].to_numpy(),
            drawn.clumps["radius_um"] / drawn.mpp_um,
        )
        true = drawn.cells.loc[drawn.cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy()
        places = cells[["x_px", "y_px"]].to_numpy()
        alone = _nearest(places, true) > 4 / drawn.mpp_um
        is_positive = (cells["class"] == "Positive").to_numpy()
        clumps += len(middle)
        called += (_nearest(middle, places[is_positive & alone]) < radius_px).sum()
        held += (_nearest(middle, places[cells["class"] == "Pigment suspect"]) < radius_px + 8).sum()
    assert clumps > 15
    assert called <= 0.2 * clumps
    assert held >= 0.6 * clumps


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((1, 1, 3), 240, np.uint8),
        np.full((1, 200, 3), 90, np.uint8),
        np.full((3, 2, 3), 0, np.uint8),
        np.full((120, 90, 3), 255, np.uint8),
        np.full((121, 91, 3), (90, 90, 160), np.uint8),
    ],
)
@pytest.mark.parametrize("name", ["CD3", "KI67"])
def test_odd_images_give_a_result_without_nan(rgb, name):
    cells = count_cells(rgb, mpp_um=MPP_UM, profile=replace(load_profile(name), finder="network"))
    assert (cells["class"] == "Positive").sum() == 0
    assert np.isfinite(cells.select_dtypes(float).to_numpy()).all()


def test_pigment_is_its_head_smoothed():
    answer = {"pigment": np.zeros((20, 20), np.float32)}
    answer["pigment"][10, 10] = 1
    assert pigment_of(answer).sum() == pytest.approx(1, abs=1e-3)
    assert pigment_of(answer)[10, 10] < 0.2


def test_it_names_its_weights():
    assert NetworkFinder(profile=load_profile("CD8")).weights == {"network.onnx": MODEL.sha256}


def _nearest(points, others):
    if len(others) == 0:
        return np.full(len(points), np.inf)
    return np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)).min(axis=1)
