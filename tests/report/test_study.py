"""Numbers in words, and figures whose bytes repeat."""

import math

import numpy as np
import pandas as pd
import pytest

from ihcscore.report import figures, numbers, study, wording
from ihcscore.schema import Adjustment, CorrelationSettings, Lesions, Role, Uptake, Variable
from ihcscore.study.questions import Question
from ihcscore.study.results import correlate_all

QUICK = {"n_resamples": 2000, "n_bootstrap": 200, "n_simulated": 200}


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0833, "0.083"), (0.04999, "0.0500"), (0.0504, "0.0504"), (0.0004, "<0.001"), (0, "<0.001"), (1, "1"),
     (0.9999, "1"), (0.5, "0.500"), (math.nan, "–"), (None, "–")],
)  # fmt: skip
def test_p_is_never_nought(p, text):
    assert numbers.format_p(p) == text


@pytest.mark.parametrize(
    ("rho", "text"), [(-0.366, "−0.37"), (0.7, "0.70"), (-0.001, "0.00"), (math.nan, "–")]
)
def test_rho_has_two_decimals(rho, text):
    assert numbers.format_rho(rho) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.9, "1.90"),
        (598.4, "598"),
        (-0.185, "−0.185"),
        (0.0123, "0.0123"),
        (0, "0"),
        (12.34, "12.3"),
        (math.inf, "–"),
    ],
)
def test_values_have_three_digits(value, text):
    assert numbers.format_value(value) == text


def correlations(n, n_tests=3, **asked):
    generator = np.random.default_rng(0)
    y = generator.normal(size=n)
    questions = [
        Question(
            family="mean of the patient's lesions, suv_max at baseline",
            role=Role.PRIMARY,
            x=Variable(marker=f"M{k}", region="Tumour centre"),
            y=Uptake(suv="suv_max", lesions=Lesions.MEAN),
            points=pd.DataFrame(
                {"patient_id": [f"P{i:02d}" for i in range(n)], "x": generator.normal(size=n), "y": y,
                 "n_lesions": 1, "n_samples": 1}
            ),
        )
        for k in range(n_tests)
    ]  # fmt: skip
    chosen = CorrelationSettings(**(QUICK | asked))
    return correlate_all(questions, chosen), chosen


class TestWhatCouldBeFound:
    def test_four_patients(self):
        ((kind, text),) = wording.what_could_be_found(*correlations(4))
        assert kind == "red"
        assert "with n = 4 patients, no result could have been significant" in text
        assert "any of 3 tests could have given is 0.083" in text

    def test_too_many_tests(self):
        # n = 5: 2/120 = 0.017; Holm over 8 tests 0.13
        ((kind, text),) = wording.what_could_be_found(*correlations(5, n_tests=8))
        assert kind == "red"
        assert "after adjustment by Holm's method: the smallest attainable adjusted P is 0.133" in text

    def test_without_adjustment_five_patients_could(self):
        ((kind, text),) = wording.what_could_be_found(*correlations(5, n_tests=8, adjust=Adjustment.NONE))
        assert kind == "amber"
        assert "from |ρ| = 1.00 on" in text
        assert "after adjustment" not in text

    def test_many_patients(self):
        ((kind, text),) = wording.what_could_be_found(*correlations(40))
        assert kind == "plain"
        assert "if ρ was truly 0.5" in text
        assert "could not have been" not in text


def test_what_was_found_names_the_adjustment():
    table, chosen = correlations(12)
    said = wording.what_was_found(table, chosen)
    assert said.startswith("None of 3 correlations is significant after adjustment by Holm's method")
    few, chosen = correlations(4)
    assert "Holm's method, and none could have been. " in wording.what_was_found(few, chosen)
    alone, chosen = correlations(12, n_tests=1)
    assert wording.what_was_found(alone, chosen).startswith("The correlation is not significant. ")
    sure = table.assign(p_adjusted=[0.01, 0.5, 0.5], rho=[0.9, 0.1, 0.1])
    assert wording.what_was_found(sure, chosen).startswith("1 of 3 correlations is significant")


def test_methods_name_the_tests_that_were_made():
    table, chosen = correlations(12, kendall=True)
    text = wording.methods(table, chosen, wording.Parts(serial=False, response=True, suv=True))
    for part in ("Spearman", "2 000 random permutations (seed 0)", "Bonett and Wright", "Kendall's tau-b",
                 "Holm's method for the 3 tests", "Mann-Whitney", "P < 0.05"):  # fmt: skip
        assert part in text
    assert "Wilcoxon" not in text


def test_methods_are_whole_sentences_whatever_was_asked():
    table, chosen = correlations(12, n_resamples=10_500, n_bootstrap=2500)
    text = wording.methods(table, chosen, wording.Parts(serial=True, response=True, suv=True))
    assert "over 10 500 random permutations (seed 0)." in text
    assert "(2 500 samples of patients)" in text
    assert text.startswith("Cell densities (positive cells per mm², over all fields together) were averaged")
    assert "  " not in text
    assert " ." not in text
    few, chosen = correlations(4, y="CD3:a", x="CD8:a", density="mean_per_mm2")
    text = wording.methods(few, chosen, wording.Parts(serial=False, response=False, suv=False))
    assert "mean over fields) were averaged over a patient's samples. Spearman's" in text
    assert "permutation test over all permutations." in text
    assert "Bonett" not in text  # four patients have no interval, and the methods name none


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (Variable(marker="CD8", region="A"), "CD8 · A, cells per mm²"),
        (Variable(marker="CD8", region="A", over="CD4"), "CD8/CD4 · A"),
        (Variable(marker="CD8", region="A", column="sd_per_mm2"), "CD8 · A · sd_per_mm2, cells per mm²"),
        (Variable(marker="CD8", region="A", column="cv"), "CD8 · A · cv"),
        (Uptake(suv="suv_max", lesions=Lesions.HIGHEST), "SUVmax, highest lesion, baseline"),
        (Uptake(suv="suv_max", lesions=Lesions.OWN), "SUVmax of the lesion, baseline"),
    ],
)
def test_an_axis_is_named_by_what_it_shows(quantity, said):
    assert study.axis_name(quantity, CorrelationSettings()) == said


def points(n, zero=False, skewed=False):
    generator = np.random.default_rng(2)
    x = np.exp(generator.normal(5, 2.0 if skewed else 0.3, n))
    if zero:
        x[0] = 0.0
    y = generator.normal(2, 0.3, n)
    return pd.DataFrame(
        {"patient_id": [f"P{i}" for i in range(n)], "lesion_id": "", "x": x, "y": y, "x_low": 0.6 * x,
         "x_high": 1.5 * x, "y_low": y - 0.2, "y_high": np.where(np.arange(n) == 1, np.nan, y + 0.2)}
    )  # fmt: skip


@pytest.mark.parametrize(("zero", "skewed"), [(False, False), (False, True), (True, True)])
def test_scatter_repeats_its_bytes(zero, skewed):
    one, other = (
        figures.scatter(points(9, zero, skewed), x="CD8", y="SUV", title="CD8\nρ = 0.1") for _ in "ab"
    )
    assert one == other
    assert one["png"].startswith(b"\x89PNG")
    assert b"<svg" in one["svg"]
    assert b"date" not in one["svg"].lower()


def test_a_forest_without_intervals_and_lines_that_do_not_change():
    table, _ = correlations(4)
    assert figures.forest(table, names=["a", "b", "c"], texts=["a", "b", "c"])["svg"]
    scans = pd.DataFrame(
        {"patient_id": ["A", "A", "B"], "lesion_id": ["1", "2", "1"], "before": 2.0, "after": 2.0}
    )
    assert figures.before_after(scans, names=("baseline", "on treatment"), suv="SUVmax")["png"]


def test_one_patient_can_be_drawn():
    assert figures.scatter(points(1), x="CD8", y="SUV", title="one")["svg"]
    two = pd.DataFrame({"a": [0.0, 0.0], "b": [0.0, 0.0]})
    drawn = figures.agreement(
        two, names=("A", "B"), line=(math.nan, math.nan), limits=[math.nan] * 3, offset=1.0
    )
    assert drawn["svg"]


def test_ids_are_text_whatever_they_hold():
    strange = points(4).assign(patient_id=["$x_{$", "a_b^c", "<b>&", "\u4e2d"])
    assert figures.scatter(strange, x="CD8 $\\frac{", y="SUV", title="%s {}")["svg"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("suv_max", "SUVmax"),
        ("SUV_Peak, mean of lesions", "SUVpeak, mean of lesions"),
        ("suvmean", "SUVmean"),
        ("on_treatment", "on treatment"),
        ("suv_max_lbm", "SUVmax lbm"),
        ("tbr", "tbr"),
    ],
)
def test_raw_names_are_said_as_people_say_them(name, said):
    assert numbers.spoken(name) == said


@pytest.mark.parametrize(
    ("low", "high"), [(0.93, 1.08), (0.7, 1.6), (0.2, 5.0), (0.01, 90.0), (3.0, 40_000.0), (10.0, 1e12)]
)
def test_a_logarithmic_axis_has_ticks_whatever_it_shows(low, high):
    ticks = figures.log_ticks(low, high)
    assert 3 <= len(ticks) <= 10
    assert all(low <= tick <= high for tick in ticks)
    assert ticks == sorted(set(ticks))
    assert all(len(f"{tick:g}".lstrip("0.")) <= 6 for tick in ticks)


def test_a_figure_is_painted_once_for_both_formats():
    painted = []

    def paint(figure):
        painted.append(figure)
        figure.add_subplot().plot([1, 2])

    drawn = figures.draw(paint, size_inch=(2, 2))
    assert len(painted) == 1
    assert drawn["png"].startswith(b"\x89PNG")
    assert b"<svg" in drawn["svg"]
