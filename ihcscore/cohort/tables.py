"""The tables of all slides as one, and the paper's table from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

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
    ReviewStatus,
)
from ihcscore.score import REVIEW_COUNTS, status_of
from ihcscore.statistics.summary import quartiles

Errors = Mapping[tuple[str, str], str]


def join_scores(samples: list[Sample], out: Path, errors: Errors) -> pd.DataFrame:
    """Score tables of all slides; a slide that failed has rows without densities that say why.

    The columns of matched fields are still to come: :func:`with_matched`.

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
        reference: pd.DataFrame | None = None
        for entry in sample.slides:
            error = errors.get((entry.sample_id, entry.marker))
            if error:
                table = _failed(entry, reference).assign(missing=error)
            else:
                table = read_table(out / entry.folder / "scores.csv", SCORES)
                if reference is not None:
                    table = _beside(table, reference)
                table = table.assign(missing=_missing(table, reference))
            if entry is sample.reference and not error:
                reference = table.set_index("region")
            found.append(_named(table, entry))
    return _stacked(found)


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


def _failed(entry: SlideEntry, reference: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of a slide that could not be scored, as many as the reference has."""
    names = (*_REGIONS, BOTH_REGIONS) if reference is None else reference.index
    known = {"slide": entry.slide.name, "n_scored": 0, "review_status": str(ReviewStatus.NOT_REVIEWED)}
    return pd.DataFrame([_NOTHING | known | {"region": str(name)} for name in names])


_EMPTY = {"str": "", "float": math.nan, "int": pd.NA}
_NOTHING = {column.name: _EMPTY[column.dtype] for column in SCORES.columns}
_REGIONS = (RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT)
# What is the same in all rows of a slide's score table.
_ABOUT_SLIDE = (
    "slide",
    "marker",
    "region_source",
    "sampling",
    "seed",
    "margin_um",
    "front",
    "field_area_mm2",
)
# What is nought, not unknown, in a region without a field.
_NONE = dict.fromkeys(
    (
        "n_scored", "n_unplaced", "n_rejected", "n_failed", "n_positive", "n_negative", "n_pigment_suspect",
        *REVIEW_COUNTS, "n_reviewed",
    ),
    0,
) | {"area_mm2": 0.0, "tissue_mm2": 0.0, "review_status": str(ReviewStatus.NOT_REVIEWED)}  # fmt: skip


def _beside(table: pd.DataFrame, reference: pd.DataFrame) -> pd.DataFrame:
    """A row for each region of the reference, also for one in which it had no field to carry over.

    What was asked for is what was asked for on the reference, whether or not it was found there.
    """
    rows = {row["region"]: row for row in table.to_dict("records")}
    none = _NOTHING | _NONE | {name: table[name].iloc[0] for name in _ABOUT_SLIDE}
    return pd.DataFrame(
        [
            rows.get(region, none | {"region": region}) | {"n_fields": asked}
            for region, asked in reference["n_fields"].items()
        ]
    )


def _missing(table: pd.DataFrame, reference: pd.DataFrame | None) -> list[str]:
    """What each region lacks; of a slide that takes its fields from a reference, how many are there."""
    said = []
    for row in table.to_dict("records"):
        counts = {
            "not placed on this slide": row["n_unplaced"],
            "rejected for quality": row["n_rejected"],
            "not readable": row["n_failed"],
        }
        n, asked = int(row["n_scored"]), int(row["n_fields"])
        why = [f"{count} {what}" for what, count in counts.items() if count]
        if reference is not None and (there := reference.loc[row["region"], "n_scored"]) < asked:
            why.append(f"only {there} on the reference")
        said.append("" if n >= asked else f"{n} of {asked} fields: " + (", ".join(why) or "no room for more"))
    return said


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


def with_matched(scores: pd.DataFrame, fields: pd.DataFrame) -> pd.DataFrame:
    """Scores with the mean over the fields that were scored on all markers of a sample.

    A field that was rejected on one slide leaves the other markers' means standing for other tissue. Where
    markers are compared, only fields count that were scored on each of them. A marker without any scored
    field in a region takes no field from the others there.

    Parameters
    ----------
    scores, fields : DataFrame
        From :func:`join_scores` and :func:`join_fields`.

    Returns
    -------
    DataFrame
        The cohort's table of scores.
    """
    scored = fields[fields["status"] == FieldStatus.SCORED]
    means: dict[tuple[str, str, str], tuple[float, int]] = {}
    for sample, own in scored.groupby("sample_id"):
        regions = {str(region): rows for region, rows in own.groupby("region")} | {BOTH_REGIONS: own}
        for region, rows in regions.items():
            on = rows.groupby(["region", "field_id"])["marker"].transform("nunique")
            matched = rows[on == rows["marker"].nunique()]
            for marker, values in matched.groupby("marker")["positive_per_mm2"]:
                means[str(sample), str(marker), region] = (float(values.mean()), len(values))
    found = [
        means.get(key, (math.nan, 0))
        for key in zip(scores["sample_id"], scores["marker"], scores["region"], strict=True)
    ]
    matched = scores.assign(
        matched_mean_per_mm2=[mean for mean, _ in found],
        n_matched=pd.array([n for _, n in found], dtype="Int64"),
    )
    return matched[COHORT_SCORES.names]


def sample_summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over fields, by sample, marker and region, in the tables' order."""
    return scores.loc[scores["n_scored"] > 0, SAMPLE_SUMMARY.names].reset_index(drop=True)


def marker_summary(samples: pd.DataFrame) -> pd.DataFrame:
    """Mean, range and quartiles of the samples' means, by marker and region."""
    rows = []
    regions = [str(region) for region in RegionName] + [BOTH_REGIONS]
    for marker in dict.fromkeys(samples["marker"]):
        for region in regions:
            own = samples[(samples["marker"] == marker) & (samples["region"] == region)]
            means = own["mean_per_mm2"]
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
                    str(status_of(own["review_status"])),
                )
            )
    return pd.DataFrame(rows, columns=MARKER_SUMMARY.names)
