"""From RGB to classified cells: an array, or a field of a slide."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.cells.classical import HALO_UM, detect_in_maps
from ihcscore.cells.classify import classify_cells
from ihcscore.geometry.square import Square, centres_of_corners, corners_of_centres
from ihcscore.output.progress import Stopwatch
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.slide import Slide
from ihcscore.slide.checks.levels import check_levels_agree
from ihcscore.stain import StainMaps, Stains, estimate_stains, pigment_fraction, separate, working_step_px

# Fields are read at the coarsest level that is not coarser than this: what a 40x scan has.
_READ_MPP_UM = 0.25
# Overlays show this much around a field, so that a cell on its edge is seen whole.
_CONTEXT_UM = 12.0


@dataclass(frozen=True, kw_only=True)
class CountedArray:
    """Cells of one RGB array.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    mpp_um : float
    cells : DataFrame
        The cell columns of :mod:`ihcscore.schema`; x_px and y_px in pixels of `rgb`.
    pigment_fraction : float
        Share of the array covered by pigment, 0 to 1.
    stains : Stains
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp_um: float
    cells: pd.DataFrame = field(repr=False)
    pigment_fraction: float
    stains: Stains


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


def count_cells(
    rgb: NDArray[np.uint8], *, mpp_um: float, profile: str | MarkerProfile, stains: Stains | None = None
) -> pd.DataFrame:
    """Count cells on an RGB array.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    mpp_um : float
        µm per pixel, 0.05 to 1.
    profile : str or MarkerProfile
        A marker's name, a profile file, or a profile.
    stains : Stains, optional
        White reference and stain vectors; estimated from the array where not given.

    Returns
    -------
    DataFrame
        A row a cell: x_px, y_px (pixel centres at whole numbers), class (Positive, Negative,
        Pigment suspect), diameter_um, chromogen_od, hematoxylin_od, confidence.

    Raises
    ------
    ValueError
        If `rgb` is not 8-bit RGB or `mpp_um` is out of range.
    ProfileError
        If the profile is unknown or broken.
    """
    return count_array(rgb, mpp_um=mpp_um, profile=as_profile(profile), stains=stains).cells


def as_profile(profile: str | Path | MarkerProfile) -> MarkerProfile:
    """A profile as it is, or read by its marker's name or its file."""
    return profile if isinstance(profile, MarkerProfile) else load_profile(profile)


def count_array(
    rgb: NDArray[np.uint8], *, mpp_um: float, profile: MarkerProfile, stains: Stains | None = None
) -> CountedArray:
    """As :func:`count_cells`, with the stains that were used and the pigment."""
    stains = stains or estimate_stains(rgb, chromogen=profile.chromogen, mpp_um=mpp_um)
    maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    return CountedArray(
        rgb=rgb,
        mpp_um=mpp_um,
        cells=_cells_in(maps, profile, stains),
        pigment_fraction=pigment_fraction(maps, stains),
        stains=stains,
    )


def _cells_in(maps: StainMaps, profile: MarkerProfile, stains: Stains) -> pd.DataFrame:
    """Classified cells of stain maps; x_px and y_px in pixels of the image that they come from."""
    return classify_cells(detect_in_maps(maps, profile=profile, stains=stains), profile)


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
    level = slide.level_for(_READ_MPP_UM)
    downsample = slide.levels[level].downsample
    mpp_um = slide.mpp_um * downsample
    step = working_step_px(mpp_um)
    halo_px = HALO_UM / mpp_um
    box = square.bounds()
    starts, ends = [], []
    for edge in (box.x_px, box.y_px):
        starts.append(step * math.floor((edge / downsample - halo_px) / step))
        ends.append(step * math.ceil(((edge + box.side_px) / downsample + halo_px) / step))
    with watch.timing("reading"):
        rgb = slide.read(level, (starts[0], starts[1]), (ends[0] - starts[0], ends[1] - starts[1]))
        check_levels_agree(slide, level, (starts[0], starts[1]), rgb)
    with watch.timing("counting"):
        maps = separate(rgb, mpp_um=mpp_um, stains=stains)
        found = _cells_in(maps, profile, stains)
    here = square.reduced(downsample).shifted(-starts[0], -starts[1])
    inside = found[here.holds(found["x_px"], found["y_px"])].reset_index(drop=True)
    context = round(_CONTEXT_UM / mpp_um)
    crop_x, crop_y = (
        max(int(edge / downsample - start) - context, 0)
        for edge, start in zip((box.x_px, box.y_px), starts, strict=True)
    )
    size = math.ceil(box.side_px / downsample) + 2 * context
    return CountedField(
        cells=inside.assign(
            x_px=centres_of_corners(corners_of_centres(inside["x_px"] + starts[0]) * downsample),
            y_px=centres_of_corners(corners_of_centres(inside["y_px"] + starts[1]) * downsample),
        ),
        cells_in_picture=inside.assign(x_px=inside["x_px"] - crop_x, y_px=inside["y_px"] - crop_y),
        rgb=rgb[crop_y : crop_y + size, crop_x : crop_x + size],
        square=here.shifted(-crop_x, -crop_y),
        mpp_um=mpp_um,
        pigment_fraction=_pigment_in(maps, stains, here.reduced(step), step),
    )


def _pigment_in(maps: StainMaps, stains: Stains, square: Square, step: int) -> float:
    """Share of a square of the maps (in their pixels) that is covered by pigment."""
    window, inside = square.pixels(maps.hematoxylin_od.shape)
    rows, columns = inside.shape
    part = StainMaps(
        hematoxylin_od=maps.hematoxylin_od[window],
        chromogen_od=maps.chromogen_od[window],
        residual_od=maps.residual_od[window],
        shape_yx=(step * rows, step * columns),
        mpp_um=maps.mpp_um,
    )
    return pigment_fraction(part, stains, inside=inside)
