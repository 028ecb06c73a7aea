"""Mann-Whitney and Jonckheere-Terpstra against R's examples, scipy and listing."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ihcscore.schema import CorrelationSettings
from ihcscore.statistics.groups import mann_whitney
from ihcscore.statistics.spearman import kendall
from ihcscore.study.response import compare_responses

# Hollander and Wolfe 1973, p. 69: permeability of the amnion, the example of R's ?wilcox.test
# (W = 35, two-sided exact P = 0.2544; shift 0.305).
AT_TERM = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
EARLY = np.array([1.15, 0.88, 0.90, 0.74, 1.21])


def listed_p(first, second):
    ranks = stats.rankdata(np.concatenate([first, second]))
    mean = len(first) * ranks.mean()
    sums = np.array([sum(chosen) for chosen in itertools.combinations(ranks, len(first))])
    return float(np.mean(np.abs(sums - mean) >= abs(ranks[: len(first)].sum() - mean) - 1e-9))


def test_permeability_example():
    test = mann_whitney(AT_TERM, EARLY)
    assert test.p == pytest.approx(0.2544, abs=5e-5)
    assert test.shift == pytest.approx(0.305)
    assert test.p_smallest == pytest.approx(2 / math.comb(15, 5))


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=5), st.lists(st.integers(0, 4), min_size=1, max_size=5)
)
@settings(max_examples=60, deadline=None)
def test_with_ties_it_is_that_of_all_choices(first, second):
    a, b = np.array(first, float), np.array(second, float)
    test = mann_whitney(a, b)
    if len(set(first + second)) == 1:
        assert math.isnan(test.p)
    else:
        assert test.p == pytest.approx(listed_p(a, b))
        assert test.p == pytest.approx(mann_whitney(b, a).p)


def test_larger_groups_are_scipys_exact_test():
    generator = np.random.default_rng(0)
    a, b = generator.normal(0, 1, 22), generator.normal(0.6, 1, 30)
    assert mann_whitney(a, b).p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)


def test_large_groups_are_sampled_with_a_seed_and_say_so():
    generator = np.random.default_rng(0)
    a, b = generator.normal(0, 1, 60), generator.normal(0.25, 1, 100)
    test = mann_whitney(a, b, n_resamples=20_000, seed=3)
    assert str(test.method) == "random permutations: 20000, seed 3"
    assert test.p == pytest.approx(stats.mannwhitneyu(a, b, method="asymptotic").pvalue, abs=0.01)
    assert test.p_smallest == 1 / 20_001
    shuffled = mann_whitney(a[::-1], generator.permutation(b), n_resamples=20_000, seed=3)
    assert shuffled.p == test.p
    assert mann_whitney(b, a, n_resamples=20_000, seed=3).p == test.p
    assert mann_whitney(a, b, n_resamples=20_000, seed=4).p != test.p


def test_up_to_150_patients_all_choices_are_counted():
    test = mann_whitney(np.arange(5.0), np.arange(5.0, 150.0))
    assert str(test.method) == f"all permutations: {math.comb(150, 5)}"
    assert test.p == test.p_smallest == pytest.approx(2 / math.comb(150, 5))


def test_an_empty_group_has_no_test():
    assert math.isnan(mann_whitney(np.array([]), np.array([1.0])).p)


def test_jonckheere_by_listing():
    # The Jonckheere-Terpstra statistic itself, over all orders of the values.
    values, group = np.array([3.0, 1, 4, 2, 6, 5, 7]), np.array([1, 1, 2, 2, 2, 3, 3.0])

    def statistic(v):
        pairs = itertools.combinations(range(7), 2)
        return sum((v[j] > v[i]) + (v[j] == v[i]) / 2 for i, j in pairs if group[i] < group[j])

    centre = sum(group[i] < group[j] for i, j in itertools.combinations(range(7), 2)) / 2
    far = [abs(statistic(order) - centre) for order in itertools.permutations(values)]
    assert kendall(values, group).p == pytest.approx(np.mean(np.array(far) >= far[0] - 1e-9))


def response_table(values, responses):
    return pd.DataFrame(
        {"patient_id": [f"P{i}" for i in range(len(values))], "value": values, "response": responses}
    )


def test_higher_in_responders_is_a_positive_trend():
    rows = response_table([9.0, 8, 7, 5, 4, 2, 1], ["CR", "CR", "PR", "SD", "SD", "PD", "PD"])
    table = compare_responses(
        [("tissue", "CD8", rows), ("tissue", "minus", rows.assign(value=-rows["value"]))],
        CorrelationSettings(),
    )
    assert table["trend"][0] > 0.9
    assert table["trend"][1] == -table["trend"][0]
    assert table["shift"][0] == 5.0
    assert table["p"][0] == pytest.approx(2 / math.comb(7, 3))
    assert str(table["p_method"][0]) == "all permutations: 35"
    assert str(table["p_trend_method"][0]) == "all permutations: 5040"
    assert (table["p_smallest"] > 0).all()
    assert table["p_adjusted"][0] == pytest.approx(4 / math.comb(7, 3))
    assert table.loc[0, ["n_responders", "n_others", "n_cr", "n_pr", "n_sd", "n_pd"]].tolist() == [
        3,
        4,
        2,
        1,
        2,
        2,
    ]


def test_one_sided_response_is_said():
    rows = response_table([1.0, 2, 3], ["SD", "SD", "SD"])
    table = compare_responses([("tissue", "CD8", rows)], CorrelationSettings())
    assert "all patients are on one side" in table["note"][0]
    assert math.isnan(table["p"][0])
    assert math.isnan(table["median_responders"][0])
