"""The table of the paper: median and quartiles, mean and standard deviation, range."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.schema import SUMMARY
from ihcscore.statistics.paired import shapiro_wilk


def describe(values: NDArray[np.float64]) -> dict[str, float]:
    """Median, quartiles (linear interpolation, R's type 7), mean, SD (n - 1), range, Shapiro-Wilk."""
    n = len(values)
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if n else [math.nan] * 3
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


def summarise(values: pd.DataFrame) -> pd.DataFrame:
    """Summary of each quantity, in the order in which they come.

    Parameters
    ----------
    values : DataFrame
        Columns what, variable, timepoint, counted and value: a row a patient, lesion or sample.
    """
    keys = ["what", "variable", "timepoint", "counted"]
    rows = [
        dict(zip(keys, key, strict=True)) | describe(np.sort(group["value"].to_numpy(float)))
        for key, group in values[values["value"].notna()].groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows, columns=SUMMARY.names)
