"""A small cohort on disk: what its tables say, and that it is the same whoever draws it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import openslide
import pandas as pd
import pytest

from ihcscore.geometry.square import Square
from ihcscore.synthetic import (
    CohortFiles,
    CohortSettings,
    MarkerSettings,
    SectionSettings,
    true_map,
    write_cohort,
)

TINY = CohortSettings(
    n_patients=1,
    markers=(
        MarkerSettings(name="CD3", lowest_per_mm2=400, highest_per_mm2=400),
        MarkerSettings(name="CD25", lowest_per_mm2=100, highest_per_mm2=400),
    ),
    section=SectionSettings(
        size_um=(1300.0, 1300.0), mpp_um=2.0, tissue_um=950.0, tumour_um=600.0, front_um=90.0
    ),
    max_bend_um=15.0,
)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> CohortFiles:
    return write_cohort(tmp_path_factory.mktemp("cohort"), seed=3, settings=TINY)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_manifest(cohort: CohortFiles) -> None:
    table = pd.read_csv(cohort.manifest, dtype=str, keep_default_na=False)
    assert table.to_dict("list") == {
        "patient_id": ["P1", "P1"],
        "sample_id": ["P1-A", "P1-A"],
        "slide": ["slides/P1-A_CD3.mrxs", "slides/P1-A_CD25.mrxs"],
        "marker": ["CD3", "CD25"],
        "reference": ["true", "false"],
        "annotations": ["slides/P1-A_CD3.geojson", ""],
    }
    folder = cohort.manifest.parent
    for name in [*table["slide"], table["annotations"][0]]:
        assert (folder / name).is_file()
    assert sorted(path.name for path in folder.glob("slides/*.geojson")) == ["P1-A_CD3.geojson"]
    with openslide.OpenSlide(folder / table["slide"][1]) as slide:
        assert float(slide.properties["openslide.mpp-x"]) == pytest.approx(2.0)


def test_planted_densities_are_met(cohort: CohortFiles) -> None:
    table = pd.read_csv(cohort.truth)
    assert table["region"].tolist() == ["Tumour centre", "Invasive front"] * 2
    # the front has twice the centre's, and a sample's density is the mean of both; CD25's is √(100·400)
    assert table["planted_per_mm2"].tolist() == pytest.approx([266.667, 533.333, 133.333, 266.667], rel=1e-4)
    areas = [zone.area_mm2 for slide in cohort.slides for zone in slide.zones.iloc[:2].itertuples()]
    for row, area_mm2 in zip(table.itertuples(), areas, strict=True):
        assert row.true_per_mm2 == pytest.approx(row.planted_per_mm2, abs=4 / area_mm2)


def test_same_bytes_again_and_by_two_workers(cohort: CohortFiles, tmp_path: Path) -> None:
    seen = []
    files = write_cohort(
        tmp_path / "two", seed=3, settings=TINY, workers=2, progress=lambda *said: seen.append(said)
    )
    assert digests(tmp_path / "two") == digests(cohort.manifest.parent)
    assert [slide.marker for slide in files.slides] == ["CD3", "CD25"]
    assert [share for _, share in seen] == [0.5, 1.0]
    assert {what for what, _ in seen} == {"drew P1-A_CD3", "drew P1-A_CD25"}


def test_truth_leads_from_slide_to_slide(cohort: CohortFiles) -> None:
    reference, other = cohort.reference("P1-A"), cohort.of("P1-A", "CD25")
    assert (reference.reference, other.reference) == (True, False)
    here = np.array([[300.0, 320.0], [301.0, 320.0], [300.0, 321.0]])
    there = true_map(reference, other, here)
    assert true_map(other, reference, there) == pytest.approx(here, abs=1e-7)
    # the only moving slide is the one upside down
    assert (
        np.linalg.det(np.diff(there[[1, 0, 2]], axis=0)) * np.linalg.det(np.diff(here[[1, 0, 2]], axis=0)) < 0
    )
    with pytest.raises(KeyError, match="P2-A"):
        cohort.reference("P2-A")
    with pytest.raises(KeyError, match="CD4"):
        cohort.of("P1-A", "CD4")


def square(x_px: float, y_px: float, side_px: float, angle_deg: float = 0.0) -> Square:
    return Square(x_px=x_px, y_px=y_px, side_px=side_px, angle_deg=angle_deg)


def test_count_in_a_turned_square(cohort: CohortFiles) -> None:
    # on an edge, near a corner, above the middle of the top edge
    cells = np.array([[10.0, 12.0], [10.5, 10.5], [15.0, 8.5]])
    slide = replace(cohort.slides[0], positive_px=cells)
    assert slide.n_positive_in(square(10, 10, 10)) == 2
    assert slide.n_positive_in(square(0, 10, 10)) == 0  # the right edge belongs to the neighbour
    assert slide.n_positive_in(square(10, 10, 10, 45)) == 1
    assert slide.n_positive_in(square(9, 9, 10, 90)) == 2
    # turned clockwise as seen the right half of the top edge sinks
    slide = replace(slide, positive_px=np.array([[14.0, 0.5]]))
    assert [slide.n_positive_in(square(0, 0, 20, angle)) for angle in (0, 20, -20)] == [1, 0, 1]


def test_counts_are_of_the_drawn_cells(cohort: CohortFiles) -> None:
    for slide in cohort.slides:
        assert (
            slide.n_positive_in(square(0, 0, 650))
            == len(slide.positive_px)
            == slide.zones["n_positive"].sum()
        )


def test_levels_reach_both_ends() -> None:
    marker = MarkerSettings(name="CD3", lowest_per_mm2=10, highest_per_mm2=1000)
    assert marker.levels_per_mm2(3) == pytest.approx([10, 100, 1000])
    assert marker.levels_per_mm2(1) == pytest.approx([100])
    assert CohortSettings().margin_um == 500


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="in order"):
        MarkerSettings(name="CD3", lowest_per_mm2=10, highest_per_mm2=1)
    with pytest.raises(ValueError, match="each once"):
        replace(TINY, markers=(TINY.markers[0], TINY.markers[0]))
    for name in ("n_patients", "front_over_centre", "max_bend_um"):
        with pytest.raises(ValueError, match=name):
            replace(TINY, **{name: -1})
    with pytest.raises(ValueError, match="workers"):
        write_cohort(tmp_path, settings=TINY, workers=0)
