"""From a manifest to the table that correlate reads, and the page."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pydicom
import pytest

from drawn_pet import SPHERES, change, tracer, write_drawn
from ihcscore.errors import OutputError, TableError
from ihcscore.output import read_table
from ihcscore.pet import read_uptake
from ihcscore.pictures import read_rgb
from ihcscore.schema import LESIONS, SCANS, SuvKind, SuvSettings
from ihcscore.suv import measure_scans
from ihcscore.synthetic.disk.pet_series import Dialect, PetScan, draw_uptake, write_pet_series
from ihcscore.synthetic.disk.pet_volumes import write_contours, write_spheres

SCAN = PetScan()
DIALECTS = (Dialect.SIEMENS, Dialect.GE_PRIVATE, Dialect.PHILIPS)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Three patients by three makers, two scans each, contours and an organ."""
    folder = tmp_path_factory.mktemp("scans")
    lines = ["patient_id,timepoint,pet,voi"]
    organ = replace(SPHERES[1], name="liver", centre_mm=(40.0, 50.0, 0.0), diameter_mm=30.0)
    for number, dialect in enumerate(DIALECTS, 1):
        for timepoint, share in (("baseline", 1.0), ("on_treatment", 0.8)):
            own = [replace(one, suv=one.suv * share * (1 + 0.1 * number)) for one in SPHERES]
            at = folder / f"p{number}" / timepoint
            suv = draw_uptake(SCAN, [*own, organ], background=0.5)
            write_pet_series(at / "pet", suv, SCAN, dialect, key=f"{number}{timepoint}")
            write_contours(at / "rs.dcm", own, SCAN, key=f"{number}{timepoint}")
            write_contours(at / "organs.dcm", [organ], SCAN, key=f"{number}{timepoint}")
            base = f"p{number}/{timepoint}"
            lines.append(f"P{number},{timepoint},{base}/pet,{base}/rs.dcm;{base}/organs.dcm")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def measured(scans, tmp_path_factory):
    out = tmp_path_factory.mktemp("suv") / "out"
    return out, measure_scans(scans / "manifest.csv", out=out)


def test_tables_hold_what_was_drawn(measured):
    out, result = measured
    assert all("GE scan time" in one for one in result.warnings)  # that the series was saved later
    lesions = read_table(out / "lesions.csv", LESIONS)
    assert len(lesions) == 18
    first = lesions[(lesions["lesion_id"] == "L1") & (lesions["timepoint"] == "baseline")]
    assert first["suv_max"].to_numpy() == pytest.approx([4.4, 4.8, 5.2], rel=2e-4)
    assert set(lesions["suv_unit"]) == {"g/ml bw"}
    assert lesions["weight_kg"].to_numpy() == pytest.approx(80)
    assert lesions["injected_mbq"].to_numpy() == pytest.approx(200)
    organs = lesions[lesions["tissue"] == "liver"]
    assert (organs["lesion_id"] == "").all()
    assert organs["tlg"].isna().all()
    table = read_table(out / "scans.csv", SCANS)
    assert table["units"].tolist() == ["BQML", "BQML", "BQML", "BQML", "CNTS", "CNTS"]
    assert table["uptake_min"].to_numpy() == pytest.approx(60)
    assert (table["error"] == "").all()


def test_correlate_reads_the_table_without_a_warning(measured):
    out, _ = measured
    table = read_uptake(out / "lesions.csv")
    assert table.warnings == []
    assert table.rows["is_lesion"].sum() == 12


def test_lesions_go_into_correlate_with_no_step_between(measured, tmp_path, ihcscore_command):
    out, _ = measured
    scores = ["patient_id,sample_id,marker,region,positive_per_mm2"]
    scores += [f"P{n},S{n},CD8,Tumour centre,{100 * n}" for n in (1, 2, 3)]
    (tmp_path / "scores.csv").write_text("\n".join(scores) + "\n")
    shown = ihcscore_command(
        "correlate", tmp_path / "scores.csv", out / "lesions.csv", "--out", tmp_path / "c", "-q"
    )
    assert shown.status == 0
    assert "lesions.csv" not in shown.err
    joined = pd.read_csv(tmp_path / "c" / "joined.csv")
    assert joined["lesions_max"].to_numpy() == pytest.approx([4.4, 4.8, 5.2], rel=2e-4)


def test_files_and_pictures(measured):
    out, _ = measured
    record = json.loads((out / "run.json").read_text())
    assert sorted(record["files"] + ["run.json"]) == sorted(
        str(file.relative_to(out)) for file in out.rglob("*") if file.is_file()
    )
    assert len(list((out / "voi").glob("*.png"))) == 18
    mips = sorted(out.glob("mip-*.png"))
    assert len(mips) == 6
    rgb = read_rgb(mips[0])
    assert len(np.unique(rgb.reshape(-1, 3), axis=0)) > 3
    page = (out / "report.html").read_text()
    for said in (
        "SeriesTime (0008,0031)",
        "GE scan time",
        "SUV scale factor of Philips",
        "EANM",
        "PERCIST",
        "0.88 ml",
    ):
        assert said in page, said


def test_nothing_names_the_patient(measured, scans):
    out, _ = measured
    uids = {str(pydicom.dcmread(file).SeriesInstanceUID) for file in scans.rglob("pet/*.dcm")}
    for file in out.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            for secret in ("Nobody", "Phantom", "20200302", "2020-03-02", str(scans), *uids):
                assert secret.encode() not in content, (file.name, secret)


def test_the_same_bytes_again(measured, scans, tmp_path):
    out, _ = measured
    measure_scans(scans / "manifest.csv", out=tmp_path / "again")
    for file in out.rglob("*"):
        if file.is_file():
            assert (tmp_path / "again" / file.relative_to(out)).read_bytes() == file.read_bytes(), file.name


def test_a_run_is_not_replaced_unasked(measured, scans):
    out, _ = measured
    with pytest.raises(OutputError, match="overwrite"):
        measure_scans(scans / "manifest.csv", out=out)


def test_a_scan_that_is_refused_stops_no_other(tmp_path, ihcscore_command):
    for name in ("a", "b"):
        write_drawn(tmp_path / name)
        write_spheres(tmp_path / f"{name}.csv", SPHERES)
    change(tmp_path / "b", lambda dataset, at: delattr(dataset, "PatientWeight"))
    (tmp_path / "m.csv").write_text(
        "patient_id,timepoint,pet,voi\nP1,baseline,a,a.csv\nP2,baseline,b,b.csv\n"
    )
    shown = ihcscore_command("suv", tmp_path / "m.csv", "--out", tmp_path / "out")
    assert shown.status == 3
    assert "P2 baseline: no PatientWeight (0010,1030); give weight_kg" in shown.err
    assert re.search(r"P1 +baseline +L1 +4\.00", shown.out)
    table = read_table(tmp_path / "out" / "scans.csv", SCANS)
    assert table["error"].tolist() == ["", "P2 baseline: no PatientWeight (0010,1030); give weight_kg"]
    assert "Refused" in (tmp_path / "out" / "report.html").read_text()
    (tmp_path / "m.csv").write_text("patient_id,timepoint,pet,voi,weight_kg\nP2,baseline,b,b.csv,80\n")
    shown = ihcscore_command("suv", tmp_path / "m.csv", "--out", tmp_path / "out", "--overwrite", "-q")
    assert shown.status == 0
    assert read_table(tmp_path / "out" / "scans.csv", SCANS)["overrides"].tolist() == ["weight_kg"]


def test_all_refused_writes_nothing(tmp_path, ihcscore_command):
    write_spheres(tmp_path / "s.csv", SPHERES)
    (tmp_path / "m.csv").write_text("patient_id,timepoint,pet,voi\nP1,baseline,none,s.csv\n")
    shown = ihcscore_command("suv", tmp_path / "m.csv", "--out", tmp_path / "out")
    assert shown.status == 2
    assert shown.err.strip() == "ihcscore: P1 baseline: no such folder; give the folder of a PET series"
    assert not (tmp_path / "out").exists()


def test_what_differs_between_two_scans_is_said(tmp_path):
    for name in ("a", "b"):
        write_drawn(tmp_path / name)
        write_spheres(tmp_path / f"{name}.csv", SPHERES[: 2 if name == "a" else 1])

    def later(dataset, at):
        tracer(dataset).RadiopharmaceuticalStartTime = "084000"
        tracer(dataset).RadiopharmaceuticalStartDateTime = "20200302084000"

    change(tmp_path / "b", later)
    (tmp_path / "m.csv").write_text("patient_id,timepoint,pet,voi\nP1,x,a,a.csv\nP1,y,b,b.csv\n")
    warnings = measure_scans(tmp_path / "m.csv", out=tmp_path / "out").warnings
    assert any("differ by 20 min" in one for one in warnings)
    assert any("lesion L2 is not among the volumes at y" in one for one in warnings)


def test_other_settings(tmp_path, ihcscore_command):
    write_drawn(tmp_path / "a")
    write_spheres(tmp_path / "a.csv", SPHERES)
    (tmp_path / "m.csv").write_text("patient_id,timepoint,pet,voi\nP1,x,a,a.csv\n")
    shown = ihcscore_command(
        "suv", tmp_path / "m.csv", "--out", tmp_path / "out", "--suv", "sul", "--peak", "fractional",
        "--threshold", "2.5",
    )  # fmt: skip
    assert shown.status == 0, shown.err
    table = read_table(tmp_path / "out" / "lesions.csv", LESIONS)
    assert set(table["suv_unit"]) == {"g/ml lbm"}
    assert set(table["threshold"]) == {"SUV 2.5"}
    assert table["suv_max"][0] == pytest.approx(4 * 49.6358 / 80, rel=3e-4)
    shown = ihcscore_command("suv", tmp_path / "m.csv", "--threshold", "half")
    assert shown.status == 2
    assert "threshold is half" in shown.err


def test_info(tmp_path, ihcscore_command):
    write_drawn(tmp_path / "scan", Dialect.LATE)
    shown = ihcscore_command("suv", "info", tmp_path / "scan")
    assert shown.status == 0
    for said in (
        "DecayFactor (0054,1321)",
        "60.0 min after the injection",
        "80 kg from PatientWeight",
        "+46.0 min",
    ):
        assert said in shown.out, said
    assert "2020" not in shown.out
    assert "Nobody" not in shown.out
    change(tmp_path / "scan", lambda dataset, at: setattr(dataset, "SeriesTime", "080000"))
    shown = ihcscore_command("suv", "info", tmp_path / "scan")
    assert shown.status == 2
    assert "reference_time" in shown.err
    shown = ihcscore_command("suv", "info", tmp_path / "scan", "--reference-time", "10:00")
    assert shown.status == 0
    assert "60.0 min after the injection, by reference_time" in shown.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("patient_id,timepoint,pet\nP1,x,a\n", "no column voi"),
        ("patient_id,timepoint,pet,voi\nP1,,a,b\n", "timepoint is empty"),
        ("patient_id,timepoint,pet,voi\nP1,x,a,b\nP1,x,c,d\n", "two scans called x"),
        ("patient_id,timepoint,pet,voi,sex\nP1,x,a,b,W\n", "sex is 'W', expected M, F, O"),
        ("patient_id,timepoint,pet,voi,injected_at\nP1,x,a,b,noon\n", "injected_at"),
        ("patient_id,timepoint,pet,voi,weight_kg\nP1,x,a,b,-2\n", "above 0"),
        ("patient_id,timepoint,pet,voi,weight_kg\nP1,x,a,b,heavy\n", "expected a number"),
    ],
)
def test_manifests_that_are_wrong(tmp_path, text, said):
    (tmp_path / "m.csv").write_text(text)
    with pytest.raises(TableError, match=said):
        measure_scans(tmp_path / "m.csv", out=tmp_path / "out")


def test_unknown_columns_are_said(scans, tmp_path):
    text = (scans / "manifest.csv").read_text().splitlines()[:2]
    (scans / "more.csv").write_text(f"{text[0]},weight\n{text[1]},70\n")
    result = measure_scans(scans / "more.csv", out=tmp_path / "out", settings=SuvSettings(suv=SuvKind.BSA))
    assert "more.csv: columns that are not used: weight (meant for weight_kg?)" in result.warnings
    assert set(result.lesions["suv_unit"]) == {"cm2/ml bsa"}


def test_the_command_line_loads_no_dicom():
    code = (
        "import sys, ihcscore.cli; print([m for m in ('pydicom', 'highdicom', 'nibabel') if "
        "m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path, ihcscore_command, monkeypatch):
    write_drawn(tmp_path / "scan")
    monkeypatch.setitem(sys.modules, "pydicom", None)
    shown = ihcscore_command("suv", "info", tmp_path / "scan")
    assert shown.status == 2
    assert "pip install 'ihcscore[pet]'" in shown.err
    assert shown.err.count("\n") == 1
