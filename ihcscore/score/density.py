"""Cells to densities: per field, per region of a slide, per image."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.schema import (
    BOTH_REGIONS,
    FIELDS,
    SCORES,
    CellClass,
    FieldStatus,
    Note,
    NoteKind,
    RegionName,
    ReviewStatus,
)
from ihcscore.schema.names import MEMBRANE_CLASSES
from ihcscore.score.hscore import h_score_interval, membrane_scores
from ihcscore.score.interval import fields_to_halve, mean_interval, poisson_interval
from ihcscore.score.review import REVIEW_COUNTS, review_of, whole

_COUNT_OF = {
    "n_positive": (CellClass.POSITIVE, *MEMBRANE_CLASSES[1:]),
    "n_negative": (CellClass.NEGATIVE, MEMBRANE_CLASSES[0]),
    "n_pigment_suspect": (CellClass.PIGMENT_SUSPECT,),
}


def count_classes(cells: pd.DataFrame) -> dict[str, int]:
    """Number of cells in each class, by the name of the count's column."""
    return {column: int(cells["class"].isin(kinds).sum()) for column, kinds in _COUNT_OF.items()}


def image_densities(counts: Mapping[str, float], *, area_mm2: float) -> dict[str, float]:
    """Densities of an area, per mm², with and without pigment suspects."""
    positive, suspect = counts["n_positive"], counts["n_pigment_suspect"]
    return {
        "positive_per_mm2": positive / area_mm2,
        "positive_or_suspect_per_mm2": (positive + suspect) / area_mm2,
    }


def score_field(
    cells: pd.DataFrame, *, area_mm2: float, tissue_fraction: float, pigment_fraction: float
) -> dict[str, float | int | str]:
    """Counts and densities of one field.

    Parameters
    ----------
    cells : DataFrame
        Cells of this field, with their class.
    area_mm2 : float
    tissue_fraction : float
        Share of the field that is tissue, 0 to 1.
    pigment_fraction : float
        Share of the field covered by pigment, 0 to 1.

    Returns
    -------
    dict
        Values of the field table's count and density columns.
    """
    counted = score_counts(
        count_classes(cells),
        area_mm2=area_mm2,
        tissue_fraction=tissue_fraction,
        pigment_fraction=pigment_fraction,
    )
    return {**counted, **membrane_scores(cells)}


def score_counts(
    counts: Mapping[str, float], *, area_mm2: float, tissue_fraction: float, pigment_fraction: float
) -> dict[str, float]:
    """The same from a field's counts, which may be means of several readers."""
    stained = counts["n_positive"] + counts["n_negative"]
    tissue_mm2 = area_mm2 * tissue_fraction
    return {
        **counts,
        **image_densities(counts, area_mm2=area_mm2),
        "positive_per_mm2_tissue": _ratio(counts["n_positive"], tissue_mm2),
        "percent_positive": 100 * _ratio(counts["n_positive"], stained),
        "pigment_fraction": pigment_fraction,
    }


def score_regions(
    fields: pd.DataFrame,
    *,
    about_slide: Mapping[str, object],
    n_fields: Mapping[RegionName, int],
    notes: Sequence[Note],
    cells: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Scores of each region of a slide from its fields, and of both regions together.

    Parameters
    ----------
    fields : DataFrame
        The field table; failed fields are counted as such and left out of the densities.
    about_slide : mapping
        Values of the score table's columns that are the same in every region.
    n_fields : mapping of RegionName to int
        Fields that were asked for, by region: each that was asked for has a row.
    notes : sequence of Note
        What a reader must know; who drew the regions stands in a column of its own.
    cells : DataFrame, optional
        Cells of the scored fields with their region, where membranes were measured.

    Returns
    -------
    DataFrame
        The score table, a row a region that was asked for or has fields, and one for all of them; without
        fields a row has no densities.
    """
    regions = [one for one in RegionName if one in n_fields or (fields["region"] == one).any()]
    rows = [
        {
            **about_slide,
            "region": str(region),
            "n_fields": n_fields.get(region, 0),
            **_what_came(fields[fields["region"] == region]),
            **_statistics(fields, [region]),
            **_membranes(fields, cells, [region]),
            "warnings": _told(notes, [region]),
            **review_of(fields[fields["region"] == region]),
        }
        for region in regions
    ]
    both = {
        **about_slide,
        "region": BOTH_REGIONS,
        "n_fields": sum(n_fields.values()),
        **_what_came(fields),
        **_statistics(fields, regions),
        **_membranes(fields, cells, regions),
        "warnings": _told(notes, regions),
        **review_of(fields),
    }
    scores = pd.DataFrame([*rows, both], columns=SCORES.names)
    return scores.astype({"n_fields_to_halve": "Int64", "n_tumour_cells": "Int64", "n_not_measured": "Int64"})


def _membranes(
    fields: pd.DataFrame, cells: pd.DataFrame | None, regions: Sequence[RegionName]
) -> dict[str, float | int | str]:
    """Membrane scores of all cells of regions together; nothing where none was measured."""
    if cells is None or fields["compartment"].isna().all():
        return {}
    own = fields[(fields["status"] == FieldStatus.SCORED) & fields["region"].isin(regions)]
    pairs = zip(own["h_score"].astype(float), own["n_tumour_cells"].astype(int), strict=True)
    low, high = h_score_interval(list(pairs))
    return {
        **membrane_scores(cells[cells["region"].isin(regions)]),
        "h_score_low": low,
        "h_score_high": high,
    }


def _what_came(fields: pd.DataFrame) -> dict[str, int]:
    """What became of the fields."""
    return {f"n_{status}": int((fields["status"] == status).sum()) for status in FieldStatus}


def _told(notes: Sequence[Note], regions: Sequence[RegionName]) -> str:
    """The sentences on regions and on the whole slide, for a person."""
    return "; ".join(
        note.text
        for note in notes
        if note.kind != NoteKind.PROPOSED and (note.region is None or note.region in regions)
    )


def _statistics(fields: pd.DataFrame, regions: Sequence[RegionName]) -> dict[str, float | int | None]:
    """Counts, densities and their spread over the scored fields of regions."""
    scored = fields[(fields["status"] == FieldStatus.SCORED) & fields["region"].isin(regions)]
    pooled = _pooled(scored)
    area_mm2 = pooled["area_mm2"]
    strata = [
        scored.loc[scored["region"] == region, "positive_per_mm2"].to_numpy(float) for region in regions
    ]
    low, high = mean_interval(strata, area_mm2=area_mm2)
    poisson_low, poisson_high = poisson_interval(pooled["n_positive"], area_mm2=area_mm2)
    spread = _spread(scored["positive_per_mm2"].to_numpy(float))
    n, sd = len(scored), spread["sd_per_mm2"]
    # Fields of two strata would have to be shared out between them: no single number halves their interval.
    halves = n > 2 and sd > 0 and len(regions) == 1
    return {
        **pooled,
        "poisson_low_per_mm2": poisson_low,
        "poisson_high_per_mm2": poisson_high,
        **spread,
        "ci95_low_per_mm2": low,
        "ci95_high_per_mm2": high,
        "n_fields_to_halve": fields_to_halve(n) if halves else None,
    }


def _pooled(scored: pd.DataFrame) -> dict[str, float]:
    """Counts and densities over all fields together."""
    area_mm2 = float(scored["area_mm2"].sum())
    tissue_mm2 = float((scored["area_mm2"] * scored["tissue_fraction"]).sum())
    counts = {column: whole(scored[column].sum()) for column in _COUNT_OF}
    suspects = counts["n_positive"] + counts["n_pigment_suspect"]
    return {
        **counts,
        "area_mm2": area_mm2,
        "tissue_mm2": tissue_mm2,
        "positive_per_mm2": _ratio(counts["n_positive"], area_mm2),
        "positive_per_mm2_tissue": _ratio(counts["n_positive"], tissue_mm2),
        "positive_or_suspect_per_mm2": _ratio(suspects, area_mm2),
        "pigment_fraction": _ratio(float((scored["area_mm2"] * scored["pigment_fraction"]).sum()), area_mm2),
    }


def _spread(density: NDArray[np.float64]) -> dict[str, float]:
    """Mean, standard deviation (n - 1), quartiles (type 7) and range; NaN where too few."""
    n = len(density)
    mean = float(density.mean()) if n else math.nan
    sd = float(density.std(ddof=1)) if n > 1 else math.nan
    quartiles = np.quantile(density, [0, 0.25, 0.5, 0.75, 1]) if n else np.full(5, math.nan)
    names = ("min_per_mm2", "q1_per_mm2", "median_per_mm2", "q3_per_mm2", "max_per_mm2")
    return {
        "mean_per_mm2": mean,
        "sd_per_mm2": sd,
        "cv": _ratio(sd, mean),
        **dict(zip(names, quartiles.tolist(), strict=True)),
    }


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def field_table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The field table of fields that nobody has reviewed; counts of those not scored stay empty."""
    table = pd.DataFrame(rows, columns=FIELDS.names)
    for column in (*_COUNT_OF, "n_tumour_cells", "n_not_measured"):
        table[column] = table[column].astype("Int64")
    table["n_positive_tool"] = table["n_positive"]
    for column in REVIEW_COUNTS[1:]:
        table[column] = (0 * table["n_positive"]).astype("Int64")
    return table.assign(review_status=str(ReviewStatus.NOT_REVIEWED), reviewers="")
