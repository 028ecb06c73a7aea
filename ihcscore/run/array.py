"""From an RGB array to classified cells.

Apart from fields of slides, so that counting on arrays loads no reader of slides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore.cells import finder_of
from ihcscore.cells.nuclear_size import Diameters, lone_nuclei_um
from ihcscore.profiles import MarkerProfile, load_profile
from ihcscore.stain import Stains, estimate_stains, separate


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
    nuclei_um : ndarray of float, shape (n,)
        Diameters of the nuclei that stand alone.
    stains : Stains
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp_um: float
    cells: pd.DataFrame = field(repr=False)
    pigment_fraction: float
    nuclei_um: Diameters = field(repr=False)
    stains: Stains


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
    found = finder_of(profile)(maps, stains)
    height, width = rgb.shape[:2]
    # The maps reach a little beyond the picture: what has its centre there is no cell of it.
    x_px, y_px = found.cells["x_px"], found.cells["y_px"]
    inside = x_px.between(-0.5, width - 0.5, "left") & y_px.between(-0.5, height - 0.5, "left")
    return CountedArray(
        rgb=rgb,
        mpp_um=mpp_um,
        cells=found.cells[inside].reset_index(drop=True),
        pigment_fraction=float(found.pigment.mean()),
        nuclei_um=lone_nuclei_um(maps),
        stains=stains,
    )
