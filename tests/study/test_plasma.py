"""Plasma: decay, SUV, intact tracer, minutes, areas, five pairs."""

import math

import numpy as np
import pandas as pd
import pytest

from ihcscore.errors import TableError
from ihcscore.report.plasma import could_be_found, what_was_found
from ihcscore.schema import FLUORINE_18_MIN, PlasmaSettings
from ihcscore.study.plasma.read import read_samples
from ihcscore.study.plasma.tables import plasma_tables

MINUTES = (5, 10, 20, 30, 45, 60)
WEIGHT, DOSE = 80.0, 200.0
DECAY = math.log(2) / FLUORINE_18_MIN


def study(n=5, factor=1.3):
    """A row a sample; the second scan is higher by about the factor in everyone."""
    return pd.DataFrame(
        [
            {
                "patient_id": f"P{k}",
                "timepoint": scan,
                "minute": minute,
                "suv": (1 + 0.1 * k) * (9 * math.exp(-minute / 6) + 3 * math.exp(-minute / 80)) * up,
                "intact_pct": 100 - minute / 2 - k,
                "weight_kg": WEIGHT,
                "injected_mbq": DOSE,
            }
            for k in range(n)
            for scan, up in (("baseline", 1.0), ("on_treatment", factor + 0.02 * k))
            for minute in MINUTES
        ]
    )


def samples(tmp_path, rows):
    rows.to_csv(tmp_path / "samples.csv", index=False)
    return read_samples(tmp_path / "samples.csv", half_life_min=FLUORINE_18_MIN)


def told(table):
    return "\n".join(note.text for note in table.notes)


def as_counts(rows):
    """The same activities as they are counted, 3 min long at 90 min and later."""
    kbq = rows["suv"] * DOSE / WEIGHT
    at, seconds = 90 + rows["minute"], 180.0
    decays = kbq * 1000 * np.exp(-DECAY * at) * (1 - math.exp(-DECAY * 3)) / (DECAY / 60)
    counts = decays * 0.5 * 0.8 + 2 * seconds
    return rows.drop(columns="suv").assign(
        counts=counts, count_s=seconds, background_cps=2, volume_ml=0.5, cps_per_bq=0.8, counted_at_min=at
    )


def test_every_way_to_give_activity_leads_to_the_same_suv(tmp_path):
    rows = study(2)
    kbq = rows["suv"] * DOSE / WEIGHT
    bare = rows.drop(columns="suv")
    at_sample = kbq * np.exp(-DECAY * rows["minute"])
    for given, source in (
        (rows, "suv"),
        (bare.assign(kbq_per_ml=kbq, decay_corrected="yes"), "kbq_per_ml"),
        (bare.assign(kbq_per_ml=at_sample, decay_corrected="no"), "kbq_per_ml"),
        (as_counts(rows), "counts"),
    ):
        table = samples(tmp_path, given)
        assert table.rows["suv"].to_numpy() == pytest.approx(rows["suv"].to_numpy(), rel=1e-9)
        assert set(table.rows["source"]) == {source}
        assert table.rows["parent_suv"].iloc[0] == pytest.approx(rows["suv"][0] * rows["intact_pct"][0] / 100)


def test_intact_tracer_from_the_precipitate(tmp_path):
    rows = study(1).drop(columns="intact_pct").assign(precipitate=30, supernatant=10)
    assert set(samples(tmp_path, rows).rows["intact_pct"]) == {75}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.drop(columns="suv").assign(kbq_per_ml=1), "without decay_corrected"),
        (lambda r: r.drop(columns="suv"), "no SUV follows"),
        (lambda r: r.assign(intact_pct=r["intact_pct"] / 100), "not shares"),
        (lambda r: r.assign(minute=5), "samples at minute 5"),
        (lambda r: r.assign(minute=r["minute"].replace(10, 5.2)), "give nominal_minute"),
        (
            lambda r: r.drop(columns=["suv", "weight_kg"]).assign(kbq_per_ml=1, decay_corrected="yes"),
            "SUV needs weight_kg",
        ),
        (lambda r: r.assign(material="whole blood"), "no sample is of plasma"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, change, words):
    with pytest.raises(TableError, match=words):
        samples(tmp_path, change(study(2)))


def test_slips_are_told(tmp_path):
    rows = study(2)
    twice = rows["suv"] * DOSE / WEIGHT * np.exp(DECAY * rows["minute"])
    assert "corrected for decay twice" in told(
        samples(tmp_path, rows.assign(kbq_per_ml=twice, decay_corrected="yes"))
    )
    assert "not whole numbers" in told(samples(tmp_path, as_counts(rows)))
    blood = pd.concat([rows.assign(material="plasma"), rows.head(2).assign(material="whole blood")])
    assert "2 samples are no plasma" in told(samples(tmp_path, blood))


def test_five_pairs_cannot_be_significant_and_the_page_says_so(tmp_path):
    settings = PlasmaSettings()
    found = plasma_tables(samples(tmp_path, study()), settings)
    primary = found.comparison.iloc[0]
    assert (primary["what"], primary["role"], primary["n"]) == ("AUC(5-60)", "primary", 5)
    assert primary["p"] == primary["p_smallest"] == primary["p_adjusted"] == 0.0625
    assert round(primary["p_asymptotic"], 4) == 0.0431
    assert primary["ratio"] == pytest.approx(np.prod([1.3, 1.32, 1.34, 1.36, 1.38]) ** 0.2)
    assert primary["ratio_low"] < primary["ratio"] < primary["ratio_high"]
    grave, text = could_be_found(found.comparison, settings)
    assert grave == "red"
    assert "5 pairs cannot go below P = 0.0625" in text
    assert "ratio during / before 1.34" in what_was_found(found.comparison, settings)
    suv = found.comparison[(found.comparison["quantity"] == "suv") & found.comparison["minute"].notna()]
    assert suv["minute"].tolist() == list(MINUTES)
    assert suv["p_adjusted"].to_numpy() == pytest.approx(6 * 0.0625)
    # intact tracer does not change at all
    intact = found.comparison[found.comparison["quantity"] == "intact_pct"]
    assert set(intact["note"].str.partition(";")[0]) == {"no test: no pair differs"}


def test_a_missing_middle_sample_is_interpolated_and_a_missing_end_leaves_the_patient_out(tmp_path):
    rows = study()
    first = (rows["patient_id"] == "P0") & (rows["timepoint"] == "baseline")
    lacks = rows[~(first & (rows["minute"] == 20)) & ~((rows["patient_id"] == "P1") & (rows["minute"] == 60))]
    found = plasma_tables(samples(tmp_path, lacks), PlasmaSettings())
    assert found.comparison.iloc[0]["n"] == 4
    assert round(found.comparison.iloc[0]["p_asymptotic"], 4) == 0.0679
    text = "\n".join(found.warnings)
    assert "P0 lacks a sample in the middle of baseline" in text
    assert "P1 lacks the first or last sample of on_treatment" in text
    assert "pairs differ between the minutes: 4 to 5" in text
    of_p0 = found.patients[(found.patients["patient_id"] == "P0") & (found.patients["quantity"] == "suv")]
    assert of_p0["n_interpolated"].tolist() == [1, 0]


def test_true_minutes_stand_under_the_nominal_ones(tmp_path):
    rows = study(3)
    away = rows["minute"].astype(float) + np.tile([0.3, 0.0, -0.4], len(rows) // 3)
    table = samples(tmp_path, rows.assign(minute=away))
    assert sorted(set(table.rows["nominal_minute"])) == list(MINUTES)
    assert "true minutes differ" in told(table)


def test_command(ihcscore_command, tmp_path):
    study().drop(columns="intact_pct").to_csv(tmp_path / "samples.csv", index=False)
    shown = ihcscore_command(
        "plasma", tmp_path / "samples.csv", "--auc", "log-down", "--out", tmp_path / "out"
    )
    assert shown.status == 0, shown.err
    assert "5 pairs cannot go below P = 0.0625" in shown.out
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "5 pairs cannot go below P = 0.0625" in page
    assert "the asymptotic one, as SPSS prints it" in (tmp_path / "out" / "results.md").read_text("utf-8")
    assert (tmp_path / "out" / "journal" / "plasma-suv-85mm.png").exists()
    assert list(pd.read_csv(tmp_path / "out" / "journal" / "plasma-suv.csv")["n"].unique()) == [5]
