"""P as SPSS prints them, quartiles as SPSS takes them, and the exact ones beside."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from ihcscore.schema import Adjustment, Quartiles
from ihcscore.statistics import (
    adjust,
    describe,
    mann_whitney,
    median_interval,
    quartiles,
    rank_sum_asymptotic,
    shift_interval,
    signed_rank,
    signed_rank_asymptotic,
)


def differences_with(n, positive_sum):
    """N differences without ties whose positive ranks have this sum."""
    left, values = positive_sum, -np.arange(1.0, n + 1)
    for rank in range(n, 0, -1):
        if rank <= left:
            values[rank - 1], left = rank, left - rank
    assert left == 0
    return values


# The P values of van de Donk et al. 2021 (doi 10.1007/s00259-021-05407-y) as SPSS gives them at the rank sums
# that belong to them, and the exact ones: organs of 11 and of 10 patients, and 30 lesions.
PAPER = [(11, 6, 0.016, 0.0137), (11, 7, 0.021, 0.0186), (11, 7, 0.021, 0.0186), (10, 6, 0.028, 0.0273),
         (30, 134, 0.043, 0.0427)]  # fmt: skip


@pytest.mark.parametrize(("n", "rank_sum", "printed", "exact"), PAPER)
def test_the_papers_p_is_spss_asymptotic(n, rank_sum, printed, exact):
    test = signed_rank(differences_with(n, rank_sum))
    assert round(test.p_asymptotic, 3) == printed
    assert test.p == pytest.approx(exact, abs=5e-5)


def test_nothing_of_the_papers_organs_survives_holm_over_fifteen():
    for kind in ("p", "p_asymptotic"):
        four = [getattr(signed_rank(differences_with(n, w)), kind) for n, w, _, _ in PAPER[:4]]
        least = adjust(np.array([*four, *[1.0] * 11]), Adjustment.HOLM).min()
        assert least == pytest.approx(15 * min(four))
        assert least > 0.2


def test_five_pairs_cannot_be_significant_but_spss_says_so():
    # Plasma of five patients: W = 0, printed as P < 0.05; and of four, printed 0.07.
    test = signed_rank(np.arange(1.0, 6))
    assert (test.p, round(test.p_asymptotic, 4)) == (0.0625, 0.0431)
    assert signed_rank(np.arange(1.0, 5)).p_asymptotic == pytest.approx(0.0679, abs=5e-5)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_they_are_scipys_without_correction(seed):
    generator = np.random.default_rng(seed)
    differences = generator.integers(-4, 7, 25).astype(float)
    wanted = stats.wilcoxon(
        differences[differences != 0], method="asymptotic", correction=False, zero_method="wilcox"
    ).pvalue
    assert signed_rank_asymptotic(differences) == pytest.approx(wanted)
    first, second = generator.integers(0, 9, 12).astype(float), generator.integers(2, 9, 9).astype(float)
    wanted = stats.mannwhitneyu(first, second, method="asymptotic", use_continuity=False).pvalue
    assert rank_sum_asymptotic(first, second) == pytest.approx(wanted)
    assert mann_whitney(first, second).p_asymptotic == pytest.approx(wanted)


def test_without_a_difference_there_is_no_p():
    assert math.isnan(signed_rank_asymptotic(np.zeros(4)))
    assert math.isnan(rank_sum_asymptotic(np.ones(3), np.ones(4)))
    assert math.isnan(rank_sum_asymptotic(np.ones(0), np.ones(4)))


def test_quartiles_of_spss_are_type_6():
    # SPSS, HAVERAGE: the value at (n + 1) p; of 1 to 10 these are 2.75 and 8.25 (R: type 7 gives 3.25, 7.75).
    values = np.arange(1.0, 11)
    assert quartiles(values) == (3.25, 5.5, 7.75)
    assert quartiles(values, Quartiles.SPSS) == (2.75, 5.5, 8.25)
    assert describe(values, Quartiles.SPSS)["q1"] == 2.75
    assert quartiles(np.array([1.0, 2.0]), Quartiles.SPSS) == (1.0, 1.5, 2.0)
    assert np.isnan(quartiles(np.array([]), Quartiles.SPSS)).all()


def test_interval_of_the_shift_is_what_the_test_does_not_reject():
    generator = np.random.default_rng(5)
    first, second = generator.normal(1, 1, 5), generator.normal(0, 1, 6)
    low, high = shift_interval(first, second)
    inside, outside = np.array([low + 1e-6, high - 1e-6]), np.array([low - 1e-6, high + 1e-6])
    assert all(mann_whitney(first - shift, second).p > 0.05 for shift in inside)
    assert all(mann_whitney(first - shift, second).p <= 0.05 for shift in outside)
    assert shift_interval(second, first) == pytest.approx((-high, -low))
    assert np.isnan(shift_interval(first[:3], second[:4])).all()  # smallest P is 2/35
    many = np.arange(100.0)
    low, high = shift_interval(many, many)
    assert low == pytest.approx(-high, abs=1e-9)
    assert -9 < low < -6


def test_interval_of_a_median_is_that_of_the_sign_test():
    assert np.isnan(median_interval(np.arange(5.0))).all()
    assert median_interval(np.arange(1.0, 7)) == (1.0, 6.0)  # 1 - 2/64
    assert median_interval(np.arange(1.0, 11)) == (2.0, 9.0)  # 97.9 %
    counted = sum(1 for signs in itertools.product((0, 1), repeat=10) if 2 <= sum(signs) <= 8)
    assert counted / 2**10 == pytest.approx(0.979, abs=5e-4)
