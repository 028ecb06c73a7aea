"""Ranks as whole numbers, so that equal is equal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def without_float_noise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values without the last digits, which floating arithmetic makes up.

    1.9 - 1.7 and 2.0 - 1.8 differ in the 16th digit and would not be a tie. What is left is 12 digits,
    counted from the largest value.

    Parameters
    ----------
    values : (n,) float array
        Finite.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0:
        return np.abs(values)
    kept: NDArray[np.float64] = np.round(values, 11 - math.floor(math.log10(largest)))
    return kept + 0.0  # no -0.0


def doubled_midranks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Twice the midrank of each value: whole numbers, whatever the ties.

    Parameters
    ----------
    values : (n,) float array
        Finite.
    """
    ranks = stats.rankdata(without_float_noise(np.asarray(values, float)), method="average")
    return np.rint(2 * ranks).astype(np.int64)
