"""Candidate cells → ``Positive``, ``Negative``, ``Pigment suspect``."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.cells.pigment import PIGMENT_MAX_HEMATOXYLIN
from ihcscore.profiles import MarkerProfile
from ihcscore.schema import CellClass
from ihcscore.weights import load_cell_model

# Haematoxylin per chromogen of grey is about 1.5; blue nuclei lie above this.
INK_MAX_HEMATOXYLIN = 2.5

CELL_COLUMNS = ["x_px", "y_px", "class", "diameter_um", "chromogen_od", "hematoxylin_od", "confidence"]


def classify_cells(candidates: pd.DataFrame, profile: MarkerProfile) -> pd.DataFrame:
    """Class every candidate, or leave it out where it is no cell.

    Parameters
    ----------
    candidates : DataFrame
        Rows of :func:`ihcscore.cells.classical.detect_cells`.
    profile : MarkerProfile
        The marker's settings.

    Returns
    -------
    DataFrame
        The cells, sorted by y_px, then x_px: x_px, y_px, class, diameter_um, chromogen_od, hematoxylin_od,
        confidence (that it is positive, or that it isn't, as the sum of the features says; 0.5 to 1).
    """
    log_odds = positive_log_odds(candidates, profile)
    brown = candidates["chromogen_od"].to_numpy() >= profile.chromogen_threshold_od
    positive = (log_odds > 0) & brown
    artefact = is_artefact(candidates, profile)
    pigment = brown & is_pigment(candidates, profile)
    smear = positive & is_smear(candidates, profile)
    negative = candidates["hematoxylin_od"].to_numpy() >= profile.hematoxylin_threshold_od
    names = np.select(
        [artefact, pigment | smear, positive, negative],
        ["", CellClass.PIGMENT_SUSPECT.value, CellClass.POSITIVE.value, CellClass.NEGATIVE.value],
        default="",
    )
    cells = candidates.assign(**{"class": names, "confidence": 1 / (1 + np.exp(-np.abs(log_odds)))})
    cells = cells[names != ""].sort_values(["y_px", "x_px"], ignore_index=True)
    return pd.DataFrame(cells[CELL_COLUMNS])


def positive_log_odds(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.float64]:
    """Log odds of being a positive cell: a weighted sum of features (logistic regression)."""
    model = load_cell_model(profile.compartment)
    features = candidates[list(model.weights)].to_numpy(float)
    return np.asarray(features @ np.array(list(model.weights.values())) + model.bias, float)


def is_artefact(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Out of focus, or grey: folds, ink and dust are no cells of any class."""
    return is_blurred(candidates, profile) | is_grey(candidates, profile)


def is_blurred(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Out of focus."""
    return np.asarray(candidates["sharpness_per_um"] < profile.min_sharpness_per_um, bool)


def is_grey(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Grey: ink, folds and dust."""
    grey = (candidates["residual_share"] > profile.ink_residual_share) & candidates[
        "hematoxylin_per_chromogen"
    ].between(profile.ink_min_hematoxylin, INK_MAX_HEMATOXYLIN)
    return np.asarray(grey, bool)


def is_pigment(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Pigment's colour, told from the slide's own chromogen, without a nucleus."""
    like_pigment = candidates["pigment_likeness"] > profile.pigment_threshold
    no_nucleus = candidates["hematoxylin_per_chromogen"] < PIGMENT_MAX_HEMATOXYLIN
    return np.asarray(like_pigment & no_nucleus, bool)


def is_smear(candidates: pd.DataFrame, profile: MarkerProfile) -> NDArray[np.bool_]:
    """Brown wherever one looks, and no nuclei in it."""
    everywhere = candidates["covered_around"] > profile.smear_coverage
    no_nucleus = candidates["hematoxylin_per_chromogen"] < profile.smear_max_hematoxylin
    return np.asarray(everywhere & no_nucleus, bool)
