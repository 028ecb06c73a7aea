"""Cells and tissue of a whole slide on one grid: density in discs, and densities of parts of the tissue."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.square import corners_of_centres
from ihcscore.score.blocks import block_draws, block_interval, block_sums

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_TISSUE = 0.1
"""Share of the disc that must be tissue for a place to have a density: a speck of tissue with one cell on it
would be the slide's densest place."""


@dataclass(frozen=True, kw_only=True)
class TissueGrid:
    """Tissue that counts, on square pixels from the slide's corner on.

    Attributes
    ----------
    mask : ndarray of bool, shape (height, width)
        Tissue without what is left out.
    downsample : float
        Level-0 pixels per pixel.
    mpp_um : float
        µm per pixel.
    """

    mask: Mask = field(repr=False)
    downsample: float
    mpp_um: float

    @property
    def pixel_mm2(self) -> float:
        """Area of a pixel."""
        return (self.mpp_um / 1000) ** 2

    @property
    def area_mm2(self) -> float:
        """Area of the tissue."""
        return float(self.mask.sum()) * self.pixel_mm2

    def pixels_of(self, xy_px: Points) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the pixels that hold points.

        Parameters
        ----------
        xy_px : ndarray of float, shape (n, 2)
            Level-0 pixels, pixel centres at whole numbers. What lies beyond the grid is put on its edge.
        """
        at = np.floor(corners_of_centres(xy_px) / self.downsample).astype(np.intp)
        height, width = self.mask.shape
        return np.clip(at[:, 1], 0, height - 1), np.clip(at[:, 0], 0, width - 1)

    def centres_um(self, at: tuple[NDArray[np.intp], ...]) -> Points:
        """X and y in µm from the slide's corner of the centres of pixels, shape (n, 2)."""
        rows, columns = at
        return np.asarray(corners_of_centres(np.column_stack([columns, rows]).astype(float)) * self.mpp_um)

    def counts(self, xy_px: Points) -> NDArray[np.int64]:
        """How many of some points lie on each pixel, shape (height, width)."""
        rows, columns = self.pixels_of(xy_px)
        at = rows * self.mask.shape[1] + columns
        counted = np.bincount(at, minlength=self.mask.size).reshape(self.mask.shape)
        return np.asarray(counted, np.int64)


def density_map(positive_xy_px: Points, tissue: TissueGrid, *, radius_um: float) -> NDArray[np.float32]:
    """Positive cells per mm² of tissue in the disc around each place.

    The kernel is flat: all cells of the disc count alike, and are divided by the disc's tissue, so that
    neither the tissue's edge nor a hole lowers the density beside it (Diggle 1985, doi 10.2307/2347366, with
    the disc's part of the window in the denominator).

    Parameters
    ----------
    positive_xy_px : ndarray of float, shape (n, 2)
        Level-0 pixels; those off the tissue don't count.
    tissue : TissueGrid
    radius_um : float

    Returns
    -------
    ndarray of float32, shape (height, width)
        NaN off the tissue, and where less than a tenth of the disc is tissue.
    """
    counts = tissue.counts(positive_xy_px) * tissue.mask
    radius_px = max(radius_um / tissue.mpp_um, 0.5)
    cells = disc_sum(counts, radius_px)
    pixels = disc_sum(tissue.mask.astype(np.int64), radius_px)
    enough = tissue.mask & (pixels >= LEAST_TISSUE * np.pi * radius_px**2)
    density = np.full(tissue.mask.shape, np.nan, np.float32)
    density[enough] = cells[enough] / (pixels[enough] * tissue.pixel_mm2)
    return density


def disc_sum(values: NDArray[np.int64], radius_px: float) -> NDArray[np.int64]:
    """Sum over the pixels whose centre lies in the disc around each pixel's; whole numbers, so exact.

    Parameters
    ----------
    values : ndarray of int64, shape (height, width)
    radius_px : float
    """
    reach = int(radius_px)
    height, width = values.shape
    total = np.zeros_like(values)
    along = np.zeros((height, width + 2 * reach + 1), np.int64)
    along[:, reach + 1 : reach + 1 + width] = np.cumsum(values, axis=1)
    along[:, reach + 1 + width :] = along[:, [reach + width]]
    for down in range(-reach, reach + 1):
        half = int(np.sqrt(max(radius_px**2 - down**2, 0.0)))
        first, last = max(0, -down), min(height, height - down)
        if first >= last:
            continue
        rows = along[first + down : last + down]
        total[first:last] += rows[:, reach + half + 1 : reach + half + 1 + width]
        total[first:last] -= rows[:, reach - half : reach - half + width]
    return total


@dataclass(frozen=True, kw_only=True)
class PartDensity:
    """Positive cells of a part of the tissue.

    Attributes
    ----------
    tissue_mm2 : float
    n_positive : int
    per_mm2 : float
        NaN without tissue.
    low, high : float
        95 % interval by blocks of tissue; NaN where there are fewer than five.
    n_blocks : int
    """

    tissue_mm2: float
    n_positive: int
    per_mm2: float
    low: float
    high: float
    n_blocks: int


def part_density(
    positive_xy_px: Points, part: Mask, tissue: TissueGrid, *, block_um: float, seed: int
) -> PartDensity:
    """Density of a part of the tissue, with its interval by squares that are drawn again.

    Parameters
    ----------
    positive_xy_px : ndarray of float, shape (n, 2)
        Positive cells in the part, level-0 pixels.
    part : ndarray of bool, shape (height, width)
        Its tissue.
    tissue : TissueGrid
    block_um : float
        Side of a square.
    seed : int
    """
    across = math.ceil(tissue.mask.shape[1] * tissue.mpp_um / block_um) + 1

    def blocks_of(xy_um: Points) -> NDArray[np.intp]:
        columns, rows = np.floor(np.maximum(xy_um, 0) / block_um).astype(np.intp).T
        return np.asarray(rows * across + columns, np.intp)

    at = blocks_of(tissue.centres_um(np.nonzero(part)))
    own = blocks_of(corners_of_centres(positive_xy_px) * tissue.mpp_um / tissue.downsample)
    held, index = np.unique(np.concatenate([at, own]), return_inverse=True)
    areas = block_sums(np.full(len(at), tissue.pixel_mm2), index[: len(at)], len(held))[None]
    counts = block_sums(np.ones(len(own)), index[len(at) :], len(held))[None]
    area, count, n_blocks = float(areas.sum()), int(counts.sum()), int((areas > 0).sum())
    if not area > 0:
        return PartDensity(
            tissue_mm2=0.0, n_positive=count, per_mm2=math.nan, low=math.nan, high=math.nan, n_blocks=0
        )
    draws = block_draws(counts, areas, seed=seed)[:, 0]
    low, high = block_interval(draws, count=count, area_mm2=area, n_blocks=n_blocks)
    return PartDensity(
        tissue_mm2=area, n_positive=count, per_mm2=count / area, low=low, high=high, n_blocks=n_blocks
    )
