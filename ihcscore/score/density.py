"""Cells to densities: per field, per region of a slide, per image."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ihcscore.geometry.square import turned
from ihcscore.schema import FIELDS, SCORES, CellClass, FieldStatus, RegionName

_COUNT_OF = {
    "n_positive": CellClass.POSITIVE,
    "n_negative": CellClass.NEGATIVE,
    "n_pigment_suspect": CellClass.PIGMENT_SUSPECT,
}
# Edges of turned squares and the cells near them are held against each other on a grid of a millionth of
# a pixel: far coarser than rounding on the largest slides (1e-10 px), far finer than a cell's place.
_EDGE_DECIMALS = 6


def cells_in_square(
    cells: pd.DataFrame, *, x_px: float, y_px: float, side_px: float, angle_deg: float = 0.0
) -> pd.DataFrame:
    """Cells whose centre lies in a square; of two touching squares of one angle exactly one holds a cell.

    The edges that are left and top before the turn belong to the square, the other two to its neighbours.

    Parameters
    ----------
    cells : DataFrame
        Columns x_px and y_px: pixel centres at whole numbers, so the square's edges, which lie on
        pixel corners, are half a pixel away.
    x_px, y_px, side_px : float
        Left and top edge and side of the square before the turn, level-0 px.
    angle_deg : float
        Turn of the square about its centre, clockwise.
    """
    x, y = cells["x_px"] + 0.5, cells["y_px"] + 0.5
    if angle_deg % 360 == 0:
        inside = (x >= x_px) & (x < x_px + side_px) & (y >= y_px) & (y < y_px + side_px)
        return cells[inside].reset_index(drop=True)
    # Cells and centre are turned back about (0, 0), not about the centre: touching squares then share the
    # number that is their common edge, up to rounding, which the grid takes away.
    points = np.column_stack([x, y]).astype(np.float64)
    centre = np.array([[x_px + side_px / 2, y_px + side_px / 2]])
    points, centre = (np.asarray(turned(part, -angle_deg)) for part in (points, centre))
    low, high = (np.round(centre + reach, _EDGE_DECIMALS) for reach in (-side_px / 2, side_px / 2))
    points = np.round(points, _EDGE_DECIMALS)
    held = np.asarray(((points >= low) & (points < high)).all(axis=1), np.bool_)
    return cells.loc[held].reset_index(drop=True)


def count_classes(cells: pd.DataFrame) -> dict[str, int]:
    """Number of cells in each class, by the name of the count's column."""
    return {column: int((cells["class"] == kind).sum()) for column, kind in _COUNT_OF.items()}


def image_densities(counts: Mapping[str, int], *, area_mm2: float) -> dict[str, float]:
    """Densities of an area, per mm², with and without pigment suspects."""
    positive, suspect = counts["n_positive"], counts["n_pigment_suspect"]
    return {
        "positive_per_mm2": positive / area_mm2,
        "positive_or_suspect_per_mm2": (positive + suspect) / area_mm2,
    }


def score_field(
    cells: pd.DataFrame, *, area_mm2: float, tissue_fraction: float, pigment_fraction: float
) -> dict[str, float]:
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
    counts = count_classes(cells)
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
    fields: pd.DataFrame, *, about_slide: Mapping[str, object], warnings: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of each region of a slide from its fields.

    Pooled densities are all cells over all area; the mean is over fields, with the standard
    deviation (n - 1) and a 95 % interval with reach w = t · CV / √n, Student's t: down to
    mean · (1 - w), not below 0, and up to mean · exp(w), the end of the interval on the logarithm by
    the delta method, because densities of fields are skewed to the right. On maps whose density rises
    up to thirtyfold it holds the true mean in 95 to 96 % of draws of 3 and 6 fields, the plain
    interval in 88 to 95 %.
    Where no cell was found the upper end is the exact Poisson limit, -ln(0.025) cells. Three fields
    make a wide interval; it speaks of the spread between fields, not of other sections.

    Parameters
    ----------
    fields : DataFrame
        The field table; failed fields are counted as such and left out of the densities.
    about_slide : mapping
        Values of the score table's columns that are the same in every region.
    warnings : mapping of str to str
        What a reader must know, by region: each region that was asked for.

    Returns
    -------
    DataFrame
        The score table, a row a region that was asked for or has fields; without fields it has no
        densities.
    """
    rows = []
    for region in RegionName:
        group = fields[fields["region"] == region]
        if group.empty and region not in warnings:
            continue  # nobody asked for it
        scored = group[group["status"] == FieldStatus.SCORED]
        rows.append(
            {
                **about_slide,
                "region": str(region),
                "n_fields": len(scored),
                "n_fields_rejected": int((group["status"] == FieldStatus.REJECTED).sum()),
                "n_fields_unplaced": int((group["status"] == FieldStatus.UNPLACED).sum()),
                "n_fields_failed": int((group["status"] == FieldStatus.FAILED).sum()),
                "warnings": warnings.get(region, ""),
                **_pooled(scored),
                **_spread(scored["positive_per_mm2"].to_numpy(float), float(scored["area_mm2"].sum())),
            }
        )
    scores = pd.DataFrame(rows, columns=SCORES.names)
    return scores.astype({"n_fields_to_halve": "Int64"})


def _pooled(scored: pd.DataFrame) -> dict[str, float]:
    """Counts and densities over all fields together."""
    area_mm2 = float(scored["area_mm2"].sum())
    tissue_mm2 = float((scored["area_mm2"] * scored["tissue_fraction"]).sum())
    counts = {column: int(scored[column].sum()) for column in _COUNT_OF}
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


def _spread(density: NDArray[np.float64], area_mm2: float) -> dict[str, float | None]:
    """Mean, standard deviation and 95 % interval over fields; NaN where there are too few."""
    n = len(density)
    mean = float(density.mean()) if n else math.nan
    sd = float(density.std(ddof=1)) if n > 1 else math.nan
    low, high = mean_interval(mean, sd, n, area_mm2)
    return {
        "mean_per_mm2": mean,
        "sd_per_mm2": sd,
        "ci95_low_per_mm2": low,
        "ci95_high_per_mm2": high,
        "cv": _ratio(sd, mean),
        "n_fields_to_halve": _fields_to_halve(n) if n > 2 and sd > 0 else None,
        "min_per_mm2": float(density.min()) if n else math.nan,
        "max_per_mm2": float(density.max()) if n else math.nan,
    }


def mean_interval(mean: float, sd: float, n: int, area_mm2: float) -> tuple[float, float]:
    """95 % interval of the mean density of n fields; NaN below three, where it would say nothing.

    Parameters
    ----------
    mean, sd : float
        Of the fields' densities, per mm².
    n : int
        Number of fields.
    area_mm2 : float
        Area of all of them.
    """
    if n < 3:
        return math.nan, math.nan
    if mean == 0:
        return 0.0, -math.log(0.025) / area_mm2
    reach = _half_interval(sd / mean, n)
    return max(mean * (1 - reach), 0.0), mean * math.exp(reach)


def _half_interval(sd: float, n: int) -> float:
    """Half of Student's 95 % interval of the mean of n values."""
    return float(stats.t.ppf(0.975, n - 1)) * sd / math.sqrt(n)


def _fields_to_halve(n: int) -> int:
    """Fewest fields whose interval is half as wide as that of n, if the standard deviation stays."""
    wanted = _half_interval(1.0, n) / 2
    more = n
    while _half_interval(1.0, more) > wanted:
        more += 1
    return more


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.nan


def field_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """The field table from its rows; counts of failed fields stay empty."""
    table = pd.DataFrame(rows, columns=FIELDS.names)
    for column in _COUNT_OF:
        table[column] = table[column].astype("Int64")
    return table
