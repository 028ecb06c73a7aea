"""P values against enumeration by itertools and against printed tables."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ihcscore.schema import PermutationKind
from ihcscore.statistics.permutation import cluster_permutations, permutations
from ihcscore.statistics.spearman import kendall, spearman, t_approximation_p

RNG = np.random.default_rng(20)


def data_of(n, kind):
    generator = np.random.default_rng([n, len(kind)])
    x, y = generator.permutation(n).astype(float), generator.permutation(n).astype(float)
    if kind in ("ties in y", "ties in both"):
        y = np.floor(y / 2)
    if kind in ("ties in x", "ties in both"):
        x = np.floor(x / 3)
    return x, y


def enumerated_p(x, y):
    """P of |rho| over all orders of y, with scipy's ranks and a plain Pearson correlation."""
    ranks_x = stats.rankdata(x) - stats.rankdata(x).mean()
    ranks_y = stats.rankdata(y) - stats.rankdata(y).mean()
    orders = np.fromiter(itertools.chain.from_iterable(itertools.permutations(range(len(x)))), np.int8)
    all_y = ranks_y[orders.reshape(-1, len(x))]
    scale = math.sqrt((ranks_x**2).sum() * (ranks_y**2).sum())
    rho = np.abs(all_y @ ranks_x) / scale
    return float(np.mean(rho >= rho[0] - 1e-9)), float(np.mean(rho >= rho.max() - 1e-9))


@pytest.mark.parametrize("kind", ["no ties", "ties in y", "ties in x", "ties in both"])
@pytest.mark.parametrize("n", range(4, 10))
def test_p_is_that_of_all_permutations(n, kind):
    x, y = data_of(n, kind)
    test = spearman(x, y)
    p, p_smallest = enumerated_p(x, y)
    assert test.p == pytest.approx(p, rel=1e-12)
    assert test.p_smallest == pytest.approx(p_smallest, rel=1e-12)
    assert test.estimate == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert str(test.method) == f"all permutations: {math.factorial(n)}"


@pytest.mark.parametrize(
    ("n", "rho", "p"),
    # Exact two-sided critical values of Spearman's rho (Zar 1972, doi 10.1080/01621459.1972.10481251).
    [(4, 1.000, 0.0833), (5, 1.000, 0.0167), (6, 0.886, 0.0333), (7, 0.786, 0.0480), (8, 0.738, 0.0458)],
)
def test_tabulated_critical_values(n, rho, p):
    x = np.arange(n, dtype=float)
    test = next(
        found
        for order in itertools.permutations(range(n))
        if (found := spearman(x, np.array(order, float))).estimate == pytest.approx(rho, abs=5e-4)
    )
    assert test.p == pytest.approx(p, abs=5e-5)
    if n > 4:
        assert test.needed(0.05) <= rho + 5e-4


def test_ten_patients_need_0648():
    # Squared differences of 58: rho = 1 - 6 · 58 / 990 = 0.6485. All 10! orders give P 0.0490
    # (benchmarks/correlation.py lists them; Zar's table has the same).
    x, y = np.arange(10.0), np.array([1, 0, 2, 3, 6, 8, 9, 7, 5, 4.0])
    assert ((x - y) ** 2).sum() == 58
    test = spearman(x, y, n_resamples=200_000)
    assert str(test.method) == "random permutations: 200000"
    assert test.p == pytest.approx(0.0490, abs=4 * math.sqrt(0.049 * 0.951 / 200_000))
    assert test.needed(0.05) == pytest.approx(0.6485, abs=0.013)
    assert test.p_smallest == pytest.approx(1 / 200_001)


def test_nothing_can_be_significant_with_four():
    test = spearman(np.arange(4.0), np.arange(4.0))
    assert test.p == test.p_smallest == pytest.approx(2 / 24)
    assert math.isnan(test.needed(0.05))
    assert t_approximation_p(test.estimate, 4) == 0.0  # what SPSS would print


@pytest.mark.parametrize("n", [3, 5, 7, 8])
def test_kendall_is_scipys_exact_test(n):
    x, y = data_of(n, "no ties")
    test, exact = kendall(x, y), stats.kendalltau(x, y, method="exact")
    assert test.estimate == pytest.approx(exact.statistic)
    assert test.p == pytest.approx(exact.pvalue)


def test_kendall_with_ties_is_tau_b():
    x, y = data_of(8, "ties in both")
    assert kendall(x, y).estimate == pytest.approx(stats.kendalltau(x, y).statistic)


@pytest.mark.parametrize("levels", [2, 3, 6, 7, 20])
def test_kendalls_sum_is_that_of_all_pairs(levels):
    # Counted by groups up to six values of y, by pairs above.
    x, y = RNG.integers(0, 9, 20).astype(float), RNG.integers(0, levels, 20).astype(float)
    assert kendall(x, y, n_resamples=300).estimate == pytest.approx(stats.kendalltau(x, y).statistic)


@pytest.mark.parametrize("statistic", [spearman, kendall])
@pytest.mark.parametrize("kind", ["no ties", "ties in y", "ties in both"])
def test_smallest_p_by_counting_is_that_by_listing(statistic, kind, monkeypatch):
    x, y = data_of(7, kind)
    listed = statistic(x, y).p_smallest
    monkeypatch.setattr("ihcscore.statistics.permutation.EXACT_UP_TO", 6)
    counted = statistic(x, y, n_resamples=5_000_000 if listed < 1e-4 else 20_000)
    assert counted.method.kind is PermutationKind.RANDOM
    assert counted.p_smallest == pytest.approx(listed, rel=1e-9)


@given(st.integers(3, 12), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=40, deadline=None)
def test_order_of_rows_is_of_no_account(n, seed, ties):
    generator = np.random.default_rng(seed)
    x, y = generator.random((2, n)).round(1 if ties else 9)
    order = generator.permutation(n)
    for statistic in (spearman, kendall):
        one = statistic(x, y, n_resamples=500)
        other = statistic(x[order], y[order], n_resamples=500)
        assert repr((one.estimate, one.p, one.p_smallest)) == repr(
            (other.estimate, other.p, other.p_smallest)
        )


def test_floating_digits_make_no_ranks():
    # 0.3 - 0.2 and 0.2 - 0.1 differ in the last digit only.
    x = np.array([0.3 - 0.2, 0.2 - 0.1, 0.5, 0.7])
    assert (
        spearman(x, np.array([1.0, 2, 3, 4])).estimate
        == spearman(np.array([0.1, 0.1, 0.5, 0.7]), np.array([1.0, 2, 3, 4])).estimate
    )


def test_constant_or_too_few_have_no_test():
    for x, y in ([[1.0, 1, 1, 1], [1.0, 2, 3, 4]], [[1.0, 2], [1.0, 2]], [[], []]):
        test = spearman(np.array(x), np.array(y))
        assert math.isnan(test.estimate)
        assert math.isnan(test.p)
        assert math.isnan(test.needed(0.05))


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="x has 2 values, y has 3"):
        spearman(np.ones(2), np.ones(3))
    with pytest.raises(ValueError, match="finite"):
        spearman(np.array([1.0, math.nan, 3]), np.ones(3))


class TestClusters:
    def test_the_group_has_the_size_it_should(self):
        # Two patients with two lesions, three with one: (2! · 2!²) · 3! = 48.
        reference = cluster_permutations(np.array([0, 0, 1, 1, 2, 3, 4]), n_resamples=100, seed=0)
        rows = {tuple(row) for row in reference.index.tolist()}
        assert reference.exact
        assert len(rows) == reference.n_rows == 48
        for row in rows:
            assert {row[0], row[1]} in ({0, 1}, {2, 3})

    def test_single_lesions_are_the_ordinary_test(self):
        reference = cluster_permutations(np.arange(5), n_resamples=100, seed=0)
        assert {tuple(r) for r in reference.index.tolist()} == {
            tuple(r) for r in permutations(5, n_resamples=1, seed=0).index.tolist()
        }

    def test_random_exchanges_stay_in_the_group(self):
        clusters = np.repeat(np.arange(6), 3)
        reference = cluster_permutations(clusters, n_resamples=300, seed=0)
        assert not reference.exact
        for row in reference.index:
            assert sorted(row.tolist()) == list(range(18))
            assert all(len(set(clusters[row[start : start + 3]])) == 1 for start in range(0, 18, 3))

    def test_a_random_sample_comes_near_the_whole_group(self, monkeypatch):
        clusters = np.array([0, 0, 1, 1, 2, 2, 3, 4, 5])
        x, y = data_of(9, "no ties")
        whole = spearman(x, y, clusters=clusters)
        monkeypatch.setattr("ihcscore.statistics.permutation.EXACT_UP_TO", 3)
        sample = spearman(x, y, clusters=clusters, n_resamples=20_000)
        assert sample.method.kind is PermutationKind.RANDOM
        assert sample.p == pytest.approx(whole.p, abs=4 * math.sqrt(0.25 / 20_000))

    def test_order_of_lesions_is_of_no_account(self):
        clusters = np.array([0, 0, 1, 1, 2, 2, 3, 4, 5, 5, 5])
        x, y = RNG.random((2, 11))
        order = RNG.permutation(11)
        one = spearman(x, y, clusters=clusters, n_resamples=500)
        other = spearman(x[order], y[order], clusters=clusters[order], n_resamples=500)
        assert (one.estimate, one.p, one.p_smallest) == (other.estimate, other.p, other.p_smallest)

    def test_level_is_kept_where_lesions_of_a_patient_are_alike(self):
        # Strong patient effects in both, no association: the plain test rejects far too often.
        generator = np.random.default_rng(5)
        clusters = np.repeat(np.arange(5), 3)
        rejected = {"clusters": 0, "plain": 0}
        for _ in range(150):
            x, y = (
                generator.standard_normal(5)[clusters] + 0.2 * generator.standard_normal(15) for _ in "xy"
            )
            rejected["clusters"] += spearman(x, y, clusters=clusters, n_resamples=400).p < 0.05
            rejected["plain"] += spearman(x, y, n_resamples=400).p < 0.05
        assert rejected["clusters"] <= 15  # 7.5 expected, 99.6 % below 15
        assert rejected["plain"] > 40
