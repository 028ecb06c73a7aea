"""The table of the paper: densities, uptake of lesions and patients, healthy tissue."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ihcscore.pet.table import UptakeTable
from ihcscore.schema import SUMMARY, CorrelationSettings, Described, Lesions, Unit, Uptake
from ihcscore.statistics.summary import describe
from ihcscore.study.join import lesions_at, patient_uptake
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
    settings : CorrelationSettings

    Returns
    -------
    DataFrame
        The table of the summary.
    """
    parts = [_densities(densities, settings)]
    if suv is not None:
        scans = {name: lesions_at(suv.rows, name) for name in (settings.timepoint, settings.on_treatment)}
        parts += _uptake(scans, settings) + _healthy(suv, tuple(scans))
    values = pd.concat([part for part in parts if len(part)], ignore_index=True)
    rows = [
        dict(zip(_KEYS, key, strict=True)) | describe(np.sort(group["value"].to_numpy(float)))
        for key, group in values[values["value"].notna()].groupby(_KEYS, sort=False)
    ]
    return pd.DataFrame(rows, columns=SUMMARY.names)


def _densities(densities: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    variables = densities["variable"]
    return pd.DataFrame(
        {
            "what": [
                Described.DENSITY if variable.over is None else Described.RATIO for variable in variables
            ],
            "variable": [variable.name for variable in variables],
            "timepoint": "",
            "counted": "samples" if settings.unit is Unit.LESION else "patients",
            "value": densities["density"].to_numpy(float),
        }
    )


def _uptake(scans: dict[str, pd.DataFrame], settings: CorrelationSettings) -> list[pd.DataFrame]:
    """Uptake of lesions, and the mean and the highest of each patient, scan by scan."""
    parts = [
        _values(Described.LESIONS, settings.suv, name, "lesions", found["suv"])
        for name, found in scans.items()
    ]
    for lesions in (Lesions.MEAN, Lesions.HIGHEST):
        variable = Uptake(suv=settings.suv, lesions=lesions).name
        for name, found in scans.items():
            values = patient_uptake(found)[UPTAKE_COLUMNS[lesions]]
            parts.append(_values(Described.PATIENTS, variable, name, "patients", values))
    return parts


def _healthy(suv: UptakeTable, scans: tuple[str, ...]) -> list[pd.DataFrame]:
    """Uptake of healthy tissue by organ: SUVmean, as the paper has it, or what the table has."""
    healthy = suv.rows[~suv.rows["is_lesion"]]
    parts = []
    for organ in sorted(set(healthy["tissue"])):
        for timepoint in scans:
            rows = healthy[(healthy["timepoint"] == timepoint) & (healthy["tissue"] == organ)]
            has_mean = "suv_mean" in rows and rows["suv_mean"].notna().any()
            column = "suv_mean" if has_mean else "suv"
            name = f"{organ}, {'suv_mean' if has_mean else 'chosen SUV'}"
            # A patient may have several volumes in one organ.
            values = rows.groupby("patient_id")[column].mean()
            parts.append(_values(Described.HEALTHY, name, timepoint, "patients", values))
    return parts


def _values(
    what: Described, variable: str, timepoint: str, counted: str, values: pd.Series[float]
) -> pd.DataFrame:
    return pd.DataFrame(
        {"what": what, "variable": variable, "timepoint": timepoint, "counted": counted, "value": values}
    )
