"""A family of tests as a table."""

import math

import numpy as np
import pandas as pd
import pytest

from ihcscore.schema import CORRELATIONS, Adjustment, CorrelationSettings, Lesions, Role, Uptake, Variable
from ihcscore.study.questions import Question
from ihcscore.study.results import correlate_all

QUICK = {"n_resamples": 1000, "n_bootstrap": 200, "n_simulated": 200}


def question(name, n, seed, family="one"):
    generator = np.random.default_rng(seed)
    points = pd.DataFrame(
        {
            "patient_id": [f"P{i:02d}" for i in range(n)],
            "x": generator.normal(size=n),
            "y": generator.normal(size=n),
            "n_lesions": 2,
            "n_samples": 1,
        }
    )
    return Question(
        family=family,
        role=Role.PRIMARY,
        x=Variable(marker=name, region="Tumour centre"),
        y=Uptake(suv="suv_max", lesions=Lesions.MEAN),
        points=points,
    )


def test_order_of_the_questions_and_other_families_change_nothing():
    questions = [question("a", 12, 1), question("b", 12, 2), question("c", 11, 3)]
    chosen = CorrelationSettings(**QUICK)
    table = correlate_all(questions, chosen)
    turned = correlate_all([question("z", 8, 9, family="two"), *questions[::-1]], chosen)
    pd.testing.assert_frame_equal(
        table, turned.iloc[:0:-1].reset_index(drop=True), check_exact=True, check_dtype=False
    )
    assert table.columns.tolist() == CORRELATIONS.names
    assert table["n_lesions"].tolist() == [24, 24, 22]


def test_the_same_data_under_another_name_have_the_same_p():
    one, other = correlate_all([question("a", 12, 1), question("b", 12, 1)], CorrelationSettings(**QUICK))[
        ["rho", "p", "rho_low_bca", "rho_high_bca"]
    ].to_numpy()
    assert (one == other).all()


def test_a_test_that_cannot_be_made_is_no_member():
    constant = question("flat", 12, 1)
    constant.points["x"] = 3.0
    table = correlate_all(
        [question("a", 12, 1), constant, question("tiny", 2, 1)], CorrelationSettings(**QUICK)
    )
    assert (table["n_tests"] == 1).all()
    assert table["p_adjusted"][0] == table["p"][0]
    assert table["p"][1:].isna().all()
    assert table["note"].tolist() == [
        "",
        "not estimable: all values of flat · Tumour centre are equal",
        "not estimable: 2 pairs, fewer than 3",
    ]


def test_smallest_adjusted_p_of_a_family():
    questions = [question(name, 5, k) for k, name in enumerate("abcdefgh")]
    table = correlate_all(questions, CorrelationSettings(**QUICK))
    # 2 of 5! orders; Holm over 8 tests.
    assert table["p_smallest"].to_numpy() == pytest.approx(2 / 120)
    assert table["p_smallest_adjusted"].to_numpy() == pytest.approx(16 / 120)
    assert (table["could_be_significant"] == "only unadjusted").all()
    assert table["rho_needed"].to_numpy() == pytest.approx(1)
    assert table["rho_needed_adjusted"].isna().all()
    free = correlate_all(questions, CorrelationSettings(**QUICK, adjust=Adjustment.BENJAMINI_HOCHBERG))
    assert free["p_smallest_adjusted"].to_numpy() == pytest.approx(2 / 120)
    assert (free["could_be_significant"] == "yes").all()


def test_intervals_need_six_patients():
    table = correlate_all([question("a", 5, 1), question("b", 6, 1)], CorrelationSettings(**QUICK))
    assert math.isnan(table["rho_low"][0])
    assert math.isnan(table["rho_low_bca"][0])
    assert "interval not estimable: 5 patients, fewer than 6" in table["note"][0]
    assert table["rho_low"][1] < table["rho"][1] < table["rho_high"][1]
