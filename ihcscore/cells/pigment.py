"""How much of an area pigment covers."""

from __future__ import annotations

import numpy as np

from ihcscore.planes import Mask
from ihcscore.stain import BROWN_OD, READABLE_OD, StainMaps, Stains, smooth

# Pigment: residual per absorbance beyond halfway from the chromogen's own to pigment's, and haematoxylin is
# missing: less of it than this share of the chromogen.
PIGMENT_THRESHOLD = 0.53
PIGMENT_MAX_HEMATOXYLIN = 0.55
PIGMENT_SIGMA_UM = 1.5


def pigment_fraction(maps: StainMaps, stains: Stains, *, inside: Mask | None = None) -> float:
    """Share of the area covered by pigment, 0 to 1: brown with melanin's residual and no haematoxylin.

    Parameters
    ----------
    maps : StainMaps
    stains : Stains
    inside : ndarray of bool, shape of the maps, optional
        The area, where it is not all of the maps.
    """
    sigma_px = PIGMENT_SIGMA_UM / maps.mpp_um
    readable = maps.mean_od < READABLE_OD
    hematoxylin, chromogen, residual = (
        smooth(amount * readable, sigma_px)
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    )
    is_brown = (chromogen > BROWN_OD) & (hematoxylin < PIGMENT_MAX_HEMATOXYLIN * chromogen)
    share = residual / np.maximum(hematoxylin + chromogen, BROWN_OD)
    is_pigment = is_brown & (stains.pigment_likeness(share) > PIGMENT_THRESHOLD)
    return float(np.mean(is_pigment if inside is None else is_pigment[inside]))
