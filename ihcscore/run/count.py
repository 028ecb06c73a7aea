"""From a field of a slide to classified cells."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.cells.classical import HALO_UM
from ihcscore.cells.pigment import pigment_fraction
from ihcscore.geometry.square import Square, centres_of_corners, corners_of_centres
from ihcscore.output.progress import Stopwatch
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import cells_in
from ihcscore.slide import Slide, View
from ihcscore.stain import StainMaps, Stains, separate, working_step_px

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
    """

    cells: pd.DataFrame = field(repr=False)
    cells_in_picture: pd.DataFrame = field(repr=False)
    rgb: NDArray[np.uint8] = field(repr=False)
    square: Square
    mpp_um: float
    pigment_fraction: float


def count_field(
    slide: Slide,
    square: Square,
    *,
    profile: MarkerProfile,
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
    profile : MarkerProfile
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
        around = _Surroundings.read(view, square)
    with watch.timing("counting"):
        maps = separate(around.rgb, mpp_um=view.mpp_um, stains=stains)
        found = cells_in(maps, profile, stains)
    inside = found[around.square.holds(found["x_px"], found["y_px"])].reset_index(drop=True)
    step = working_step_px(view.mpp_um)
    return around.counted(inside, pigment_fraction=_pigment_in(maps, stains, around.square.reduced(step)))


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
    rgb : ndarray of uint8, shape (height, width, 3)
    """

    view: View
    square: Square
    xy_px: tuple[int, int]
    rgb: NDArray[np.uint8] = field(repr=False)

    @classmethod
    def read(cls, view: View, square: Square) -> Self:
        """The upright square around a field and its halo, from the counter's working grid on.

        Raises
        ------
        ReadError
            If it cannot be decoded, or is not what the next coarser level shows there.
        """
        box = square.bounds()
        low = np.array([box.x_px, box.y_px])
        xy_px, size_xy_px = view.covering(
            low,
            low + box.side_px,
            margin_px=HALO_UM / view.mpp_um,
            step_px=working_step_px(view.mpp_um),
        )
        rgb = view.read(xy_px, size_xy_px, checked=True)
        here = square.reduced(view.downsample).shifted(-xy_px[0], -xy_px[1])
        return cls(view=view, square=here, xy_px=xy_px, rgb=rgb)

    def counted(self, cells: pd.DataFrame, *, pigment_fraction: float) -> CountedField:
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
        )

    def _on_slide(self, centres: pd.Series[float], start_px: int) -> pd.Series[float]:
        """Level-0 pixels of pixel centres of `rgb`, which starts at `start_px` of the view."""
        corners = corners_of_centres(centres + start_px) * self.view.downsample
        placed: pd.Series[float] = centres_of_corners(corners)
        return placed


def _pigment_in(maps: StainMaps, stains: Stains, square: Square) -> float:
    """Share of a square of the maps (in their pixels) that is covered by pigment."""
    window, inside = square.pixels(maps.hematoxylin_od.shape)
    return pigment_fraction(maps.part(window), stains, inside=inside)
