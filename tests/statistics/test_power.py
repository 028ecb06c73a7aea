import math

import numpy as np
import pytest
from scipy import stats

from ihcscore.schema import Adjustment
from ihcscore.statistics.adjust import adjust
from ihcscore.statistics.power import power, simulated_rho

ASKED = {"alpha": 0.05, "n_simulated": 4000, "n_resamples": 20_000, "seed": 0}


def test_four_patients_have_no_power():
    assert power(0.7, 4, **ASKED) == 0.0
    assert math.isnan(power(0.7, 2, **ASKED))


def test_power_without_correlation_is_the_level_of_the_exact_test():
    # n = 6: |rho| >= .886 has P 24/720 = 0.0333
    assert power(0.0, 6, **ASKED) == pytest.approx(24 / 720, abs=4 * math.sqrt(0.033 / 4000))


def test_power_of_thirty_patients_is_near_the_formula():
    # Fisher's z with Bonett and Wright's variance at rho 0.5: Phi(.5493 / sqrt(1.125 / 27) - 1.96)
    expected = float(stats.norm.cdf(math.atanh(0.5) / math.sqrt(1.125 / 27) - 1.96))
    assert power(0.5, 30, **ASKED) == pytest.approx(expected, abs=0.05)


def test_power_grows_with_rho_and_n():
    values = [power(rho, n, **ASKED) for n in (6, 12, 24) for rho in (0.3, 0.5, 0.7)]
    assert values == sorted(values[:3]) + sorted(values[3:6]) + sorted(values[6:])
    assert values[2] < values[5] < values[8]


def test_simulated_studies_have_the_rho_that_was_asked_for():
    found = simulated_rho(0.7, 400, 500, np.random.default_rng(1))
    assert found.mean() == pytest.approx(0.7, abs=0.01)


def test_holm_and_benjamini_hochberg_by_hand():
    p = np.array([0.01, 0.04, math.nan, 0.03])
    assert adjust(p, Adjustment.HOLM)[[0, 1, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert adjust(p, Adjustment.BENJAMINI_HOCHBERG)[[0, 1, 3]] == pytest.approx([0.03, 0.04, 0.04])
    assert adjust(p, Adjustment.NONE)[[0, 1, 3]] == pytest.approx([0.01, 0.04, 0.03])
    assert np.isnan(adjust(p, Adjustment.HOLM)[2])
    assert np.isnan(adjust(np.array([math.nan]), Adjustment.HOLM)).all()


def test_holm_is_that_of_the_definition():
    # Holm 1979: the j-th smallest of k times k - j + 1, and never below that of a smaller one.
    generator = np.random.default_rng(4)
    for k in (1, 2, 7):
        p = generator.random(k).round(1) / 4
        steps = np.minimum(np.sort(p) * np.arange(k, 0, -1), 1.0)
        expected = [steps[np.sort(p) <= one].max() for one in p]
        assert adjust(p, Adjustment.HOLM) == pytest.approx(expected)


@pytest.mark.parametrize("method", list(Adjustment))
def test_adjusted_smallest_p_is_the_smallest_adjusted(method):
    generator = np.random.default_rng(0)
    for _ in range(200):
        p = generator.random(5)
        smaller = p * generator.random(5)
        assert (adjust(smaller, method) <= adjust(p, method) + 1e-15).all()
