"""The main job on a MIRAX phantom of known truth."""

import json

import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
from PIL import Image

import ihcscore
from ihcscore import output, schema
from ihcscore.errors import AnnotationError
from ihcscore.run.drawn import DrawnFields
from ihcscore.run.given import GivenFields
from ihcscore.schema import REGION_COLOURS, FieldSettings, RegionSettings, RunSettings, Sampling

# The phantom's front is 600 µm wide in all, its fields a quarter of the study's.
SETTINGS = RunSettings(
    fields=FieldSettings(n_fields=3, field_area_mm2=0.08, seed=5), regions=RegionSettings(margin_um=600)
)


@pytest.fixture(scope="module")
def scored(phantom, tmp_path_factory):
    out = tmp_path_factory.mktemp("scored") / "out"
    result = ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=DrawnFields(outline=phantom.files.annotation),
        settings=SETTINGS,
        out=out,
    )
    return result, out


def test_pooled_density_is_close_to_the_truth_in_each_region(scored, phantom):
    result, _ = scored
    for region in ("Tumour centre", "Invasive front"):
        fields = result.fields[result.fields.region == region]
        # The section's cells have pixel centres at whole numbers, the fields' edges lie on corners.
        true = sum(
            phantom.section.n_positive_in(place.x_px - 0.5, place.y_px - 0.5, place.side_px)
            for place in fields.itertuples()
        )
        assert true > 60
        assert fields.n_positive.sum() / true == pytest.approx(1.0, abs=0.10)


def test_tables_are_as_the_schema_says(scored):
    result, out = scored
    for file, table, frame in (
        ("scores.csv", schema.SCORES, result.scores),
        ("fields.csv", schema.FIELDS, result.fields),
        ("cells.csv", schema.SLIDE_CELLS, result.cells),
    ):
        read = pd.read_csv(out / file)
        assert list(read.columns) == table.names
        assert len(read) == len(frame)
        kinds = {"int": "iu", "float": "fiu", "str": "OU"}
        for column in table.columns:
            if read[column.name].notna().all():
                assert read[column.name].dtype.kind in kinds[column.dtype] or column.dtype == "str", (
                    column.name
                )


def test_every_cell_lies_in_its_field_and_counts_add_up(scored):
    result, _ = scored
    joined = result.cells.merge(result.fields, on="field_id", suffixes=("", "_field"))
    assert len(joined) == len(result.cells)
    for axis in ("x_px", "y_px"):
        offset = joined[axis] + 0.5 - joined[f"{axis}_field"]
        assert offset.between(0, joined.side_px).all()
    counted = result.cells[["field_id", "class"]].value_counts()
    for row in result.fields.itertuples():
        assert counted.get((row.field_id, "Positive"), 0) == row.n_positive
        assert counted.get((row.field_id, "Negative"), 0) == row.n_negative
    both = result.scores.set_index("region").loc["Both regions"]
    assert result.fields.n_positive.sum() == both.n_positive
    assert result.scores.n_positive.sum() == 2 * both.n_positive


def test_the_same_bytes_when_run_twice(scored, phantom, tmp_path):
    _, first = scored
    ihcscore.score_slide(
        phantom.files.slide,
        profile="cd8",
        fields=DrawnFields(outline=phantom.files.annotation),
        settings=SETTINGS,
        out=tmp_path / "again",
    )
    names = sorted(f.relative_to(first) for f in first.rglob("*") if f.is_file())
    assert names == sorted(
        f.relative_to(tmp_path / "again") for f in (tmp_path / "again").rglob("*") if f.is_file()
    )
    for name in names:
        assert (first / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_no_path_of_this_machine_in_any_output(scored, phantom):
    _, out = scored
    for file in out.rglob("*"):
        if file.suffix in (".csv", ".json", ".geojson", ".html"):
            assert str(phantom.files.slide.parent) not in file.read_text(encoding="utf-8"), file.name


def test_record_says_what_was_done(scored):
    _, out = scored
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    assert record["ihcscore"] == ihcscore.__version__
    assert record["parameters"]["fields"]["seed"] == 5
    assert record["parameters"]["regions"]["margin_um"] == 600
    assert record["slide"]["mpp_um"] == pytest.approx(0.5)
    assert record["slide"]["identity"]
    assert record["annotations"]["source"] == "annotated"
    assert {"white", "hematoxylin", "chromogen"} <= set(record["stains"])
    assert "numpy" in record["packages"]
    written = {f.relative_to(out).as_posix() for f in out.rglob("*") if f.is_file()}
    assert set(record["files"]) | {"run.json"} == written


def test_fields_lie_in_their_regions(scored, phantom):
    result, _ = scored
    tumour = shapely.Polygon(phantom.section.tumour_px)
    for row in result.fields.itertuples():
        square = shapely.box(row.x_px, row.y_px, row.x_px + row.side_px, row.y_px + row.side_px)
        # 300 µm at 0.5 µm/px are 600 px; the outline in the file is rounded to 0.01 px
        if row.region == "Tumour centre":
            assert tumour.buffer(-599).contains(square)
        else:
            assert square.within(tumour.boundary.buffer(601))
        assert row.tissue_fraction >= 0.7


def test_geojson_is_what_qupath_reads(scored):
    result, out = scored
    cells = json.loads((out / "cells.geojson").read_text(encoding="utf-8"))
    assert len(cells["features"]) == len(result.cells)
    first, row = cells["features"][0], result.cells.iloc[0]
    assert first["properties"]["objectType"] == "detection"
    assert first["properties"]["classification"]["name"] == row["class"]
    centroid = shapely.Polygon(first["geometry"]["coordinates"][0]).centroid
    assert (centroid.x, centroid.y) == pytest.approx((row.x_px + 0.5, row.y_px + 0.5), abs=0.1)
    fields = json.loads((out / "fields.geojson").read_text(encoding="utf-8"))
    assert fields["features"][0]["properties"]["measurements"]["Num Positive"] == result.fields.n_positive[0]
    assert len({feature["id"] for feature in cells["features"]}) == len(cells["features"])


def test_written_regions_can_be_given_back(scored, phantom, tmp_path):
    result, out = scored
    again = ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=DrawnFields(outline=out / "annotations.geojson"),
        settings=SETTINGS,
    )
    pd.testing.assert_frame_equal(again.fields, result.fields)


def test_a_run_s_own_fields_stay_the_random_sample_they_are(scored, phantom, tmp_path):
    result, out = scored
    again = ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=GivenFields(file=out / "fields.geojson"),
        out=tmp_path / "given",
    )
    assert list(again.fields.field_id) == list(result.fields.field_id)
    assert list(again.fields.n_positive) == list(result.fields.n_positive)
    assert set(again.fields.sampling) == set(again.cells.sampling) == {"random"}
    assert list(again.scores.region) == ["Tumour centre", "Invasive front", "Both regions"]
    np.testing.assert_allclose(again.fields.area_mm2, 0.08)


def test_given_fields_need_no_class(phantom, tmp_path):
    square = shapely.geometry.mapping(shapely.box(2000, 2000, 2400, 2400))
    feature = {"type": "Feature", "geometry": square, "properties": {"objectType": "annotation"}}
    (tmp_path / "f.geojson").write_text(json.dumps([feature]), encoding="utf-8")
    result = ihcscore.score_slide(
        phantom.files.slide, profile="CD8", fields=GivenFields(file=tmp_path / "f.geojson")
    )
    assert list(result.scores.region) == ["Given fields", "Both regions"]
    assert result.fields.area_mm2[0] == pytest.approx(0.04)


def test_a_turned_field_holds_what_truth_says_is_in_it(scored, phantom, tmp_path):
    result, _ = scored
    fields = result.fields.assign(angle_deg=30.0)
    (tmp_path / "f.geojson").write_text(
        json.dumps(output.fields_geojson(fields, REGION_COLOURS)), encoding="utf-8"
    )
    again = ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=GivenFields(file=tmp_path / "f.geojson"),
        out=tmp_path / "turned",
    )
    np.testing.assert_allclose(again.fields.angle_deg, 30)
    np.testing.assert_allclose(again.fields.area_mm2, 0.08)
    np.testing.assert_allclose(again.fields.focus, result.fields.focus, rtol=0.1)
    assert again.fields.registration_error_um.isna().all()
    truth = phantom.section.cells[phantom.section.cells["class"] == "Positive"]
    n_true = 0
    for row in again.fields.itertuples():
        upright = shapely.box(row.x_px, row.y_px, row.x_px + row.side_px, row.y_px + row.side_px)
        # shapely turns from x towards y, which is clockwise where y runs down
        square = shapely.affinity.rotate(upright, 30, origin="center")
        n_true += shapely.contains_xy(square, truth["x_px"] + 0.5, truth["y_px"] + 0.5).sum()
        held = again.cells[again.cells.field_id == row.field_id]
        assert shapely.contains_xy(square.buffer(1e-6), held["x_px"] + 0.5, held["y_px"] + 0.5).all()
        outside = np.array(square.bounds) - upright.bounds
        assert np.abs(outside).min() > 50
    assert n_true > 120
    assert again.fields.n_positive.sum() == pytest.approx(n_true, rel=0.10)
    assert not (again.fields.n_positive == result.fields.n_positive).all()
    with Image.open(
        tmp_path / "turned" / "overlays" / f"S07_CD8_{again.fields.field_id[0]}-plain.jpg"
    ) as picture:
        # 566 px · (cos 30° + sin 30°) = 773 px, and 12 µm on each side
        assert picture.size == (821, 821)


@pytest.mark.parametrize(
    ("box", "says"), [((0, 0, 400, 200), "expected a square"), ((9000, 0, 9400, 400), "sticks out")]
)
def test_given_fields_that_cannot_be_are_refused(phantom, tmp_path, box, says):
    feature = {"type": "Feature", "geometry": shapely.geometry.mapping(shapely.box(*box)), "properties": {}}
    (tmp_path / "f.geojson").write_text(json.dumps([feature]), encoding="utf-8")
    with pytest.raises(AnnotationError, match=says):
        ihcscore.score_slide(
            phantom.files.slide, profile="CD8", fields=GivenFields(file=tmp_path / "f.geojson")
        )


def test_hot_spots_are_labelled_in_every_table(scored, phantom):
    result, _ = scored
    hot = RunSettings(
        fields=FieldSettings(field_area_mm2=0.08, sampling=Sampling.HOTSPOT),
        regions=RegionSettings(margin_um=600),
    )
    spots = ihcscore.score_slide(
        phantom.files.slide, profile="CD8", fields=DrawnFields(outline=phantom.files.annotation), settings=hot
    )
    for table in (spots.scores, spots.fields, spots.cells):
        assert set(table.sampling) == {"hotspot"}
    assert (spots.scores.mean_per_mm2 > result.scores.mean_per_mm2).all()
    assert any("hot spots" in note.text for note in spots.notes)


def test_without_annotation_everything_says_proposed(phantom, tmp_path):
    out = tmp_path / "out"
    result = ihcscore.score_slide(phantom.files.slide, profile="CD8", settings=SETTINGS, out=out)
    said = "proposed, not confirmed"
    assert set(pd.read_csv(out / "fields.csv").region_source) == {said}
    assert set(pd.read_csv(out / "scores.csv").region_source) == {said}
    assert json.loads((out / "run.json").read_text(encoding="utf-8"))["annotations"]["source"] == said
    assert "not confirmed" in (out / "report.html").read_text(encoding="utf-8")
    assert any(said in note.text for note in result.notes)
    proposal = json.loads((out / "annotations.geojson").read_text(encoding="utf-8"))
    polygons = [shapely.geometry.shape(feature["geometry"]) for feature in proposal["features"]]
    assert {feature["properties"]["classification"]["name"] for feature in proposal["features"]} == {"Tumor"}
    truth = shapely.Polygon(phantom.section.tumour_px)
    found = shapely.union_all(polygons)
    assert 2 * found.intersection(truth).area / (found.area + truth.area) > 0.85


def test_nothing_is_written_without_a_folder(phantom, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ihcscore.score_slide(
        phantom.files.slide,
        profile="CD8",
        fields=DrawnFields(outline=phantom.files.annotation),
        settings=SETTINGS,
    )
    assert list(tmp_path.iterdir()) == []
