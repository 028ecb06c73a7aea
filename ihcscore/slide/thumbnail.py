"""A whole slide at low resolution: read, and kept beside the results where reading is slow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import ReadError, SlideError
from ihcscore.slide.fill import filled_border
from ihcscore.slide.view import TOLERANCE, View

if TYPE_CHECKING:
    from ihcscore.slide.base import Slide

CACHE = "thumbnail.npz"
# Coarse levels of MIRAX come at 3 to 8 Mpx/s, because their tiles lie in the order of the camera.
_SLOW_FORMATS = {"mirax"}
# A slide is read in blocks of this many pixels a side, so that memory stays bounded; a block that
# cannot be decoded is read again in smaller ones, so that a broken tile costs little more than itself.
_BLOCK_PX = 1024
_SMALLEST_BLOCK_PX = 64
# Left, top, width and height.
_Block = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """A whole slide at low resolution.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)
        False where the scanner stored nothing: transparent in the file, or a border that was filled.
    unreadable : ndarray of bool, shape (height, width)
        True where the file could not be decoded.
    downsample : float
        Level-0 pixels per pixel of the thumbnail.
    mpp_um : float
        µm per pixel of the thumbnail.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    scanned: NDArray[np.bool_] = field(repr=False)
    unreadable: NDArray[np.bool_] = field(repr=False)
    downsample: float
    mpp_um: float


def read_thumbnail(
    slide: Slide, mpp_um: float, *, progress: Callable[[float], None] | None = None
) -> Thumbnail:
    """The whole slide at `mpp_um` or somewhat finer: whole pixels of a level, averaged.

    Parameters
    ----------
    slide : Slide
    mpp_um : float
        Largest µm per pixel that will do.
    progress : callable, optional
        Called with the share of the slide that has been read, 0 to 1.

    Raises
    ------
    SlideError
        If nothing of the slide can be decoded.
    """
    view = slide.at(mpp_um)
    factor = max(1, int(mpp_um * (1 + TOLERANCE) / view.mpp_um))
    width, height = (-(-n // factor) for n in slide.levels[view.level].size_xy_px)
    rgb = np.empty((height, width, 3), np.uint8)
    scanned = np.zeros((height, width), np.bool_)
    unreadable = np.zeros((height, width), np.bool_)
    blocks = list(_blocks(width, height, max(1, _BLOCK_PX // factor)))
    for done, block in enumerate(blocks, 1):
        for piece, averaged in _averaged(view, factor, block):
            x, y, w, h = piece
            here = np.s_[y : y + h, x : x + w]
            unreadable[here] = averaged is None
            rgb[here], scanned[here] = averaged or (slide.background_rgb, True)
        if progress is not None:
            progress(done / len(blocks))
    if unreadable.all():
        raise SlideError(
            f"{slide.name}: opens as {slide.format}, but nothing in it can be decoded; export it again"
        )
    downsample = view.downsample * factor
    return Thumbnail(
        rgb=rgb,
        scanned=scanned & ~filled_border(rgb, scanned & ~unreadable),
        unreadable=unreadable,
        downsample=downsample,
        mpp_um=downsample * slide.mpp_um,
    )


def _averaged(
    view: View, factor: int, block: _Block
) -> Iterator[tuple[_Block, tuple[NDArray[np.uint8], NDArray[np.bool_]] | None]]:
    """Averaged pixels and mask of a block of a thumbnail; None for the pieces that cannot be decoded."""
    x, y, w, h = block
    try:
        fine, seen = view.slide.read_scanned(view.level, (x * factor, y * factor), (w * factor, h * factor))
    except ReadError:
        step = max(w, h) // 2
        if step * factor < _SMALLEST_BLOCK_PX:
            yield block, None
            return
        for left, top, width, height in _blocks(w, h, step):
            yield from _averaged(view, factor, (x + left, y + top, width, height))
        return
    pixels = np.rint(_average(fine, factor)).astype(np.uint8)
    yield block, (pixels, _average(seen[..., None], factor)[..., 0] > 0.5)


def _blocks(width: int, height: int, step: int) -> Iterator[_Block]:
    """Left, top, width and height of the blocks that cover a rectangle."""
    for y in range(0, height, step):
        for x in range(0, width, step):
            yield x, y, min(step, width - x), min(step, height - y)


def _average(fine: NDArray[np.generic], factor: int) -> NDArray[np.float32]:
    """Mean over squares of factor × factor pixels, shape (height, width, channels)."""
    h, w, channels = fine.shape[0] // factor, fine.shape[1] // factor, fine.shape[2]
    mean: NDArray[np.float32] = fine.reshape(h, factor, w, factor, channels).mean((1, 3), dtype=np.float32)
    return mean


def kept_thumbnail(
    slide: Slide,
    mpp_um: float,
    *,
    cache: Path | None = None,
    progress: Callable[[float], None] | None = None,
) -> Thumbnail:
    """A slide's thumbnail from a file that holds it, else from the slide.

    Parameters
    ----------
    slide : Slide
    mpp_um : float
        Largest µm per pixel that will do.
    cache : Path, optional
        File that :func:`keep_thumbnail` may have written; what belongs to another slide, or was read
        otherwise, is passed over.
    progress : callable, optional
        Called with the share that has been read, 0 to 1.
    """
    if cache is not None and slide.format in _SLOW_FORMATS and cache.is_file():
        try:
            with np.load(cache) as kept:
                if str(kept["key"]) == _key(slide, mpp_um):
                    return Thumbnail(
                        rgb=kept["rgb"],
                        scanned=kept["scanned"],
                        unreadable=kept["unreadable"],
                        downsample=float(kept["downsample"]),
                        mpp_um=float(kept["mpp_um"]),
                    )
        except (OSError, ValueError, KeyError, EOFError):
            pass  # not ours, or damaged: the slide has it
    return slide.thumbnail(mpp_um, progress=progress)


def keep_thumbnail(path: Path, slide: Slide, thumbnail: Thumbnail, mpp_um: float) -> None:
    """Write a thumbnail that was slow to read; of other formats nothing is written.

    Parameters
    ----------
    path : Path
    slide : Slide
    thumbnail : Thumbnail
    mpp_um : float
        What it was asked for with.
    """
    if slide.format not in _SLOW_FORMATS:
        return
    with path.open("wb") as file:
        np.savez_compressed(
            file,
            key=np.array(_key(slide, mpp_um)),
            rgb=thumbnail.rgb,
            scanned=thumbnail.scanned,
            unreadable=thumbnail.unreadable,
            downsample=np.array(thumbnail.downsample),
            mpp_um=np.array(thumbnail.mpp_um),
        )


def _key(slide: Slide, mpp_um: float) -> str:
    """What a thumbnail depends on."""
    return json.dumps([slide.identity, slide.mpp_um, slide.icc_applied, slide.icc_name, mpp_um])
