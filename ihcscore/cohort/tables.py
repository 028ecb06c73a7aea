"""The tables of all slides as one, and the paper's table from them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore.cohort.manifest import Sample, SlideEntry
from ihcscore.output.tables import read_table
from ihcscore.schema import (
    BOTH_REGIONS,
    COHORT_FIELDS,
    COHORT_SCORES,
    FIELDS,
    MARKER_SUMMARY,
    SAMPLE_SUMMARY,
    SCORES,
    FieldStatus,
    RegionName,
)
from ihcscore.statistics.summary import quartiles

Errors = Mapping[tuple[str, str], str]


def join_scores(samples: list[Sample], out: Path, errors: Errors) -> pd.DataFrame:
    """Score tables of all slides; a slide that failed has rows without densities that say why.

    Parameters
    ----------
    samples : list of Sample
    out : Path
        The cohort's folder.
    errors : mapping of (str, str) to str
        Slides that failed, by sample and marker.
    """
    found = []
    for sample in samples:
        regions: list[str] | None = None
        drawn: dict[str, int] = {}
        for entry in sample.slides:
            error = errors.get((entry.sample_id, entry.marker))
            if error:
                table = _failed(entry, regions)
            else:
                table = _with_regions(read_table(out / entry.folder / "scores.csv", SCORES), regions)
            if entry is sample.reference and not error:
                regions = list(table["region"])
                drawn = dict(zip(regions, map(int, table["n_fields"]), strict=True))
            missing = [
                error or _missing(row, drawn.get(row["region"], 0) if entry is not sample.reference else None)
                for row in table.to_dict("records")
            ]
            found.append(_named(table, entry).assign(missing=missing))
    return _stacked(found)[COHORT_SCORES.names]


def _stacked(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Tables one below the other; columns that are empty in some keep their type."""
    rows = [row for table in tables for row in table.to_dict("records")]
    stacked = pd.DataFrame(rows)
    kinds = {column.name: column.dtype for column in COHORT_SCORES.columns + COHORT_FIELDS.columns}
    for name in stacked.columns:
        if kinds.get(name) == "int":
            stacked[name] = stacked[name].astype("Int64")
    return stacked


def _named(table: pd.DataFrame, entry: SlideEntry) -> pd.DataFrame:
    """A slide's table with whose it is; the marker is the manifest's."""
    return table.assign(patient_id=entry.patient_id, sample_id=entry.sample_id, marker=entry.marker)


def _failed(entry: SlideEntry, regions: list[str] | None) -> pd.DataFrame:
    """Rows of a slide that could not be scored, as many as the reference has."""
    names = regions or [str(RegionName.TUMOUR_CENTRE), str(RegionName.INVASIVE_FRONT)]
    empty = {column.name: _EMPTY[column.dtype] for column in SCORES.columns}
    known = {"slide": entry.slide.name, "n_fields": 0}
    return pd.DataFrame([empty | known | {"region": name} for name in names])


_EMPTY = {"str": "", "float": math.nan, "int": pd.NA}
# What is the same in all rows of a slide's score table.
_ABOUT_SLIDE = (
    "slide", "marker", "region_source", "sampling", "seed", "margin_um", "front",
    "field_area_mm2", "n_fields_asked",
)  # fmt: skip


def _with_regions(table: pd.DataFrame, regions: list[str] | None) -> pd.DataFrame:
    """A row for each region of the reference, also for one in which it had no field to carry over."""
    if regions is None or set(regions) <= set(table["region"]):
        return table
    rows = {row["region"]: row for row in table.to_dict("records")}
    about = {name: table[name].iloc[0] for name in _ABOUT_SLIDE}
    zeros = {name: 0 for name in SCORES.names if name.startswith("n_") and name != "n_fields_to_halve"}
    empty = {column.name: _EMPTY[column.dtype] for column in SCORES.columns}
    none = empty | zeros | {"area_mm2": 0.0, "tissue_mm2": 0.0} | about
    return pd.DataFrame([rows.get(region, none | {"region": region}) for region in regions])


def _missing(row: Mapping[Hashable, Any], on_reference: int | None) -> str:
    """What a region lacks; of a slide that takes its fields from a reference, how many are there."""
    counts = {
        "not placed on this slide": row["n_fields_unplaced"],
        "rejected for quality": row["n_fields_rejected"],
        "not readable": row["n_fields_failed"],
    }
    n, asked = int(row["n_fields"]), int(row["n_fields_asked"])
    if n >= asked:
        return ""
    why = [f"{count} {what}" for what, count in counts.items() if count]
    if on_reference is not None and on_reference < asked:
        why.append(f"only {on_reference} on the reference")
    return f"{n} of {asked} fields: " + (", ".join(why) or "no room for more")


def join_fields(samples: list[Sample], out: Path, errors: Errors) -> pd.DataFrame:
    """Field tables of all slides that were scored."""
    found = [
        _named(read_table(out / entry.folder / "fields.csv", FIELDS), entry)
        for sample in samples
        for entry in sample.slides
        if (entry.sample_id, entry.marker) not in errors
    ]
    if not found:
        return pd.DataFrame(columns=COHORT_FIELDS.names)
    return _stacked(found)[COHORT_FIELDS.names]


def sample_summary(fields: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over fields, by sample, marker and region, in the tables' order."""
    scored = fields[fields["status"] == FieldStatus.SCORED]
    both = scored.assign(region=BOTH_REGIONS)
    rows = []
    for (patient, sample, marker), _ in scored.groupby(["patient_id", "sample_id", "marker"], sort=False):
        for region in (*RegionName, BOTH_REGIONS):
            table = both if region == BOTH_REGIONS else scored
            chosen = table[
                (table["sample_id"] == sample) & (table["marker"] == marker) & (table["region"] == region)
            ]
            if chosen.empty:
                continue
            density = chosen["positive_per_mm2"].astype(float)
            sd = float(density.std(ddof=1)) if len(density) > 1 else math.nan
            rows.append((patient, sample, marker, str(region), len(density), float(density.mean()), sd))
    return pd.DataFrame(rows, columns=SAMPLE_SUMMARY.names)


def marker_summary(samples: pd.DataFrame) -> pd.DataFrame:
    """Mean, range and quartiles of the samples' means, by marker and region."""
    rows = []
    regions = [str(region) for region in RegionName] + [BOTH_REGIONS]
    for marker in dict.fromkeys(samples["marker"]):
        for region in regions:
            means = samples[(samples["marker"] == marker) & (samples["region"] == region)]["mean_per_mm2"]
            if means.empty:
                continue
            q1, median, q3 = quartiles(means.dropna().to_numpy(float))
            rows.append(
                (
                    marker,
                    region,
                    len(means),
                    float(means.mean()),
                    float(means.min()),
                    float(means.max()),
                    median,
                    q1,
                    q3,
                )
            )
    return pd.DataFrame(rows, columns=MARKER_SUMMARY.names)
