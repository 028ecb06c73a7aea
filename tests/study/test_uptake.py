"""Lesions without tissue: scans by any name, exclusions, covariates, response by family, sentences."""

import json

import numpy as np
import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.pet.table import read_uptake
from ihcscore.schema import CorrelationSettings
from ihcscore.study.correlate import correlate_tables
from ihcscore.study.densities import add_ratios, patient_densities, spread_by_patient
from ihcscore.study.scores import read_scores
from ihcscore.study.tables import study_tables
from study_data import score_rows

QUICK = {"n_resamples": 500, "n_bootstrap": 100, "n_simulated": 100}
WEEKS = ("week 2", "week 4", "week 6")
RESPONSES = ["PD", "PD", "PD", "PD", "PR", "CR", "SD", ""]


def lesions(column="suv_max"):
    """Eight patients with two lesions; seven have a scan in one of three weeks, each lesion 0.5 lower."""
    rows = []
    for p, response in enumerate(RESPONSES):
        for k in (1, 2):
            row = {"patient_id": f"P{p}", "lesion_id": f"L{k}", "response": response, "excluded": ""}
            value = 2.0 + p + 0.25 * k
            rows.append(row | {"timepoint": "baseline", column: value})
            if p < 7:
                rows.append(row | {"timepoint": WEEKS[p % 3], column: value - 0.5})
    rows[0]["excluded"] = "PET-negative beside high uptake"
    return pd.DataFrame(rows)


def study(folder, table, **asked):
    table.to_csv(folder / "lesions.csv", index=False)
    settings = CorrelationSettings(**(QUICK | asked))
    suv = read_uptake(folder / "lesions.csv", suv=settings.suv, covariate=settings.covariate)
    return study_tables(None, suv, settings)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    return study(tmp_path_factory.mktemp("pooled"), lesions(), on_treatment=WEEKS)


def test_excluded_lesions_stand_in_the_flow_with_their_reason(pooled):
    steps = dict(dict(pooled.flow)["Lesions"])
    assert steps["lesions at baseline"] == 16
    assert steps["excluded: PET-negative beside high uptake"] == 1
    assert steps["lesions with suv_max"] == 15


def test_pooled_weeks_are_one_scan_of_a_patient(pooled):
    row = pooled.serial.set_index("unit").loc["lesion"]
    assert (row["n"], row["n_patients"], row["after"]) == (13, 7, "week 2, week 4 or week 6")
    assert row["shift"] == pytest.approx(-0.5)
    assert any("were pooled" in text for text in pooled.warnings)
    summary = pooled.summary[pooled.summary["what"] == "uptake of lesions"].set_index("timepoint")
    assert summary.loc["week 2", "n"] == 6
    assert summary.loc["baseline", ["n", "n_patients"]].tolist() == [15, 8]


def test_of_two_pooled_scans_the_first_asked_for_is_taken(tmp_path):
    table = lesions()
    more = table[(table["patient_id"] == "P0") & (table["timepoint"] == "week 2")]
    table = pd.concat([table, more.assign(timepoint="week 6", suv_max=99.0)])
    found = study(tmp_path, table, on_treatment=WEEKS)
    assert found.scans["after"].max() < 99
    assert any("P0: week 2" in text for text in found.warnings)
    assert found.unmatched["reason"].str.contains("another of the pooled scans").sum() == 2


def test_a_scan_that_is_not_there_is_refused_and_one_not_asked_for_is_told(tmp_path):
    with pytest.raises(TableError, match="no scan is called 'week 8'"):
        study(tmp_path, lesions(), on_treatment=("week 8",))
    found = study(tmp_path, lesions(), on_treatment=("week 2",))
    told = " ".join(found.warnings)
    assert "'week 4'" in told
    assert "take no part" in told


def test_uptake_and_its_change_are_held_against_response(pooled):
    table = pooled.response
    assert set(table["family"]) == {"uptake"}
    assert {"suv_max, mean of lesions, change", "suv_max, mean of lesions, change in %"} <= set(
        table["variable"]
    )
    # 2 responders of 7: 21 choices, so no P below 2/21.
    assert table.loc[0, "p_smallest"] == pytest.approx(2 / 21)
    tested = table[table["p"].notna()]
    assert (tested["p"] >= tested["p_smallest"] - 1e-12).all()
    change = table.set_index("variable").loc["suv_max, mean of lesions, change"]
    assert np.isnan(change["p"])  # all changed alike: nothing to rank


def test_a_covariate_is_called_by_its_own_name(tmp_path):
    lesions("dose_gy").to_csv(tmp_path / "lesions.csv", index=False)
    settings = CorrelationSettings(
        **QUICK, covariate="dose_gy", name="Absorbed dose", unit="Gy", on_treatment=WEEKS
    )
    correlate_tables(None, tmp_path / "lesions.csv", out=tmp_path / "out", settings=settings)
    sentences = (tmp_path / "out" / "results.md").read_text("utf-8")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for text in (sentences, page):
        assert "Absorbed dose" in text
        assert "SUV" not in text
    assert "Gy)" in sentences
    files = {path.name for path in (tmp_path / "out" / "journal").iterdir()}
    ends = ("-85mm.png", "-85mm.svg", "-175mm.png", "-175mm.svg", ".csv")
    assert files == {f"lesions{end}" for end in ends}
    assert json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))["command"] == "uptake"


def matched_scores(folder):
    """CD3 with a rejected field that CD8 kept: own means 100 and 300, over the same fields 100 and 200."""
    rows = score_rows("P1", "S1", {("CD3", "Front"): 100.0, ("CD8", "Front"): 300.0})
    table = pd.DataFrame(rows).assign(n_scored=[2, 3], n_matched=2, matched_mean_per_mm2=[100.0, 200.0])
    table.to_csv(folder / "scores.csv", index=False)
    return read_scores(folder / "scores.csv", columns=("mean_per_mm2",))


def test_a_ratio_is_of_the_fields_that_were_scored_on_both(tmp_path):
    densities = patient_densities(matched_scores(tmp_path).rows)
    table, _ = add_ratios(densities, [("CD8", "CD3")])
    ratio = table[[one.over is not None for one in table["variable"]]].iloc[0]
    assert ratio["density"] == 2.0
    assert ratio["n_scored"] == 2
    assert ratio["matched"]
    assert set(table["density"]) == {100.0, 300.0, 2.0}  # each marker keeps its own mean


def test_the_figure_of_patients_has_the_sd_of_fields(tmp_path):
    table = spread_by_patient(matched_scores(tmp_path).rows).set_index("marker")
    assert table.loc["CD8", ["mean", "sd", "sd_of", "n"]].tolist() == [300.0, 90.0, "fields", 3]
