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
from ihcscore.output.tables import write_table
from ihcscore.schema import FIELDS
from ihcscore.serial import carry
from ihcscore.serial.carry import ReferenceFields
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
        (math.nan, math.nan, UNMATCHED),
        (10.0, math.nan, "lands beyond the edge of the scan"),
        (10.0, 0.0, "lands outside the tissue (0% tissue)"),
    ],
)
def test_why_a_field_is_not_scored(error_um: float, tissue: float, why: str) -> None:
    assert carry._why_unplaced(place(error_um), tissue, 100.0) == why


def test_squares_of_the_same_area_around_the_places() -> None:
    fields = pd.DataFrame(
        {"region": ["Tumour centre"], "field_id": ["centre-1"], "side_um": [200.0], "area_mm2": [0.04]}
    )
    (row,) = carry._placed(fields, [place(7.0, 500, 300, -30.0)], mpp_um=0.5).to_dict("records")
    assert (row["x_px"], row["y_px"], row["side_px"]) == (300.0, 100.0, 400.0)
    assert (row["angle_deg"], row["area_mm2"], row["registration_error_um"]) == (-30.0, 0.04, 7.0)


def test_tissue_of_turned_squares_and_those_off_the_scan() -> None:
    tissue = np.zeros((100, 100), bool)
    tissue[:, :50] = True
    frame = field_step.SamplingFrame(tissue=tissue, downsample=10.0, size_xy_px=(1000, 1000), side_px=200.0)
    fields = pd.DataFrame(
        {
            "x_px": [100.0, 400.0, 700.0, -1.0, 810.0],
            "y_px": [100.0, 400.0, 700.0, 100.0, 700.0],
            "side_px": 200.0,
            "angle_deg": [0.0, 45.0, 0.0, 0.0, 45.0],
        }
    )
    shares = carry._tissue_fractions(fields, frame)
    assert shares[:3] == pytest.approx([1.0, 0.5, 0.0], abs=0.03)
    assert all(map(math.isnan, shares[3:]))  # the last one only by its turn: its corner is at x = 1051


def folder_of(path: Path, status: str, source: str = "annotated") -> Path:
    blank = {column.name: {"str": "", "float": math.nan, "int": 0}[column.dtype] for column in FIELDS.columns}
    rows = [
        blank | {"field_id": "centre-1", "status": status},
        blank | {"field_id": "centre-2", "status": "rejected"},
    ]
    path.mkdir()
    write_table(path / "fields.csv", pd.DataFrame(rows), FIELDS)
    (path / "regions.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    record = {"regions": {"source": source}, "parameters": {"sampling": "given"}}
    (path / "run.json").write_text(json.dumps(record))
    return path


def test_only_scored_fields_are_carried(tmp_path: Path) -> None:
    found = ReferenceFields.read(Path("a.svs"), folder_of(tmp_path / "run", "scored"), mpp_um=0.25)
    assert list(found.fields["field_id"]) == ["centre-1"]
    assert (found.sampling, found.mpp_um) == ("given", 0.25)


def test_a_reference_without_scored_fields(tmp_path: Path) -> None:
    with pytest.raises(IhcscoreError, match=r"a\.svs: no field was scored on it"):
        ReferenceFields.read(Path("x/a.svs"), folder_of(tmp_path / "run", "failed"))
    with pytest.raises(IhcscoreError, match=r"a\.svs: its results cannot be read; score it again"):
        ReferenceFields.read(Path("x/a.svs"), tmp_path / "none")
