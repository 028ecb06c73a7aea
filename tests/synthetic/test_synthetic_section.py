from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore.synthetic import (
    Mounting,
    MountingSettings,
    Optics,
    Section,
    SectionSettings,
    Zone,
    draw_section,
)
from ihcscore.synthetic.anatomy import Anatomy
from ihcscore.synthetic.draw import scene

SMALL = SectionSettings(
    size_um=(1500.0, 1300.0),
    mpp_um=1.0,
    tissue_um=1000.0,
    tumour_um=520.0,
    front_um=90.0,
    centre_per_mm2=500.0,
    front_per_mm2=1500.0,
    elsewhere_per_mm2=120.0,
)


@pytest.fixture(scope="module")
def section() -> Section:
    return draw_section(SMALL, 3)


def test_shape_and_columns(section: Section) -> None:
    assert section.rgb.shape == (1300, 1500, 3)
    assert list(section.cells) == ["x_px", "y_px", "class", "kind", "strength", "diameter_um", "zone"]
    assert section.cells["x_px"].between(0, 1499).all()
    assert section.cells["y_px"].between(0, 1299).all()


def test_same_seed_same_bytes(section: Section) -> None:
    again = draw_section(SMALL, 3)
    assert np.array_equal(section.rgb, again.rgb)
    assert section.cells.equals(again.cells)
    assert section.geojson_text() == again.geojson_text()


def test_planted_densities(section: Section) -> None:
    for row in section.zones.itertuples():
        # rounded to whole cells, and a cell on a zone's edge may change sides when put on a pixel
        assert row.n_positive == pytest.approx(row.planted_per_mm2 * row.area_mm2, abs=4)
        assert row.positive_per_mm2 == pytest.approx(row.n_positive / row.area_mm2)
    assert section.zones["planted_per_mm2"].tolist() == [500, 1500, 120]


def test_zones_follow_the_distance_to_the_outline(section: Section) -> None:
    tumour = shapely.Polygon(section.tumour_px)
    points = shapely.points(section.cells[["x_px", "y_px"]].to_numpy())
    inside = shapely.contains(tumour, points)
    near = shapely.distance(tumour.exterior, points) <= 90
    expected = np.where(near, Zone.FRONT, np.where(inside, Zone.CENTRE, Zone.ELSEWHERE))
    assert (section.cells["zone"].to_numpy() == expected).all()
    assert section.zones["area_mm2"].sum() == pytest.approx(shapely.Polygon(section.tissue_px).area / 1e6)


def test_tissue_is_stained_and_glass_is_not(section: Section) -> None:
    tissue = shapely.Polygon(section.tissue_px)
    grid = np.stack(np.meshgrid(np.arange(5, 1500, 25), np.arange(5, 1300, 25)), axis=-1).reshape(-1, 2)
    points = shapely.points(grid)
    grey = section.rgb[grid[:, 1], grid[:, 0]].mean(axis=1)
    outside = shapely.distance(tissue, points) > 25
    inside = shapely.contains(tissue.buffer(-25), points)
    assert grey[outside].min() > 230
    assert np.median(grey[inside]) < 225


def test_geojson_is_what_qupath_writes(section: Section) -> None:
    collection = json.loads(section.geojson_text())
    assert collection["type"] == "FeatureCollection"
    (feature,) = collection["features"]
    assert feature["properties"]["objectType"] == "annotation"
    assert feature["properties"]["classification"]["name"] == "Tumor"
    ring = feature["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1]
    drawn = shapely.Polygon(ring)
    assert drawn.is_valid
    assert drawn.symmetric_difference(shapely.Polygon(section.tumour_px)).area < 10


@settings(max_examples=30, deadline=None)
@given(st.floats(-50, 1400), st.floats(-50, 1200), st.floats(2, 400))
def test_squares_side_by_side_count_each_cell_once(section: Section, x: float, y: float, side: float) -> None:
    half = side / 2
    quarters = [section.n_positive_in(x + dx, y + dy, half) for dx in (0, half) for dy in (0, half)]
    whole = (section.cells["class"] == "Positive") & section.cells["x_px"].ge(x) & section.cells["y_px"].ge(y)
    whole &= section.cells["x_px"].lt(x + half + half) & section.cells["y_px"].lt(y + half + half)
    assert sum(quarters) == pytest.approx(int(whole.sum()), abs=1)


def test_count_in_a_square_by_hand(section: Section) -> None:
    cell = section.cells[section.cells["class"] == "Positive"].iloc[0]
    assert section.n_positive_in(cell.x_px, cell.y_px, 0.5) == 1
    assert section.n_positive_in(cell.x_px - 0.5, cell.y_px, 0.5) == 0
    assert section.n_positive_in(-5, -5, 5000) == (section.cells["class"] == "Positive").sum()


def test_section_without_tumour() -> None:
    drawn = draw_section(replace(SMALL, tumour_um=0.0, melanophages_per_mm2=0.0), 1)
    assert drawn.tumour_px == []
    assert drawn.geojson()["features"] == []
    assert set(drawn.cells["zone"]) == {"Elsewhere"}
    assert set(drawn.cells["kind"]) == {"lymphocyte", "stromal cell"}
    assert drawn.zones["area_mm2"].tolist()[:2] == [0, 0]


def test_blocks_leave_no_seam(section: Section, monkeypatch: pytest.MonkeyPatch) -> None:
    quiet = replace(SMALL, optics=Optics(noise_grey=0.0))
    whole = draw_section(quiet, 3)
    monkeypatch.setattr(scene, "_BLOCK_PX", 311)
    pieces = draw_section(quiet, 3)
    assert np.abs(whole.rgb.astype(int) - pieces.rgb.astype(int)).max() <= 1


def test_serial_sections_share_their_anatomy(section: Section) -> None:
    turned = draw_section(
        replace(
            SMALL,
            anatomy_seed=3,
            mounting=MountingSettings(rotation_deg=30.0, shift_um=(40.0, -20.0)),
            front_per_mm2=200.0,
        ),
        8,
    )
    centre = np.array([750.0, 650.0])
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for first, second in ((section.tumour_px, turned.tumour_px), (section.tissue_px, turned.tissue_px)):
        expected = (np.array(first) - centre) @ turn.T + centre + [40, -20]
        assert np.array(second) == pytest.approx(expected, abs=1e-6)


def test_holes_turn_with_the_outline() -> None:
    common = {"size_um": (1500.0, 1300.0), "across_um": (900.0, 400.0), "seed": 3}
    still = Anatomy.make(**common, mounting=Mounting.make(MountingSettings(), size_um=SMALL.size_um, seed=3))
    turned = MountingSettings(rotation_deg=20.0, shift_um=(30.0, 10.0))
    moved = Anatomy.make(**common, mounting=Mounting.make(turned, size_um=SMALL.size_um, seed=3))
    points = np.random.default_rng(0).uniform(450, 850, (200, 2))
    there = moved.mounting.to_glass(points)
    before, after = still.tissue_map(), moved.tissue_map()
    assert after.sample(after.hole, there) == pytest.approx(before.sample(before.hole, points), abs=0.3)
    assert after.sample(after.tumour_um, there) == pytest.approx(
        before.sample(before.tumour_um, points), abs=8
    )


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"mpp_um": 0.0}, "mpp_um"),
        ({"tumour_um": 2000.0}, "tumour inside the tissue"),
        ({"front_per_mm2": -1.0}, "front_per_mm2"),
    ],
)
def test_refusals(wrong: dict[str, float], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(SMALL, **wrong)


def test_tissue_shifted_off_the_glass() -> None:
    with pytest.raises(ValueError, match="shift it less"):
        draw_section(replace(SMALL, mounting=MountingSettings(shift_um=(600.0, 0.0))), 1)
