"""Areas and half-lives: R's Indometh, known curves, and what cannot be told."""

import math

import numpy as np
import pytest

from ihcscore.schema import AucRule, CurveFit
from ihcscore.statistics.curves import area, paired_t, ratio_of_pairs, slope_half_life, two_exponentials

# Subject 1 of R's data set Indometh (Kwan et al. 1976, doi 10.1007/BF01063617): hours, mg/l.
HOURS = np.array([0.25, 0.5, 0.75, 1, 1.25, 2, 3, 4, 5, 6, 8])
INDOMETH = np.array([1.50, 0.94, 0.78, 0.48, 0.37, 0.19, 0.12, 0.11, 0.08, 0.07, 0.05])
MINUTES = np.array([5.0, 10, 20, 30, 45, 60])


def test_indometh_as_r_fits_it():
    # nls(conc ~ SSbiexp(time, A1, lrc1, A2, lrc2)): 2.0293, 0.5794, 0.1916, -1.7878
    found = two_exponentials(HOURS, INDOMETH, CurveFit.LINEAR)
    # R's standard error of lrc2 is 0.79: the slow half-life's interval has no end.
    assert found.intervals[1][1] == math.inf
    assert not found.identifiable
    assert found.amplitudes == pytest.approx((2.0293, 0.19155), rel=1e-4)
    rates = np.log(math.log(2) / np.array(found.half_lives))
    assert rates == pytest.approx([0.57939, -1.78778], abs=1e-4)
    assert found.aicc_2 < found.aicc_1


def test_indometh_area():
    assert area(HOURS, INDOMETH, AucRule.LINEAR) == pytest.approx(1.55375)
    assert area(HOURS, INDOMETH, AucRule.LOG_DOWN) < 1.55375


def test_log_down_is_exact_for_an_exponential_and_linear_where_it_rises():
    t = np.array([0.0, 10, 40])
    exact = (1 - math.exp(-0.05 * 40)) / 0.05
    assert area(t, np.exp(-0.05 * t), AucRule.LOG_DOWN) == pytest.approx(exact)
    assert area(t, np.array([1.0, 2, 0]), AucRule.LOG_DOWN) == area(t, np.array([1.0, 2, 0]), AucRule.LINEAR)
    assert math.isnan(area(t[:1], t[:1], AucRule.LINEAR))


def test_two_half_lives_come_out_of_clean_samples_and_one_is_not_two():
    clean = 10 * np.exp(-math.log(2) / 4 * MINUTES) + 3 * np.exp(-math.log(2) / 60 * MINUTES)
    found = two_exponentials(MINUTES, clean * (1 + 1e-4 * np.array([1, -1, 1, -1, 1, -1])))
    assert found.identifiable
    assert found.half_lives == pytest.approx((4, 60), rel=0.02)
    assert slope_half_life(MINUTES, clean) < 60  # still bends
    noisy = 3 * np.exp(-math.log(2) / 60 * MINUTES) * np.array([1.1, 0.93, 1.05, 0.95, 1.08, 0.97])
    assert not two_exponentials(MINUTES, noisy).identifiable
    assert not two_exponentials(MINUTES[:5], clean[:5]).identifiable


def test_slope_half_life():
    assert slope_half_life(MINUTES, np.exp(-math.log(2) / 33 * MINUTES)) == pytest.approx(33)
    assert math.isnan(slope_half_life(MINUTES, MINUTES))


def test_pairs():
    before, after = np.array([1.0, 2, 4]), np.array([2.0, 4, 8])
    assert ratio_of_pairs(before, after)[0] == pytest.approx(2)
    assert math.isnan(ratio_of_pairs(before, after * [0, 1, 1])[0])
    assert math.isnan(paired_t(np.ones(4)))
    # R: t.test(c(1, 2, 4, 3), mu = 0)$p.value
    assert paired_t(np.array([1.0, 2, 4, 3])) == pytest.approx(0.03047, abs=1e-5)
