"""Where a converter filled what was never scanned with a colour: a border that is no glass and no tissue."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# A filled area is one colour up to the noise of compression; glass and tissue vary by more at 8 µm per pixel.
_SAME_COUNTS = 3
# Darker than any glass (0.14 OD of nothing), or tinted by more: else it is glass, or cannot be told from it.
_DARKEST_GLASS, _GLASS_COLOUR = 185, 40
# Smaller areas may be a shadow or ink at the edge of the slide.
_LEAST_SHARE = 0.005
_OF_ONE_COLOUR = 0.99
# Beside a filled border there is bright glass: where at least so much of the rest is as bright.
_GLASS_SHARE = 0.02


def filled_border(rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Areas of one dark or strong colour that reach the edge of a thumbnail, beside bright glass.

    On a picture without bright glass nothing is taken for filled: a dark ground is what it shows.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)

    Returns
    -------
    ndarray of bool, shape (height, width)
    """
    filled = np.zeros(scanned.shape, np.bool_)
    dark = (rgb.mean(axis=2, dtype=np.float32) < _DARKEST_GLASS) | (
        rgb.max(axis=2).astype(np.int16) - rgb.min(axis=2) > _GLASS_COLOUR
    )
    dark &= scanned
    least_px = _LEAST_SHARE * dark.size
    if dark.sum() < least_px or not any(edge.any() for edge in (dark[0], dark[-1], dark[:, 0], dark[:, -1])):
        return filled
    kernel = np.ones((3, 3), np.uint8)
    varied = (cv2.dilate(rgb, kernel).astype(np.int16) - cv2.erode(rgb, kernel)).max(axis=2)
    flat = (dark & (varied <= _SAME_COUNTS)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(flat, connectivity=4)
    edges = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    for label in edges[(edges > 0) & (stats[edges, cv2.CC_STAT_AREA] >= least_px)]:
        part = labels == label
        colour = np.median(rgb[part], axis=0)
        if (np.abs(rgb[part] - colour).max(axis=1) <= _SAME_COUNTS).mean() < _OF_ONE_COLOUR:
            continue
        # The rim that the 3 × 3 window cut off belongs to it, one pixel of mixed colours too.
        filled |= cv2.dilate(part.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.bool_)
    rest = rgb[scanned & ~filled]
    bright = rest.min(axis=1) >= _DARKEST_GLASS if len(rest) else np.zeros(0, np.bool_)
    if len(bright) == 0 or bright.mean() < _GLASS_SHARE:
        return np.zeros(scanned.shape, np.bool_)
    return filled & scanned
