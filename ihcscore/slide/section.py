"""Plain images as slides of one level, for what needs no pyramid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import SlideError, check_name
from ihcscore.slide.base import Level, Slide
from ihcscore.slide.opening import IMAGE_SUFFIXES, file_identity, open_slide
from ihcscore.slide.readers.plain_image import read_image


class Picture(Slide):
    """A plain RGB image, held in memory; its pixel size must be given.

    Parameters
    ----------
    path : Path
    rgb : ndarray of uint8, shape (height, width, 3)
    mpp_um : float, optional
        µm per pixel.
    """

    def __init__(self, path: Path, rgb: NDArray[np.uint8], *, mpp_um: float | None = None) -> None:
        super().__init__(name=path.name, identity=file_identity(path), mpp_um=mpp_um)
        self.format = "plain image"
        self.levels = (Level(size_xy_px=(rgb.shape[1], rgb.shape[0]), downsample=1.0),)
        self.file_mpp_um = None
        self.background_rgb = (255, 255, 255)
        self._rgb = rgb

    def _read_into(
        self, level: int, xy_px: tuple[int, int], rgb: NDArray[np.uint8], scanned: NDArray[np.bool_]
    ) -> None:
        (x, y), (height, width) = xy_px, rgb.shape[:2]
        rgb[:] = self._rgb[y : y + height, x : x + width]
        scanned[:] = True

    def close(self) -> None:
        """Nothing is open."""


def open_section(path: str | Path, *, mpp_um: float | None = None) -> Slide:
    """Open a slide or a plain RGB image.

    Parameters
    ----------
    path : str or Path
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's; plain images have none of their own.

    Raises
    ------
    SlideError
        If it is neither, or damaged.
    """
    path = Path(path)
    check_name(path)
    if not path.is_file() or path.suffix.lower() not in {*IMAGE_SUFFIXES, ".tif", ".tiff"}:
        return open_slide(path, mpp_um=mpp_um)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return Picture(path, read_image(path), mpp_um=mpp_um)
    try:
        return open_slide(path, mpp_um=mpp_um)
    except SlideError as error:
        try:
            return Picture(path, read_image(path), mpp_um=mpp_um)
        except SlideError:
            raise error from None
