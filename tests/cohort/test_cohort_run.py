"""A cohort from manifest to tables and page, beside its truth; what fails and what cannot be placed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image

from drawn_cohort import SETTINGS, SLIDES, WORDS, Scored, tree
from ihcscore.cohort import score_cohort, work
from ihcscore.geometry.field import square_of
from ihcscore.report import format_density
from ihcscore.schema import COHORT_FIELDS, COHORT_SCORES, MARKER_SUMMARY, SAMPLE_SUMMARY
from ihcscore.serial.carry import CarriedFields
from ihcscore.synthetic import CohortFiles, true_map


def read(out: Path, name: str) -> pd.DataFrame:
    """A table as text."""
    return pd.read_csv(out / name, dtype=str, keep_default_na=False)


def rows(out: Path, name: str, sample_id: str, marker: str) -> pd.DataFrame:
    table = read(out, name)
    return table[(table["sample_id"] == sample_id) & (table["marker"] == marker)]


def test_folders_and_tables(scored: Scored) -> None:
    out = scored.out
    for sample, marker in SLIDES:
        folder = out / sample / marker
        record = json.loads((folder / "run.json").read_text())
        assert record["command"] == "run"
        files = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
        assert files == sorted([*record["files"], "run.json"])
        assert {"scores.csv", "fields.csv", "cells.csv", "report.html", "overview.png"} <= set(files)
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        "P1-A", "P2-A", "fields.csv", "markers.csv", "report.html", "run.json", "samples.csv", "scores.csv"
    ]  # fmt: skip
    for name, schema in (
        ("scores.csv", COHORT_SCORES),
        ("fields.csv", COHORT_FIELDS),
        ("samples.csv", SAMPLE_SUMMARY),
        ("markers.csv", MARKER_SUMMARY),
    ):
        assert list(read(out, name).columns) == schema.names
    scores = read(out, "scores.csv")
    ids = list(scores[["patient_id", "sample_id", "marker", "region"]].itertuples(index=False, name=None))
    regions = ("Tumour centre", "Invasive front", "Both regions")
    assert ids == [
        ({"P1-A": "007", "P2-A": "P2"}[sample], sample, marker, region)
        for sample, marker in SLIDES
        for region in regions
    ]
    for name in ("n_fields", "n_scored"):
        assert list(scores[name]) == ["2", "2", "4"] * 4
    assert set(scores["missing"]) == {""}
    assert set(read(out, "fields.csv")["patient_id"]) == {"007", "P2"}


def test_fields_lie_on_the_same_tissue(scored: Scored, cohort: CohortFiles) -> None:
    table = pd.read_csv(scored.out / "fields.csv", dtype={"patient_id": str})
    n_checked = 0
    for sample in ("P1-A", "P2-A"):
        own = table[table["sample_id"] == sample]
        here, there = own[own["marker"] == "CD3"], own[own["marker"] == "CD8"]
        assert list(there["field_id"]) == list(here["field_id"])
        assert list(there["region"]) == list(here["region"])
        assert here["registration_error_um"].isna().all()
        assert there["registration_error_um"].between(0, 100).all()
        assert there["area_mm2"].tolist() == here["area_mm2"].tolist() == [0.02] * 4
        assert (here["angle_deg"] == 0).all()
        reference, other = cohort.reference(sample), cohort.of(sample, "CD8")
        centres = [
            slide[["x_px", "y_px"]].to_numpy() + slide[["side_px"]].to_numpy() / 2 for slide in (here, there)
        ]
        true = true_map(reference, other, centres[0])
        assert (np.hypot(*(true - centres[1]).T) * other.mpp_um < 30).all()
        # a short way on the reference, and where it goes on the other slide
        right, down = (true_map(reference, other, centres[0] + step) - true for step in ([20, 0], [0, 20]))
        mirrored = right[0, 0] * down[0, 1] < right[0, 1] * down[0, 0]
        way = -right if mirrored else right  # the turn is told after x was mirrored
        turned = np.degrees(np.arctan2(way[:, 1], way[:, 0])) - there["angle_deg"].to_numpy()
        assert (np.abs((turned + 180) % 360 - 180) < 5).all()
        n_checked += len(there)
    assert n_checked == 8


def test_counts_are_near_the_truth(scored: Scored, cohort: CohortFiles) -> None:
    table = pd.read_csv(scored.out / "fields.csv")
    for sample, marker in SLIDES:
        truth = cohort.of(sample, marker)
        own = table[(table["sample_id"] == sample) & (table["marker"] == marker)]
        true = [truth.n_positive_in(square_of(row)) for row in own.to_dict("records")]
        # at 1 µm a pixel neighbours run together
        assert sum(own["n_positive"]) == pytest.approx(sum(true), rel=0.3, abs=5)


def test_summaries(scored: Scored) -> None:
    fields = pd.read_csv(scored.out / "fields.csv")
    samples = pd.read_csv(scored.out / "samples.csv")
    markers = pd.read_csv(scored.out / "markers.csv")
    density = fields.query("sample_id == 'P2-A' and marker == 'CD8'")["positive_per_mm2"]
    row = samples.query("sample_id == 'P2-A' and marker == 'CD8' and region == 'Both regions'").iloc[0]
    assert row["n_scored"] == 4
    assert row["mean_per_mm2"] == pytest.approx(density.sum() / 4)
    assert row["sd_per_mm2"] == pytest.approx(np.sqrt(((density - density.mean()) ** 2).sum() / 3))
    means = samples.query("marker == 'CD8' and region == 'Both regions'")["mean_per_mm2"].tolist()
    row = markers.query("marker == 'CD8' and region == 'Both regions'").iloc[0]
    assert row["n_samples"] == 2
    assert [row["mean_per_mm2"], row["min_per_mm2"], row["max_per_mm2"], row["median_per_mm2"]] == (
        pytest.approx([sum(means) / 2, min(means), max(means), sum(means) / 2])
    )


def test_page_shows_the_papers_table_and_leads_to_files(scored: Scored) -> None:
    page = (scored.out / "report.html").read_text(encoding="utf-8")
    text = " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
    samples = pd.read_csv(scored.out / "samples.csv")
    both = samples[samples["region"] == "Both regions"]
    assert len(both) == 4
    for row in both.itertuples():
        assert f"{format_density(row.mean_per_mm2)} ± {format_density(row.sd_per_mm2)} (4)" in text
    for row in pd.read_csv(scored.out / "markers.csv").itertuples():
        assert f"{format_density(row.min_per_mm2)} to {format_density(row.max_per_mm2)}" in text
    assert "007" in text
    links = re.findall(r'(?:href|src)="(?!data:)([^"#]+)"', page)
    for link in links:
        assert (scored.out / link).is_file(), link
    for sample, marker in SLIDES:
        assert f"{sample}/{marker}/report.html" in links
        assert f"{sample}/{marker}/overlays/{sample}_{marker}_{marker}_centre-1.png" in links
    assert "data:image/svg+xml" in page


def test_contact_sheet_holds_each_field_on_both_stains(scored: Scored) -> None:
    for sample in ("P1-A", "P2-A"):
        with Image.open(scored.out / sample / "contact.jpg") as sheet:
            sheet.load()
        assert sheet.format == "JPEG"
        # 4 rows of 2 squares: higher than wide
        assert sheet.height > 1.5 * sheet.width > 200


def test_nothing_says_where_or_when(scored: Scored, cohort: CohortFiles) -> None:
    # also the part of their path that only they have
    places = [cohort.manifest.parent, scored.out.parent]
    forbidden = [str(Path.home()) + "/", *map(str, places), *(place.name for place in places)]
    forbidden.append(date.today().isoformat())
    for path in scored.out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            for word in forbidden:
                assert word.encode() not in content, (path, word)


def test_progress_tells_the_time_left(scored: Scored) -> None:
    said = (scored.out.parent / "progress.txt").read_text().splitlines()
    assert said[:2] == ["looking at slide 1 of 4", "0 of 4 slides"]
    assert re.fullmatch(r"1 of 4 slides, about \d+ s left", said[2])
    assert said[-2:] == ["4 of 4 slides", "tables and report"]


def test_two_workers_make_the_same_bytes(scored: Scored, tmp_path: Path) -> None:
    result = score_cohort(scored.manifest, out=tmp_path / "two", settings=SETTINGS, workers=2)
    assert tree(tmp_path / "two") == tree(scored.out)
    assert result.errors == {}
    pd.testing.assert_frame_equal(result.scores, scored.result.scores)


def test_a_missing_and_a_damaged_slide_fail_by_name(ihcscore_command, copy: Scored) -> None:
    (copy.manifest.parent / "slides" / "broken.svs").write_bytes(b"no slide at all")
    copy.edit({"P1-A CD8": {"slide": "slides/gone.mrxs"}, "P2-A CD8": {"slide": "slides/broken.svs"}})
    before = {name: tree(copy.out / name / "CD3") for name in ("P1-A", "P2-A")}
    shown = ihcscore_command(
        "cohort", copy.manifest, "--out", copy.out, "--resume", "--keep-going", "--quiet", *WORDS
    )
    assert shown.status == 3
    assert shown.err.splitlines() == [
        "ihcscore: P1-A CD8: slides/gone.mrxs: no such file",
        "ihcscore: P2-A CD8: broken.svs: not a slide that OpenSlide or tifffile can read "
        "(damaged, or another format)",
    ]
    failed = rows(copy.out, "scores.csv", "P1-A", "CD8")
    assert set(failed["missing"]) == {"slides/gone.mrxs: no such file"}
    assert set(failed["mean_per_mm2"]) == {""}
    assert set(failed["n_scored"]) == {"0"}
    assert list(failed["region"]) == ["Tumour centre", "Invasive front", "Both regions"]
    assert rows(copy.out, "fields.csv", "P1-A", "CD8").empty
    assert set(rows(copy.out, "scores.csv", "P1-A", "CD3")["missing"]) == {""}
    assert {name: tree(copy.out / name / "CD3") for name in before} == before
    assert json.loads((copy.out / "run.json").read_text())["errors"].keys() == {"P1-A CD8", "P2-A CD8"}
    page = (copy.out / "report.html").read_text()
    assert "slides/gone.mrxs: no such file" in page
    for link in re.findall(r'(?:href|src)="(?!data:)([^"#]+)"', page):
        assert (copy.out / link).is_file(), link
    # Results of a slide that is not reachable now are not thrown away, those of another slide are.
    assert (copy.out / "P1-A" / "CD8" / "run.json").exists()
    assert not (copy.out / "P2-A" / "CD8").exists()


def test_a_reference_that_fails_stops_its_sample_only(copy: Scored) -> None:
    glass = copy.manifest.parent / "slides" / "glass.tif"
    tifffile.imwrite(
        glass, np.full((1024, 1024, 3), 243, np.uint8), tile=(256, 256), photometric="rgb", compression="jpeg"
    )
    copy.edit({"P1-A CD3": {"slide": "slides/glass.tif", "mpp_um": "1.0", "annotations": ""}})
    result = copy.resume()
    assert set(result.errors) == {("P1-A", "CD3"), ("P1-A", "CD8")}
    assert "no tissue" in result.errors["P1-A", "CD3"]
    assert result.errors["P1-A", "CD8"] == (
        "P1-A_CD8.mrxs: no fields to carry over, because its reference glass.tif failed"
    )
    assert result.n_done_before == 2
    assert set(result.samples["sample_id"]) == {"P2-A"}
    assert not (copy.out / "P1-A" / "contact.jpg").exists()
    assert (copy.out / "P2-A" / "contact.jpg").exists()


def test_a_mistake_of_the_program_stops_one_slide(copy: Scored, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(path: Path, **_: object) -> None:
        raise ZeroDivisionError(f"in {path}\nat {copy.out}/P1-A/CD8/overlays")

    monkeypatch.setattr(work, "score_slide", stumble)
    copy.edit({"P1-A CD8": {"profile": "CD4"}})
    result = copy.resume()
    assert result.errors == {
        ("P1-A", "CD8"): "P1-A_CD8.mrxs: ZeroDivisionError: in slides/P1-A_CD8.mrxs at P1-A/CD8/overlays"
    }
    assert len(result.scores) == 12


def test_all_slides_fail(ihcscore_command, cohort: CohortFiles, tmp_path: Path) -> None:
    manifest = tmp_path / "cohort.csv"
    manifest.write_text(
        f"patient_id,sample_id,slide,marker\np,s,a.svs,CD3\np,s,b.svs,CD8\np,t,{cohort.slides[0].slide},CD99\n"
    )
    shown = ihcscore_command("cohort", manifest, "--out", tmp_path / "out", "--keep-going", "--quiet")
    assert shown.status == 3
    assert shown.err.splitlines()[:2] == [
        "ihcscore: s CD3: a.svs: no such file",
        "ihcscore: s CD8: b.svs: no fields to carry over, because its reference a.svs failed",
    ]
    assert shown.err.splitlines()[2].startswith("ihcscore: t CD99: CD99: unknown marker; known are CD25")
    assert len(read(tmp_path / "out", "scores.csv")) == 9
    assert list(read(tmp_path / "out", "fields.csv").columns) == COHORT_FIELDS.names
    assert "not scored. a.svs: no such file" in (tmp_path / "out" / "report.html").read_text()


def test_unsure_fields_are_not_scored_and_the_tables_say_why(ihcscore_command, copy: Scored) -> None:
    shown = ihcscore_command(
        "cohort", copy.manifest, "--out", copy.out, "--resume", "--quiet", *WORDS,
        "--max-registration-error-um", 0.5,
    )  # fmt: skip
    assert (shown.status, shown.out) == (0, "")  # nothing failed
    fields = rows(copy.out, "fields.csv", "P1-A", "CD8")
    assert set(fields["status"]) == {"unplaced"}
    assert set(fields["positive_per_mm2"]) == {""}
    for row in fields.to_dict("records"):
        error_um = float(row["registration_error_um"])
        assert row["error"] == (
            f"field {row['field_id']} not placed: estimated registration error {error_um:.0f} µm, above 0.5"
        )
    scores = rows(copy.out, "scores.csv", "P1-A", "CD8")
    assert list(scores["missing"]) == [f"0 of {n} fields: {n} not placed on this slide" for n in (2, 2, 4)]
    assert list(scores["n_unplaced"]) == ["2", "2", "4"]
    assert all("estimated registration error" in text for text in scores["warnings"])
    assert set(rows(copy.out, "scores.csv", "P1-A", "CD3")["missing"]) == {""}
    assert "2 not placed on this slide" in (copy.out / "report.html").read_text()
    assert set(read(copy.out, "samples.csv")["marker"]) == {"CD3"}


def test_other_tissue_cannot_be_matched(copy: Scored) -> None:
    copy.edit({"P1-A CD8": {"slide": "slides/P2-A_CD8.mrxs"}})
    result = copy.resume()
    assert result.errors == {}
    fields = rows(copy.out, "fields.csv", "P1-A", "CD8")
    assert set(fields["status"]) == {"unplaced"}
    assert all("could not be matched with the reference" in text for text in fields["error"])
    assert set(fields["registration_error_um"]) == {""}
    folder = copy.out / "P1-A" / "CD8"
    record = json.loads((folder / "run.json").read_text())
    assert record["carried"]["registration"]["confirmed"] is False
    # outlines by a map that does not hold would be taken for the tumour's
    assert json.loads((folder / "annotations.geojson").read_text())["features"] == []


def test_a_region_without_a_field_on_the_reference_has_its_row(
    copy: Scored, monkeypatch: pytest.MonkeyPatch
) -> None:
    def centre_only(*words: object, **options: object) -> CarriedFields:
        found = real(*words, **options)
        return replace(found, fields=tuple(one for one in found.fields if one.region == "Tumour centre"))

    real = CarriedFields.read
    monkeypatch.setattr(CarriedFields, "read", centre_only)
    copy.edit({"P1-A CD8": {"profile": "CD4"}})
    copy.resume()
    scores = rows(copy.out, "scores.csv", "P1-A", "CD8")
    assert list(scores["region"]) == ["Tumour centre", "Invasive front", "Both regions"]
    assert list(scores["n_fields"]) == ["2", "2", "4"]
    assert list(scores["n_scored"]) == ["2", "0", "2"]
    assert scores["missing"].iloc[1].startswith("0 of 2 fields: ")
    assert scores["mean_per_mm2"].iloc[1] == ""
