"""The demonstration on a cohort of three patients with two stains, as the command shows it."""

import numpy as np
import pandas as pd
import pytest

from ihcscore import demo, schema, synthetic
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
    for page in ("result", "study-tissue", "study-planted"):
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
