"""Two sections in turns."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.pictures.frame import framed, round_bar_um


def draw_checkerboard(
    board: NDArray[np.uint8], *, title: str, square_px: int, mpp_um: float
) -> NDArray[np.uint8]:
    """Two registered sections in turns: where their edges meet, the registration holds.

    Parameters
    ----------
    board : ndarray of uint8, shape (height, width, 3)
    title : str
    square_px : int
        Side of a square of the board.
    mpp_um : float
        µm per pixel.
    """
    canvas = board.copy()
    for edge in range(square_px, max(board.shape[:2]), square_px):
        cv2.line(canvas, (edge, 0), (edge, board.shape[0]), (150, 150, 150), 1)
        cv2.line(canvas, (0, edge), (board.shape[1], edge), (150, 150, 150), 1)
    bar_um = round_bar_um(board.shape[1] * mpp_um / 6)
    return framed(canvas, title=title, legend=[], mpp_um=mpp_um, bar_um=bar_um)
