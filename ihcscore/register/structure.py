"""What consecutive sections share whatever their stain: where tissue is, and how dense."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Plane, blurred, check_rgb, sum_by_table
from ihcscore.stain import Rgb, od_table

# White is this percentile of each channel where the caller knows none.
_WHITE_PERCENTILE = 98.0
# Less summed optical density than this is glass.
_TISSUE_OD = 0.12
# Denser than this percentile of the tissue all is the same: DAB, ink and folds do not outshout the rest.
_SATURATION_PERCENTILE = 95.0
_MIN_VARIANCE = 1e-4


def structure(rgb: NDArray[np.uint8], *, white_rgb: Rgb | None = None) -> Plane:
    """Summed optical density, 0 on glass to 1 in the densest tissue.

    All stains add to it, so that haematoxylin, eosin and DAB show the same nuclei, vessels and holes.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    white_rgb : tuple of float, optional
        Intensity of glass; estimated from the brightest pixels where not given.

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    check_rgb(rgb)
    if white_rgb is None:
        white = np.percentile(rgb.reshape(-1, 3), _WHITE_PERCENTILE, axis=0)
    else:
        white = np.asarray(white_rgb, float)
    red, green, blue = (float(value) for value in np.maximum(white, 1.0))
    od = sum_by_table(rgb, np.maximum(od_table((red, green, blue)), 0))
    tissue = od[od > _TISSUE_OD]
    if tissue.size == 0:
        return np.zeros(od.shape, np.float32)
    most = float(np.percentile(tissue, _SATURATION_PERCENTILE))
    return np.asarray(np.clip(od / most, 0, 1), np.float32)


def local_contrast(plane: Plane, *, fine_px: float, coarse_px: float) -> Plane:
    """Structure between two scales, of the same strength everywhere.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
    fine_px, coarse_px : float
        Standard deviations of the Gaussians that bound the scales.

    Returns
    -------
    ndarray of float32, shape (height, width)
        About 0 ± 1.
    """
    smooth = blurred(plane, fine_px)
    mean = blurred(smooth, coarse_px)
    variance = blurred(smooth * smooth, coarse_px) - mean * mean
    return np.asarray((smooth - mean) / np.sqrt(np.maximum(variance, 0) + _MIN_VARIANCE), np.float32)
