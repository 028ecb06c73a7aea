"""Two raters of the same things: how far they agree.

All intervals take the rated things as independent; fields of one slide are not quite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ihcscore.schema import AgreementSettings

_Z = float(stats.norm.ppf(0.975))
_NAN = math.nan
_NO_VARIANCE = 1e-12  # what rounding leaves of a variance of 0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval; NaN where there is none."""

    value: float
    low: float = _NAN
    high: float = _NAN


@dataclass(frozen=True, kw_only=True)
class LogDifferences:
    """Bland and Altman's limits, as ratios of the first rater to the second.

    Attributes
    ----------
    ratio, lower, upper : Estimate
        Geometric mean ratio and the limits within which 95 % of the ratios lie.
    offset : float
        What was added before the logarithm; 0 without zeros.
    """

    ratio: Estimate
    lower: Estimate
    upper: Estimate
    offset: float


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """All measures of two raters.

    Attributes
    ----------
    absolute, consistency : Estimate
        ICC(A,1) and ICC(C,1).
    differences : LogDifferences
    kappa : Estimate
        Weighted kappa of the classes; NaN without classes.
    classes : (k, k) int array
        Number of things by class of the first (row) and of the second (column); (0, 0) without classes.
    slope, intercept : Estimate
        Of the second on the first, after Passing and Bablok.
    """

    absolute: Estimate
    consistency: Estimate
    differences: LogDifferences
    kappa: Estimate
    classes: NDArray[np.int64] = field(repr=False)
    slope: Estimate
    intercept: Estimate


def intraclass(ratings: NDArray[np.float64]) -> dict[str, Estimate]:
    """ICC(A,1), absolute agreement, and ICC(C,1), consistency, of single ratings.

    Two-way model, intervals by F (McGraw and Wong 1996, doi 10.1037/1082-989X.1.1.30, tables 4 and 7).
    The same as Shrout and Fleiss' ICC(2,1) and ICC(3,1) (1979, doi 10.1037/0033-2909.86.2.420).

    Parameters
    ----------
    ratings : (n, k) float array
        A row a thing, a column a rater.

    Returns
    -------
    dict
        ``ICC(A,1)`` and ``ICC(C,1)``; NaN below three things or without any spread.
    """
    n, k = ratings.shape
    if n < 3 or np.ptp(ratings) == 0:
        return {"ICC(A,1)": Estimate(value=_NAN), "ICC(C,1)": Estimate(value=_NAN)}
    mean, df_error = ratings.mean(), (n - 1) * (k - 1)
    rows, columns = ratings.mean(axis=1), ratings.mean(axis=0)
    ms_rows = k * float(((rows - mean) ** 2).sum()) / (n - 1)
    ms_columns = n * float(((columns - mean) ** 2).sum()) / (k - 1)
    residual = ratings - rows[:, None] - columns[None] + mean
    ms_error = float((residual**2).sum()) / df_error
    consistency = (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error)
    agreement = (ms_rows - ms_error) / (ms_rows + (k - 1) * ms_error + k * (ms_columns - ms_error) / n)
    if ms_error <= 1e-12 * ms_rows:  # the raters differ by a constant at most: F has no end
        return {"ICC(A,1)": Estimate(value=agreement), "ICC(C,1)": Estimate(value=consistency)}
    f = ms_rows / ms_error
    f_low = f / stats.f.ppf(0.975, n - 1, df_error)
    f_high = f * stats.f.ppf(0.975, df_error, n - 1)
    low, high = ((edge - 1) / (edge + k - 1) for edge in (f_low, f_high))
    a = k * agreement / (n * (1 - agreement))
    b = 1 + k * agreement * (n - 1) / (n * (1 - agreement))
    df = (a * ms_columns + b * ms_error) ** 2 / (
        (a * ms_columns) ** 2 / (k - 1) + (b * ms_error) ** 2 / df_error
    )
    f1, f2 = float(stats.f.ppf(0.975, n - 1, df)), float(stats.f.ppf(0.975, df, n - 1))
    spread = k * ms_columns + (k * n - k - n) * ms_error
    return {
        "ICC(A,1)": Estimate(
            value=agreement,
            low=n * (ms_rows - f1 * ms_error) / (f1 * spread + n * ms_rows),
            high=n * (f2 * ms_rows - ms_error) / (spread + n * f2 * ms_rows),
        ),
        "ICC(C,1)": Estimate(value=consistency, low=float(low), high=float(high)),
    }


def log_differences(a: NDArray[np.float64], b: NDArray[np.float64], *, offset: float = 1.0) -> LogDifferences:
    """Bland and Altman's limits of agreement on the logarithm, turned back to ratios a / b.

    The spread of counts grows with the count, so differences are taken of logarithms (Bland and Altman
    1999, doi 10.1177/096228029900800204, sections 3.1 and 2.2 for the intervals: the variance of a limit is
    s² (1/n + 1.96² / (2 (n - 1)))). If a value is 0, `offset` is added to all values first.

    Parameters
    ----------
    a, b : (n,) float array
        0 or more.
    offset : float
    """
    if (np.concatenate([a, b]) > 0).all():
        offset = 0.0
    difference = np.log(a + offset) - np.log(b + offset)
    n = len(difference)
    mean = float(difference.mean())
    if n < 3:
        none = Estimate(value=_NAN)
        return LogDifferences(ratio=Estimate(value=math.exp(mean)), lower=none, upper=none, offset=offset)
    sd = float(difference.std(ddof=1))
    t = float(stats.t.ppf(0.975, n - 1))
    reach = t * sd / math.sqrt(n)
    reach_limit = t * sd * math.sqrt(1 / n + _Z**2 / (2 * (n - 1)))
    return LogDifferences(
        ratio=_back(mean, reach),
        lower=_back(mean - _Z * sd, reach_limit),
        upper=_back(mean + _Z * sd, reach_limit),
        offset=offset,
    )


def weighted_kappa(
    a: NDArray[np.float64], b: NDArray[np.float64], bins: tuple[float, ...]
) -> tuple[Estimate, NDArray[np.int64]]:
    """Cohen's kappa with quadratic weights on classes of the values, and the table of classes.

    Parameters
    ----------
    a, b : (n,) float array
    bins : tuple of float
        Lower ends of the classes after the first.

    Returns
    -------
    kappa : Estimate
        As :func:`kappa_of` gives it.
    table : (k, k) int array
        Number of things by class of a (row) and of b (column).
    """
    k = len(bins) + 1
    table = np.zeros((k, k), np.int64)
    np.add.at(table, (np.digitize(a, bins), np.digitize(b, bins)), 1)
    apart = np.subtract.outer(np.arange(k), np.arange(k)) / max(k - 1, 1)
    return kappa_of(table, 1.0 - apart**2), table


def kappa_of(table: NDArray[np.int64], weights: NDArray[np.float64]) -> Estimate:
    """Weighted kappa of a table of two raters, with its large-sample interval.

    Cohen 1968 (doi 10.1037/h0026256); the variance is that of Fleiss, Cohen and Everitt 1969
    (doi 10.1037/h0028106), equation 13.

    Parameters
    ----------
    table : (k, k) int array
        Number of things by class of the first (row) and of the second (column).
    weights : (k, k) float array
        Agreement that a pair of classes counts for, 1 on the diagonal.

    Returns
    -------
    Estimate
        NaN where one rater put everything in one class: chance then agrees as well as anybody could. No
        interval where the variance is not above 0, as in perfect agreement.
    """
    n = int(table.sum())
    share = table / max(n, 1)
    rows, columns = share.sum(axis=1), share.sum(axis=0)
    if min(np.count_nonzero(rows), np.count_nonzero(columns)) < 2:
        return Estimate(value=_NAN)
    by_chance = float(rows @ weights @ columns)
    kappa = (float((weights * share).sum()) - by_chance) / (1.0 - by_chance)
    mean_weights = (weights @ columns)[:, None] + (rows @ weights)[None]
    spread = float((share * (weights - mean_weights * (1.0 - kappa)) ** 2).sum())
    variance = (spread - (kappa - by_chance * (1.0 - kappa)) ** 2) / (n * (1.0 - by_chance) ** 2)
    if not variance > _NO_VARIANCE:
        return Estimate(value=kappa)
    reach = _Z * math.sqrt(variance)
    return Estimate(value=kappa, low=max(kappa - reach, -1.0), high=min(kappa + reach, 1.0))


def passing_bablok(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[Estimate, Estimate]:
    """Slope and intercept of the line b = intercept + slope · a, both with error, without outliers' pull.

    The shifted median of all slopes between two points (Passing and Bablok 1983,
    doi 10.1515/cclm.1983.21.11.709): points that coincide have none, slopes of -1 are left out,
    those below shift the median, so that exchanging the raters inverts the line.

    Returns
    -------
    slope, intercept : Estimate
        NaN where fewer than three slopes exist or the median is vertical.
    """
    n = len(a)
    first, second = np.triu_indices(n, 1)
    dx, dy = a[second] - a[first], b[second] - b[first]
    moves = (dx != 0) | (dy != 0)
    dx, dy = dx[moves], dy[moves]
    slopes = np.where(dx == 0, np.copysign(np.inf, dy), dy / np.where(dx == 0, 1.0, dx))
    slopes = np.sort(slopes[~np.isclose(slopes, -1.0, rtol=1e-12, atol=0)])
    total = len(slopes)
    shift = int((slopes < -1).sum())
    if total < 3 or shift >= total // 2:
        return Estimate(value=_NAN), Estimate(value=_NAN)
    middle = (total - 1) / 2 + shift
    ends = slopes[math.floor(middle)], slopes[min(math.ceil(middle), total - 1)]
    if not np.isfinite(ends).all():
        return Estimate(value=_NAN), Estimate(value=_NAN)
    slope = float(np.mean(ends))
    reach = _Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    lowest = round((total - reach) / 2)
    highest = total - lowest + 1
    low = float(slopes[lowest + shift - 1]) if lowest >= 1 else _NAN
    high = float(slopes[highest + shift - 1]) if highest + shift <= total and lowest >= 1 else _NAN
    low, high = (edge if math.isfinite(edge) else _NAN for edge in (low, high))
    return (
        Estimate(value=slope, low=low, high=high),
        Estimate(
            value=float(np.median(b - slope * a)),
            low=float(np.median(b - high * a)),
            high=float(np.median(b - low * a)),
        ),
    )


def agree(a: NDArray[np.float64], b: NDArray[np.float64], settings: AgreementSettings) -> Agreement:
    """All measures of agreement of two raters.

    Parameters
    ----------
    a, b : (n,) float array
        Counts or densities of the same n things, finite and 0 or more.
    settings : AgreementSettings
        With the `bins` of the classes; without them there is no kappa.
    """
    correlation = intraclass(np.column_stack([a, b]))
    no_classes = np.zeros((0, 0), np.int64)
    kappa, classes = (
        weighted_kappa(a, b, settings.bins) if settings.bins else (Estimate(value=_NAN), no_classes)
    )
    slope, intercept = passing_bablok(a, b)
    return Agreement(
        absolute=correlation["ICC(A,1)"],
        consistency=correlation["ICC(C,1)"],
        differences=log_differences(a, b, offset=settings.offset),
        kappa=kappa,
        classes=classes,
        slope=slope,
        intercept=intercept,
    )


def _back(log_value: float, reach: float) -> Estimate:
    return Estimate(
        value=math.exp(log_value), low=math.exp(log_value - reach), high=math.exp(log_value + reach)
    )
