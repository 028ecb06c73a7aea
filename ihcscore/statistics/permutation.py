"""Permutations: all of them where they are few, a seeded sample where they are many."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ihcscore.schema import PermutationKind

EXACT_UP_TO = 9
"""Units up to which all permutations are listed: 9! = 362 880."""

# Streams of one seed for different uses; they never share a number.
_PERMUTING, _EXCHANGING = 1, 2

Index = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True, kw_only=True)
class PermutationMethod:
    """How a permutation P was had; in tables as its text.

    Attributes
    ----------
    kind : PermutationKind
    n : int
        Number of rearrangements.
    seed : int or None
        Seed of the random ones, where the method itself says it.
    """

    kind: PermutationKind
    n: int
    seed: int | None = None

    def __str__(self) -> str:
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.kind} permutations: {self.n}{seed}"


@dataclass(frozen=True, kw_only=True)
class Permutations:
    """A reference set of rearrangements.

    Attributes
    ----------
    index : (m, n) array of unsigned int
        Row by row, where each unit's value comes from.
    exact : bool
        All rearrangements; else a random sample of them.
    """

    index: Index = field(repr=False)
    exact: bool

    @property
    def n_rows(self) -> int:
        """Number of rearrangements."""
        return len(self.index)

    @property
    def method(self) -> PermutationMethod:
        """Which rearrangements, and how many."""
        kind = PermutationKind.ALL if self.exact else PermutationKind.RANDOM
        return PermutationMethod(kind=kind, n=self.n_rows)

    def p_value(self, extremes: NDArray[np.int64], observed: int) -> float:
        """Share of rearrangements at least as extreme as what was seen.

        Of a random sample (b + 1) / (m + 1): the data's own order is one of the possible ones, and the
        P value is never 0 (Phipson and Smyth 2010, doi 10.2202/1544-6115.1585).

        Parameters
        ----------
        extremes : (m,) int array
            How extreme the statistic is in each rearrangement.
        observed : int
            How extreme it is in the data.
        """
        n_as_extreme = int(np.count_nonzero(extremes >= observed))
        if self.exact:
            return n_as_extreme / self.n_rows
        return (n_as_extreme + 1) / (self.n_rows + 1)

    def needed(self, extremes: NDArray[np.int64], alpha: float) -> int | None:
        """Least extreme statistic with P below alpha; None if there is none."""
        total, own = (self.n_rows, 0) if self.exact else (self.n_rows + 1, 1)
        n_allowed = math.ceil(alpha * total - 1e-9) - 1 - own
        if n_allowed < (1 if self.exact else 0):
            return None
        falling = np.sort(extremes)[::-1]
        if n_allowed >= len(falling):
            return int(falling[-1])
        above = falling[falling > falling[n_allowed]]
        return int(above[-1]) if len(above) else None


def permutations(n: int, *, n_resamples: int, seed: int) -> Permutations:
    """Rearrangements of n exchangeable units.

    The random ones depend on n and the seed alone, so that neither the order nor the number nor the
    names of the tests of a study can alter a P value, and all tests of one n share them.

    Parameters
    ----------
    n : int
    n_resamples : int
        Number of random rearrangements where n is above :data:`EXACT_UP_TO`.
    seed : int
    """
    if n <= EXACT_UP_TO:
        return Permutations(index=_all_permutations(n), exact=True)
    return Permutations(index=random_permutations(n, n_resamples, seed), exact=False)


def cluster_permutations(clusters: NDArray[np.int64], *, n_resamples: int, seed: int) -> Permutations:
    """Rearrangements that keep the lesions of a patient together.

    Whole patients are exchanged among patients with equally many lesions, and the lesions of a patient
    among themselves, so that it doesn't matter how the lesions are numbered. That is a group, so the
    test is exact where patients are exchangeable and a patient's lesions are too, whatever the
    correlation within a patient (whole-block and within-block exchangeability together, Winkler et al.
    2015, doi 10.1016/j.neuroimage.2015.05.092). A patient whose number of lesions nobody shares stays in
    place, which costs power; the smallest attainable P shows it.

    Parameters
    ----------
    clusters : (n,) int array
        The patient of each lesion.
    n_resamples : int
        Number of random rearrangements where there are more than 9! in all.
    seed : int
    """
    classes = _size_classes(clusters)
    n_all = math.prod(
        math.factorial(len(blocks)) * math.factorial(blocks.shape[1]) ** len(blocks) for blocks in classes
    )
    if n_all <= math.factorial(EXACT_UP_TO):
        return Permutations(index=_all_exchanges(classes, len(clusters)), exact=True)
    index = np.empty((n_resamples, len(clusters)), np.uint16)
    sizes = sorted(blocks.size for blocks in classes)
    generator = np.random.default_rng(np.random.SeedSequence([seed, _EXCHANGING, *sizes]))
    for blocks in classes:
        count, size = blocks.shape
        order = generator.permuted(np.tile(np.arange(count), (n_resamples, 1)), axis=1)
        within = generator.permuted(np.tile(np.arange(size), (n_resamples, count, 1)), axis=2)
        moved = np.take_along_axis(blocks[order], within, axis=2)
        index[:, blocks.ravel()] = moved.reshape(n_resamples, -1)
    return Permutations(index=index, exact=False)


@lru_cache(maxsize=EXACT_UP_TO + 1)
def _all_permutations(n: int) -> NDArray[np.uint8]:
    """All n! orders, (n!, n), by inserting the last unit at every place."""
    orders = np.zeros((1, 0), np.uint8)
    for unit in range(n):
        orders = np.concatenate([np.insert(orders, place, unit, axis=1) for place in range(unit + 1)])
    orders.flags.writeable = False
    return orders


@lru_cache(maxsize=4)
def random_permutations(n: int, n_rows: int, seed: int) -> Index:
    """Seeded orders of n units, (n_rows, n); kept, as all tests of one n share them."""
    generator = np.random.default_rng(np.random.SeedSequence([seed, _PERMUTING, n]))
    units: Index = np.arange(n, dtype=np.uint8) if n <= 256 else np.arange(n, dtype=np.uint16)
    index: Index = generator.permuted(np.tile(units, (n_rows, 1)), axis=1)
    index.flags.writeable = False
    return index


def _size_classes(clusters: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Positions of the lesions: for each number of lesions an array, a row a patient."""
    by_size: dict[int, list[NDArray[np.int64]]] = {}
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        by_size.setdefault(len(members), []).append(members)
    return [np.stack(by_size[size]) for size in sorted(by_size)]


def _all_exchanges(classes: list[NDArray[np.int64]], n: int) -> NDArray[np.uint16]:
    """All rearrangements of the group, (m, n)."""
    index = np.arange(n, dtype=np.uint16)[None]
    for blocks in classes:
        count, size = blocks.shape
        within = list(itertools.permutations(range(size)))
        choices = [
            np.concatenate([blocks[b][list(w)] for b, w in zip(order, ws, strict=True)])
            for order in itertools.permutations(range(count))
            for ws in itertools.product(within, repeat=count)
        ]
        here = np.array(choices, np.uint16)
        index = np.repeat(index, len(here), axis=0)
        index[:, blocks.ravel()] = np.tile(here, (len(index) // len(here), 1))
    return index
