"""A PET series as SUV."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements
from ihcscore.pet.factor import Derivation, derive_factor, suv_from_bw
from ihcscore.pet.folder import file_name, find_series, quiet
from ihcscore.pet.grid import Grid, one_of, read_grid
from ihcscore.pet.header import Header, read_header
from ihcscore.pet.patient import Overrides
from ihcscore.pet.pixels import read_stored
from ihcscore.schema.pet import SuvKind


@dataclass(frozen=True, kw_only=True)
class PetSeries:
    """A scan in SUV.

    Attributes
    ----------
    suv : (n, rows, columns) array of float32
        Slices rise along the normal of the image plane.
    grid : Grid
        Where the voxels lie.
    kind : SuvKind
        What uptake is normalised to.
    from_bw : float
        What SUV by body weight was multiplied by for it.
    how : Derivation
        How the factor follows.
    header : Header
        What the series says of itself.
    frame_of_reference : str
        Identifies the patient's position; compared with that of volumes, never written.
    identity : str
        Hash of the identities of its images.
    name : str
        What an error calls it.
    """

    suv: NDArray[np.float32] = field(repr=False)
    grid: Grid = field(repr=False)
    kind: SuvKind = SuvKind.BW
    from_bw: float = 1.0
    how: Derivation
    header: Header = field(repr=False)
    frame_of_reference: str = field(default="", repr=False)
    identity: str = ""
    name: str = ""

    @property
    def affine(self) -> NDArray[np.float64]:
        """4 × 4, from (column, row, slice, 1) to mm in the patient (LPS)."""
        return self.grid.affine


def read_pet(
    folder: str | Path,
    *,
    series: str | None = None,
    overrides: Overrides | None = None,
    suv: SuvKind = SuvKind.BW,
    name: str | None = None,
) -> PetSeries:
    """Read a static PET series and make SUV of it.

    Parameters
    ----------
    folder : str or Path
        Of one series, or of several: then `series` says which.
    series : str, optional
        SeriesNumber or part of the description.
    overrides : Overrides, optional
        What stands in place of the header.
    suv : SuvKind
        What uptake is normalised to.
    name : str, optional
        What an error calls the series; the folder's name if not given.

    Raises
    ------
    PetError
        If there is no such series, or no right SUV can be had from it: the message says what is wrong
        and which parameter mends it.
    """
    given = overrides or Overrides()
    with quiet():
        files = find_series(folder, series=series, name=name)
        name = name or file_name(Path(folder).absolute())
        grid, order = read_grid(files.slices, name)
        slices = [files.slices[at] for at in order]
        header = read_header(slices, name)
        how = derive_factor(header, given, name)
        from_bw = suv_from_bw(how, header, given, suv, name)
        values = _read_suv(slices, grid, header.slope * how.factor * from_bw)
        frame = one_of([one.text("FrameOfReferenceUID") for one in slices], "FrameOfReferenceUID", name)
    return PetSeries(
        suv=values, grid=grid, kind=suv, from_bw=from_bw, how=how, header=header, frame_of_reference=frame,
        identity=_identity(slices), name=name,
    )  # fmt: skip


def _read_suv(slices: list[Elements], grid: Grid, factor: NDArray[np.float64]) -> NDArray[np.float32]:
    values = np.empty(grid.shape_zyx, np.float32)
    for at, one in enumerate(slices):
        values[at] = read_stored(one, grid.shape_zyx[1:]) * factor[at]
        one.dataset.pop("PixelData", None)
        one.dataset._pixel_array = None
    if not np.isfinite(values).all():
        raise PetError(f"{slices[0].name}: SUV is not finite; check RescaleSlope (0028,1053)")
    return values


def _identity(slices: list[Elements]) -> str:
    """The same for the same images, however their files are called; no identity of its own in it."""
    names = sorted(one.text("SOPInstanceUID") for one in slices)
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
