import json
import math
from pathlib import Path

import pandas as pd
import pytest
import shapely

from ihcscore import output
from ihcscore.errors import OutputError
from ihcscore.report.numbers import (
    format_count,
    format_density,
    format_number,
    format_percent,
    format_value,
)
from ihcscore.schema import DEMO, SCORES


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7.69, "7.7"), (9.96, "10"), (123.4, "123"), (math.nan, "–"), (None, "–"), (pd.NA, "–")],
)
def test_densities_are_rounded_for_people(value, text):
    assert format_density(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 %"), (0.004, "0.4 %"), (0.7, "70 %"), (1, "100 %"), (math.nan, "–")]
)
def test_shares_are_percent(value, text):
    assert format_percent(value) == text


def test_numbers_have_four_digits():
    assert format_number(0.22714) == "0.2271"
    assert format_number(math.inf) == "–"


@pytest.mark.parametrize(("n", "text"), [(999, "999"), (10_500, "10 500"), (1_000_000, "1 000 000")])
def test_thousands_stand_apart(n, text):
    assert format_count(n) == text


def test_a_table_must_be_as_its_schema_says(tmp_path):
    with pytest.raises(ValueError, match="scores: columns"):
        output.write_table(tmp_path / "a.csv", pd.DataFrame({"slide": ["a"]}), SCORES)
    assert list(tmp_path.iterdir()) == []


def test_numbers_in_tables_are_not_rounded(tmp_path):
    row = dict.fromkeys(DEMO.names, 1 / 3)
    output.write_table(tmp_path / "a.csv", pd.DataFrame([row]), DEMO)
    assert pd.read_csv(tmp_path / "a.csv").ratio[0] == 1 / 3


def test_json_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        output.write_json(tmp_path / "a.json", {"x": math.nan})


class TestOutputFolder:
    def test_files_arrive_together_and_the_record_last(self, tmp_path):
        out = tmp_path / "deep" / "out"
        with output.OutputFolder(out) as folder:
            folder.new_file("a.csv").write_text("a", encoding="utf-8")
            folder.new_file("pictures", "b.png").write_text("b", encoding="utf-8")
            assert not out.exists()
            output.write_json(folder.new_file("run.json"), {"files": folder.files()})
        assert (out / "pictures" / "b.png").read_text(encoding="utf-8") == "b"
        assert json.loads((out / "run.json").read_text(encoding="utf-8"))["files"] == [
            "a.csv",
            "pictures/b.png",
        ]
        assert [f.name for f in out.parent.iterdir()] == ["out"]

    def test_an_error_leaves_nothing(self, tmp_path):
        def fail():
            with output.OutputFolder(tmp_path / "out") as folder:
                folder.new_file("a.csv").write_text("a", encoding="utf-8")
                raise RuntimeError("bug")

        with pytest.raises(RuntimeError, match="bug"):
            fail()
        assert list(tmp_path.iterdir()) == []

    def test_a_full_disk_is_one_clear_error(self, tmp_path):
        def fill():
            with output.OutputFolder(tmp_path / "out"):
                raise OSError(28, "No space left on device")

        with pytest.raises(OutputError, match="No space left on device"):
            fill()
        assert list(tmp_path.iterdir()) == []

    def test_a_record_cannot_make_it_remove_files_elsewhere(self, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        precious = tmp_path / "precious.txt"
        precious.write_text("keep", encoding="utf-8")
        inside = out / "old.csv"
        inside.write_text("old", encoding="utf-8")
        record = {"files": ["../precious.txt", str(precious), "old.csv", 7]}
        (out / "run.json").write_text(json.dumps(record), encoding="utf-8")
        with output.OutputFolder(out, overwrite=True) as folder:
            folder.new_file("new.csv").write_text("new", encoding="utf-8")
        assert precious.exists()
        assert sorted(f.name for f in out.iterdir()) == ["new.csv"]


def test_regions_as_annotations_with_holes():
    ring = shapely.box(0, 0, 100, 100).difference(shapely.box(20, 20, 50, 50))
    collection = output.regions_geojson(
        {"Tumor": (ring, (200, 0, 0)), "Ignore*": (shapely.Point(), (1, 2, 3))}, slide="a"
    )
    (feature,) = collection["features"]
    assert feature["properties"]["classification"] == {"name": "Tumor", "color": [200, 0, 0]}
    assert shapely.geometry.shape(feature["geometry"]).equals(ring)


def test_geojson_is_short_and_reads_back(tmp_path):
    ring = shapely.box(0, 0, 1000.123456, 100)
    collection = output.regions_geojson({"Tumor": (ring, (200, 0, 0))}, slide="é")
    output.write_geojson(tmp_path / "a.geojson", collection)
    text = (tmp_path / "a.geojson").read_text(encoding="utf-8")
    assert json.loads(text) == collection
    assert "1000.12," in text
    assert " " not in text.replace("Tumor", "")
    output.write_geojson(tmp_path / "none.geojson", collection | {"features": []})
    assert json.loads((tmp_path / "none.geojson").read_text())["features"] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.09999999999999987, "\N{MINUS SIGN}0.100"), (9.996, "10.0"), (-0.00001, "0.0000"), (0.0, "0")],
)
def test_the_digits_are_those_of_the_rounded_number(value, text):
    assert format_value(value) == text


def test_names_that_two_images_share_keep_their_endings():
    files = [Path("a/t.png"), Path("a/t.tif"), Path("a/u.png")]
    assert output.distinct_names(files) == dict(zip(files, ["t.png", "t.tif", "u"], strict=True))
