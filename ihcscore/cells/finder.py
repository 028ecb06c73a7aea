"""What finds the cells of a field: any finder gives the same table, whatever it looks for them by."""

from __future__ import annotations

from typing import Protocol

import pandas as pd

from ihcscore.stain import StainMaps, Stains


class Finder(Protocol):
    """A configured way of finding cells."""

    @property
    def halo_um(self) -> float:
        """So far beyond a field's edge a pixel can change a cell in it: so much more of it is read."""

    def __call__(self, maps: StainMaps, stains: Stains) -> pd.DataFrame:
        """Cells of a field with their classes.

        Parameters
        ----------
        maps : StainMaps
            Stain amounts of the field and its halo.
        stains : Stains
            White, vectors and depth of staining that they were made with.

        Returns
        -------
        DataFrame
            One row a cell, sorted by y_px, then x_px, with the columns of `CELL_COLUMNS`; x_px and y_px in
            pixels of the image that the maps come from, pixel centres at whole numbers.
        """
