"""Visits and best responses as tables; nothing here touches a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from scipy import stats

from ihcscore.schema import (
    BEST_RESPONSE,
    BEST_RESPONSES,
    VISITS,
    Note,
    RecistCode,
    RecistSettings,
    texts,
)
from ihcscore.study.recist.read import DiameterTable
from ihcscore.study.recist.rules import (
    Assessed,
    Best,
    Patient,
    assess,
    baseline_sum,
    best_response,
)

_EACH = (RecistCode.CR, RecistCode.PR, RecistCode.SD, RecistCode.NON_CR_NON_PD, RecistCode.PD)
_TOGETHER = {
    "CR or PR": (RecistCode.CR, RecistCode.PR),
    "CR, PR or SD": (RecistCode.CR, RecistCode.PR, RecistCode.SD, RecistCode.NON_CR_NON_PD),
}


@dataclass(frozen=True, kw_only=True)
class Responses:
    """What follows from a table of diameters.

    Attributes
    ----------
    visits, response, best : DataFrame
        As in ``visits.csv``, ``response.csv`` and ``best_responses.csv``.
    notes : list of Note
        What a reader must know.
    """

    visits: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    best: pd.DataFrame = field(repr=False)
    notes: list[Note]

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def recist_tables(table: DiameterTable, settings: RecistSettings) -> Responses:
    """Assess every visit, and find each patient's best response.

    Parameters
    ----------
    table : DiameterTable
    settings : RecistSettings
    """
    visits: list[dict[str, object]] = []
    responses: list[dict[str, object]] = []
    for name, patient in table.patients.items():
        assessed = assess(patient)
        best = best_response(assessed, patient.baseline.day, settings)
        codes = table.irecist.get(name, {})
        visits += _visit_rows(name, patient, assessed, codes)
        responses.append(_response_row(name, patient, assessed, best, codes))
    response = pd.DataFrame(responses, columns=BEST_RESPONSE.names)
    return Responses(
        visits=_whole(pd.DataFrame(visits, columns=VISITS.names), "day", "n_targets", "n_measured"),
        response=_whole(response, "day", "day_of_progression", "n_targets", "n_visits"),
        best=best_responses([RecistCode(str(one)) for one in response["best"]]),
        notes=table.notes,
    )


def best_responses(responses: Sequence[RecistCode]) -> pd.DataFrame:
    """How many patients have each best response, as a share of those who could be evaluated.

    The interval is Clopper and Pearson's (1934, doi 10.1093/biomet/26.4.404), whose confidence is at least as
    stated.

    Parameters
    ----------
    responses : sequence of RecistCode
        A patient's best each.
    """
    n_evaluable = sum(one is not RecistCode.NE for one in responses)
    rows: list[tuple[object, ...]] = []
    shown = [one for one in _EACH if one is not RecistCode.NON_CR_NON_PD or one in responses]
    for name, members in [*((str(one), (one,)) for one in shown), *_TOGETHER.items()]:
        n = sum(one in members for one in responses)
        percent, low, high = share(n, n_evaluable)
        rows.append((name, n, n_evaluable, percent, low, high))
    n_left = len(responses) - n_evaluable
    rows.append((str(RecistCode.NE), n_left, n_evaluable, math.nan, math.nan, math.nan))
    return pd.DataFrame(rows, columns=BEST_RESPONSES.names)


def share(n: int, of: int) -> tuple[float, float, float]:
    """A share in percent with its 95 % interval; NaN of none."""
    if not of:
        return math.nan, math.nan, math.nan
    ends = stats.binomtest(n, of).proportion_ci(0.95, method="exact")
    return 100 * n / of, 100 * float(ends.low), 100 * float(ends.high)


def _visit_rows(
    name: str, patient: Patient, assessed: Sequence[Assessed], codes: dict[int, str]
) -> list[dict[str, object]]:
    first = baseline_sum(patient)
    n_targets = len(patient.targets)
    about = {"patient_id": name, "n_targets": n_targets}
    rows: list[dict[str, object]] = [
        about
        | {
            "day": patient.baseline.day, "is_baseline": "yes", "n_measured": n_targets, "sum_mm": first,
            "target": "", "non_target": "", "new_lesion": "no", "overall": "",
            "irecist": codes.get(patient.baseline.day, ""), "note": "",
        }
    ]  # fmt: skip
    for visit in assessed:
        over_nadir = visit.sum_mm - visit.nadir_mm
        rows.append(
            about
            | {
                "day": visit.day,
                "is_baseline": "no",
                "n_measured": visit.n_measured,
                "sum_mm": visit.sum_mm,
                "nadir_mm": visit.nadir_mm,
                "change_from_baseline_pct": 100 * (visit.sum_mm / first - 1),
                "change_from_nadir_pct": 100 * over_nadir / visit.nadir_mm if visit.nadir_mm else math.nan,
                "change_from_nadir_mm": over_nadir,
                "target": str(visit.target or ""),
                "non_target": str(visit.non_target or ""),
                "new_lesion": "yes" if visit.new else "no",
                "overall": str(visit.overall),
                "irecist": codes.get(visit.day, ""),
                "note": visit.note,
            }
        )
    return rows


def _response_row(
    name: str, patient: Patient, assessed: Sequence[Assessed], best: Best, codes: dict[int, str]
) -> dict[str, object]:
    first = baseline_sum(patient)
    sums = [
        visit.sum_mm
        for visit in assessed
        if not math.isnan(visit.sum_mm)
        and (best.day_of_progression is None or visit.day <= best.day_of_progression)
    ]
    return {
        "patient_id": name,
        "best": str(best.response),
        "day": best.day,
        "evaluable": "no" if best.response is RecistCode.NE else "yes",
        "best_change_pct": 100 * (min(sums) / first - 1) if sums else math.nan,
        "day_of_progression": best.day_of_progression,
        "n_targets": len(patient.targets),
        "n_visits": len(assessed),
        "baseline_mm": first,
        "irecist": "; ".join(f"{code} (day {day})" for day, code in sorted(codes.items())),
        "note": best.note,
    }


def _whole(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    return table.astype(dict.fromkeys(names, "Int64"))
