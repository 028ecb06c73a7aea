"""A proposal where nobody drew anything."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects


@dataclass(frozen=True, kw_only=True)
class ProposalSettings:
    """When a part of the tissue is proposed as tumour.

    Attributes
    ----------
    smooth_um : float
        Gaussian sigma of the map of haematoxylin density, about the width of a tumour nest.
    min_separation : float
        Smallest share of the map's variance that the split into two parts must explain.
    min_contrast : float
        Smallest ratio of the two parts' mean haematoxylin density.
    min_area_mm2 : float
        Smaller parts are not proposed, smaller holes are filled.
    """

    smooth_um: float = 100.0
    min_separation: float = 0.6
    min_contrast: float = 1.4
    min_area_mm2: float = 0.25


def propose_tumour(
    hematoxylin_od: NDArray[np.float32],
    tissue: NDArray[np.bool_],
    *,
    mpp_um: float,
    settings: ProposalSettings | None = None,
) -> tuple[NDArray[np.bool_], str]:
    """Where tumour is likely: the part of the tissue that is denser in nuclei.

    Parameters
    ----------
    hematoxylin_od : ndarray of float32, shape (height, width)
        Haematoxylin density of a thumbnail; solid tumour has more and larger nuclei than stroma.
    tissue : ndarray of bool, shape (height, width)
    mpp_um : float
        µm per pixel of both.
    settings : ProposalSettings, optional

    Returns
    -------
    mask : ndarray of bool, shape (height, width)
        All of the tissue where no part stands out.
    warning : str
        Empty where a part stands out.
    """
    settings = settings or ProposalSettings()
    sigma = settings.smooth_um / mpp_um
    inside = tissue.astype(np.float32)
    weight = cv2.GaussianBlur(inside, (0, 0), sigma)
    density = cv2.GaussianBlur(hematoxylin_od * inside, (0, 0), sigma) / np.maximum(weight, 1e-6)
    values = density[tissue]
    if values.size == 0 or float(np.ptp(values)) < 1e-6:
        return tissue, "no part of the tissue stands out as tumour; all of it is proposed"
    high = values > threshold_otsu(values)
    share = float(high.mean())
    means = float(values[~high].mean()), float(values[high].mean())
    separation = share * (1 - share) * (means[1] - means[0]) ** 2 / float(values.var())
    contrast = means[1] / max(means[0], 1e-6)
    mask = np.zeros_like(tissue)
    mask[tissue] = high
    pixels = int(settings.min_area_mm2 * (1000 / mpp_um) ** 2)
    mask = remove_small_holes(remove_small_objects(mask, max_size=pixels), max_size=pixels)
    if separation < settings.min_separation or contrast < settings.min_contrast or not mask.any():
        return tissue, "no part of the tissue stands out as tumour; all of it is proposed"
    return mask, ""
