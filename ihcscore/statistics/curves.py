"""Curves over time: areas, half-lives, and ratios of pairs."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from ihcscore.schema import AucRule, CurveFit
from ihcscore.statistics.interval import NONE, Interval

_LAST = 3
# Four parameters and AICc's n - k - 1 above 0.
_FEWEST_OF_TWO = 6
_SPLITS = (0.3, 0.5, 0.7)


@dataclass(frozen=True, kw_only=True)
class TwoExponentials:
    """A fitted sum of two exponentials, the faster first.

    Attributes
    ----------
    amplitudes, half_lives : (float, float)
        NaN where there is no fit.
    intervals : (Interval, Interval)
        95 % intervals of the half-lives; an upper end may be infinite.
    aicc_1, aicc_2 : float
        AICc of one exponential and of two; NaN where there are too few points.
    identifiable : bool
        AICc prefers two exponentials and both intervals are finite.
    """

    amplitudes: tuple[float, float] = NONE
    half_lives: tuple[float, float] = NONE
    intervals: tuple[Interval, Interval] = (NONE, NONE)
    aicc_1: float = math.nan
    aicc_2: float = math.nan
    identifiable: bool = False


def area(time: NDArray[np.float64], values: NDArray[np.float64], rule: AucRule) -> float:
    """Area under a curve from its first to its last point; nothing is extrapolated.

    Parameters
    ----------
    time, values : (n,) float array
        In ascending time.
    rule : AucRule
        LINEAR: trapezoids. LOG_DOWN: (y1 - y2) t / ln(y1 / y2) where the curve falls and both ends are above
        0, trapezoids elsewhere (Purves 1992, doi 10.1007/BF01062525).

    Returns
    -------
    float
        NaN below two points.
    """
    if len(time) < 2:
        return math.nan
    step, first, second = np.diff(time), values[:-1], values[1:]
    parts = step * (first + second) / 2
    if rule is AucRule.LOG_DOWN:
        falls = (second > 0) & (first > second)
        y1, y2 = first[falls], second[falls]
        parts[falls] = step[falls] * (y1 - y2) / np.log(y1 / y2)
    return float(parts.sum())


def slope_half_life(time: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Half-life by the slope of the logarithm over the last three points; NaN where it doesn't fall.

    It reads too short where the curve still bends.
    """
    t, y = time[-_LAST:], values[-_LAST:]
    if len(t) < _LAST or not (y > 0).all():
        return math.nan
    slope = float(np.polyfit(t, np.log(y), 1)[0])
    return math.log(2) / -slope if slope < 0 else math.nan


def two_exponentials(
    time: NDArray[np.float64], values: NDArray[np.float64], fit: CurveFit = CurveFit.LOG
) -> TwoExponentials:
    """Fit a1 exp(-l1 t) + a2 exp(-l2 t), l1 > l2 > 0, by least squares from three starts.

    AICc is Hurvich and Tsai's (1989, doi 10.1093/biomet/76.2.297) of k = 2 and 4 curve parameters (the
    variance, common to both, is not counted: else 6 samples could never tell). Intervals are Wald's of the
    rates by Student's t with n - 4 degrees of freedom; one that reaches 0 is an infinite half-life.

    Parameters
    ----------
    time, values : (n,) float array
    fit : CurveFit
        LOG: squares of differences of logarithms. LINEAR: of values.
    """
    if len(time) < _FEWEST_OF_TWO or not (values > 0).all():
        return TwoExponentials()
    seen = np.log(values) if fit is CurveFit.LOG else values
    one = _best(_one, time, seen, fit, [_line(time, values)])
    starts = [_start(time, values, split) for split in _SPLITS]
    two = _best(_two, time, seen, fit, starts)
    if one is None or two is None:
        return TwoExponentials()
    (parameters, covariance, rss), n = two, len(time)
    aicc_1, aicc_2 = _aicc(one[2], n, 2), _aicc(rss, n, 4)
    order = [0, 1] if parameters[1] > parameters[3] else [1, 0]
    amplitudes, rates = np.exp(parameters[[0, 2]])[order], np.exp(parameters[[1, 3]])[order]
    reach = float(stats.t.ppf(0.975, n - 4)) * np.sqrt(np.diag(covariance)[[1, 3]])[order]
    intervals = tuple(
        (math.log(2) / (rate * (1 + r)), math.log(2) / (rate * (1 - r)) if r < 1 else math.inf)
        for rate, r in zip(rates.tolist(), reach.tolist(), strict=True)
    )
    halves = (math.log(2) / rates).tolist()
    return TwoExponentials(
        amplitudes=(float(amplitudes[0]), float(amplitudes[1])),
        half_lives=(halves[0], halves[1]),
        intervals=(intervals[0], intervals[1]),
        aicc_1=aicc_1,
        aicc_2=aicc_2,
        identifiable=aicc_2 < aicc_1 and all(math.isfinite(end) for pair in intervals for end in pair),
    )


def ratio_of_pairs(
    before: NDArray[np.float64], after: NDArray[np.float64], *, confidence: float = 0.95
) -> tuple[float, Interval]:
    """Geometric mean of after / before with its interval by Student's t on the logarithm.

    NaN where a value is not above 0; the interval is NaN below two pairs.
    """
    if not len(before) or not ((before > 0).all() and (after > 0).all()):
        return math.nan, NONE
    logs, n = np.log(after / before), len(before)
    middle = float(logs.mean())
    if n < 2:
        return math.exp(middle), NONE
    reach = float(stats.t.ppf(0.5 + confidence / 2, n - 1)) * float(logs.std(ddof=1)) / math.sqrt(n)
    return math.exp(middle), (math.exp(middle - reach), math.exp(middle + reach))


def paired_t(differences: NDArray[np.float64]) -> float:
    """Two-sided P of the paired t test; NaN below two pairs or without spread."""
    if len(differences) < 2 or not float(np.ptp(differences)) > 0:
        return math.nan
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


_Fit = tuple[NDArray[np.float64], NDArray[np.float64], float]


def _one(t: NDArray[np.float64], a: float, rate: float) -> NDArray[np.float64]:
    """Logarithm of one exponential; parameters are logarithms."""
    return np.asarray(a - np.exp(rate) * t)


def _two(t: NDArray[np.float64], a: float, rate: float, b: float, other: float) -> NDArray[np.float64]:
    """Logarithm of the sum of two."""
    return np.asarray(np.logaddexp(_one(t, a, rate), _one(t, b, other)))


def _best(model, time, seen, fit, starts) -> _Fit | None:  # type: ignore[no-untyped-def]
    """The fit with the smallest sum of squares from several starts; None where none ends."""
    curve = model if fit is CurveFit.LOG else lambda t, *p: np.exp(model(t, *p))
    found: list[_Fit] = []
    for start in starts:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")  # a covariance that cannot be estimated is infinite
            try:
                parameters, covariance = optimize.curve_fit(curve, time, seen, p0=start, maxfev=5000)
            except RuntimeError:
                continue
            rss = float(((curve(time, *parameters) - seen) ** 2).sum())
        if np.isfinite(parameters).all() and math.isfinite(rss):
            found.append((parameters, covariance, rss))
    return min(found, key=lambda one: one[2], default=None)


def _line(time: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Logarithms of amplitude and rate by a straight line through the logarithms."""
    if len(time) < 2:
        return float(np.log(values[0])), 0.0
    slope, start = np.polyfit(time, np.log(values), 1).tolist()
    least = 1e-3 / float(np.ptp(time))
    return start, math.log(max(-slope, least))


def _start(time: NDArray[np.float64], values: NDArray[np.float64], split: float) -> tuple[float, ...]:
    """Both exponentials by peeling: the late points first, then what they leave of the early ones."""
    at = min(max(round(split * len(time)), 2), len(time) - 2)
    slow = _line(time[at:], values[at:])
    rest = values[:at] - np.exp(_one(time[:at], *slow))
    rest = np.maximum(rest, 0.02 * values[:at])
    fast = _line(time[:at], rest)
    return fast[0], max(fast[1], slow[1] + math.log(2)), *slow


def _aicc(rss: float, n: int, k: int) -> float:
    return n * math.log(max(rss, 1e-300) / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
