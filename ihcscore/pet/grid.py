"""Where the voxels of a series lie in the patient.

Patient coordinates are DICOM's: mm, x to the left, y to the back, z to the head (LPS; PS3.3 C.7.6.2).
Voxel coordinates are (column, row, slice), voxel centres at whole numbers; arrays are indexed [slice, row,
column].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements, describe

_Value = TypeVar("_Value")
_UNIT, _RIGHT_ANGLE = 1e-3, 1e-3
_GAP_TOLERANCE = 0.10  # beds of real scanners join at 3.19 and 3.29 mm beside 3.27
_SAME_PLACE_MM, _ASKEW = 0.01, 0.02
_MOST_SIDE, _MOST_VOXELS = 4096, 2**31


@dataclass(frozen=True, kw_only=True)
class Grid:
    """The voxels of a series.

    Attributes
    ----------
    shape_zyx : (int, int, int)
        Slices, rows, columns.
    origin_mm : (3,) array of float
        Centre of the first voxel.
    column_step_mm, row_step_mm : (3,) array of float
        From a column to the next, and from a row to the next.
    normal : (3,) array of float
        Unit vector along which slices rise.
    offsets_mm : (n,) array of float
        Place of each slice along the normal, from the first.
    spacing_z_mm : float
        Between slices: the median.
    """

    shape_zyx: tuple[int, int, int]
    origin_mm: NDArray[np.float64] = field(repr=False)
    column_step_mm: NDArray[np.float64] = field(repr=False)
    row_step_mm: NDArray[np.float64] = field(repr=False)
    normal: NDArray[np.float64] = field(repr=False)
    offsets_mm: NDArray[np.float64] = field(repr=False)
    spacing_z_mm: float

    @property
    def spacing_xyz_mm(self) -> tuple[float, float, float]:
        """Between columns, rows and slices."""
        column, row = (float(np.linalg.norm(step)) for step in (self.column_step_mm, self.row_step_mm))
        return column, row, self.spacing_z_mm

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel."""
        return float(np.prod(self.spacing_xyz_mm)) / 1000

    @property
    def affine(self) -> NDArray[np.float64]:
        """4 × 4, from (column, row, slice, 1) to mm, with one step between all slices."""
        matrix = np.eye(4)
        matrix[:3, 0], matrix[:3, 1] = self.column_step_mm, self.row_step_mm
        matrix[:3, 2] = self.normal * self.spacing_z_mm
        matrix[:3, 3] = self.origin_mm
        return matrix

    def to_mm(self, xyz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Voxel coordinates, (..., 3), to mm; places of slices as they are in the files."""
        along = _interpolate(xyz[..., 2], np.arange(len(self.offsets_mm), dtype=float), self.offsets_mm)
        return np.asarray(
            self.origin_mm
            + xyz[..., 0, None] * self.column_step_mm
            + xyz[..., 1, None] * self.row_step_mm
            + along[..., None] * self.normal
        )

    def to_voxels(self, mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mm, (..., 3), to voxel coordinates."""
        away = mm - self.origin_mm
        column = away @ self.column_step_mm / (self.column_step_mm @ self.column_step_mm)
        row = away @ self.row_step_mm / (self.row_step_mm @ self.row_step_mm)
        along = away @ self.normal
        slices = _interpolate(along, self.offsets_mm, np.arange(len(self.offsets_mm), dtype=float))
        return np.stack([column, row, slices], axis=-1)


def _interpolate(
    at: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Piecewise linear, the end pieces going on."""
    if len(x) == 1:
        raise ValueError("a grid has two slices or more")
    inside = np.interp(at, x, y)
    first, last = (y[1] - y[0]) / (x[1] - x[0]), (y[-1] - y[-2]) / (x[-1] - x[-2])
    below, above = np.minimum(at - x[0], 0), np.maximum(at - x[-1], 0)
    return np.asarray(inside + below * first + above * last)


def read_grid(slices: Sequence[Elements], name: str) -> tuple[Grid, list[int]]:
    """The grid of a series, and the order of its slices along the normal.

    Parameters
    ----------
    slices : sequence of Elements
        In any order; names and instance numbers don't count.
    name : str
        What an error calls the series.

    Raises
    ------
    PetError
        If slices differ in orientation, size or spacing, lie askew, or one is missing or twice there.
    """
    if len(slices) < 2:
        raise PetError(
            f"{name}: has {len(slices)} slice, expected two or more; give the folder of the series"
        )
    rows = one_of([one.integer("Rows") for one in slices], "Rows", name)
    columns = one_of([one.integer("Columns") for one in slices], "Columns", name)
    if rows is None or columns is None or not 0 < rows <= _MOST_SIDE or not 0 < columns <= _MOST_SIDE:
        raise PetError(
            f"{name}: Rows, Columns are {rows}, {columns}, expected 1 to {_MOST_SIDE}; export it again"
        )
    if rows * columns * len(slices) > _MOST_VOXELS:
        raise PetError(f"{name}: has {rows} × {columns} × {len(slices)} voxels, which is too many for a scan")
    spacing = np.array([one.numbers("PixelSpacing", 2) for one in slices])
    if np.ptp(spacing, axis=0).max() > 1e-4 or not (spacing > 0).all():
        raise PetError(f"{name}: {describe('PixelSpacing')} differs between slices or is 0: not one series")
    along_row, along_column, normal = _directions(slices, name)
    positions = np.array([one.numbers("ImagePositionPatient", 3) for one in slices])
    along = positions @ normal
    order = sorted(range(len(slices)), key=lambda at: along[at])
    positions, along = positions[order], along[order]
    step = _slice_step(along, name)
    off = np.linalg.norm(positions - positions[0] - np.outer(along - along[0], normal), axis=1).max()
    if off > max(_ASKEW * abs(along[-1] - along[0]), _SAME_PLACE_MM):
        raise PetError(
            f"{name}: slices are shifted against each other by up to {off:.3g} mm; export it again"
        )
    grid = Grid(
        shape_zyx=(len(slices), rows, columns),
        origin_mm=positions[0],
        column_step_mm=along_row * spacing[0, 1],
        row_step_mm=along_column * spacing[0, 0],
        normal=normal,
        offsets_mm=along - along[0],
        spacing_z_mm=step,
    )
    return grid, order


def _directions(
    slices: Sequence[Elements], name: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Unit vectors along a row, along a column and across the slices."""
    orientation = np.array([one.numbers("ImageOrientationPatient", 6) for one in slices])
    along_row, along_column = orientation[0, :3], orientation[0, 3:]
    lengths = np.linalg.norm(along_row), np.linalg.norm(along_column)
    if np.ptp(orientation, axis=0).max() > _UNIT:
        raise PetError(
            f"{name}: {describe('ImageOrientationPatient')} differs between slices: not one series"
        )
    if max(abs(lengths[0] - 1), abs(lengths[1] - 1)) > _UNIT or abs(along_row @ along_column) > _RIGHT_ANGLE:
        raise PetError(
            f"{name}: {describe('ImageOrientationPatient')} is not two unit vectors at right angles; "
            "export it again"
        )
    normal = np.cross(along_row, along_column)
    return along_row, along_column, normal / np.linalg.norm(normal)


def _slice_step(along: NDArray[np.float64], name: str) -> float:
    gaps = np.diff(along)
    if gaps.min() < _SAME_PLACE_MM:
        raise PetError(
            f"{name}: {int((gaps < _SAME_PLACE_MM).sum()) + 1} slices lie at one place: "
            "gated, dynamic or two "
            "series; give one static series"
        )
    step = float(np.median(gaps))
    odd = gaps[abs(gaps - step) > _GAP_TOLERANCE * step]
    if len(odd):
        raise PetError(
            f"{name}: slices lie {step:.4g} mm apart, but {len(odd)} gaps differ (the largest "
            f"{odd.max():.4g} mm): "
            "slices are missing; give the whole series"
        )
    return step


def one_of(values: Sequence[_Value], keyword: str, name: str) -> _Value:
    """The one value that all slices have.

    Raises
    ------
    PetError
        If they have several.
    """
    if len(set(values)) > 1:
        raise PetError(
            f"{name}: {describe(keyword)} has {len(set(values))} values over the slices: not one series; "
            "give the folder of one"
        )
    return values[0]
