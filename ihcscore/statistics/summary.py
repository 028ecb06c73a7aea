"""A sample in numbers: median and quartiles, mean and standard deviation, range."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ihcscore.statistics.paired import shapiro_wilk


def quartiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile by linear interpolation (R's type 7).

    Parameters
    ----------
    values : (n,) float array

    Returns
    -------
    (float, float, float)
        NaN where there are no values.
    """
    if not len(values):
        return math.nan, math.nan, math.nan
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    return q1, median, q3


def describe(values: NDArray[np.float64]) -> dict[str, float]:
    """Median, quartiles, mean, SD (n - 1), range, Shapiro-Wilk."""
    n = len(values)
    q1, median, q3 = quartiles(values)
    w, p = shapiro_wilk(values)
    return {
        "n": n,
        "median": median,
        "q1": q1,
        "q3": q3,
        "mean": float(values.mean()) if n else math.nan,
        "sd": float(values.std(ddof=1)) if n > 1 else math.nan,
        "min": float(values.min()) if n else math.nan,
        "max": float(values.max()) if n else math.nan,
        "shapiro_w": w,
        "shapiro_p": p,
    }
