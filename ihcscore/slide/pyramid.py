"""The scale of a pyramid's coarser levels, where their sizes do not say it.

A level's scale is taken from its size. Some writers pad coarser levels to whole tiles, so that the size is
too large by up to a tile; then one edge or both tell a scale that is too fine, and what is seen on that level
lies elsewhere on the slide. Such levels are held against the next finer one, and left out where nothing
decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError
from ihcscore.slide.base import Level

# Left and top edge, width and height of a rectangle of a stored level to its RGB.
ReadStored = Callable[[int, tuple[int, int], tuple[int, int]], NDArray[np.uint8]]

_FACTORS = tuple(2**k for k in range(1, 13))
# Patches that are compared, in pixels of the coarser level, and how many along each axis.
_PATCH_PX, _PATCHES = 64, 6
# A patch shows something where its brightness varies by so much (standard deviation, counts).
_LEAST_DETAIL = 3.0
# Of the same picture this much of the brightness agrees (Pearson's r), of one that is shifted less.
_LEAST_AGREEMENT = 0.8
# Larger rectangles of the finer level are not read for this.
_MOST_FINE_PX = 4096
# Edges of a level are rounded by so many pixels and so much of their length: 0.2 % of 10 mm are 20 µm.
_ROUNDED_PX, _ROUNDED_SHARE = 2, 0.002


@dataclass(frozen=True, kw_only=True)
class StoredLevel:
    """A level as its reader has it.

    Attributes
    ----------
    index : int
        The reader's number of it.
    size_xy_px : tuple of int
        Width and height as stored.
    downsample : float
        As the reader takes it from the sizes.
    tile_xy_px : tuple of int or None
        Width and height of its tiles.
    """

    index: int
    size_xy_px: tuple[int, int]
    downsample: float
    tile_xy_px: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class UsedLevel:
    """A level that is read: its number at the reader, its true size and scale."""

    index: int
    level: Level


def levels_to_use(stored: Sequence[StoredLevel], read: ReadStored) -> list[UsedLevel]:
    """The levels of a pyramid with their true scales; those whose scale cannot be told are left out.

    Parameters
    ----------
    stored : sequence of StoredLevel
        Finest first.
    read : callable
        Reads RGB of a rectangle of a stored level; asked only of levels whose size leaves a doubt.
    """
    first = stored[0]
    used = [UsedLevel(index=first.index, level=Level(size_xy_px=first.size_xy_px, downsample=1.0))]
    for one in stored[1:]:
        if one.size_xy_px == first.size_xy_px:
            continue  # another plane or a copy of the finest
        scale = _scale(one, used, read)
        if scale is None or scale <= used[-1].level.downsample:
            continue
        size = one.size_xy_px
        if scale != one.downsample or not _edges_agree(size, first.size_xy_px):  # the padding is cut off
            size = (max(1, int(first.size_xy_px[0] / scale)), max(1, int(first.size_xy_px[1] / scale)))
        used.append(UsedLevel(index=one.index, level=Level(size_xy_px=size, downsample=float(scale))))
    return used


def _scale(one: StoredLevel, used: Sequence[UsedLevel], read: ReadStored) -> float | None:
    """True scale of a level; None where it cannot be told."""
    full = used[0].level.size_xy_px
    agree = _edges_agree(one.size_xy_px, full)
    padded = _may_be_padded(one)
    if agree and not padded:
        return one.downsample
    candidates = [float(factor) for factor in _FACTORS if padded and _padded_to(one, full, factor)]
    if agree:
        candidates.insert(0, one.downsample)
    finer = used[-1]
    best = _best_of(candidates, one, finer, read)
    if best is not None:
        return best
    # Nothing to see, so nothing is misplaced by much: sizes that halve are taken by their word.
    return one.downsample if agree and any(_is_factor(one.size_xy_px, full, f) for f in _FACTORS) else None


def _edges_agree(size: tuple[int, int], full: tuple[int, int]) -> bool:
    """Whether width and height tell one scale, up to rounding."""
    edges = [(n, _ROUNDED_PX + _ROUNDED_SHARE * n, whole) for n, whole in zip(size, full, strict=True)]
    low = max(whole / (n + slack) for n, slack, whole in edges)
    high = min(whole / max(n - slack, 1e-9) for n, slack, whole in edges)
    return low <= high


def _may_be_padded(one: StoredLevel) -> bool:
    """Whether a level is whole tiles wide and high."""
    if one.tile_xy_px is None:
        return False
    return all(n % tile == 0 for n, tile in zip(one.size_xy_px, one.tile_xy_px, strict=True))


def _padded_to(one: StoredLevel, full: tuple[int, int], factor: int) -> bool:
    """Whether a picture shrunk by a factor fills whole tiles of a level, the last ones in part."""
    tiles = one.tile_xy_px or (1, 1)
    return all(
        -1 < n - math.floor(whole / factor) <= tile
        for n, whole, tile in zip(one.size_xy_px, full, tiles, strict=True)
    )


def _is_factor(size: tuple[int, int], full: tuple[int, int], factor: int) -> bool:
    return all(abs(whole / factor - n) < 1 for n, whole in zip(size, full, strict=True))


def _best_of(
    candidates: Sequence[float], one: StoredLevel, finer: UsedLevel, read: ReadStored
) -> float | None:
    """The scale at which a level shows what the next finer one does; None where none does."""
    scored = []
    for scale in candidates:
        ratio = scale / finer.level.downsample
        if ratio <= 1:
            continue
        agreement = _agreement(one, finer, ratio, read)
        if agreement is not None:
            scored.append((agreement, scale))
    if not scored:
        return None
    agreement, scale = max(scored)
    return scale if agreement >= _LEAST_AGREEMENT else None


def _agreement(one: StoredLevel, finer: UsedLevel, ratio: float, read: ReadStored) -> float | None:
    """Correlation of the brightness of patches over a level with the finer one's; None if all is even."""
    width, height = (
        min(n, int(fine / ratio)) for n, fine in zip(one.size_xy_px, finer.level.size_xy_px, strict=True)
    )
    side = min(_PATCH_PX, width, height)
    if side < 8 or side * ratio > _MOST_FINE_PX:
        return None
    shown, expected = [], []
    for y in np.linspace(0, height - side, _PATCHES).astype(int):
        for x in np.linspace(0, width - side, _PATCHES).astype(int):
            try:
                coarse = read(one.index, (int(x), int(y)), (side, side))
                fine = read(
                    finer.index,
                    (round(x * ratio), round(y * ratio)),
                    (round(side * ratio), round(side * ratio)),
                )
            except ReadError:
                continue
            small = cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA)
            shown.append(coarse.mean(axis=2).ravel())
            expected.append(small.mean(axis=2).ravel())
    if not shown:
        return None
    both = np.concatenate(shown), np.concatenate(expected)
    if min(values.std() for values in both) < _LEAST_DETAIL:
        return None if max(values.std() for values in both) < _LEAST_DETAIL else 0.0
    return float(np.corrcoef(*both)[0, 1])
