"""Thumbnails that are slow to read, kept beside the results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ihcscore.slide import Slide, Thumbnail

CACHE = "thumbnail.npz"
# Coarse levels of MIRAX come at 3 to 8 Mpx/s, because their tiles lie in the order of the camera.
_SLOW_FORMATS = {"mirax"}


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
