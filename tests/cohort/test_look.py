"""Every file of a cohort is looked at before the first slide: all faults at once, nothing written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from drawn_cohort import WORDS, Scored, tree


def coarse(path: Path) -> None:
    """A slide without a scale."""
    glass = np.full((512, 512, 3), 243, np.uint8)
    tifffile.imwrite(path, glass, tile=(256, 256), photometric="rgb", compression="jpeg")


@pytest.fixture
def faulty(copy: Scored) -> Scored:
    """A fault of each kind: a slide that is gone, one without a scale, an annotation elsewhere, a profile."""
    folder = copy.manifest.parent / "slides"
    coarse(folder / "bare.tif")
    drawn = json.loads(next(folder.glob("P2-A_CD3.geojson")).read_text())
    for feature in drawn["features"]:
        feature["geometry"]["coordinates"] = [
            [[x + 50_000, y] for x, y in ring] for ring in feature["geometry"]["coordinates"]
        ]
    (folder / "elsewhere.geojson").write_text(json.dumps(drawn))
    copy.edit(
        {
            "P1-A CD3": {"slide": "slides/gone.mrxs", "annotations": "slides/gone.geojson"},
            "P1-A CD8": {"slide": "slides/bare.tif", "profile": "CD99"},
            "P2-A CD3": {"annotations": "slides/elsewhere.geojson"},
        }
    )
    return copy


STARTS = [
    "ihcscore: P1-A CD3: slides/gone.mrxs: no such file",
    "ihcscore: P1-A CD3: gone.geojson: no such file",
    "ihcscore: P1-A CD8: CD99: unknown marker",
    "ihcscore: P1-A CD8: bare.tif: no microns per pixel in the file",
    "ihcscore: P2-A CD3: elsewhere.geojson: drawn outside the slide",
    "ihcscore: 3 of 4 slides cannot be scored; mend them, or give --keep-going to leave them out",
]


def test_all_faults_at_once_and_nothing_is_written(ihcscore_command, faulty: Scored, tmp_path: Path) -> None:
    out = tmp_path / "never"
    shown = ihcscore_command("cohort", faulty.manifest, "--out", out, "--quiet", *WORDS)
    assert (shown.status, shown.out) == (2, "")
    lines = shown.err.splitlines()
    assert len(lines) == len(STARTS)
    for line, start in zip(lines, STARTS, strict=True):
        assert line.startswith(start)
        assert str(tmp_path) not in line
    assert not out.exists()


def test_dry_run_says_what_would_be_done(
    ihcscore_command, scored: Scored, faulty: Scored, tmp_path: Path
) -> None:
    before = tree(tmp_path)
    words = ("cohort", faulty.manifest, "--dry-run", "--quiet", *WORDS)
    shown = ihcscore_command(*words, "--out", faulty.out, "--resume")
    assert shown.status == 2
    lines = shown.out.splitlines()
    assert ["left out" in line for line in lines[1:5]] == [True, True, True, False]
    assert "done before" in lines[4]
    assert "2 samples, 4 slides: 0 to do, 1 done before, 3 that cannot be scored" in shown.out
    assert len(shown.err.splitlines()) == len(STARTS)
    assert ihcscore_command(*words, "--out", tmp_path / "new", "--keep-going").status == 3
    shown = ihcscore_command("cohort", scored.manifest, "--out", tmp_path / "new", "--dry-run", *WORDS)
    assert shown.status == 0
    assert "4 to do" in shown.out
    assert "mirax" in shown.out
    assert tree(tmp_path) == before


def test_keep_going_leaves_them_out_and_says_so(ihcscore_command, faulty: Scored) -> None:
    shown = ihcscore_command(
        "cohort", faulty.manifest, "--out", faulty.out, "--resume", "--keep-going", "--quiet", *WORDS
    )
    assert shown.status == 3
    assert shown.err.splitlines()[0].startswith(
        "ihcscore: P1-A CD3: slides/gone.mrxs: no such file; gone.geojson: no such file"
    )
    page = (faulty.out / "report.html").read_text(encoding="utf-8")
    assert "slides/gone.mrxs: no such file" in page
    assert "elsewhere.geojson: drawn outside the slide" in page


@pytest.mark.skipif(os.name != "posix", reason="names are bytes there")
def test_a_name_that_is_no_utf8(ihcscore_command, tmp_path: Path) -> None:
    name = os.fsdecode(b"Pr\xe4parat.png")
    Image.new("RGB", (40, 40)).save(tmp_path / name, format="PNG")
    for words in (("run", tmp_path / name, "--marker", "CD3"), ("info", tmp_path / name)):
        shown = ihcscore_command(*words)
        assert (shown.status, shown.err.count("\n")) == (2, 1)
    (tmp_path / "c.csv").write_text("patient_id,sample_id,slide,marker\np,s,Präparat.png,CD3\n", "utf-8")
    shown = ihcscore_command("cohort", tmp_path / "c.csv", "--out", tmp_path / "o")
    assert shown.status == 2
