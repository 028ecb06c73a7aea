"""A slide at one scale: the one way to read at so many µm per pixel."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore import planes
from ihcscore.slide.checks.levels import check_levels_agree

if TYPE_CHECKING:
    from ihcscore.slide.base import Slide

# A level may be so much coarser than what was asked for.
TOLERANCE = 0.01


@dataclass(frozen=True, kw_only=True)
class View:
    """A slide at one scale, as :meth:`ihcscore.slide.Slide.at` gives it.

    What is read are the pixels of a level; in an exact view they are averaged down to the scale that was
    asked for, where the level is finer.

    Attributes
    ----------
    slide : Slide
    level : int
        Index of the level that is read.
    mpp_um : float
        µm per pixel of what is read.
    downsample : float
        Level-0 pixels per pixel of what is read.
    """

    slide: Slide = field(repr=False)
    level: int
    mpp_um: float
    downsample: float

    @classmethod
    def of(cls, slide: Slide, mpp_um: float, *, exact: bool) -> View:
        """As :meth:`ihcscore.slide.Slide.at`."""
        limit_um = mpp_um * (1 + TOLERANCE)
        fine = [index for index, one in enumerate(slide.levels) if one.downsample * slide.mpp_um <= limit_um]
        stored = cls._of_level(slide, max(fine, default=0))
        if not exact or stored.mpp_um >= mpp_um:
            return stored
        return cls(slide=slide, level=stored.level, mpp_um=mpp_um, downsample=mpp_um / slide.mpp_um)

    @classmethod
    def _of_level(cls, slide: Slide, level: int) -> View:
        downsample = slide.levels[level].downsample
        return cls(slide=slide, level=level, mpp_um=slide.mpp_um * downsample, downsample=downsample)

    @property
    def stored(self) -> View:
        """The view without averaging: the level's own pixels."""
        return self._of_level(self.slide, self.level)

    def read(
        self, xy_px: tuple[int, int], size_xy_px: tuple[int, int], *, checked: bool = False
    ) -> NDArray[np.uint8]:
        """RGB of a rectangle; what lies outside the slide is background.

        Parameters
        ----------
        xy_px : tuple of int
            Left and top edge, in pixels of the view; may be negative.
        size_xy_px : tuple of int
            Width and height, in pixels of the view.
        checked : bool
            Refuse what the next coarser level doesn't show alike.

        Returns
        -------
        ndarray of uint8, shape (height, width, 3)

        Raises
        ------
        ReadError
            If the pixels cannot be decoded, or aren't what the next coarser level shows.
        """
        finer = self.mpp_um / self.stored.mpp_um
        left, top, width, height = (round(number * finer) for number in (*xy_px, *size_xy_px))
        rgb = self.slide.read(self.level, (left, top), (width, height))
        if checked:
            check_levels_agree(self.slide, self.level, (left, top), rgb)
        return self.averaged(rgb, size_xy_px)

    def averaged(
        self, rgb: NDArray[np.uint8], size_xy_px: tuple[int, int] | None = None
    ) -> NDArray[np.uint8]:
        """Pixels of :attr:`stored` averaged over areas, to pixels of this view.

        Parameters
        ----------
        rgb : ndarray of uint8, shape (height, width, 3)
        size_xy_px : tuple of int, optional
            Width and height of the result, where they are known; else the nearest whole ones.

        Returns
        -------
        ndarray of uint8
            `rgb` itself where there is nothing to average.
        """
        finer = self.stored.mpp_um / self.mpp_um
        if finer == 1 or rgb.shape[1::-1] == size_xy_px:
            return rgb
        return planes.shrunk_by(rgb, finer) if size_xy_px is None else planes.shrunk_to(rgb, size_xy_px)

    def covering(
        self, low_xy_px: ArrayLike, high_xy_px: ArrayLike, *, margin_px: float = 0.0, step_px: float = 1.0
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """The whole pixels that cover a rectangle of the slide, to be read.

        Parameters
        ----------
        low_xy_px, high_xy_px : array_like of float, shape (2,)
            Left top and right bottom corner, level-0 pixels.
        margin_px : float
            Added on each side, in pixels of the view.
        step_px : float
            Edges lie at multiples of this, in pixels of the view, rounded outwards to whole pixels.

        Returns
        -------
        xy_px : tuple of int
            Left and top edge, in pixels of the view.
        size_xy_px : tuple of int
            Width and height, in pixels of the view.
        """
        low, high = (np.asarray(corner, np.float64) / self.downsample for corner in (low_xy_px, high_xy_px))
        left, top = (math.floor(step_px * math.floor(float(edge - margin_px) / step_px)) for edge in low)
        right, bottom = (math.ceil(step_px * math.ceil(float(edge + margin_px) / step_px)) for edge in high)
        return (left, top), (right - left, bottom - top)
