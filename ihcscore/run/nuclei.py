"""Focus and nuclei of a slide, in blocks spread over its tissue."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.errors import ReadError
from ihcscore.slide import Slide, View
from ihcscore.stain import Stains
from ihcscore.tissue.focus import find_blur
from ihcscore.tissue.tumour import NuclearFeatures, block_side_px, nuclear_features

# Nuclei show at 1 µm per pixel; a block of 128 µm holds some tens of them.
_MPP_UM = 1.0
_BLOCK_UM = 128.0
# Pixels that may be read for it, at the level that is read, and blocks: seconds. Blocks held at once: 15 MB.
_MAX_PIXELS = 100_000_000
_MAX_BLOCKS = 6000
_BATCH = 300
_THREADS = 4

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class BlockScan:
    """What blocks of a slide show at about 1 µm per pixel.

    Attributes
    ----------
    blurred : ndarray of bool, shape (height, width)
        Out of focus, on the thumbnail's grid.
    nuclei : NuclearFeatures
        Maps of the whole slide; weight 0 where nothing was read.
    """

    blurred: Mask = field(repr=False)
    nuclei: NuclearFeatures = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Blocks that cover a slide.

    Attributes
    ----------
    view : View
        Blocks are read in it.
    units : int
        Pixels of the feature maps along a block.
    unit_px : int
        Pixels of the view along one of the feature maps.
    shape_yx : tuple of int
        Rows and columns of blocks.
    """

    view: View
    units: int
    unit_px: int
    shape_yx: tuple[int, int]

    @classmethod
    def over(cls, slide: Slide) -> Self:
        """The blocks of a slide."""
        view = slide.at(_MPP_UM, exact=True)
        unit_px = block_side_px(view.mpp_um)
        units = max(1, round(_BLOCK_UM / view.mpp_um / unit_px))
        block_um = unit_px * units * view.mpp_um
        width, height = (math.ceil(size * slide.mpp_um / block_um) for size in slide.size_xy_px)
        return cls(view=view, units=units, unit_px=unit_px, shape_yx=(height, width))

    @property
    def side_px(self) -> int:
        """Side of a block in pixels of the view."""
        return self.unit_px * self.units

    @property
    def block_um(self) -> float:
        """Side of a block."""
        return self.side_px * self.view.mpp_um

    @property
    def stored_px(self) -> float:
        """Side of a block in pixels of the level that is read."""
        return self.block_um / self.view.stored.mpp_um

    def read(self, place: tuple[int, int]) -> NDArray[np.uint8] | None:
        """RGB of a block by its row and column; None where it cannot be decoded."""
        side, (row, column) = self.side_px, place
        try:
            return self.view.read((column * side, row * side), (side, side))
        except ReadError:
            return None


def scan_blocks(slide: Slide, *, tissue: Mask, downsample: float, stains: Stains) -> BlockScan:
    """Focus and nuclei in blocks of the tissue, read at about 1 µm per pixel.

    Every block is read where the slide is small or has a level near 1 µm per pixel, else every second
    or third one each way.

    Parameters
    ----------
    slide : Slide
    tissue : ndarray of bool, shape (height, width)
    downsample : float
        Level-0 pixels per pixel of `tissue`.
    stains : Stains
    """
    grid = _Grid.over(slide)
    mpp_um, (rows, columns) = grid.view.mpp_um, grid.shape_yx
    chosen = _chosen_blocks(tissue, grid)
    nuclei = NuclearFeatures.empty((rows * grid.units, columns * grid.units), mpp_um=grid.unit_px * mpp_um)
    blurred = np.zeros(grid.shape_yx, np.bool_)
    n_batches = -(-len(chosen) // _BATCH)

    def looked_at(place: tuple[int, int]) -> tuple[NDArray[np.uint8], NuclearFeatures] | None:
        rgb = grid.read(place)
        return None if rgb is None else (rgb, nuclear_features(rgb, stains=stains, mpp_um=mpp_um))

    # Reading and filtering leave Python, so that threads share the work; blocks don't depend on each other.
    with ThreadPoolExecutor(_THREADS) as pool:
        for batch in range(n_batches):
            # Each batch is spread over the whole slide, so that its sharpest parts are the slide's.
            places = chosen[batch::n_batches]
            seen = [
                (place, *one) for place, one in zip(places, pool.map(looked_at, places), strict=True) if one
            ]
            for (row, column), _, features in seen:
                nuclei.put(features, row=row * grid.units, column=column * grid.units)
            if seen:
                at_rows, at_columns = np.array([place for place, _, _ in seen]).T
                blurred[at_rows, at_columns] = _blurred([rgb for _, rgb, _ in seen], mpp_um)
    block_px = grid.block_um / slide.mpp_um / downsample
    return BlockScan(blurred=_on_thumbnail(blurred, tissue.shape, block_px), nuclei=nuclei)


def _blurred(squares: list[NDArray[np.uint8]], mpp_um: float) -> Mask:
    """Which of some squares of one size are out of focus, shape (n,)."""
    mosaic = np.concatenate(squares)
    soft = find_blur(mosaic, tissue=np.ones(mosaic.shape[:2], np.bool_), mpp_um=mpp_um)
    return np.asarray(soft.reshape(len(squares), -1).mean(axis=1) > 0.5)


def _chosen_blocks(tissue: Mask, grid: _Grid) -> list[tuple[int, int]]:
    """Rows and columns of the blocks to read: on tissue, evenly spread, as many as may be read."""
    share = planes.share_of(tissue, (grid.shape_yx[1], grid.shape_yx[0]))
    rows, columns = np.nonzero(share >= 0.5)
    allowed = max(1, min(_MAX_BLOCKS, int(_MAX_PIXELS / grid.stored_px**2)))
    every = int(np.ceil(np.sqrt(len(rows) / allowed))) if len(rows) else 1
    kept = (rows % every == 0) & (columns % every == 0)
    return list(zip(rows[kept].tolist(), columns[kept].tolist(), strict=True))


def _on_thumbnail(blocks: Mask, shape_yx: tuple[int, ...], block_px: float) -> Mask:
    """The blocks' mask on the thumbnail's grid."""
    rows = np.minimum((np.arange(shape_yx[0]) / block_px).astype(int), blocks.shape[0] - 1)
    columns = np.minimum((np.arange(shape_yx[1]) / block_px).astype(int), blocks.shape[1] - 1)
    return np.asarray(blocks[rows][:, columns])
