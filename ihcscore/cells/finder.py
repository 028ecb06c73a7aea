"""What finds the cells of a field: any finder gives the same table, whatever it looks for them by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import pandas as pd

from ihcscore.planes import Mask
from ihcscore.profiles import MarkerProfile
from ihcscore.stain import StainMaps, Stains


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a finder found in a field.

    Attributes
    ----------
    cells : DataFrame
        One row a cell, sorted by y_px, then x_px, with the columns of `CELL_COLUMNS`; x_px and y_px in
        pixels of the image that the maps come from, pixel centres at whole numbers.
    pigment : ndarray of bool, shape of the maps
        Where pigment covers the tissue.
    """

    cells: pd.DataFrame = field(repr=False)
    pigment: Mask = field(repr=False)


class Finder(Protocol):
    """A configured way of finding cells."""

    @property
    def profile(self) -> MarkerProfile:
        """What a positive cell of the marker looks like."""

    @property
    def halo_um(self) -> float:
        """So far beyond a field's edge a pixel can change a cell in it: so much more of it is read."""

    @property
    def weights(self) -> dict[str, str]:
        """Files of weights that it uses, each with its sha256."""

    def __call__(self, maps: StainMaps, stains: Stains) -> Found:
        """Cells of a field with their classes, and its pigment.

        Parameters
        ----------
        maps : StainMaps
            Stain amounts of the field and its halo.
        stains : Stains
            White, vectors and depth of staining that they were made with.
        """
