"""Cells have ids that every run gives them again, and numbers in reading order of the upright field."""

import numpy as np
import pandas as pd
import pytest

from ihcscore.geometry.square import Square
from ihcscore.output.geojson import cells_geojson
from ihcscore.run.key import RUN_KEY, with_run_key
from ihcscore.run.numbered import cell_ids, reading_order
from ihcscore.schema import CLASS_COLOURS, REMOVED

CELLS = pd.DataFrame({"x_px": [80.0, 10.0, 50.0, 10.0], "y_px": [10.0, 12.0, 90.0, 60.0]})


def test_cells_are_numbered_line_by_line():
    square = Square(x_px=0, y_px=0, side_px=100)
    assert list(reading_order(CELLS, square, mirrored=False)) == [1, 0, 3, 2]
    assert list(reading_order(CELLS, square, mirrored=True)) == [0, 1, 3, 2]


@pytest.mark.parametrize("angle", [90.0, 33.0, -120.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_upright_map_takes_the_turned_corners_to_the_upright_ones(angle, mirrored):
    square = Square(x_px=310.0, y_px=-20.5, side_px=64.0, angle_deg=angle)
    there = square.upright_map(mirrored=mirrored) @ np.column_stack([square.corners_xy_px, np.ones(4)]).T
    upright = np.array([[0, 0], [64, 0], [64, 64], [0, 64]], float)
    expected = upright[[1, 0, 3, 2]] if mirrored else upright
    np.testing.assert_allclose(there.T, expected, atol=1e-9)


def test_ids_follow_from_slide_field_and_place_alone():
    about = {"identity": "a1", "marker": "CD8", "field_id": "centre-1"}
    ids = cell_ids(CELLS, **about)
    assert len(set(ids)) == 4
    assert cell_ids(CELLS.iloc[::-1], **about) == ids[::-1]
    assert not set(ids) & set(cell_ids(CELLS, **{**about, "identity": "b2"}))
    twice = pd.concat([CELLS, CELLS], ignore_index=True)
    assert len(set(cell_ids(twice, **about))) == 8


def test_geojson_has_id_name_field_and_run_and_no_removed_cell():
    rows = CELLS.assign(
        cell_id=["a", "b", "c", "d"], number=[2, 1, 4, 3], field_id="centre-1", slide="s", marker="CD8",
        diameter_um=8.0, chromogen_od=0.5, hematoxylin_od=0.2, confidence=0.9,
    )  # fmt: skip
    rows["class"] = ["Positive", "Negative", REMOVED, "Positive"]
    features = cells_geojson(rows, CLASS_COLOURS, mpp_um=0.5, run_key="k")["features"]
    assert [one["id"] for one in features] == ["a", "b", "d"]
    assert features[0]["properties"]["name"] == "centre-1 #2"
    assert features[0]["properties"]["metadata"] == {"field": "centre-1", "number": "2", "run": "k"}


def test_a_runs_key_follows_from_slide_settings_and_cells_not_from_drawing():
    record = {
        "slide": {"identity": "a1", "size_xy_px": [9, 9], "mpp_um": 0.5},
        "parameters": {"seed": 0, "negatives": False, "numbers": False},
        "marker": "CD8",
    }
    cells = pd.DataFrame({"cell_id": ["a", "b"], "class": ["Positive", "Negative"]})
    key = with_run_key(record, cells)[RUN_KEY]
    assert with_run_key({**record, "parameters": {"seed": 0, "numbers": True}}, cells)[RUN_KEY] == key
    assert with_run_key({**record, "parameters": {"seed": 1}}, cells)[RUN_KEY] != key
    assert with_run_key(record, cells.iloc[:1])[RUN_KEY] != key
    assert with_run_key(record, cells.iloc[::-1])[RUN_KEY] == key
