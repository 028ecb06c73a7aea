"""What a manifest may say, and how a slip in it is shown."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ihcscore.cohort.manifest import read_manifest
from ihcscore.errors import TableError
from ihcscore.schema import texts

HEADER = "patient_id,sample_id,slide,marker"


def write(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "cohort.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_samples_and_slides_in_the_manifests_order(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("")
    path = write(
        tmp_path,
        "007,S2,a/x.svs,CD3,,,,",
        "007,S1,b.mrxs,CD4,no,,0.25,ki67",
        "007,S2,c.svs,FOXP3,TRUE,c.geojson,,own.toml",
        "007,S1,../d.svs,CD8,,,,",
        header=f"{HEADER},reference,annotations,mpp_um,profile",
    )
    second, first = read_manifest(path).samples
    assert [(s.patient_id, s.sample_id) for s in (second, first)] == [("007", "S2"), ("007", "S1")]
    # the one marked as reference, else the first
    assert [entry.marker for entry in second.slides] == ["FOXP3", "CD3"]
    assert [entry.marker for entry in first.slides] == ["CD4", "CD8"]
    foxp3, cd3 = second.slides
    assert foxp3.slide == tmp_path / "c.svs"
    assert foxp3.annotations == tmp_path / "c.geojson"
    assert foxp3.profile == tmp_path / "own.toml"
    assert foxp3.folder == Path("S2/FOXP3")
    assert (cd3.slide, cd3.written) == (tmp_path / "a" / "x.svs", "a/x.svs")
    assert (cd3.annotations, cd3.mpp_um, cd3.profile) == (None, None, "CD3")
    assert (first.reference.mpp_um, first.reference.profile) == (0.25, "ki67")
    assert first.others[0].written == "../d.svs"


def test_ids_are_text_and_never_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "007,1e3,a.svs,CD3", "7,0010,b.svs,CD3", "NA,TRUE,c.svs,CD3")
    assert [(s.patient_id, s.sample_id) for s in read_manifest(path).samples] == [
        ("007", "1e3"), ("7", "0010"), ("NA", "TRUE")
    ]  # fmt: skip


def test_xlsx_reads_the_same(tmp_path: Path) -> None:
    rows = [("007", "S1", "a.svs", "CD3", True, 0.5), ("007", "S1", "b.svs", "CD8", False, None)]
    table = pd.DataFrame(rows, columns=[*HEADER.split(","), "reference", "mpp_um"])
    table.to_excel(tmp_path / "cohort.xlsx", index=False)
    (sample,) = read_manifest(tmp_path / "cohort.xlsx").samples
    assert (sample.patient_id, [entry.marker for entry in sample.slides]) == ("007", ["CD3", "CD8"])
    assert [entry.mpp_um for entry in sample.slides] == [0.5, None]
    assert sample.others[0].slide == tmp_path / "b.svs"


def test_absolute_paths_are_written_without_folders(tmp_path: Path) -> None:
    (sample,) = read_manifest(write(tmp_path, f"p,s,{tmp_path}/x/a.svs,CD3")).samples
    assert sample.reference.slide == tmp_path / "x" / "a.svs"
    assert sample.reference.written == "a.svs"


def test_paths_hold_for_workers_in_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "p,s,a.svs,CD3")
    monkeypatch.chdir(tmp_path)
    (sample,) = read_manifest("cohort.csv").samples
    assert sample.reference.slide == tmp_path / "a.svs"


def test_a_row_that_repeats_another_counts_once_and_it_is_told(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, "p,s,a,CD3", "p,s,a,CD3", "p,s,b,CD8"))
    assert [entry.marker for entry in manifest.samples[0].slides] == ["CD3", "CD8"]
    assert texts(manifest.notes) == ["cohort.csv: 1 rows repeat another in full and count once (row 3)"]


def test_spellings_of_people(tmp_path: Path) -> None:
    path = tmp_path / "cohort.csv"
    path.write_text(
        "patient_id;sample_id;slide;marker;reference;mpp_um;anotations\n"
        "p;s;a.svs;CD3;;0,25;\np;s;b.svs;CD8;Ja;0,5;r.geojson\n"
    )
    manifest = read_manifest(path)
    (sample,) = manifest.samples
    assert (sample.reference.marker, sample.reference.mpp_um, sample.others[0].mpp_um) == ("CD8", 0.5, 0.25)
    assert texts(manifest.notes) == [
        "cohort.csv: columns that are not used: anotations (meant for annotations?)",
        "cohort.csv: 2 decimal commas in mpp_um were read as decimal points",
    ]


WITH_ALL = f"{HEADER},reference,annotations,mpp_um,profile"


@pytest.mark.parametrize(
    ("header", "lines", "said"),
    [
        ("patient_id,sample_id,slide", ["p,s,a"], "no column marker .it has patient_id, sample_id, slide"),
        (HEADER, [], "no slides in it|no rows|empty"),
        (HEADER, ["p,s,,CD3"], "row 2: slide is empty"),
        (HEADER, ["p,s,a,CD3", ",s,b,CD8"], "row 3: patient_id is empty"),
        (HEADER, ["p,s,a,CD3", "p,s,b,cd3"], "rows 2 and 3: sample 's' has two slides of CD3"),
        (HEADER, ["p,s,a,CD3", "q,s,b,CD8"], "sample 's' belongs to patients p and q"),
        (HEADER, ["p,s,a,CD3", "p,S,b,CD3"], "samples 's' and 'S' differ in case only"),
        (HEADER, ["p,../s,a,CD3"], "row 2: sample_id '../s' names a folder"),
        (HEADER, ["p,s,a,.CD3"], "row 2: marker '.CD3' names a folder"),
        (WITH_ALL, ["p,s,a,CD3,true,,,", "p,s,b,CD8,1,,,"], "sample 's' has 2 references"),
        (WITH_ALL, ["p,s,a,CD3,perhaps,,,"], "row 2: reference is 'perhaps', expected yes or no"),
        (
            WITH_ALL,
            ["p,s,a,CD3,,,,", "p,s,b,CD8,,r.geojson,,"],
            "row 3: sample 's' has annotations .* not the ref",
        ),
        (WITH_ALL, ["p,s,a,CD3,,,0,"], "row 2: mpp_um is 0, expected above 0"),
        (WITH_ALL, ["p,s,a,CD3,,,half,"], "row 2: mpp_um is 'half'"),
    ],
)
def test_a_slip_is_one_line_and_nothing_is_written(
    ihcscore_command, tmp_path: Path, header: str, lines: list[str], said: str
) -> None:
    path = write(tmp_path, *lines, header=header)
    with pytest.raises(TableError, match=said):
        read_manifest(path)
    shown = ihcscore_command("cohort", path, "--out", tmp_path / "out")
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith(("ihcscore: cohort.csv: ", "ihcscore: cohort.csv, row"))
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_no_manifest(ihcscore_command, tmp_path: Path) -> None:
    shown = ihcscore_command("cohort", tmp_path / "none.csv", "--out", tmp_path / "out")
    assert (shown.status, shown.err.count("\n")) == (2, 1)
    assert "none.csv" in shown.err


def test_options_that_cannot_be(ihcscore_command, tmp_path: Path) -> None:
    path = write(tmp_path, "p,s,a.svs,CD3")
    for words, said in (
        (("--workers", 0), "--workers is 0, expected 1 to 256"),
        (("--resume", "--overwrite"), "give one of them"),
        (("--max-registration-error-um", 0), "expected above 0 to 10000"),
    ):
        shown = ihcscore_command("cohort", path, "--out", tmp_path / "out", *words)
        assert (shown.status, shown.err.count("\n")) == (2, 1)
        assert said in shown.err


def test_all_slips_of_a_manifest_are_told_at_once(ihcscore_command, tmp_path: Path) -> None:
    cells = write(tmp_path, "p,s,a,CD3,perhaps,,0,", "p,,b,CD8,,,,", header=WITH_ALL)
    shown = ihcscore_command("cohort", cells, "--out", tmp_path / "out")
    assert (shown.status, shown.out) == (2, "")
    assert [line.split("; ")[0] for line in shown.err.splitlines()] == [
        "ihcscore: cohort.csv, row 3: sample_id is empty",
        "ihcscore: cohort.csv, row 2: reference is 'perhaps', expected yes or no",
        "ihcscore: cohort.csv, row 2: mpp_um is 0, expected above 0",
        "ihcscore: cohort.csv: 3 faults",
    ]
    rows = write(tmp_path, "p,s,a,CD3", "q,s,b,cd3", "p,../t,c,CD8", "p,S,d,CD3")
    shown = ihcscore_command("cohort", rows, "--out", tmp_path / "out")
    assert shown.status == 2
    for said in (
        "'../t' names a folder",
        "differ in case only",
        "two slides of CD3",
        "patients p and q",
        "4 faults",
    ):
        assert said in shown.err
    assert shown.err.count("\n") == 5
    assert not (tmp_path / "out").exists()


def test_a_slide_that_stands_in_two_rows_is_told(tmp_path: Path) -> None:
    manifest = read_manifest(write(tmp_path, "p,s,x/a.svs,CD3", "p,s,x/a.svs,CD8"))
    assert texts(manifest.notes) == ["cohort.csv, rows 2 and 3: all name the slide a.svs"]
