"""Membrane scores of tumour cells: H-score, shares of classes, medians; and their interval over fields.

H-score: 100 · Σ class · share of cells, 0 to 300 (McCarty et al. 1985, Arch Pathol Lab Med 109:716).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.schema import CellClass
from ihcscore.schema.names import MEMBRANE_CLASSES, Compartment

# A membrane is complete where at least this share of its directions is above the lowest cut.
_COMPLETE = 0.8
_HIGHEST = 300.0


def membrane_scores(cells: pd.DataFrame) -> dict[str, float | int | str]:
    """Membrane scores of cells, under their columns' names; empty where the finder measured no membranes.

    Parameters
    ----------
    cells : DataFrame
        Columns class, membrane_od_um, completeness and surface_share.
    """
    if "membrane_od_um" not in cells:
        return {}
    names = [str(one) for one in MEMBRANE_CLASSES]
    tumour = cells[cells["class"].isin(names)]
    grade = tumour["class"].map({name: i for i, name in enumerate(names)}).to_numpy(float)
    immune = cells.loc[cells["class"] == CellClass.IMMUNE, "membrane_od_um"]

    def percent(held: NDArray[np.bool_]) -> float:
        return 100 * float(held.mean()) if len(held) else math.nan

    return {
        "compartment": str(Compartment.NUCLEUS),
        "n_tumour_cells": len(tumour),
        "n_not_measured": int((cells["class"] == CellClass.NOT_MEASURED).sum()),
        "h_score": 100 * float(grade.mean()) if len(grade) else math.nan,
        "positive_pct": percent(grade >= 1),
        "strong_pct": percent(grade >= 3),
        "complete_pct": percent(tumour["completeness"].to_numpy(float) >= _COMPLETE),
        "membrane_od_um_median": float(tumour["membrane_od_um"].median()),
        "surface_share_median": float(tumour["surface_share"].median()),
        "control_od_um": float(immune.median()),
    }


def h_score_interval(fields: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """95 % interval of an H-score over fields by the spread between them; NaN below three.

    Parameters
    ----------
    fields : sequence of (float, int)
        H-score and number of tumour cells of each field: fields with more cells weigh more.
    """
    from scipy.special import stdtrit

    known = [(score, n) for score, n in fields if n > 0 and not math.isnan(score)]
    if len(known) < 3:
        return math.nan, math.nan
    score, n = np.array(known, float).T
    weight = n / n.sum()
    mean = float(weight @ score)
    variance = len(n) / (len(n) - 1) * float((weight**2) @ (score - mean) ** 2)
    reach = float(stdtrit(len(n) - 1, 0.975)) * math.sqrt(variance)
    return max(mean - reach, 0.0), min(mean + reach, _HIGHEST)
