"""How large nuclei come out: a check of the µm per pixel that no header can give.

Nuclei are 5 to 8 µm across in lymphocytes and up to 12 µm in most tumours. Where those that stand alone come
out far from that, the pixels' size is wrong, and with it every density.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.stain import StainMaps, smooth

# Median diameters, by area, of lone nuclei on public tiles of known scale (LYSTO, BCData, SHIDC-B-Ki-67) with
# 20 of them or more: 4.3 to 8.7 µm. Told half their scale 2.5 to 4.4, told twice 7.9 to 16.9. The upper limit
# leaves room for large tumour nuclei, so that a lymphoid section told twice its scale isn't noticed.
USUAL_UM = (3.9, 12.0)
# Fewer lone nuclei say nothing.
MIN_NUCLEI = 30

_SMOOTH_UM = 0.6
# Below, haematoxylin is background; above, more of it tells no more of a nucleus's edge.
_LEAST_OD, _MOST_OD = 0.08, 1.2
# Otsu's threshold is sought among bytes.
_PER_OD = 255 / _MOST_OD
# Share of its convex hull that a lone nucleus fills, touching ones don't; what is smaller is grain.
_MIN_SOLIDITY = 0.9
_GRAIN_UM = 1.5

Diameters = NDArray[np.float64]


def lone_nuclei_um(maps: StainMaps) -> Diameters:
    """Diameters, in µm, of the nuclei that stand alone: of the circles with their areas, shape (n,).

    Areas of haematoxylin above Otsu's threshold (1979, doi 10.1109/TSMC.1979.4310076), holes filled, that
    fill nine tenths of their convex hull and don't touch the edge.

    Parameters
    ----------
    maps : StainMaps
    """
    if not maps.hematoxylin_od.size:
        return np.zeros(0)
    smoothed = smooth(np.clip(maps.hematoxylin_od, 0, _MOST_OD), _SMOOTH_UM / maps.mpp_um)
    amount = np.round(smoothed * _PER_OD).astype(np.uint8)
    otsu, _ = cv2.threshold(amount, 0, 1, cv2.THRESH_OTSU)
    dark = (amount > max(otsu, _LEAST_OD * _PER_OD)).astype(np.uint8)
    outlines, _ = cv2.findContours(dark, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    height, width = dark.shape
    diameters: list[float] = []
    for outline in outlines:
        left, top, across, down = cv2.boundingRect(outline)
        if left == 0 or top == 0 or left + across == width or top + down == height:
            continue
        area = _pixels(outline)
        diameter = 2 * np.sqrt(area / np.pi) * maps.mpp_um
        if diameter > _GRAIN_UM and area >= _MIN_SOLIDITY * _pixels(cv2.convexHull(outline)):
            diameters.append(diameter)
    return np.array(diameters, float)


def scale_doubt(diameters_um: Diameters) -> str:
    """What speaks against the µm per pixel by the nuclei's size; empty where nothing does.

    Parameters
    ----------
    diameters_um : ndarray of float, shape (n,)
        Of lone nuclei.
    """
    if len(diameters_um) < MIN_NUCLEI:
        return ""
    median, (low, high) = _median_by_area(diameters_um), USUAL_UM
    if low <= median <= high:
        return ""
    size = "small" if median < low else "large"
    return (
        f"the {len(diameters_um)} nuclei that stand alone measure {median:.1f} µm (median by area), too "
        f"{size} for {low:g} to {high:g}: check the µm per pixel and give the right ones, or every density "
        "is wrong"
    )


def _pixels(outline: cv2.typing.MatLike) -> float:
    """Pixels in a closed outline through their centres (Pick's theorem, for outlines of whole pixels)."""
    return float(cv2.contourArea(outline) + cv2.arcLength(outline, closed=True) / 2 + 1)


def _median_by_area(diameters_um: Diameters) -> float:
    """Half of the nuclei's area is in larger ones: grain, which is many and small, hardly weighs."""
    ordered = np.sort(diameters_um)
    area = np.cumsum(ordered**2)
    return float(ordered[np.searchsorted(area, area[-1] / 2)])
