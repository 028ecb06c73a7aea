"""The answers of a study: each test, what it could have found, and the adjustment of its family."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.schema import CORRELATIONS, Adjustment, Attainable, CorrelationSettings
from ihcscore.statistics.adjust import adjust
from ihcscore.statistics.interval import FEWEST, bca, bonett_wright
from ihcscore.statistics.power import power
from ihcscore.statistics.spearman import RankTest, kendall, spearman, t_approximation_p
from ihcscore.study.questions import Question

_POWER_AT = {"05": 0.5, "07": 0.7}


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """The points of a question: x and y (n,), and the patient of each where a patient has several."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    clusters: NDArray[np.int64] | None


def correlate_all(questions: Sequence[Question], settings: CorrelationSettings) -> pd.DataFrame:
    """Test all questions, each family adjusted for itself.

    Neither the order of the questions nor that of their points alters a number: all random streams
    depend on the seed and the number of points alone.

    Returns
    -------
    DataFrame
        The table of correlations, a row a question in their order; p_method holds a
        :class:`~ihcscore.statistics.permutation.PermutationMethod`, None where there is no test.
    """
    families = list(dict.fromkeys(question.family for question in questions))
    parts: dict[int, dict[str, object]] = {}
    for family in families:
        places = [i for i, question in enumerate(questions) if question.family == family]
        rows = _test_family([questions[i] for i in places], settings)
        parts |= dict(zip(places, rows, strict=True))
    return pd.DataFrame([parts[i] for i in range(len(questions))], columns=CORRELATIONS.names)


def _test_family(questions: Sequence[Question], settings: CorrelationSettings) -> list[dict[str, object]]:
    tests = [_spearman(_pairs(question), settings) for question in questions]
    p_adjusted = adjust(np.array([test.p for test in tests]), settings.adjust)
    p_smallest_adjusted = adjust(np.array([test.p_smallest for test in tests]), settings.adjust)
    n_tests = int(np.isfinite(p_adjusted).sum())
    alpha_first = settings.alpha / max(n_tests if settings.adjust is not Adjustment.NONE else 1, 1)
    rows = []
    for question, test, p, p_smallest in zip(questions, tests, p_adjusted, p_smallest_adjusted, strict=True):
        rows.append(
            {
                **_about(question, settings),
                "p_smallest": test.p_smallest,
                "p_smallest_adjusted": p_smallest,
                "rho_needed": test.needed(settings.alpha),
                "rho_needed_adjusted": test.needed(alpha_first),
                **_power(question, alpha_first, settings),
                "could_be_significant": _could_be(test.p_smallest, p_smallest, settings.alpha),
                "rho": test.estimate,
                "p": test.p,
                "p_method": test.method,
                "p_adjusted": p,
                "adjustment": str(settings.adjust),
                "n_tests": n_tests,
                **_intervals(question, test, settings),
                **_tau(question, settings),
                "note": _note(question, test),
            }
        )
    return rows


def clusters_of(points: pd.DataFrame) -> NDArray[np.int64] | None:
    """The patient of each point as a number; None where each patient has one point."""
    codes = np.unique(points["patient_id"].to_numpy(str), return_inverse=True)[1]
    return None if len(set(codes.tolist())) == len(codes) else codes.astype(np.int64)


def _pairs(question: Question) -> _Pairs:
    x, y = (question.points[axis].to_numpy(float) for axis in ("x", "y"))
    return _Pairs(x=x, y=y, clusters=clusters_of(question.points))


def _spearman(pairs: _Pairs, settings: CorrelationSettings) -> RankTest:
    return spearman(
        pairs.x, pairs.y, clusters=pairs.clusters, n_resamples=settings.n_resamples, seed=settings.seed
    )


def _about(question: Question, settings: CorrelationSettings) -> dict[str, object]:
    points = question.points
    return {
        "family": question.family,
        "role": question.role,
        "x": question.x.name,
        "y": question.y.name,
        "unit": str(settings.point),
        "n": len(points),
        "n_patients": points["patient_id"].nunique(),
        "n_lesions": int(points["n_lesions"].sum()),
        "n_samples": int(points["n_samples"].sum()),
    }


def _power(question: Question, alpha_first: float, settings: CorrelationSettings) -> dict[str, float]:
    """Powers at alpha and at the family's first step; none where patients have several points.

    With several lesions a patient it depends on how alike the lesions of a patient are, which nobody knows
    beforehand.
    """
    independent = clusters_of(question.points) is None
    found = {}
    for prefix, alpha in (("power", settings.alpha), ("power_adjusted", alpha_first)):
        for suffix, rho in _POWER_AT.items():
            found[f"{prefix}_rho_{suffix}"] = (
                power(
                    rho,
                    len(question.points),
                    alpha=alpha,
                    n_simulated=settings.n_simulated,
                    n_resamples=settings.n_resamples,
                    seed=settings.seed,
                )
                if independent
                else math.nan
            )
    return found


def _could_be(p_smallest: float, p_smallest_adjusted: float, alpha: float) -> Attainable:
    if not p_smallest < alpha:
        return Attainable.NO
    return Attainable.YES if p_smallest_adjusted < alpha else Attainable.ONLY_UNADJUSTED


def _intervals(question: Question, test: RankTest, settings: CorrelationSettings) -> dict[str, float]:
    pairs = _pairs(question)
    n, independent = len(pairs.x), pairs.clusters is None
    low, high = bonett_wright(test.estimate, n) if independent else (math.nan, math.nan)
    low_bca, high_bca = bca(
        pairs.x, pairs.y, clusters=pairs.clusters, n_bootstrap=settings.n_bootstrap, seed=settings.seed
    )
    return {
        "p_t": t_approximation_p(test.estimate, n) if independent else math.nan,
        "rho_low": low,
        "rho_high": high,
        "rho_low_bca": low_bca,
        "rho_high_bca": high_bca,
    }


def _tau(question: Question, settings: CorrelationSettings) -> dict[str, float]:
    if not settings.kendall:
        return {"tau_b": math.nan, "p_tau_b": math.nan}
    pairs = _pairs(question)
    test = kendall(
        pairs.x, pairs.y, clusters=pairs.clusters, n_resamples=settings.n_resamples, seed=settings.seed
    )
    return {"tau_b": test.estimate, "p_tau_b": test.p}


def _note(question: Question, test: RankTest) -> str:
    points, notes = question.points, []
    n_patients = points["patient_id"].nunique()
    if len(points) < 3:
        return f"not estimable: {len(points)} pairs, fewer than 3"
    if math.isnan(test.estimate):
        constant = question.x if points["x"].nunique() < 2 else question.y
        return f"not estimable: all values of {constant.name} are equal"
    if n_patients < FEWEST:
        notes.append(f"interval not estimable: {n_patients} patients, fewer than {FEWEST}")
    elif abs(test.estimate) == 1:
        notes.append("interval not estimable: the ranks agree perfectly")
    if clusters_of(points) is not None:
        notes.append(
            "several lesions a patient: whole patients exchanged; neither t, nor Bonett-Wright, nor power"
        )
    return "; ".join(notes)
