"""Why a carried field is not scored, and what of a reference's folder is read."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ihcscore import fields as field_step
from ihcscore.errors import IhcscoreError
from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square
from ihcscore.output.tables import write_table
from ihcscore.schema import FIELDS, RegionName
from ihcscore.serial import carry
from ihcscore.serial.carry import CarriedFields
from ihcscore.serial.pair import CarriedPlace

UNMATCHED = "this part of the section could not be matched with the reference"


def place(error_um: float = 10.0, x: float = 500.0, y: float = 500.0, angle_deg: float = 0.0) -> CarriedPlace:
    return CarriedPlace(xy_px=np.array([x, y]), angle_deg=angle_deg, error_um=error_um, distinct=True)


@pytest.mark.parametrize(
    ("error_um", "tissue", "why"),
    [
        (10.0, 1.0, ""),
        (100.0, 0.5, ""),  # the limit itself still counts
        (100.6, 1.0, "estimated registration error 101 µm, above 100"),
        (math.nan, 1.0, UNMATCHED),
        (math.nan, None, UNMATCHED),
        (10.0, None, "lands beyond the edge of the scan"),
        (10.0, 0.0, "lands outside the tissue (0% tissue)"),
    ],
)
def test_why_a_field_is_not_scored(error_um: float, tissue: float | None, why: str) -> None:
    assert carry._why_unplaced(place(error_um), tissue, 100.0) == why


def field_of(side_um: float) -> Field:
    return Field(
        field_id="centre-1",
        region=RegionName.TUMOUR_CENTRE,
        square=Square(x_px=0.0, y_px=0.0, side_px=1.0),
        area_mm2=(side_um / 1000) ** 2,
        tissue_fraction=1.0,
    )


FRAME = field_step.SamplingFrame(
    tissue=np.arange(100)[None].repeat(100, axis=0) < 50,
    downsample=10.0,
    size_xy_px=(1000, 1000),
    side_px=200.0,
)


def test_squares_of_the_same_area_around_the_places() -> None:
    found = carry._placed(field_of(200.0), place(7.0, 500, 300, -30.0), frame=FRAME, mpp_um=0.5, most_um=100)
    assert (found.square.x_px, found.square.y_px) == pytest.approx((300.0, 100.0))
    assert (found.square.side_px, found.square.angle_deg) == (pytest.approx(400.0), -30.0)
    assert (found.area_mm2, found.registration_error_um) == (pytest.approx(0.04), 7.0)


def test_tissue_of_turned_squares_and_those_off_the_scan() -> None:
    def carried(x: float, y: float, angle_deg: float) -> Field:
        middle = place(10.0, x + 100, y + 100, angle_deg)
        return carry._placed(field_of(100.0), middle, frame=FRAME, mpp_um=0.5, most_um=100)

    there = [carried(100.0, 100.0, 0.0), carried(400.0, 400.0, 45.0), carried(700.0, 700.0, 0.0)]
    assert [one.tissue_fraction for one in there] == pytest.approx([1.0, 0.5, 0.0], abs=0.03)
    # the last one only by its turn: its corner is at x = 1051
    for one in (carried(-1.0, 100.0, 0.0), carried(810.0, 700.0, 45.0)):
        assert one.unplaced == "lands beyond the edge of the scan"


def folder_of(path: Path, status: str, source: str = "annotated") -> Path:
    blank = {column.name: {"str": "", "float": math.nan, "int": 0}[column.dtype] for column in FIELDS.columns}
    centre = {"region": "Tumour centre"}
    rows = [
        blank | centre | {"field_id": "centre-1", "status": status},
        blank | centre | {"field_id": "centre-2", "status": "rejected"},
    ]
    path.mkdir()
    write_table(path / "fields.csv", pd.DataFrame(rows), FIELDS)
    (path / "annotations.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    record = {"annotations": {"source": source}, "sampling": "given"}
    (path / "run.json").write_text(json.dumps(record))
    return path


def test_only_scored_fields_are_carried(tmp_path: Path) -> None:
    found = CarriedFields.read(Path("a.svs"), folder_of(tmp_path / "run", "scored"), mpp_um=0.25)
    assert [one.field_id for one in found.fields] == ["centre-1"]
    assert (found.sampling, found.mpp_um) == ("given", 0.25)


def test_a_reference_without_scored_fields(tmp_path: Path) -> None:
    with pytest.raises(IhcscoreError, match=r"a\.svs: no field was scored on it"):
        CarriedFields.read(Path("x/a.svs"), folder_of(tmp_path / "run", "failed"))
    with pytest.raises(IhcscoreError, match=r"a\.svs: its results cannot be read; score it again"):
        CarriedFields.read(Path("x/a.svs"), tmp_path / "none")
