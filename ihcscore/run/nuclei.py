"""A slide looked at more closely, in blocks spread over its tissue: focus, and the size of its nuclei."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError
from ihcscore.slide import Slide
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

Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class CloserLook:
    """What the blocks show.

    Attributes
    ----------
    blurred : ndarray of bool, shape (height, width)
        Out of focus, on the thumbnail's grid.
    nuclei : NuclearFeatures
        Maps of the whole slide; weight 0 where nothing was read.
    """

    blurred: Mask = field(repr=False)
    nuclei: NuclearFeatures = field(repr=False)


def look_closer(slide: Slide, *, tissue: Mask, downsample: float, stains: Stains) -> CloserLook:
    """Read blocks of the tissue at about 1 µm per pixel.

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
    level = slide.level_for(_MPP_UM)
    level_um = slide.mpp_um * slide.levels[level].downsample
    mpp_um = max(level_um, _MPP_UM)
    unit = block_side_px(mpp_um)
    units = max(1, round(_BLOCK_UM / mpp_um / unit))
    side_px = unit * units
    block_um = side_px * mpp_um
    width, height = (size * slide.mpp_um for size in slide.size_xy_px)
    shape_yx = int(np.ceil(height / block_um)), int(np.ceil(width / block_um))
    chosen = _chosen_blocks(tissue, shape_yx, read_px=(block_um / level_um) ** 2)
    nuclei = NuclearFeatures.empty((shape_yx[0] * units, shape_yx[1] * units), mpp_um=unit * mpp_um)
    blurred = np.zeros(shape_yx, np.bool_)
    n_batches = -(-len(chosen) // _BATCH)
    for batch in range(n_batches):
        # Each batch is spread over the whole slide, so that its sharpest parts are the slide's.
        places, squares = [], []
        for (row, column), rgb in _read_blocks(
            slide, level, chosen[batch::n_batches], block_um / level_um, side_px
        ):
            features = nuclear_features(rgb, stains=stains, mpp_um=mpp_um)
            nuclei.put(features, row=row * units, column=column * units)
            places.append((row, column))
            squares.append(rgb)
        if squares:
            rows, columns = np.array(places).T
            blurred[rows, columns] = _blurred(squares, mpp_um)
    return CloserLook(
        blurred=_on_thumbnail(blurred, tissue.shape, block_um / slide.mpp_um / downsample), nuclei=nuclei
    )


def _blurred(squares: list[NDArray[np.uint8]], mpp_um: float) -> Mask:
    """Which of some squares of one size are out of focus, shape (n,)."""
    mosaic = np.concatenate(squares)
    soft = find_blur(mosaic, tissue=np.ones(mosaic.shape[:2], np.bool_), mpp_um=mpp_um)
    return np.asarray(soft.reshape(len(squares), -1).mean(axis=1) > 0.5)


def _chosen_blocks(tissue: Mask, shape_yx: tuple[int, int], *, read_px: float) -> list[tuple[int, int]]:
    """Rows and columns of the blocks to read: on tissue, evenly spread, as many as may be read."""
    share = cv2.resize(tissue.astype(np.float32), (shape_yx[1], shape_yx[0]), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(np.asarray(share) >= 0.5)
    allowed = max(1, min(_MAX_BLOCKS, int(_MAX_PIXELS / read_px)))
    every = int(np.ceil(np.sqrt(len(rows) / allowed))) if len(rows) else 1
    kept = (rows % every == 0) & (columns % every == 0)
    return list(zip(rows[kept].tolist(), columns[kept].tolist(), strict=True))


def _read_blocks(
    slide: Slide, level: int, chosen: list[tuple[int, int]], block_px: float, side_px: int
) -> Iterator[tuple[tuple[int, int], NDArray[np.uint8]]]:
    """RGB of the blocks, `side_px` each way; what cannot be decoded is left out."""
    size = round(block_px)
    for row, column in chosen:
        try:
            rgb = slide.read(level, (round(column * block_px), round(row * block_px)), (size, size))
        except ReadError:
            continue
        if size != side_px:
            rgb = np.asarray(cv2.resize(rgb, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)
        yield (row, column), rgb


def _on_thumbnail(blocks: Mask, shape_yx: tuple[int, ...], block_px: float) -> Mask:
    """The blocks' mask on the thumbnail's grid."""
    rows = np.minimum((np.arange(shape_yx[0]) / block_px).astype(int), blocks.shape[0] - 1)
    columns = np.minimum((np.arange(shape_yx[1]) / block_px).astype(int), blocks.shape[1] - 1)
    return np.asarray(blocks[rows][:, columns])
