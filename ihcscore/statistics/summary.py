"""A sample in numbers: median and quartiles, mean and standard deviation, range."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ihcscore.schema import Quartiles
from ihcscore.statistics.paired import shapiro_wilk

_NUMPYS_NAMES: dict[Quartiles, Literal["linear", "weibull"]] = {
    Quartiles.LINEAR: "linear",
    Quartiles.SPSS: "weibull",
}


def quartiles(
    values: NDArray[np.float64], method: Quartiles = Quartiles.LINEAR
) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile.

    Parameters
    ----------
    values : (n,) float array
    method : Quartiles
        LINEAR: by linear interpolation at 1 + (n - 1) p, as R and numpy do unasked (type 7 of Hyndman and
        Fan 1996, doi 10.1080/00031305.1996.10473566). SPSS: at (n + 1) p (their type 6), which lies farther
        out; the median is the same.

    Returns
    -------
    (float, float, float)
        NaN where there are no values.
    """
    if not len(values):
        return math.nan, math.nan, math.nan
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75], method=_NUMPYS_NAMES[method]).tolist()
    return q1, median, q3


def describe(values: NDArray[np.float64], method: Quartiles = Quartiles.LINEAR) -> dict[str, float]:
    """Median, quartiles, mean, SD (n - 1), range, Shapiro-Wilk."""
    n = len(values)
    q1, median, q3 = quartiles(values, method)
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
