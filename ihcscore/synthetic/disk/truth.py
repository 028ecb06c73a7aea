"""What is true of a drawn slide, without its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.mounting import Mounting

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class SlideTruth:
    """Truth about a slide of a cohort.

    Attributes
    ----------
    patient_id, sample_id, marker : str
        As in the manifest.
    reference : bool
        Whether it is its sample's reference.
    slide : Path
        The slide.
    regions : Path or None
        Outline of the tumour; of a reference only.
    mpp_um : float
        µm per pixel.
    mounting : Mounting
        How the section lies on its glass; `true_map` takes it from here.
    anatomy_seed : int
        Which block it is of.
    positive_px : ndarray of float64, shape (n, 2)
        Centres of the positive cells, x and y in level-0 pixels; the corner of the first pixel is at (0, 0).
    zones : DataFrame
        As of `Section`.
    """

    patient_id: str
    sample_id: str
    marker: str
    reference: bool
    slide: Path
    regions: Path | None
    mpp_um: float
    mounting: Mounting = field(repr=False)
    anatomy_seed: int
    positive_px: NDArray[np.float64] = field(repr=False)
    zones: pd.DataFrame = field(repr=False)

    def n_positive_in(self, x_px: float, y_px: float, side_px: float, angle_deg: float = 0.0) -> int:
        """True number of positive cells whose centre lies in a square, as a field's row gives it.

        Parameters
        ----------
        x_px, y_px : float
            Left and top edge of the square before it is turned, level-0 pixels from the first pixel's corner.
        side_px : float
            Its side.
        angle_deg : float
            Turn about its own centre, clockwise as seen. Left and top edge belong to the square, as
            they lie before the turn, the other two to its neighbours.
        """
        half = side_px / 2
        centre = np.array([x_px + half, y_px + half])
        if angle_deg:
            angle = np.deg2rad(angle_deg)
            back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
            points = (self.positive_px - centre) @ back.T + centre
        else:
            points = self.positive_px
        low = np.array([x_px, y_px])
        return int(((points >= low) & (points < low + side_px)).all(axis=1).sum())
