"""From a field of a slide to classified cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.cells import Finder
from ihcscore.cells.nuclear_size import Diameters, lone_nuclei_um
from ihcscore.geometry.grid import BLOCK_PX
from ihcscore.geometry.square import Square, centres_of_corners, corners_of_centres
from ihcscore.output.progress import Stopwatch
from ihcscore.slide import Slide, View
from ihcscore.stain import Stains, separate, working_step_px

# Fields are read at the coarsest level that is not coarser than this: what a 40x scan has.
_READ_MPP_UM = 0.25
# Overlays show this much around a field, so that a cell on its edge is seen whole.
_CONTEXT_UM = 12.0


@dataclass(frozen=True, kw_only=True)
class CountedField:
    """Cells of one field, with what its picture needs.

    Attributes
    ----------
    cells : DataFrame
        Cells whose centre lies in the field; x_px and y_px in level-0 pixels.
    cells_in_picture : DataFrame
        The same cells; x_px and y_px in pixels of `rgb`.
    rgb : ndarray of uint8, shape (height, width, 3)
        The upright square around the field and a little more.
    square : Square
        The field, in pixels of `rgb`.
    mpp_um : float
        µm per pixel of `rgb`.
    pigment_fraction : float
        Share of the field covered by pigment, 0 to 1.
    nuclei_um : ndarray of float, shape (n,)
        Diameters of the nuclei that stand alone, in the field and around it.
    """

    cells: pd.DataFrame = field(repr=False)
    cells_in_picture: pd.DataFrame = field(repr=False)
    rgb: NDArray[np.uint8] = field(repr=False)
    square: Square
    mpp_um: float
    pigment_fraction: float
    nuclei_um: Diameters = field(repr=False)


def count_field(
    slide: Slide,
    square: Square,
    *,
    finder: Finder,
    stains: Stains,
    watch: Stopwatch,
) -> CountedField:
    """Count the cells whose centre lies in a square of a slide.

    The upright square around it is read with a halo, aligned to the counter's working grid, so that the
    cells do not depend on where the reading started. It is counted as it was scanned, not turned upright:
    resampling would soften the cells.

    Parameters
    ----------
    slide : Slide
    square : Square
        Level-0 pixels.
    finder : Finder
    stains : Stains
    watch : Stopwatch
        Gets the time of ``reading`` and ``counting``.

    Raises
    ------
    ReadError
        If the square cannot be decoded, or is not what the next coarser level shows there.
    """
    view = slide.at(_READ_MPP_UM)
    with watch.timing("reading"):
        around = _Surroundings.read(view, square, margin_um=finder.halo_um)
    with watch.timing("counting"):
        maps = separate(around.rgb, mpp_um=view.mpp_um, stains=stains, start_xy_px=around.start_xy_px)
        found = finder(maps, stains)
    cells = found.cells
    held = cells[around.square.holds(cells["x_px"], cells["y_px"])].reset_index(drop=True)
    window, inside = maps.grid.square_on(around.square).pixels(found.pigment.shape)
    return around.counted(
        held,
        pigment_fraction=float(found.pigment[window][inside].mean()),
        nuclei_um=lone_nuclei_um(maps),
    )


@dataclass(frozen=True, kw_only=True)
class _Surroundings:
    """A field with what lies around it.

    Attributes
    ----------
    view : View
        What was read.
    square : Square
        The field, in pixels of `rgb`.
    xy_px : tuple of int
        Left and top edge of `rgb`, in pixels of the view.
    start_xy_px : tuple of float
        Where the first whole block of the counter's grid, which is the slide's, starts in `rgb`.
    rgb : ndarray of uint8, shape (height, width, 3)
    """

    view: View
    square: Square
    xy_px: tuple[int, int]
    start_xy_px: tuple[float, float]
    rgb: NDArray[np.uint8] = field(repr=False)

    @classmethod
    def read(cls, view: View, square: Square, *, margin_um: float) -> Self:
        """The upright square around a field and its halo, in whole blocks of the counter's grid.

        Raises
        ------
        ReadError
            If it cannot be decoded, or is not what the next coarser level shows there.
        """
        block_px = BLOCK_PX * working_step_px(view.mpp_um)
        box = square.bounds()
        low = np.array([box.x_px, box.y_px])
        xy_px, size_xy_px = view.covering(
            low,
            low + box.side_px,
            margin_px=margin_um / view.mpp_um,
            step_px=block_px,
        )
        rgb = view.read(xy_px, size_xy_px, checked=True)
        here = square.reduced(view.downsample).shifted(-xy_px[0], -xy_px[1])
        start = [block_px * math.ceil(at / block_px - 1e-6) - at for at in xy_px]
        return cls(view=view, square=here, xy_px=xy_px, start_xy_px=(start[0], start[1]), rgb=rgb)

    def counted(self, cells: pd.DataFrame, *, pigment_fraction: float, nuclei_um: Diameters) -> CountedField:
        """The field with its cells, x_px and y_px in pixels of `rgb`, and a narrower picture of it."""
        box, context = self.square.bounds(), round(_CONTEXT_UM / self.view.mpp_um)
        crop_x, crop_y = (max(int(edge) - context, 0) for edge in (box.x_px, box.y_px))
        size = math.ceil(box.side_px) + 2 * context
        return CountedField(
            cells=cells.assign(
                x_px=self._on_slide(cells["x_px"], self.xy_px[0]),
                y_px=self._on_slide(cells["y_px"], self.xy_px[1]),
            ),
            cells_in_picture=cells.assign(x_px=cells["x_px"] - crop_x, y_px=cells["y_px"] - crop_y),
            rgb=self.rgb[crop_y : crop_y + size, crop_x : crop_x + size],
            square=self.square.shifted(-crop_x, -crop_y),
            mpp_um=self.view.mpp_um,
            pigment_fraction=pigment_fraction,
            nuclei_um=nuclei_um,
        )

    def _on_slide(self, centres: pd.Series[float], start_px: int) -> pd.Series[float]:
        """Level-0 pixels of pixel centres of `rgb`, which starts at `start_px` of the view."""
        corners = corners_of_centres(centres + start_px) * self.view.downsample
        placed: pd.Series[float] = centres_of_corners(corners)
        return placed
