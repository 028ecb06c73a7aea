"""Stain amounts of a field → candidate cells with the features that tell what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.cells.classify import classify_cells
from ihcscore.cells.features import (
    HALO_UM,
    Peaks,
    amounts,
    blob_contrast,
    colour_features,
    diameter_um,
    positions,
    relative_nucleus,
    shape_features,
    sharpness,
    whole_cell,
)
from ihcscore.cells.finder import Found
from ihcscore.cells.pigment import pigment_mask
from ihcscore.planes import Plane
from ihcscore.profiles import MarkerProfile
from ihcscore.stain import StainMaps, Stains, chromogen_above_background, separate
from ihcscore.weights import weights_sha256

SCALE_STEP = np.sqrt(2.0)
MAX_SPACING_UM = 8.0


@dataclass(frozen=True, kw_only=True)
class ClassicalFinder:
    """Finds cells as blobs of chromogen and haematoxylin, and classes them by their features.

    Attributes
    ----------
    profile : MarkerProfile
        What a positive cell of the marker looks like.
    """

    profile: MarkerProfile

    @property
    def halo_um(self) -> float:
        """Width of the surroundings that can change a cell."""
        return HALO_UM

    @property
    def weights(self) -> dict[str, str]:
        """Its weights' file with its sha256."""
        return weights_sha256([f"cells_{self.profile.compartment}.toml"])

    def __call__(self, maps: StainMaps, stains: Stains) -> Found:
        """Cells and pigment of a field; see :class:`ihcscore.cells.finder.Finder`."""
        candidates = detect_in_maps(maps, profile=self.profile, stains=stains)
        return Found(
            cells=classify_cells(candidates, self.profile),
            pigment=pigment_mask(maps, stains, threshold=self.profile.pigment_threshold),
        )


def detect_cells(
    rgb: NDArray[np.uint8], *, mpp_um: float, profile: MarkerProfile, stains: Stains
) -> pd.DataFrame:
    """Find cells, whatever their class.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The field with its halo.
    mpp_um : float
        µm per pixel.
    profile : MarkerProfile
        The marker's settings.
    stains : Stains
        White and stain vectors of the slide.

    Returns
    -------
    DataFrame
        One row a candidate: x_px, y_px (pixel centres at 0), diameter_um, chromogen_od, hematoxylin_od, and
        the features that :mod:`ihcscore.classify` judges by.
    """
    return detect_in_maps(separate(rgb, mpp_um=mpp_um, stains=stains), profile=profile, stains=stains)


def detect_in_maps(maps: StainMaps, *, profile: MarkerProfile, stains: Stains) -> pd.DataFrame:
    """Find cells in stain maps that are already there; as :func:`detect_cells`."""
    level_od = profile.held_level_od(stains.chromogen_level.od)
    above_background = chromogen_above_background(maps)
    chromogen = np.maximum(above_background, 0) * np.float32(1 / level_od)
    nucleus = relative_nucleus(maps)
    cell = whole_cell(
        chromogen, nucleus, hematoxylin_weight=profile.hematoxylin_weight, saturation=profile.saturation
    )
    contrast = _strongest_blob(cell, profile, maps.mpp_um)
    at = _peaks(contrast, profile.min_contrast, profile.min_distance_um / maps.mpp_um)
    candidates = pd.DataFrame(
        {
            **positions(at, maps),
            "contrast": contrast[at].astype(float),
            **amounts(above_background, maps, at),
            **shape_features(chromogen, nucleus, at, maps.mpp_um),
            **colour_features(maps, stains, at),
            "sharpness_per_um": sharpness(maps.mean_od, at, maps.mpp_um),
        }
    )
    candidates["diameter_um"] = diameter_um(cell, at, maps.mpp_um)
    candidates["spacing_um"] = _spacing_um(at, maps.mpp_um)
    return candidates


def _strongest_blob(image: Plane, profile: MarkerProfile, mpp_um: float) -> Plane:
    """Largest blob contrast over the radii of the profile, which are √2 apart."""
    radius_um = profile.blob_radius_um
    strongest = blob_contrast(image, radius_um / mpp_um)
    while (radius_um := radius_um * SCALE_STEP) <= profile.largest_blob_radius_um:
        strongest = np.maximum(strongest, blob_contrast(image, radius_um / mpp_um))
    return strongest


def _peaks(contrast: Plane, least: float, distance_px: float) -> Peaks:
    """Rows and columns of local maxima within half the distance on each side."""
    window = 2 * max(1, round(distance_px / 2)) + 1
    highest = planes.dilated(contrast, planes.square(window))
    rows, columns = np.nonzero((contrast >= highest) & (contrast > least))
    return rows, columns


def _spacing_um(at: Peaks, mpp_um: float) -> NDArray[np.float64]:
    """Distance to the nearest other peak, at most 8 µm."""
    from scipy.spatial import cKDTree

    points = np.stack(at, axis=1) * mpp_um
    spacing = np.full(len(points), MAX_SPACING_UM)
    if len(points) > 1:
        distances: Any = cKDTree(points).query(points, k=2)[0]
        spacing = np.minimum(distances[:, 1], MAX_SPACING_UM)
    return spacing
