"""Names of cells: an id that is the same in every run, and a number by which people speak of them."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.geometry.field import Field
from ihcscore.geometry.square import Square, corners_of_centres
from ihcscore.run.count import CountedField

# Cells are numbered line by line, as one reads: so many lines in a field.
_LINES = 12
_PLACE_DECIMALS = 2


def numbered(
    counted: CountedField, one: Field, *, identity: str, marker: str, mirrored: bool
) -> CountedField:
    """A counted field, its cells in reading order with their ids and numbers.

    Parameters
    ----------
    counted : CountedField
    one : Field
        Level-0 pixels.
    identity : str
        Of the slide.
    marker : str
    mirrored : bool
        Whether the field is shown from the other side.
    """
    cells = counted.cells
    order = reading_order(cells, one.square, mirrored=mirrored)
    ids = cell_ids(cells.iloc[order], identity=identity, marker=marker, field_id=one.field_id)
    both = [
        table.iloc[order].reset_index(drop=True).assign(cell_id=ids, number=np.arange(1, len(cells) + 1))
        for table in (cells, counted.cells_in_picture)
    ]
    return replace(counted, cells=both[0], cells_in_picture=both[1])


def reading_order(cells: pd.DataFrame, square: Square, *, mirrored: bool) -> NDArray[np.intp]:
    """The order of cells in their upright field: line by line from the top, each from left to right."""
    at = corners_of_centres(cells[["x_px", "y_px"]].to_numpy(float))
    u, v = square.upright_map(mirrored=mirrored) @ np.column_stack([at, np.ones(len(at))]).T
    return np.lexsort((v, u, np.floor(v * _LINES / square.side_px)))


def cell_ids(cells: pd.DataFrame, *, identity: str, marker: str, field_id: str) -> list[str]:
    """An id for each cell of a field, from slide, marker, field and place: UUIDs of version 5.

    A run with other settings, which finds other cells, gives those other ids.
    """
    seen: Counter[str] = Counter()
    ids = []
    for x, y in cells[["x_px", "y_px"]].itertuples(index=False, name=None):
        place = f"{x:.{_PLACE_DECIMALS}f},{y:.{_PLACE_DECIMALS}f}"
        seen[place] += 1
        name = f"{identity}/{marker}/{field_id}/{place}/{seen[place]}"
        ids.append(str(uuid.uuid5(uuid.NAMESPACE_OID, name)))
    return ids
