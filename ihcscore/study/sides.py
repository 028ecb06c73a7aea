"""Scans before and during treatment, where two of a patient's are compared."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.sheet import folded

BEFORE, AFTER = "before", "after"
"""What the column `side` holds."""


def two_sides(
    rows: pd.DataFrame, *, name: str, what: str, before: str, after: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Rows of the two scans that each patient is compared at.

    Parameters
    ----------
    rows : DataFrame
        Columns `patient_id` and `timepoint`.
    name : str
        Of the table.
    what : str
        What a row is of, for the error.
    before : str
        Scan before treatment.
    after : sequence of str
        Scans during treatment, which are pooled: of several of a patient the one first asked for.

    Returns
    -------
    DataFrame
        The rows, scans spelled as asked for, with a column `side`.
    list of str
        Scans that take no part, and patients with several during treatment.

    Raises
    ------
    TableError
        If a scan that was asked for is not there.
    """
    asked = {folded(scan): scan for scan in (before, *after)}
    rows = rows.assign(timepoint=[asked.get(folded(scan), scan) for scan in rows["timepoint"]])
    there = sorted(set(rows["timepoint"]))
    for scan, option in ((before, BEFORE), *((one, AFTER) for one in after)):
        if scan not in there:
            raise TableError(
                f"{name}: no {what} has a scan '{scan}' (it has {', '.join(there)}); give {parameter(option)}"
            )
    told = []
    left = [scan for scan in there if scan not in asked.values()]
    if left:
        told.append(
            f"{name}: these scans take no part: {', '.join(left)}; give --after more than once to pool scans"
        )
    chosen, more = _first_asked_for(rows, name, after)
    is_before, is_after = rows["timepoint"] == before, rows["timepoint"] == rows["patient_id"].map(chosen)
    side = np.where(is_before, BEFORE, np.where(is_after, AFTER, ""))
    return rows.assign(side=side)[is_before | is_after], told + more


def _first_asked_for(rows: pd.DataFrame, name: str, after: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Each patient's scan during treatment, and who has several."""
    rank = {scan: at for at, scan in enumerate(after)}
    chosen, told = {}, []
    later = rows[rows["timepoint"].isin(rank)]
    for patient, scans in later.groupby("patient_id")["timepoint"].unique().items():
        ordered = sorted(map(str, scans), key=rank.__getitem__)
        chosen[str(patient)] = ordered[0]
        if len(ordered) > 1:
            told.append(
                f"{name}: {patient} has {len(ordered)} scans during treatment ({', '.join(ordered)}); "
                f"{ordered[0]} is taken"
            )
    return chosen, told
