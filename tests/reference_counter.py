"""The counter's maps in plain numpy, scipy and scikit-image, written for reading, not for speed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.measure import block_reduce

from ihcscore.cells.classical import SCALE_STEP
from ihcscore.cells.features import DOG_RATIO, MAX_RELATIVE, NUCLEUS_OD
from ihcscore.profiles import MarkerProfile
from ihcscore.stain import (
    BACKGROUND_REACH_UM,
    BACKGROUND_SIGMA_UM,
    MAX_BACKGROUND_OD,
    Stains,
    rgb_to_od,
    unmix,
    working_step_px,
)

Floats = NDArray[np.floating[Any]]


def gaussian(image: Floats, sigma_px: float) -> Floats:
    """Gaussian cut off at 3 σ, mirrored at the border without repeating the edge."""
    return ndimage.gaussian_filter(image, sigma_px, mode="mirror", radius=int(np.ceil(3 * sigma_px)))


def amounts(rgb: NDArray[np.uint8], mpp_um: float, stains: Stains) -> Floats:
    """Haematoxylin, chromogen and residual at the working resolution, shape (h, w, 3)."""
    step = int(working_step_px(mpp_um))
    # Grey levels are rounded half up, as OpenCV does.
    small = np.floor(block_reduce(rgb.astype(float), (step, step, 1), np.mean) + 0.5)
    return unmix(rgb_to_od(small, stains.white_rgb), stains)


def above_background(chromogen: Floats, mpp_um: float) -> Floats:
    """Chromogen less the smallest smoothed value around."""
    window = 2 * round(BACKGROUND_REACH_UM / mpp_um) + 1
    low = ndimage.minimum_filter(gaussian(chromogen, BACKGROUND_SIGMA_UM / mpp_um), window, mode="mirror")
    return chromogen - np.clip(ndimage.uniform_filter(low, window, mode="mirror"), 0, MAX_BACKGROUND_OD)


def blob_contrast(image: Floats, radius_px: float) -> Floats:
    """Difference of Gaussians for a disc of the radius."""
    sigma = radius_px / np.sqrt(2)
    return gaussian(image, sigma / np.sqrt(DOG_RATIO)) - gaussian(image, sigma * np.sqrt(DOG_RATIO))


def cell_centres(
    rgb: NDArray[np.uint8], *, mpp_um: float, profile: MarkerProfile, stains: Stains
) -> NDArray[np.float64]:
    """Centres of all candidates in pixels of the image, x and y, in no order."""
    step = int(working_step_px(mpp_um))
    working_um = mpp_um * step
    separated = amounts(rgb, mpp_um, stains)
    level_od = np.clip(stains.chromogen_level.od, profile.level_low_od, profile.level_high_od)
    chromogen = np.maximum(above_background(separated[..., 1], working_um), 0) / level_od
    nucleus = np.clip(separated[..., 0] / NUCLEUS_OD, 0, MAX_RELATIVE)
    whole_cell = np.minimum(chromogen + profile.hematoxylin_weight * nucleus, profile.saturation)
    radius_um = profile.blob_radius_um
    contrast = blob_contrast(whole_cell, radius_um / working_um)
    while (radius_um := radius_um * SCALE_STEP) <= profile.largest_blob_radius_um:
        contrast = np.maximum(contrast, blob_contrast(whole_cell, radius_um / working_um))
    distance = max(1, round(profile.min_distance_um / working_um / 2))
    found = peak_local_max(
        contrast,
        min_distance=distance,
        threshold_abs=profile.min_contrast,
        exclude_border=False,
        p_norm=np.inf,
    )
    return (found[:, ::-1] + 0.5) * step - 0.5
