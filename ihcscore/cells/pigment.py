"""Where pigment covers an area, by its colour."""

from __future__ import annotations

import numpy as np

from ihcscore.planes import Mask
from ihcscore.stain import BROWN_OD, READABLE_OD, StainMaps, Stains, smooth

# Haematoxylin is missing where there is pigment alone: less of it than this share of the chromogen.
PIGMENT_MAX_HEMATOXYLIN = 0.55
PIGMENT_SIGMA_UM = 1.5


def pigment_mask(maps: StainMaps, stains: Stains, *, threshold: float) -> Mask:
    """Where pigment lies: brown with melanin's residual and no haematoxylin.

    Parameters
    ----------
    maps : StainMaps
    stains : Stains
    threshold : float
        How far towards pigment, from the slide's chromogen (0) to pigment (1), its colour must have gone;
        that of the profile, as for cells.
    """
    sigma_px = PIGMENT_SIGMA_UM / maps.mpp_um
    readable = maps.mean_od < READABLE_OD
    hematoxylin, chromogen, residual = (
        smooth(amount * readable, sigma_px)
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    )
    is_brown = (chromogen > BROWN_OD) & (hematoxylin < PIGMENT_MAX_HEMATOXYLIN * chromogen)
    share = residual / np.maximum(hematoxylin + chromogen, BROWN_OD)
    return np.asarray(is_brown & (stains.pigment_likeness(share) > threshold), np.bool_)
