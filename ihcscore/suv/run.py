"""A manifest of scans and volumes to tables, pictures and a page on disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ihcscore
from ihcscore import output, pictures, report
from ihcscore.errors import IhcscoreError, PetError
from ihcscore.output.progress import Progress, silent
from ihcscore.pet import Label, PetSeries, Uptake, Volume, measure, read_names, read_pet, read_volumes
from ihcscore.pet.measure import check_names
from ihcscore.report.uptake import ScanPart, UptakePage
from ihcscore.schema import LESIONS, SCANS, SuvSettings
from ihcscore.suv import tables, words
from ihcscore.suv.manifest import ScanEntry, read_manifest
from ihcscore.suv.pictures import projection_picture, volume_picture

_PACKAGES = ("numpy", "scipy", "pandas", "pydicom", "highdicom", "nibabel", "imagecodecs")


@dataclass(frozen=True, kw_only=True)
class SuvResult:
    """What measuring scans gives.

    Attributes
    ----------
    lesions, scans : DataFrame
        As in ``lesions.csv`` and ``scans.csv``.
    warnings : list of str
    """

    lesions: pd.DataFrame = field(repr=False)
    scans: pd.DataFrame = field(repr=False)
    warnings: list[str]

    @property
    def errors(self) -> list[str]:
        """Why scans were refused."""
        return [error for error in self.scans["error"] if error]


def measure_scans(
    manifest: str | Path,
    *,
    out: str | Path,
    settings: SuvSettings | None = None,
    names: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> SuvResult:
    """Measure the volumes of every scan of a manifest, and write tables, pictures and a page.

    Parameters
    ----------
    manifest : str or Path
        As :func:`ihcscore.suv.manifest.read_manifest` reads it.
    out : str or Path
        Gets lesions.csv, which ``correlate`` reads, scans.csv, voi/, ``mip-*.png``, report.html and run.json.
    settings : SuvSettings, optional
    names : str or Path, optional
        Table of what names of volumes stand for: name, tissue, lesion_id.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the manifest cannot be used, all scans are refused, or the folder cannot be written.
    """
    settings = settings or SuvSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        read = read_manifest(manifest)
        entries, warnings = read.entries, list(read.warnings)
        labels = {} if names is None else read_names(names)
        scans, parts, rows = _measure_all(entries, folder, settings, labels, progress)
        scan_table = tables.as_table(scans, SCANS)
        errors = [error for error in scan_table["error"] if error]
        if not rows:
            raise PetError(errors[0] + (f" (and {len(errors) - 1} more scans)" if len(errors) > 1 else ""))
        lesions = tables.as_table(rows, LESIONS)
        warnings += [f"{part.name}: {note}" for part in parts for note in part.notes]
        warnings += tables.what_to_know(scan_table, lesions)
        result = SuvResult(lesions=lesions, scans=scan_table, warnings=warnings)
        output.write_table(folder.new_file("lesions.csv"), lesions, LESIONS)
        output.write_table(folder.new_file("scans.csv"), scan_table, SCANS)
        record = _record(manifest, names, settings, result)
        _write_page(folder, result, parts, settings, record)
        output.write_record(folder, record)
        progress("done", 1.0)
    return result


def _measure_all(
    entries: list[ScanEntry],
    folder: output.OutputFolder,
    settings: SuvSettings,
    labels: Mapping[str, Label],
    progress: Progress,
) -> tuple[list[dict[str, object]], list[ScanPart], list[dict[str, object]]]:
    """Rows of scans, parts of the page, rows of lesions; a scan that is refused stops no other."""
    scans: list[dict[str, object]] = []
    rows: list[dict[str, object]] = []
    parts: list[ScanPart] = []
    for number, entry in enumerate(entries):
        progress(entry.name, number / len(entries))
        try:
            series, measured = _measure_scan(entry, settings, labels)
        except IhcscoreError as error:
            text = str(error) if entry.name in str(error) else f"{entry.name}: {error}"
            scans.append(tables.refused_row(entry, text))
            continue
        scans.append(tables.scan_row(entry, series))
        rows += tables.lesion_rows(entry, series, measured, settings)
        parts.append(_draw(folder, entry, series, measured))
    return scans, parts, rows


def _measure_scan(
    entry: ScanEntry, settings: SuvSettings, labels: Mapping[str, Label]
) -> tuple[PetSeries, list[tuple[Volume, Uptake]]]:
    series = read_pet(
        entry.pet, series=entry.series, overrides=entry.overrides, suv=settings.suv, name=entry.name
    )
    volumes = [one for path in entry.volumes for one in read_volumes(path, series, names=labels)]
    check_names(volumes, entry.name)
    return series, [(volume, measure(series, volume, settings)) for volume in volumes]


def _draw(
    folder: output.OutputFolder,
    entry: ScanEntry,
    series: PetSeries,
    measured: list[tuple[Volume, Uptake]],
) -> ScanPart:
    """The pictures of a scan, written, and its part of the page."""
    drawn = []
    for volume, uptake in measured:
        title = f"{entry.name}: {volume.name}"
        rgb = volume_picture(series, volume, uptake, title)
        name = _file_name(f"{entry.name} {volume.name}")
        pictures.write_png(folder.new_file("voi", f"{name}.png"), rgb)
        drawn.append((volume.name, pictures.encode_jpeg(rgb)))
    volumes = [volume for volume, _ in measured]
    highest = max((uptake.suv_max for _, uptake in measured), default=0.0)
    rgb = projection_picture(series, volumes, highest, entry.name)
    pictures.write_png(folder.new_file(f"mip-{_file_name(entry.name)}.png"), rgb)
    return ScanPart(
        name=entry.name,
        patient_id=entry.patient_id,
        timepoint=entry.timepoint,
        scanner=words.scanner(series),
        derivation=words.derivation(series),
        notes=list(series.how.notes),
        projection=pictures.encode_jpeg(rgb),
        volumes=drawn,
        uptake_min=series.how.uptake_min,
        dose_mbq=None if series.how.dose_mbq is None else series.how.dose_mbq.value,
        sources=[str(volume.source) for volume in volumes],
    )


def _write_page(
    folder: output.OutputFolder,
    result: SuvResult,
    parts: list[ScanPart],
    settings: SuvSettings,
    record: dict[str, Any],
) -> None:
    methods = words.methods(
        uptake_min=[part.uptake_min for part in parts if part.uptake_min is not None],
        dose_mbq=[part.dose_mbq for part in parts if part.dose_mbq is not None],
        n_scans=len(parts),
        sources=[source for part in parts for source in part.sources],
        peak_ml=sorted(set(np.round(result.lesions["peak_ml"], 2))),
        settings=settings,
        version=ihcscore.__version__,
    )
    page = UptakePage(
        record=record, lesions=result.lesions, parts=parts, errors=result.errors,
        warnings=tables.what_to_know(result.scans, result.lesions), methods=methods,
        threshold=str(settings.threshold),
        unit=settings.suv.unit,
    )  # fmt: skip
    folder.add_file(report.html_of(page), "report.html")


def _record(
    manifest: str | Path, names: str | Path | None, settings: SuvSettings, result: SuvResult
) -> dict[str, Any]:
    inputs = {"manifest": manifest} | ({} if names is None else {"names": names})
    keys = ("patient_id", "timepoint", "series", "error")
    content = {
        "inputs": output.describe_inputs(inputs),
        "parameters": settings,
        "scans": [{key: str(row[key]) for key in keys} for row in result.scans.to_dict("records")],
        "warnings": result.warnings,
    }
    return output.make_record("suv", content, packages=_PACKAGES)


def _file_name(text: str) -> str:
    """A name as part of a file's: letters, digits, _ and -, with a hash where others could be the same."""
    plain = re.sub(r"[^0-9A-Za-z_]+", "-", text).strip("-")
    return (
        plain
        if plain == text.replace(" ", "-")
        else f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}"
    )
