"""Serial sections of one block: where a place is on each, and what they share."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ihcscore.synthetic import Mounting, MountingSettings, Section, SectionSettings, draw_section, true_map
from ihcscore.synthetic.anatomy import Anatomy

PLAIN = SectionSettings(
    size_um=(1500.0, 1300.0),
    mpp_um=2.0,
    tissue_um=1000.0,
    tumour_um=620.0,
    front_um=90.0,
    centre_per_mm2=100.0,
    front_per_mm2=200.0,
    anatomy_seed=5,
)
TURNED = MountingSettings(
    rotation_deg=137.0,
    shift_um=(40.0, -20.0),
    mirrored=True,
    scale_xy=(1.02, 0.985),
    shear=0.015,
    bend_um=20.0,
)
DISTORTED = replace(PLAIN, mpp_um=1.6, mounting=TURNED)
places = st.lists(st.tuples(st.floats(0, 750), st.floats(0, 650)), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def still() -> Section:
    return draw_section(PLAIN, 1)


@pytest.fixture(scope="module")
def moved() -> Section:
    return draw_section(DISTORTED, 2)


def test_outlines_lie_on_each_other(still: Section, moved: Section) -> None:
    for here, there in ((still.tumour_px, moved.tumour_px), (still.tissue_px, moved.tissue_px)):
        # outlines have pixel centres at whole numbers, the map pixel corners
        mapped = true_map(still, moved, np.array(here) + 0.5) - 0.5
        assert mapped == pytest.approx(np.array(there), abs=1e-6)


def test_placed_leads_from_the_block(still: Section, moved: Section) -> None:
    block_um = np.array(still.tumour_px) * still.mpp_um  # the plain section lies as in the block
    assert still.placed(block_um) == pytest.approx(block_um, abs=1e-9)
    assert moved.placed(block_um) / moved.mpp_um == pytest.approx(np.array(moved.tumour_px), abs=1e-9)
    assert moved.mounting.to_block(moved.placed(block_um)) == pytest.approx(block_um, abs=1e-8)


@settings(max_examples=30, deadline=None)
@given(places)
def test_the_map_is_the_identity_on_itself_and_has_an_inverse(
    still: Section, moved: Section, points: list[tuple[float, float]]
) -> None:
    here = np.array(points)
    assert true_map(moved, moved, here) == pytest.approx(here, abs=1e-7)
    assert true_map(moved, still, true_map(still, moved, here)) == pytest.approx(here, abs=1e-7)


def test_turn_and_mirror_by_hand() -> None:
    def mounted(**place: object) -> Mounting:
        return Mounting.make(MountingSettings(**place), size_um=(1000.0, 800.0), seed=1)

    turned = mounted(rotation_deg=90.0, shift_um=(5.0, 7.0))
    assert turned.to_glass([[600.0, 400.0]]) == pytest.approx(np.array([[505.0, 507.0]]))
    mirrored = mounted(rotation_deg=90.0, mirrored=True)
    assert mirrored.to_glass([[600.0, 400.0]]) == pytest.approx(np.array([[500.0, 300.0]]))
    stretched = mounted(scale_xy=(1.1, 0.9), shear=0.2)
    assert stretched.to_glass([[600.0, 500.0]]) == pytest.approx(np.array([[630.0, 490.0]]))


def test_points_are_counted_from_corners(still: Section) -> None:
    coarse = replace(still, mpp_um=4.0)
    # the centre of the first pixel is the origin of all µm, whatever the pixel's size
    assert true_map(still, coarse, [[0.5, 0.5], [2.5, 4.5]]) == pytest.approx(
        np.array([[0.5, 0.5], [1.5, 2.5]])
    )


@pytest.mark.parametrize(("mirrored", "sign"), [(True, -1), (False, 1)])
def test_a_mirrored_section_turns_areas_over(still: Section, mirrored: bool, sign: int) -> None:
    turned = Mounting.make(replace(TURNED, mirrored=mirrored), size_um=PLAIN.size_um, seed=2)
    other = replace(still, mounting=turned)
    origin, right, down = true_map(still, other, [[300.0, 300.0], [301.0, 300.0], [300.0, 301.0]])
    assert np.sign(np.linalg.det([right - origin, down - origin])) == sign


def test_largest_displacement_is_the_bend() -> None:
    bend = Mounting.make(MountingSettings(bend_um=20.0), size_um=PLAIN.size_um, seed=3).bend
    assert bend is not None
    grid = np.stack(np.meshgrid(np.arange(0, 1500, 10), np.arange(0, 1300, 10)), -1).reshape(-1, 2)
    assert np.hypot(*bend(grid.astype(float)).T).max() == pytest.approx(20, rel=0.02)
    assert 0.02 < bend.steepness < 0.5


def test_blocks_are_not_mixed_up(still: Section) -> None:
    with pytest.raises(ValueError, match="anatomy_seed 5 and 6"):
        true_map(still, replace(still, anatomy_seed=6), [[0.0, 0.0]])


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"bend_um": 400.0}, "fold the tissue"),
        ({"bend_um": -1.0}, "bend_um"),
        ({"scale_xy": (0.0, 1.0)}, "scale_xy"),
    ],
)
def test_refusals(wrong: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Mounting.make(replace(TURNED, **wrong), size_um=PLAIN.size_um, seed=1)


def test_something_must_be_left_of_a_torn_section() -> None:
    with pytest.raises(ValueError, match="torn_fraction"):
        replace(PLAIN, torn_fraction=1.0)


def test_holes_nests_and_patches_follow_the_bend() -> None:
    common = {"size_um": PLAIN.size_um, "across_um": (900.0, 400.0), "seed": 3, "serial": True}
    still = Anatomy.make(**common, mounting=Mounting.make(MountingSettings(), size_um=PLAIN.size_um, seed=3))
    moved = Anatomy.make(**common, mounting=Mounting.make(TURNED, size_um=PLAIN.size_um, seed=3))
    points = np.random.default_rng(0).uniform(450, 850, (200, 2))
    there = moved.mounting.to_glass(points)
    before, after = still.tissue_map(), moved.tissue_map()
    for name in ("hole", "nest", "mottle", "cellularity"):
        plane, other = getattr(before, name), getattr(after, name)
        assert after.sample(other, there) == pytest.approx(before.sample(plane, points), abs=0.3)


def test_half_of_the_tumour_nuclei_are_shared_and_no_lymphocyte(still: Section, moved: Section) -> None:
    def near(kind: str) -> float:
        here, there = (
            s.cells.loc[s.cells["kind"] == kind, ["x_px", "y_px"]].to_numpy() for s in (still, moved)
        )
        mapped = true_map(moved, still, there + 0.5) - 0.5
        distance_px, _ = cKDTree(here).query(mapped)
        return float((distance_px * still.mpp_um < 4).mean())

    assert 0.4 < near("tumour cell") < 0.8
    assert near("lymphocyte") < 0.1


def _contrast(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Total OD at about 4 µm, less its surroundings' mean and over their spread."""
    od = -np.log10(np.maximum(rgb, 1) / 243.0).sum(axis=2).astype(np.float32)
    od = cv2.GaussianBlur(np.minimum(od, np.float32(1)), (0, 0), 1.8)
    mean = cv2.GaussianBlur(od, (0, 0), 40)
    spread = np.sqrt(np.maximum(cv2.GaussianBlur(od * od, (0, 0), 40) - mean * mean, 1e-4))
    return np.asarray((od - mean) / spread, np.float32)


def test_aligned_sections_show_the_same_structure(still: Section, moved: Section) -> None:
    side = 180  # px of 2 µm
    left, top = (int(x) - side // 2 for x in shapely.Polygon(still.tumour_px).centroid.coords[0])
    y, x = np.indices((side, side))

    def correlation(shift_px: float) -> float:
        corners = np.column_stack([(x + left + shift_px).ravel(), (y + top).ravel()]) + 0.5
        there = (true_map(still, moved, corners) - 0.5).astype(np.float32).reshape(side, side, 2)
        aligned = cv2.remap(_contrast(moved.rgb), there, None, cv2.INTER_LINEAR)
        here = _contrast(still.rgb)[top : top + side, left : left + side]
        return float(np.corrcoef(here.ravel(), aligned.ravel())[0, 1])

    assert 0.3 < correlation(0) < 0.75
    assert max(abs(correlation(shift)) for shift in (-40, 40)) < 0.2


def test_torn_tissue() -> None:
    whole, torn = draw_section(PLAIN, 4), draw_section(replace(PLAIN, torn_fraction=0.2), 4)
    before, after = shapely.Polygon(whole.tissue_px), shapely.Polygon(torn.tissue_px)
    assert after.area == pytest.approx(0.8 * before.area, rel=0.02)
    assert after.difference(before).area < 1
    assert torn.tumour_px == whole.tumour_px
    assert shapely.contains(after, shapely.points(torn.cells[["x_px", "y_px"]].to_numpy())).all()
    for row in torn.zones.itertuples():
        assert row.n_positive == pytest.approx(row.planted_per_mm2 * row.area_mm2, abs=4)
    missing = before.difference(after).buffer(-8)
    grid = np.stack(np.meshgrid(np.arange(0, 750, 6), np.arange(0, 650, 6)), -1).reshape(-1, 2)
    bare = grid[shapely.contains(missing, shapely.points(grid))]
    assert len(bare) > 50
    assert torn.rgb[bare[:, 1], bare[:, 0]].min() > 220
