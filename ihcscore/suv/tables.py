"""Scans and their volumes as rows."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

import ihcscore
from ihcscore.pet import PetSeries, Quantity, Uptake, Volume
from ihcscore.schema import SCANS, PeakKind, SuvSettings, Table
from ihcscore.suv.manifest import ScanEntry

_UPTAKE_APART_MIN = 10.0


def lesion_rows(
    entry: ScanEntry, series: PetSeries, measured: Sequence[tuple[Volume, Uptake]], settings: SuvSettings
) -> list[dict[str, object]]:
    """A row a volume."""
    peak = "whole voxels (IBSI)" if settings.peak is PeakKind.IBSI else "shares of voxels"
    how = series.how
    return [
        {
            "patient_id": entry.patient_id,
            "lesion_id": volume.label.lesion_id,
            "timepoint": entry.timepoint,
            "tissue": volume.label.tissue,
            "suv_max": uptake.suv_max,
            "suv_mean": uptake.suv_mean,
            "suv_peak": uptake.suv_peak,
            "suv_unit": series.kind.unit,
            "software": f"ihcscore {ihcscore.__version__}",
            "voi_method": f"{volume.source}; peak of {peak}",
            "weight_kg": _value(how.weight_kg),
            "injected_mbq": _value(how.dose_mbq),
            "suv_peak_at_max": uptake.suv_peak_at_max,
            "suv_sd": uptake.suv_sd,
            "suv_median": uptake.suv_median,
            "volume_ml": uptake.volume_ml,
            "n_voxels": uptake.n_voxels,
            "peak_ml": uptake.peak_ml,
            "threshold": str(settings.threshold),
            "mtv_ml": uptake.mtv_ml,
            "suv_mean_mtv": uptake.suv_mean_mtv,
            "tlg": uptake.tlg,
            "uptake_min": math.nan if how.uptake_min is None else how.uptake_min,
            "note": "; ".join(uptake.notes),
        }
        for volume, uptake in measured
    ]


def scan_row(entry: ScanEntry, series: PetSeries) -> dict[str, object]:
    """The row of a scan."""
    how, header, grid = series.how, series.header, series.grid
    x, y, z = grid.spacing_xyz_mm
    return _key(entry) | {
        "series": series.identity,
        "factor_min": float(how.factor.min()),
        "factor_max": float(how.factor.max()),
        "suv_from_bw": series.from_bw,
        "units": str(how.units),
        "suv_type": how.suv_type,
        "decay_correction": str(how.decay_correction or ""),
        "reference_time_from": "" if how.reference is None else str(how.reference.source),
        "reference_spread_s": math.nan if how.reference is None else how.reference.spread_s,
        "uptake_min": math.nan if how.uptake_min is None else how.uptake_min,
        "injected_mbq": _value(how.dose_mbq),
        "dose_from": _source(how.dose_mbq),
        "weight_kg": _value(how.weight_kg),
        "weight_from": _source(how.weight_kg),
        "half_life_s": _value(how.half_life_s),
        "half_life_from": _source(how.half_life_s),
        "nuclide": header.nuclide,
        "manufacturer": header.manufacturer,
        "model": header.model,
        "reconstruction": header.reconstruction,
        "voxel_x_mm": x,
        "voxel_y_mm": y,
        "voxel_z_mm": z,
        "n_slices": grid.shape_zyx[0],
        "frame_s": math.nan if header.duration_s is None else float(np.median(header.duration_s)),
        "overrides": "; ".join(how.overrides),
        "notes": "; ".join(how.notes),
        "error": "",
    }


def refused_row(entry: ScanEntry, error: str) -> dict[str, object]:
    """The row of a scan that no right uptake can be had from."""
    empty: dict[str, object] = {
        column.name: {"str": "", "int": pd.NA}.get(column.dtype, math.nan) for column in SCANS.columns
    }
    return empty | _key(entry) | {"error": error}


def as_table(rows: Sequence[dict[str, object]], schema: Table) -> pd.DataFrame:
    """Rows as a table, its columns as the schema says."""
    table = pd.DataFrame(list(rows), columns=schema.names)
    whole = {column.name: "Int64" for column in schema.columns if column.dtype == "int"}
    return table.astype(whole)


def what_to_know(scans: pd.DataFrame, lesions: pd.DataFrame) -> list[str]:
    """What differs between the scans of a patient, and lesions that only one of them has."""
    notes = []
    done = scans[scans["error"] == ""]
    for patient, group in done.groupby("patient_id", sort=False):
        if len(group) < 2:
            continue
        apart = group["uptake_min"].max() - group["uptake_min"].min()
        if apart > _UPTAKE_APART_MIN:
            notes.append(
                f"{patient}: the uptake times of the scans differ by {apart:.0f} min: a clock "
                "that is off, or "
                "uptake that cannot be compared"
            )
        for column, what in (("model", "scanners"), ("reconstruction", "reconstructions")):
            if len(set(group[column])) > 1:
                notes.append(f"{patient}: the scans are of different {what}: uptake may not be comparable")
        notes += _only_once(str(patient), list(group["timepoint"]), lesions)
    return notes


def _only_once(patient: str, timepoints: list[str], lesions: pd.DataFrame) -> list[str]:
    own = lesions[(lesions["patient_id"] == patient) & (lesions["tissue"] == "lesion")]
    notes = []
    for lesion, group in own.groupby("lesion_id", sort=False):
        missing = [name for name in timepoints if name not in set(group["timepoint"])]
        if missing:
            notes.append(f"{patient}: lesion {lesion} is not among the volumes at {', '.join(missing)}")
    return notes


def _key(entry: ScanEntry) -> dict[str, object]:
    return {"patient_id": entry.patient_id, "timepoint": entry.timepoint}


def _value(quantity: Quantity | None) -> float:
    return math.nan if quantity is None else quantity.value


def _source(quantity: Quantity | None) -> str:
    return "" if quantity is None else quantity.source
