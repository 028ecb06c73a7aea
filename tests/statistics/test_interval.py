import math

import numpy as np
import pytest
from scipy import stats

from ihcscore.statistics.interval import _below, _weighted_rho, bca, bonett_wright


def sample(n, seed=3):
    generator = np.random.default_rng(seed)
    x = generator.standard_normal(n)
    return x, x + generator.standard_normal(n)


def test_bonett_wright_by_hand():
    # rho 0.5, n = 28: z = 0.549306, SE = sqrt(1.125 / 25) = 0.212132, z ± 0.415771
    low, high = bonett_wright(0.5, 28)
    assert low == pytest.approx(math.tanh(0.549306 - 0.415771), abs=1e-5)
    assert high == pytest.approx(math.tanh(0.549306 + 0.415771), abs=1e-5)


@pytest.mark.parametrize(("rho", "n"), [(0.5, 5), (1.0, 12), (math.nan, 12)])
def test_no_interval_where_none_can_be_had(rho, n):
    assert np.isnan(bonett_wright(rho, n)).all()


def test_bca_is_scipys_within_its_sampling_error():
    x, y = sample(25)

    def rho(a, b, axis=-1):
        a, b = stats.rankdata(a, axis=axis), stats.rankdata(b, axis=axis)
        a, b = a - a.mean(axis, keepdims=True), b - b.mean(axis, keepdims=True)
        return (a * b).sum(axis) / np.sqrt((a * a).sum(axis) * (b * b).sum(axis))

    other = stats.bootstrap((x, y), rho, paired=True, n_resamples=10_000, method="BCa", random_state=1)
    assert bca(x, y, n_bootstrap=10_000) == pytest.approx(tuple(other.confidence_interval), abs=0.02)


def test_weighted_rho_is_rho_of_the_repeated_points():
    x, y = np.array([1.0, 2, 2, 5, 7]), np.array([3.0, 1, 4, 4, 9])
    weights = np.array([[2.0, 0, 3, 1, 1], [1.0, 1, 1, 1, 1]])
    found = _weighted_rho(weights, _below(x), _below(y))
    for row, rho in zip(weights.astype(int), found, strict=True):
        assert rho == pytest.approx(stats.spearmanr(np.repeat(x, row), np.repeat(y, row)).statistic)


def test_row_order_changes_nothing_and_the_seed_does():
    x, y = sample(12)
    order = np.random.default_rng(0).permutation(12)
    assert bca(x, y, n_bootstrap=500) == bca(x[order], y[order], n_bootstrap=500)
    assert bca(x, y, n_bootstrap=500) != bca(x, y, n_bootstrap=500, seed=1)


def test_patients_are_drawn_whole():
    # Each patient three times over: the interval of the patients, not a narrower one of the points.
    x, y = sample(12)
    clusters = np.repeat(np.arange(12), 3)
    together = bca(np.repeat(x, 3), np.repeat(y, 3), clusters=clusters, n_bootstrap=4000)
    assert together == pytest.approx(bca(x, y, n_bootstrap=4000), abs=0.05)


@pytest.mark.parametrize("n", [3, 5])
def test_not_estimable_below_six_patients(n):
    assert np.isnan(bca(*sample(n))).all()


def test_not_estimable_where_ranks_agree_perfectly_or_are_equal():
    x = np.arange(8.0)
    assert np.isnan(bca(x, x)).all()
    assert np.isnan(bca(x, np.ones(8))).all()
    # One value unlike the others: a jackknife sample without it has no rho.
    assert np.isnan(bca(x, np.array([0, 0, 0, 0, 0, 0, 0, 1.0]))).all()
