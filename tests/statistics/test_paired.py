"""Against R's printed outputs, scipy, and listing of all signs."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ihcscore.statistics.paired import hodges_lehmann, shapiro_wilk, signed_rank, signed_rank_by_patient

# Hollander and Wolfe 1973, p. 29: Hamilton depression scale factor, the example of R's ?wilcox.test
# (V = 40, one-sided P = 0.01953); shift -.46 with the 96 % interval (-.786, -.010) in the book.
BEFORE = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
AFTER = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])


def listed_p(differences):
    """P over all signs, with Pratt's ranks, the mean as the centre."""
    ranks = stats.rankdata(np.abs(differences))[differences != 0]
    signs = np.sign(differences[differences != 0])
    sums = [abs(np.dot(turn, ranks)) for turn in itertools.product((-1, 1), repeat=len(ranks))]
    return float(np.mean(np.array(sums) >= abs(np.dot(signs, ranks)) - 1e-9))


def test_depression_example():
    test = signed_rank(AFTER - BEFORE)
    assert test.p == pytest.approx(2 * 0.01953, abs=1e-5)
    shift, (low, high) = hodges_lehmann(AFTER - BEFORE)
    assert (shift, low, high) == pytest.approx((-0.46, -0.786, -0.010))


@pytest.mark.parametrize("n", [5, 8, 20])
def test_without_ties_it_is_scipys_exact_test(n):
    differences = np.random.default_rng(n).normal(0.5, 1, n)
    assert signed_rank(differences).p == pytest.approx(stats.wilcoxon(differences, method="exact").pvalue)
    assert signed_rank(differences).p_smallest == pytest.approx(2 / 2**n)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9))
@settings(max_examples=60, deadline=None)
def test_with_ties_and_zeros_it_is_that_of_all_signs(differences):
    values = np.array(differences, float)
    test = signed_rank(values)
    assert test.n_zero == differences.count(0)
    if test.n_zero == len(differences):
        assert math.isnan(test.p)
    else:
        assert test.p == pytest.approx(listed_p(values))


def test_ties_of_floating_differences_are_ties():
    test = signed_rank(np.array([1.9 - 1.7, 1.7 - 1.9, 2.0 - 1.8, 1.8 - 2.0, 0.5]))
    assert test.p == pytest.approx(listed_p(np.array([0.2, -0.2, 0.2, -0.2, 0.5])))


def test_many_pairs_come_near_the_normal_approximation():
    differences = np.random.default_rng(1).normal(0.15, 1, 150).round(2)
    near = stats.wilcoxon(differences, method="approx", zero_method="pratt", correction=True).pvalue
    assert signed_rank(differences).p == pytest.approx(near, rel=0.02)


def test_no_interval_of_the_shift_below_six():
    values = np.arange(1.0, 6)
    assert np.isnan(hodges_lehmann(values)[1]).all()
    assert hodges_lehmann(np.arange(1.0, 7))[1] == (1.0, 6.0)
    assert math.isnan(hodges_lehmann(np.array([]))[0])


def test_signs_by_patient():
    # Three patients, all lesions up: 2 of 2^3 turns are as extreme.
    p = signed_rank_by_patient(np.arange(1.0, 7), np.array([0, 0, 0, 1, 1, 2]), n_resamples=1000, seed=0)
    assert p == pytest.approx(0.25)
    # One lesion a patient: the ordinary test.
    differences = np.random.default_rng(2).normal(0.5, 1, 9)
    alone = signed_rank_by_patient(differences, np.arange(9), n_resamples=1000, seed=0)
    assert alone == pytest.approx(signed_rank(differences).p)
    many = np.random.default_rng(2).normal(0.3, 1, 20)
    sampled = signed_rank_by_patient(many, np.arange(20), n_resamples=20_000, seed=0)
    assert sampled == pytest.approx(signed_rank(many).p, abs=0.015)
    assert math.isnan(signed_rank_by_patient(np.zeros(3), np.arange(3), n_resamples=100, seed=0))


def test_shapiro_wilk_needs_three_different_values():
    assert np.isnan(shapiro_wilk(np.array([1.0, 2]))).all()
    assert np.isnan(shapiro_wilk(np.ones(5))).all()
    w, p = shapiro_wilk(BEFORE)
    assert 0 < w <= 1
    assert 0 < p <= 1
