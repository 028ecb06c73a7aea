"""Speed of the permutation tests, P values against listing, coverage of the intervals, power.

usage: python benchmarks/correlation.py [--studies 1000] [--list-ten]

Coverage: share of simulated studies whose 95 % interval holds the true Spearman rho; bivariate normal
pairs, and the same with density rounded into few classes, so that ranks tie.
"""

from __future__ import annotations

import argparse
import itertools
import math
import time
from collections.abc import Iterator

import numpy as np
from scipy import stats

from ihcscore.statistics.interval import bca, bonett_wright
from ihcscore.statistics.permutation import random_permutations
from ihcscore.statistics.power import power
from ihcscore.statistics.spearman import kendall, spearman

SIZES = (6, 8, 12, 15, 30)


def speed() -> None:
    """Eight tests of twelve patients, 100 000 permutations each, nothing kept from before."""
    generator = np.random.default_rng(0)
    data = generator.random((8, 2, 12))
    for name, test in (("Spearman", spearman), ("Kendall", kendall)):
        random_permutations.cache_clear()
        start = time.perf_counter()
        for x, y in data:
            test(x, y, n_resamples=100_000)
        print(f"{name}: 8 tests, n = 12, 100 000 permutations: {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    for x, y in data:
        bca(x, y, n_bootstrap=10_000)
    print(f"BCa: 8 intervals of 10 000 samples: {time.perf_counter() - start:.2f} s")


def draw(n: int, rho: float, studies: int, ties: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Studies with a true Spearman rho."""
    generator = np.random.default_rng([n, round(100 * rho), ties])
    r = 2 * math.sin(math.pi * rho / 6)
    for _ in range(studies):
        x = generator.standard_normal(n)
        y = r * x + math.sqrt(1 - r * r) * generator.standard_normal(n)
        yield (np.round(2 * x) if ties else x), y


def coverage(studies: int) -> None:
    """Share of the intervals that hold the true rho; those that cannot be had do not count."""
    print(f"\ncoverage of nominal 95 % intervals, {studies} studies each (standard error "
          f"{100 * math.sqrt(0.05 * 0.95 / studies):.1f} points)")  # fmt: skip
    print(f"{'n':>4}{'rho':>6}{'Bonett-Wright':>15}{'BCa':>8}{'not estimable':>16}")
    for n, rho in itertools.product(SIZES, (0.0, 0.5, 0.7)):
        held, had = np.zeros(2), np.zeros(2)
        for x, y in draw(n, rho, studies, ties=False):
            found = float(stats.spearmanr(x, y).statistic)
            for k, (low, high) in enumerate((bonett_wright(found, n), bca(x, y, n_bootstrap=2000))):
                had[k] += not math.isnan(low)
                held[k] += low <= rho <= high
        share = 100 * held / had
        print(
            f"{n:>4}{rho:>6}{share[0]:>13.1f} %{share[1]:>6.1f} %{100 * (1 - had.min() / studies):>14.1f} %"
        )


def level(studies: int) -> None:
    """Share of studies without correlation with P below 0.05: exact test against Student's t."""
    print(f"\nfalse findings at P < 0.05, {studies} studies each")
    print(f"{'n':>4}{'':>9}{'permutation':>13}{'t':>8}")
    for n, ties in itertools.product((5, 6, 8, 12), (False, True)):
        exact = t = 0
        for x, y in draw(n, 0.0, studies, ties):
            test = spearman(x, y, n_resamples=20_000)
            exact += test.p < 0.05
            t += bool(stats.spearmanr(x, y).pvalue < 0.05) if not math.isnan(test.p) else 0
        print(
            f"{n:>4}{'  ties' if ties else '':>9}{100 * exact / studies:>11.1f} %{100 * t / studies:>6.1f} %"
        )


def powers() -> None:
    """Power of one test, and of the first step of Holm's method over eight."""
    print("\npower at alpha 0.05, and at 0.05 / 8 (20 000 studies each)")
    print(f"{'n':>4}{'rho 0.5':>10}{'rho 0.7':>10}{'0.5, /8':>10}{'0.7, /8':>10}")
    for n in (4, 5, *SIZES):
        asked = {"n_simulated": 20_000, "n_resamples": 100_000, "seed": 0}
        row = [power(rho, n, alpha=alpha, **asked) for alpha in (0.05, 0.05 / 8) for rho in (0.5, 0.7)]
        print(f"{n:>4}" + "".join(f"{100 * value:>8.1f} %" for value in row))


def list_ten() -> None:
    """P of |rho| = 0.648 at n = 10 by listing all 10! orders, last place by last place."""
    nine = np.array(list(itertools.permutations(range(9))), np.int8)
    as_far = total = 0
    for last in range(10):
        values = np.array([v for v in range(10) if v != last])
        squared = ((values[nine] - np.arange(9)) ** 2).sum(axis=1) + (last - 9) ** 2
        rho = 1 - 6 * squared / 990
        as_far += int((np.abs(rho) >= 1 - 6 * 58 / 990 - 1e-9).sum())
        total += len(rho)
    print(f"\nn = 10, |rho| >= {1 - 6 * 58 / 990:.4f}: P = {as_far}/{total} = {as_far / total:.4f}")


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--list-ten", action="store_true", help="also list all 10! orders")
    args = parser.parse_args()
    speed()
    if args.list_ten:
        list_ten()
    powers()
    level(args.studies)
    coverage(args.studies)


if __name__ == "__main__":
    main()
