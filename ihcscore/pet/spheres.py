"""Spheres from a table as volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.fill import Filling, fill
from ihcscore.pet.grid import Grid
from ihcscore.sheet.read import numbers, read_sheet

_COLUMNS = ("x_mm", "y_mm", "z_mm", "diameter_mm")
_LARGEST_MM = 500.0


@dataclass(frozen=True, kw_only=True)
class Sphere:
    """A sphere in the patient, mm (LPS).

    Attributes
    ----------
    name : str
    centre_mm : (float, float, float)
    diameter_mm : float
    """

    name: str
    centre_mm: tuple[float, float, float]
    diameter_mm: float


def fill_sphere(sphere: Sphere, grid: Grid) -> Filling | None:
    """The voxels of a sphere by their shares; None where it lies outside the scan."""
    centre, radius = np.array(sphere.centre_mm), sphere.diameter_mm / 2
    # The box in the scan's own directions, which may be oblique to the patient's.
    directions = np.stack([grid.column_step_mm, grid.row_step_mm, grid.normal])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    corners = np.concatenate([centre + radius * directions, centre - radius * directions])

    def contains(mm: NDArray[np.float64]) -> NDArray[np.bool_]:
        return np.asarray(((mm - centre) ** 2).sum(axis=-1) <= radius**2)

    return fill(grid, corners, contains, by_shares=True)


def read_spheres(path: Path) -> list[Sphere]:
    """Spheres from a table: name, x_mm, y_mm, z_mm, diameter_mm.

    Raises
    ------
    TableError
        If the table cannot be read or lacks a column.
    PetError
        If a number is missing or a diameter is out of range.
    """
    sheet = read_sheet(path)
    sheet.require(("name", *_COLUMNS), option="give these columns")
    columns = [numbers(sheet, column)[0] for column in _COLUMNS]
    spheres = []
    for line, name, *values in zip(sheet.rows.index, sheet.rows["name"], *columns, strict=True):
        x, y, z, diameter = (float(value) for value in values)
        if not name or not np.isfinite(values).all() or not 0 < diameter <= _LARGEST_MM:
            raise PetError(
                f"{sheet.name}, row {line}: name, place or diameter_mm is empty or out of "
                "range (above 0, at most "
                f"{_LARGEST_MM:g} mm); give it"
            )
        spheres.append(Sphere(name=str(name), centre_mm=(x, y, z), diameter_mm=diameter))
    return spheres
