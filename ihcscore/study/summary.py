"""The table of the paper: densities, uptake of lesions and patients, healthy tissue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ihcscore.pet.table import UptakeTable
from ihcscore.schema import (
    SUMMARY,
    CorrelationSettings,
    Described,
    Lesions,
    Unit,
    Uptake,
    When,
)
from ihcscore.statistics.summary import describe
from ihcscore.study.join import patient_uptake
from ihcscore.study.questions import UPTAKE_COLUMNS

_KEYS = ["what", "variable", "timepoint", "counted"]


def summarise(
    densities: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> pd.DataFrame:
    """Median, quartiles, mean, standard deviation and range of all that goes into a study.

    Parameters
    ----------
    densities : DataFrame
        From :func:`~ihcscore.study.densities.measure`.
    suv : UptakeTable or None
        From :func:`~ihcscore.study.scans.as_asked`.
    settings : CorrelationSettings

    Returns
    -------
    DataFrame
        The table of the summary.
    """
    parts = [_densities(densities, settings)]
    if suv is not None:
        scans = scans_described(suv.rows, settings)
        parts += _uptake(scans, settings) + _healthy(scans, settings)
    values = pd.concat([part for part in parts if len(part)], ignore_index=True)
    rows = [
        dict(zip(_KEYS, key, strict=True))
        | describe(np.sort(group["value"].to_numpy(float)), settings.quartiles)
        | {"n_patients": group["patient_id"].nunique(), "quartiles": str(settings.quartiles)}
        for key, group in values[values["value"].notna()].groupby(_KEYS, sort=False)
    ]
    return pd.DataFrame(rows, columns=SUMMARY.names)


def scans_described(rows: pd.DataFrame, settings: CorrelationSettings) -> dict[str, pd.DataFrame]:
    """Rows of each scan by its name: before, during (pooled), then all others, which only are described.

    The rows are sorted, so that a mean is the same to its last digit whatever the order of the input.
    """
    rows = rows.sort_values(["patient_id", "lesion_id", "tissue", "suv"], kind="stable")
    found = {
        settings.timepoint: rows[rows["when"] == When.BEFORE],
        settings.during_name: rows[rows["when"] == When.DURING],
    }
    # Of several pooled scans each is described by itself too, with all its patients.
    others = [name for name in settings.during if name not in found]
    others += [name for name in sorted(rows["timepoint"].unique()) if name not in (*found, *others)]
    found |= {name: rows[rows["timepoint"] == name] for name in others}
    return {name: table for name, table in found.items() if len(table)}


def _densities(densities: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    variables = densities["variable"]
    return pd.DataFrame(
        {
            "what": [
                Described.DENSITY if variable.over is None else Described.RATIO for variable in variables
            ],
            "variable": [variable.name for variable in variables],
            "timepoint": "",
            "counted": "samples" if settings.point is Unit.LESION else "patients",
            "patient_id": densities["patient_id"],
            "value": densities["density"].to_numpy(float),
        }
    )


def _uptake(scans: dict[str, pd.DataFrame], settings: CorrelationSettings) -> list[pd.DataFrame]:
    """Uptake of lesions, and the mean and the highest of each patient, scan by scan."""
    measure = settings.measure.name
    lesions = {name: rows[rows["is_lesion"] & rows["suv"].notna()] for name, rows in scans.items()}
    parts = [_values(Described.LESIONS, measure, name, found, "suv") for name, found in lesions.items()]
    for which in (Lesions.MEAN, Lesions.HIGHEST):
        variable, column = Uptake(suv=measure, lesions=which).name, UPTAKE_COLUMNS[which]
        for name, found in lesions.items():
            parts.append(_values(Described.PATIENTS, variable, name, patient_uptake(found), column))
    return parts


def _healthy(scans: dict[str, pd.DataFrame], settings: CorrelationSettings) -> list[pd.DataFrame]:
    """Uptake of healthy tissue by organ: SUVmean, as the paper has it, or what the table has."""
    parts = []
    organs = sorted({organ for rows in scans.values() for organ in rows.loc[~rows["is_lesion"], "tissue"]})
    for organ in organs:
        for timepoint, rows in scans.items():
            own = rows[~rows["is_lesion"] & (rows["tissue"] == organ)]
            has_mean = settings.measure.is_suv and "suv_mean" in own and own["suv_mean"].notna().any()
            column = "suv_mean" if has_mean else "suv"
            said = column if has_mean else settings.measure.name
            # A patient may have several volumes in one organ.
            values = own.groupby("patient_id")[column].mean().reset_index()
            parts.append(_values(Described.HEALTHY, f"{organ}, {said}", timepoint, values, column))
    return parts


def _values(what: Described, variable: str, timepoint: str, table: pd.DataFrame, column: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "what": what,
            "variable": variable,
            "timepoint": timepoint,
            "counted": "lesions" if what is Described.LESIONS else "patients",
            "patient_id": table["patient_id"],
            "value": table[column],
        }
    )
