"""Levels of a picture, each half of the one before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def halved(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Means of 2 × 2 pixels; an odd last row or column is left out."""
    h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
    four = rgb[:h, :w].reshape(h // 2, 2, w // 2, 2, 3).astype(np.uint16)
    return ((four.sum(axis=(1, 3)) + 2) // 4).astype(np.uint8)


def levels_of(rgb: NDArray[np.uint8], n_levels: int) -> list[NDArray[np.uint8]]:
    """The picture and its `n_levels` - 1 coarser levels."""
    levels = [rgb]
    while len(levels) < n_levels:
        levels.append(halved(levels[-1]))
    return levels
