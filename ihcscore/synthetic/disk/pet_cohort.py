"""The scans behind a drawn table of uptake: series, volumes, and the manifest that names them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ihcscore.synthetic.disk.pet_series import Dialect, PetScan, Sphere, draw_uptake, write_pet_series
from ihcscore.synthetic.disk.pet_volumes import write_contours

DIALECTS = (Dialect.SIEMENS, Dialect.GE_PRIVATE, Dialect.PHILIPS)
"""Makers of the scanners, patient after patient."""

_BACKGROUND = 0.6
_DIAMETER_MM = 24.0
_SCAN = PetScan(shape_zyx=(28, 16, 32), origin_mm=(-77.5, -37.5, -67.5))
# Where volumes lie in it, side by side as seen from the front, too far for the peak of one to see the next.
_PLACES_MM = tuple((x, 0.0, z) for z in (43.0, 0.0, -43.0) for x in (-56.0, -18.5, 18.5, 56.0))


@dataclass(frozen=True, kw_only=True)
class PetCohort:
    """Files of drawn scans.

    Attributes
    ----------
    manifest : Path
        Of ``ihcscore suv``.
    names : Path
        What the volumes' names stand for.
    """

    manifest: Path
    names: Path


def write_pet_cohort(folder: Path, table: pd.DataFrame, scan: PetScan | None = None) -> PetCohort:
    """Draw and write the scans that a table of uptake could have been measured in.

    Parameters
    ----------
    folder : Path
        Gets a folder a patient and scan, manifest.csv and names.csv.
    table : DataFrame
        As :func:`ihcscore.synthetic.draw_suv_table` draws it; at most twelve volumes a scan.
    scan : PetScan, optional
        Weight and dose are its own, not the table's.
    """
    scan = scan or _SCAN
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["patient_id", "timepoint", "pet", "voi"]]
    names: dict[str, tuple[str, str]] = {}
    patients = list(dict.fromkeys(table["patient_id"]))
    for (patient, timepoint), group in table.groupby(["patient_id", "timepoint"], sort=False):
        if len(group) > len(_PLACES_MM):
            raise ValueError(f"{len(group)} volumes in a scan, expected at most {len(_PLACES_MM)}")
        spheres = []
        for place, row in zip(_PLACES_MM, group.to_dict("records"), strict=False):
            is_lesion = row["tissue"] == "lesion"
            name = str(row["lesion_id"] if is_lesion else row["tissue"])
            names[name] = (str(row["tissue"]), name if is_lesion else "")
            height = float(row["suv_max"] if is_lesion else row["suv_mean"])
            spheres.append(Sphere(name=name, centre_mm=place, diameter_mm=_DIAMETER_MM, suv=height))
        at = f"{patient}/{timepoint}"
        dialect = DIALECTS[patients.index(patient) % len(DIALECTS)]
        suv = draw_uptake(scan, spheres, background=_BACKGROUND)
        write_pet_series(folder / at / "pet", suv, scan, dialect, key=at)
        write_contours(folder / at / "volumes.dcm", spheres, scan, key=at)
        rows.append([str(patient), str(timepoint), f"{at}/pet", f"{at}/volumes.dcm"])
    _write(folder / "manifest.csv", rows)
    _write(folder / "names.csv", [["name", "tissue", "lesion_id"], *([k, *v] for k, v in names.items())])
    return PetCohort(manifest=folder / "manifest.csv", names=folder / "names.csv")


def _write(path: Path, rows: list[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
