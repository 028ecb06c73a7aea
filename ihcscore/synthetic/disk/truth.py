"""What is true of a drawn slide, without its pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.square import Square, centres_of_corners
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
    annotations : Path or None
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
    annotations: Path | None
    mpp_um: float
    mounting: Mounting = field(repr=False)
    anatomy_seed: int
    positive_px: NDArray[np.float64] = field(repr=False)
    zones: pd.DataFrame = field(repr=False)

    def n_positive_in(self, square: Square) -> int:
        """True number of positive cells whose centre lies in a square of level-0 pixels."""
        centres = centres_of_corners(self.positive_px)
        return int(square.holds(centres[:, 0], centres[:, 1]).sum())
