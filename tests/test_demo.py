"""The demonstration on a cohort of three patients with two stains, as the command shows it."""

import json

import numpy as np
import pandas as pd
import pytest

from ihcscore import demo, schema, synthetic
from ihcscore.cli.printing import print_demo
from ihcscore.errors import PetError
from ihcscore.output import OutputFolder
from ihcscore.pet import read_uptake
from ihcscore.synthetic.disk.cohort import MARKERS

SMALL = synthetic.CohortSettings(n_patients=3, markers=(MARKERS[0], MARKERS[2]), mirrored=False)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo") / "out"
    return demo.run_demo(out, settings=SMALL), out


def test_counts_are_near_the_truth_in_the_same_fields(shown):
    result, _ = shown
    true = result.comparison.n_true
    assert true.sum() > 300
    assert result.comparison.n_counted.sum() / true.sum() == pytest.approx(1, abs=0.1)


def test_measured_densities_follow_the_planted(shown):
    result, _ = shown
    assert list(result.fit.marker) == ["CD3", "CD8"]
    assert (result.fit.r > 0.9).all()
    np.testing.assert_allclose(result.fit.slope, 1, atol=0.3)


def test_fields_are_found_again(shown):
    result, _ = shown
    assert len(result.places) >= 15
    assert result.places.true_error_um.median() < 10
    assert result.places.true_error_um.max() < 50


def test_tables_and_reports_are_written(shown):
    _, out = shown
    for name, table in (
        ("comparison", schema.DEMO),
        ("fit", schema.DEMO_FIT),
        ("places", schema.DEMO_PLACES),
    ):
        assert list(pd.read_csv(out / f"{name}.csv").columns) == table.names
    for page in ("result", "suv", "study-tissue", "study-planted"):
        assert (out / page / "report.html").is_file()


def test_three_patients_could_have_shown_nothing(shown):
    result, out = shown
    assert set(result.studies["tissue"].correlations.could_be_significant) == {"no"}
    page = (out / "study-tissue" / "report.html").read_text(encoding="utf-8")
    assert "no result could have been significant" in page


def test_planted_correlation_comes_out(shown):
    result, _ = shown
    first = result.studies["planted"].correlations.iloc[0]
    assert first.n == 15
    assert first.rho == pytest.approx(0.7, abs=0.05)


def test_uptake_is_measured_in_scans_and_that_is_correlated(shown, capsys):
    result, out = shown
    keys = ["patient_id", "timepoint", "tissue", "lesion_id"]
    both = result.uptake.lesions.merge(result.planted_suv, on=keys, suffixes=("", "_drawn"))
    assert len(both) == len(result.planted_suv) == len(result.uptake.lesions)
    lesions = both[both["tissue"] == "lesion"]
    assert lesions["suv_max"].to_numpy() == pytest.approx(lesions["suv_max_drawn"].to_numpy(), rel=2e-4)
    assert result.uptake.errors == []
    assert result.uptake.scans["manufacturer"].nunique() == 3
    for study in ("tissue", "planted"):
        record = json.loads((out / f"study-{study}" / "run.json").read_text(encoding="utf-8"))
        assert record["inputs"]["suv"]["name"] == "lesions.csv"
    table = read_uptake(out / "suv" / "lesions.csv")
    assert table.warnings == []
    print_demo(result)
    assert "SIEMENS, GE MEDICAL SYSTEMS, Philips Medical Systems): off from the drawn by 0.0" in (
        capsys.readouterr().out
    )


def test_without_the_extra_the_drawn_table_is_correlated(shown, tmp_path, monkeypatch):
    result, _ = shown

    def absent(package):
        raise PetError(f"{package} is not installed; pip install 'ihcscore[pet]'")

    monkeypatch.setattr(demo, "require", absent)
    with OutputFolder(tmp_path / "out") as folder:
        uptake, said = demo._measure_uptake(folder, result.planted_suv, lambda stage, share: None)
        folder.add_file("{}", "run.json")
    assert uptake is None
    assert "ihcscore[pet]" in said
    assert "\n" not in said
