"""Given fields: squares, upright or turned, there and back."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import affinity
from shapely.geometry import mapping

from ihcscore.errors import AnnotationError
from ihcscore.fields import SamplingFrame, check_fields_on_slide
from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square
from ihcscore.output.geojson import fields_geojson
from ihcscore.regions.qupath import parse_areas
from ihcscore.run.given import fields_from
from ihcscore.schema import REGION_COLOURS, RegionName

FRAME = SamplingFrame(
    tissue=np.ones((10, 10), bool), downsample=100.0, size_xy_px=(1000, 1000), side_px=100.0
)


def parsed(*polygons):
    features = [{"type": "Feature", "geometry": mapping(p), "properties": {}} for p in polygons]
    return read_again(features)


def read_again(geojson):
    areas = parse_areas(json.dumps(geojson), name="f.geojson").areas
    return pd.DataFrame(
        [one.as_row() for one in fields_from(areas, frame=FRAME, mpp_um=0.5, name="f.geojson")]
    )


@given(st.floats(0, 200_000), st.floats(0, 200_000), st.floats(50, 5000), st.floats(-360, 360))
def test_fields_written_and_read_again_are_the_same(x, y, side, angle):
    field = {"slide": "s", "field_id": "centre-1", "region": "Tumour centre", "x_px": x, "y_px": y}
    fields = pd.DataFrame([field | {"side_px": side, "angle_deg": angle}])
    (again,) = read_again(fields_geojson(fields, REGION_COLOURS)).to_dict("records")
    assert (again["field_id"], again["region"]) == ("centre-1", "Tumour centre")
    assert again["side_px"] == pytest.approx(side, abs=1e-6)
    assert again["x_px"] + again["side_px"] / 2 == pytest.approx(x + side / 2, abs=1e-6)
    assert again["y_px"] + again["side_px"] / 2 == pytest.approx(y + side / 2, abs=1e-6)
    assert -45 - 1e-6 < again["angle_deg"] <= 45 + 1e-6
    beyond = (again["angle_deg"] - angle) % 90
    assert min(beyond, 90 - beyond) < 1e-6


def test_an_upright_square_is_read_to_the_last_bit():
    (row,) = parsed(shapely.box(0.1, 0.2, 100.7, 100.8)).to_dict("records")
    assert (row["x_px"], row["y_px"], row["angle_deg"]) == (0.1, 0.2, 0.0)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_diamond_by_hand(backwards):
    ring = [(100, 0), (200, 100), (150, 150), (100, 200), (0, 100)]
    (row,) = parsed(shapely.Polygon(ring[::-1] if backwards else ring)).to_dict("records")
    side = 100 * np.sqrt(2)
    assert (row["side_px"], row["angle_deg"]) == (pytest.approx(side), pytest.approx(45))
    assert (row["x_px"], row["y_px"]) == (pytest.approx(100 - side / 2), pytest.approx(100 - side / 2))


def test_a_square_drawn_by_hand_is_near_enough():
    corners = Square(x_px=100, y_px=100, side_px=400, angle_deg=20).corners_xy_px + np.array(
        [(1, -1), (0, 1), (-1, 0), (1, 1)]
    )
    (row,) = parsed(shapely.Polygon(corners)).to_dict("records")
    assert row["side_px"] == pytest.approx(400, abs=2)
    assert row["angle_deg"] == pytest.approx(20, abs=0.3)


TURNED = shapely.Polygon(Square(x_px=100, y_px=100, side_px=400, angle_deg=20).corners_xy_px)


@pytest.mark.parametrize(
    "shape",
    [
        shapely.box(0, 0, 400, 200),
        affinity.rotate(shapely.box(0, 0, 400, 392), 20),
        affinity.rotate(affinity.skew(shapely.box(0, 0, 400, 400), 2), 20),
        shapely.Point(300, 300).buffer(100),
        shapely.Polygon([(0, 0), (400, 100), (150, 300)]),
        TURNED.difference(shapely.Point(300, 300).buffer(100)),
        shapely.MultiPolygon([TURNED, affinity.translate(TURNED, 900, 0)]),
    ],
)
def test_what_is_no_square_is_refused(shape):
    with pytest.raises(AnnotationError, match=r"feature 1: spans .* expected a square, upright or turned"):
        parsed(shape)


def test_the_corners_of_a_turned_field_must_lie_on_the_slide():
    def checked(angle):
        fields = [
            Field(
                field_id=name,
                region=RegionName.GIVEN,
                square=Square(x_px=at, y_px=at, side_px=100.0, angle_deg=turn),
                area_mm2=0.01,
                tissue_fraction=1.0,
            )
            for name, at, turn in (("a", 0.0, angle), ("b", 200.0, 45.0))
        ]
        return check_fields_on_slide(fields, size_xy_px=(400, 400), name="f.geojson")

    assert checked(0.0) == []
    with pytest.raises(AnnotationError, match="field a sticks out"):
        checked(10.0)
