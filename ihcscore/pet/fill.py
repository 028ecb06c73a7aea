"""Which voxels a volume takes, and by which share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ihcscore.pet.grid import Grid

Box = tuple[slice, slice, slice]
Contains = Callable[[NDArray[np.float64]], NDArray[np.bool_]]

SUBVOXELS = 9
"""In each direction: a sphere of 10 mm then has its volume to 0.4 %."""

_AT_A_TIME = 500  # voxels whose sub-voxels are held at once
_SMALL_BOX = 5000


@dataclass(frozen=True, kw_only=True)
class Filling:
    """Voxels of a volume.

    Attributes
    ----------
    box : (slice, slice, slice)
        Slices, rows and columns of the scan.
    inside : array of bool
        Of the box: voxels whose centre lies in the volume.
    shares : array of float32 or None
        Of the box: the part of each voxel that lies in the volume, 0 to 1; None where voxels count whole.
    is_cut : bool
        Whether the volume reaches beyond the scan.
    """

    box: Box
    inside: NDArray[np.bool_] = field(repr=False)
    shares: NDArray[np.float32] | None = field(default=None, repr=False)
    is_cut: bool = False


def fill(
    grid: Grid, corners_mm: NDArray[np.float64], contains: Contains, *, by_shares: bool
) -> Filling | None:
    """The voxels of a volume that can tell of any point whether it lies inside.

    Parameters
    ----------
    grid : Grid
    corners_mm : (m, 3) array of float
        Points whose surrounding box holds the volume.
    contains : callable
        From (..., 3) mm to (...) bool.
    by_shares : bool
        Also by which share.

    Returns
    -------
    Filling or None
        None where it lies outside the scan.
    """
    found = _box(grid, corners_mm)
    if found is None:
        return None
    box, is_cut = found
    inside = np.stack([contains(grid.to_mm(_centres(box, at))) for at in range(box[0].start, box[0].stop)])
    if not by_shares:
        return Filling(box=box, inside=inside, is_cut=is_cut)
    shares = inside.astype(np.float32)
    everywhere = np.ones((3, 3, 3), bool)
    if inside.size <= _SMALL_BOX:
        edge = np.ones_like(inside)
    else:
        kept = ndimage.binary_erosion(inside, everywhere)
        edge = ndimage.binary_dilation(inside, everywhere) & ~kept
    start = np.array([one.start for one in box])
    voxels = np.argwhere(edge)
    steps = (np.arange(SUBVOXELS) + 0.5) / SUBVOXELS - 0.5
    within = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    for first in range(0, len(voxels), _AT_A_TIME):
        some = voxels[first : first + _AT_A_TIME]
        points = (some + start)[:, None, ::-1] + within[None]
        shares[tuple(some.T)] = contains(grid.to_mm(points)).mean(axis=1)
    return Filling(box=box, inside=inside, shares=shares, is_cut=is_cut)


def _box(grid: Grid, corners_mm: NDArray[np.float64]) -> tuple[Box, bool] | None:
    """The part of the scan around some points, and whether they reach beyond it; None: all beyond."""
    voxels = grid.to_voxels(corners_mm)[:, ::-1]
    low, high = np.floor(voxels.min(axis=0) + 0.5), np.floor(voxels.max(axis=0) + 0.5) + 1
    shape = np.array(grid.shape_zyx)
    kept_low, kept_high = np.maximum(low, 0).astype(int), np.minimum(high, shape).astype(int)
    if (kept_low >= kept_high).any():
        return None
    is_cut = bool((low < 0).any() or (high > shape).any())
    z, y, x = (slice(int(a), int(b)) for a, b in zip(kept_low, kept_high, strict=True))
    return (z, y, x), is_cut


def _centres(box: Box, at: int) -> NDArray[np.float64]:
    """Voxel coordinates of the centres of a slice's part in a box."""
    rows, columns = np.mgrid[box[1], box[2]]
    return np.stack([columns, rows, np.full(rows.shape, at)], axis=-1).astype(float)
