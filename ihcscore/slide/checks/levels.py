"""Whether a rectangle shows the same at the next coarser level, which is stored apart from it.

A JPEG whose bytes were changed on disk mostly still decodes, to other pixels, and a tile that lost its
place in the index leaves a white hole; no decoder says so. But a slide holds everything twice and more:
the coarser level was made from the finer one, so where the two differ one of them is damaged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError

if TYPE_CHECKING:
    from ihcscore.slide.base import Slide

# Means over squares of so many pixels of the coarser level: levels may be shifted by a part of its pixel,
# and that moves a mean by a sixteenth of the contrast of an edge at most, about 12 counts.
_PATCH_PX = 16
# Twice that, for the scanner's filter and the losses of compression. An Aperio slide (JPEG 2000, levels
# half apart) differs by 11 at most, drawn ones by 4.
_MAX_DIFFERENCE = 25.0
# Levels nearer than this hold little less, and farther ones show a field in too few pixels.
_RATIOS = (1.5, 40.0)


def check_levels_agree(slide: Slide, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8]) -> None:
    """Hold a rectangle that was read against the next coarser level.

    Parameters
    ----------
    slide : Slide
    level : int
        Level that was read.
    xy_px : tuple of int
        Left and top edge of the rectangle, pixels of that level.
    rgb : ndarray of uint8, shape (height, width, 3)
        What was read.

    Raises
    ------
    ReadError
        If they differ, or if the coarser level cannot be decoded there. A slide without a coarser level
        passes: nothing is known.
    """
    fine = slide.levels[level]
    ratios = {k: other.downsample / fine.downsample for k, other in enumerate(slide.levels) if k > level}
    coarse = next((k for k, ratio in ratios.items() if _RATIOS[0] <= ratio <= _RATIOS[1]), None)
    if coarse is None:
        return
    left, top = (int(np.ceil(v / ratios[coarse])) for v in xy_px)
    edges = [
        _edges(start, v, n, ratios[coarse])
        for start, v, n in zip((left, top), xy_px, rgb.shape[1::-1], strict=True)
    ]
    columns, rows = (len(edge) - 1 for edge in edges)
    if columns < 1 or rows < 1:
        return
    other = slide.read(coarse, (left, top), (columns * _PATCH_PX, rows * _PATCH_PX))
    shown = other.reshape(rows, _PATCH_PX, columns, _PATCH_PX, 3).mean((1, 3), dtype=np.float32)
    apart = np.abs(_means(rgb, *edges) - shown).max(axis=2)
    if apart.max() > _MAX_DIFFERENCE:
        share = float((apart > _MAX_DIFFERENCE).mean())
        raise ReadError(
            f"{slide.name}: levels {level} and {coarse} show different pixels on {share:.0%} of the area; "
            "one of them is damaged"
        )


def _edges(start: int, place: int, length: int, ratio: float) -> NDArray[np.int_]:
    """Edges of the patches from `start` of the coarser level on, in pixels of the rectangle at `place`."""
    fine: NDArray[np.float64] = np.arange(start, (place + length) / ratio, _PATCH_PX) * ratio
    return np.rint(fine).astype(np.int_) - place


def _means(rgb: NDArray[np.uint8], x: NDArray[np.int_], y: NDArray[np.int_]) -> NDArray[np.float64]:
    """Mean colour of the rectangles between edges, shape (len(y) - 1, len(x) - 1, 3)."""
    sums = cv2.integral(rgb, sdepth=cv2.CV_64F)[y][:, x]
    area = np.diff(y)[:, None, None] * np.diff(x)[None, :, None]
    means: NDArray[np.float64] = np.diff(np.diff(sums, axis=0), axis=1) / area
    return means
