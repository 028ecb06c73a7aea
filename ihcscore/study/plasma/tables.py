"""Plasma samples to tables: minutes, comparisons of scans, areas and half-lives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ihcscore.schema import (
    CURVES,
    PLASMA_PATIENTS,
    PLASMA_TESTS,
    PLASMA_TIMES,
    Note,
    NoteKind,
    PlasmaQuantity,
    PlasmaSettings,
    texts,
)
from ihcscore.statistics import adjust, describe, hodges_lehmann, signed_rank
from ihcscore.statistics.curves import area, paired_t, ratio_of_pairs, slope_half_life, two_exponentials
from ihcscore.study.plasma.read import SampleTable
from ihcscore.study.sides import two_sides

_WITH_AREA = (PlasmaQuantity.SUV, PlasmaQuantity.PARENT)
_SPAN_DIFFERS = 0.02


@dataclass(frozen=True, kw_only=True)
class Plasma:
    """What follows from plasma samples.

    Attributes
    ----------
    curves, times, comparison, patients : DataFrame
        As in the files of these names.
    notes : list of Note
    """

    curves: pd.DataFrame = field(repr=False)
    times: pd.DataFrame = field(repr=False)
    comparison: pd.DataFrame = field(repr=False)
    patients: pd.DataFrame = field(repr=False)
    notes: list[Note]

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def plasma_tables(samples: SampleTable, settings: PlasmaSettings) -> Plasma:
    """The tables of plasma samples.

    Raises
    ------
    TableError
        If a scan is not in the table.
    """
    rows, told = two_sides(
        samples.rows, name=samples.name, what="sample", before=settings.before, after=settings.after
    )
    quantities = [one for one in PlasmaQuantity if rows[one].notna().any()]
    patients, more = _patients(samples.name, rows, settings)
    tests = [row for one in quantities for row in _comparisons(one, rows, patients, settings)]
    comparison = pd.DataFrame(tests, columns=PLASMA_TESTS.names)
    timed = comparison["minute"].notna()
    comparison["p_adjusted"] = comparison["p"]
    for _, own in comparison[timed].groupby("quantity"):
        comparison.loc[own.index, "p_adjusted"] = adjust(own["p"].to_numpy(float), settings.adjust)
    uneven = comparison[timed & (comparison["quantity"] == PlasmaQuantity.SUV)]["n"]
    if uneven.max() > uneven.min():
        more.append(f"{samples.name}: pairs differ between the minutes: {uneven.min()} to {uneven.max()}")
    notes = [Note(kind=NoteKind.STUDY, text=text) for text in (*told, *more)]
    return Plasma(
        curves=rows[CURVES.names].reset_index(drop=True),
        times=_times(quantities, rows),
        comparison=comparison,
        patients=patients,
        notes=[*samples.notes, *notes],
    )


def _times(quantities: list[PlasmaQuantity], rows: pd.DataFrame) -> pd.DataFrame:
    """All patients at each minute of each scan."""
    found = []
    for quantity in quantities:
        for side in ("before", "after"):
            own = rows[(rows["side"] == side) & rows[quantity].notna()]
            scan = " or ".join(dict.fromkeys(own["timepoint"]))
            for minute, at in own.groupby("nominal_minute", sort=True):
                found.append(
                    {"quantity": str(quantity), "timepoint": scan, "minute": minute}
                    | describe(at[quantity].to_numpy(float))
                )
    return pd.DataFrame(found)[PLASMA_TIMES.names]


def _patients(name: str, rows: pd.DataFrame, settings: PlasmaSettings) -> tuple[pd.DataFrame, list[str]]:
    """Area and half-lives of each curve; what must be told."""
    found, told = [], []
    for quantity in _WITH_AREA:
        known = rows[rows[quantity].notna()]
        if known.empty:
            continue
        planned = _schedule(known)
        for (patient, scan), own in known.groupby(["patient_id", "timepoint"], sort=True):
            row = _curve(quantity, own, planned, settings)
            found.append({"patient_id": patient, "timepoint": scan, "quantity": str(quantity)} | row)
            if quantity is PlasmaQuantity.SUV and row["n_interpolated"]:
                told.append(
                    f"{name}: {patient} lacks a sample in the middle of {scan}; its area is interpolated"
                )
            if quantity is PlasmaQuantity.SUV and math.isnan(float(str(row["auc"]))):
                told.append(
                    f"{name}: {patient} lacks the first or last sample of {scan} "
                    f"({planned[0]:g} and {planned[-1]:g} min) and is out of the comparison of areas"
                )
    table = pd.DataFrame(found, columns=PLASMA_PATIENTS.names)
    spans = table[table["quantity"] == PlasmaQuantity.SUV].assign(
        span=lambda t: t["last_minute"] - t["first_minute"]
    )
    for patient, rows in spans[spans["auc"].notna()].groupby("patient_id"):
        shortest, longest = float(rows["span"].min()), float(rows["span"].max())
        if longest > (1 + _SPAN_DIFFERS) * shortest:
            told.append(
                f"{name}: the sampled minutes of {patient!s} are {shortest:.3g} long at one scan and "
                f"{longest:.3g} at the other; part of the change of its area is that"
            )
    return table, told


def _schedule(rows: pd.DataFrame) -> list[float]:
    """Minutes at which at least half of all curves have a sample."""
    n_curves = len(rows.drop_duplicates(["patient_id", "timepoint"]))
    counts = rows["nominal_minute"].value_counts().sort_index()
    return [float(str(minute)) for minute, n in counts.items() if 2 * n >= n_curves] or [
        float(str(minute)) for minute in counts.index
    ]


def _curve(
    quantity: PlasmaQuantity, own: pd.DataFrame, planned: list[float], settings: PlasmaSettings
) -> dict[str, object]:
    time, values = own["minute"].to_numpy(float), own[quantity].to_numpy(float)
    there = set(own["nominal_minute"])
    complete = {planned[0], planned[-1]} <= there and len(planned) > 1
    inside = own["nominal_minute"].between(planned[0], planned[-1]).to_numpy()
    slope = slope_half_life(time, values)
    two = two_exponentials(time, values, settings.fit)
    notes = [] if complete else ["no area: the first or last sample lacks"]
    if math.isnan(slope):
        notes.append("no half-life by the slope: fewer than three samples, or no fall")
    if not two.identifiable:
        notes.append("bi-exponential half-lives not identifiable")
    row: dict[str, object] = {
        "n_samples": len(own),
        "first_minute": time[0],
        "last_minute": time[-1],
        "auc": area(time[inside], values[inside], settings.auc) if complete else math.nan,
        "n_interpolated": sum(one not in there for one in planned[1:-1]),
        "half_life_slope_min": slope,
        "slope_minutes": ", ".join(f"{minute:g}" for minute in time[-3:]),
        "aicc_1": two.aicc_1,
        "aicc_2": two.aicc_2,
        "note": "; ".join(notes),
    }
    for at in (0, 1):
        low, high = two.intervals[at]
        shown = (two.amplitudes[at], two.half_lives[at], low, high)
        names = (f"a{at + 1}", *(f"half_life_{at + 1}{end}_min" for end in ("", "_low", "_high")))
        row |= {key: value if two.identifiable else math.nan for key, value in zip(names, shown, strict=True)}
    return row


def _comparisons(
    quantity: PlasmaQuantity, rows: pd.DataFrame, patients: pd.DataFrame, settings: PlasmaSettings
) -> list[dict[str, object]]:
    """The area, where there is one, and every minute."""
    found = []
    known = rows[rows[quantity].notna()]
    if quantity in _WITH_AREA:
        planned = _schedule(known)
        own = patients[patients["quantity"] == quantity]
        sides = np.where(own["timepoint"] == settings.before, "before", "after")
        values = own.assign(side=sides).pivot_table(index="patient_id", columns="side", values="auc")
        role = "primary" if quantity is PlasmaQuantity.SUV else "secondary"
        what = {"what": f"AUC({planned[0]:g}-{planned[-1]:g})", "role": role, "minute": math.nan}
        found.append({"quantity": str(quantity)} | what | _compare(values))
    for minute, at in known.groupby("nominal_minute", sort=True):
        values = at.pivot_table(index="patient_id", columns="side", values=quantity)
        what = {"what": f"{minute:g} min", "role": "secondary", "minute": minute}
        found.append({"quantity": str(quantity)} | what | _compare(values))
    return found


def _compare(values: pd.DataFrame) -> dict[str, object]:
    """The pairs of a table with a row a patient and columns before and after."""
    pairs = values.reindex(columns=["before", "after"]).dropna()
    before, after = pairs["before"].to_numpy(float), pairs["after"].to_numpy(float)
    test = signed_rank(after - before)
    shift, (low, high) = hodges_lehmann(after - before)
    ratio, (ratio_low, ratio_high) = ratio_of_pairs(before, after)
    change = 100 * (after / before - 1) if (before > 0).all() else np.array([])
    notes = ["no test: no pair differs" if len(pairs) else "no test: no pairs"] if math.isnan(test.p) else []
    if math.isnan(low):
        notes.append(f"interval of the shift not estimable: {len(pairs)} pairs, fewer than 6")
    return {
        "n": len(pairs),
        "n_zero": test.n_zero,
        "median_before": float(np.median(before)) if len(pairs) else math.nan,
        "median_after": float(np.median(after)) if len(pairs) else math.nan,
        "median_change_pct": float(np.median(change)) if len(change) else math.nan,
        "shift": shift,
        "shift_low": low,
        "shift_high": high,
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": ratio_high,
        "p_smallest": test.p_smallest,
        "p": test.p,
        "p_asymptotic": test.p_asymptotic,
        "p_t": paired_t(after - before),
        "note": "; ".join(notes),
    }
