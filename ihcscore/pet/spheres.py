"""Spheres from a table as volumes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.pet.fill import Filling, fill
from ihcscore.pet.grid import Grid
from ihcscore.schema import SPHERES
from ihcscore.sheet import check_table, read_sheet


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
    """Spheres from a table with the columns of :data:`ihcscore.schema.SPHERES`.

    Raises
    ------
    TableError
        If the table cannot be read, or lacks a column or a number.
    """
    rows = check_table(read_sheet(path), SPHERES).rows
    return [
        Sphere(
            name=str(row["name"]),
            centre_mm=(float(row["x_mm"]), float(row["y_mm"]), float(row["z_mm"])),
            diameter_mm=float(row["diameter_mm"]),
        )
        for row in rows.to_dict("records")
    ]
