"""Sections of one block on each other: whole slides, then the place of each field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore import planes
from ihcscore.errors import ReadError
from ihcscore.geometry.affine import Affine
from ihcscore.register import (
    REACH_UM,
    Placed,
    Registration,
    SectionView,
    patch,
    place,
    register_sections,
    structure,
)
from ihcscore.run.survey import WholeSlide, see_whole
from ihcscore.schema import WhiteSource
from ihcscore.slide import Slide

# Places are looked for at this scale, or at the slides' own where that is coarser.
_PLACE_MPP_UM = 2.0


@dataclass(frozen=True, kw_only=True)
class RegisteredSlide:
    """A slide with what registration needs of it.

    Attributes
    ----------
    slide : Slide
    white_rgb : tuple of float or None
        Colour of glass, where the slide shows any.
    view : SectionView
    """

    slide: Slide
    white_rgb: tuple[float, float, float] | None
    view: SectionView

    @classmethod
    def of(cls, slide: Slide, whole: WholeSlide | None = None, *, cache: Path | None = None) -> Self:
        """A slide seen whole; what a survey, or a kept thumbnail, already knows of it isn't sought again."""
        whole = whole or see_whole(slide, cache=cache)
        thumbnail, artefacts = whole.thumbnail, whole.artefacts
        white = whole.tissue.white_rgb if whole.tissue.white_source == WhiteSource.GLASS else None
        plane = structure(thumbnail.rgb, white_rgb=white)
        # Ink and coverslip edges lie on this glass only.
        plane[artefacts.pen | artefacts.edge | ~thumbnail.scanned | thumbnail.unreadable] = 0
        return cls(
            slide=slide,
            white_rgb=white,
            view=SectionView(structure=plane, downsample=thumbnail.downsample, mpp_um=thumbnail.mpp_um),
        )

    def structure_in(self, onto: Affine, size: int) -> NDArray[np.float32]:
        """Structure of a square in any frame, shape (size, size).

        Parameters
        ----------
        onto : Affine
            From the square's pixels to the slide's level-0 pixels.
        size : int

        Raises
        ------
        ReadError
            If the pixels cannot be decoded.
        """
        corners = onto([[0, 0], [size, 0], [size, size], [0, size]])
        pixel_px = math.sqrt(abs(float(np.linalg.det(onto.matrix[:2, :2]))))
        view = self.slide.at(pixel_px * self.slide.mpp_um)
        (left, top), size_px = view.covering(corners.min(axis=0), corners.max(axis=0), margin_px=1)
        plane = structure(view.read((left, top), size_px), white_rgb=self.white_rgb)
        # Averaged before it is resampled, so that nothing finer folds back into it.
        coarser = pixel_px / view.downsample
        if coarser > 1.5:
            side = round(coarser) // 2 * 2 + 1  # an even box would shift the picture by half a pixel
            plane = planes.box_mean(plane, side)
        to_read = Affine.shifting((-left, -top)) @ Affine.scaling(1 / view.downsample)
        return patch(plane, to_read @ onto, size)


@dataclass(frozen=True, kw_only=True)
class CarriedPlace:
    """A place of the reference on the moving slide.

    Attributes
    ----------
    xy_px : ndarray of float64, shape (2,)
        Its centre, level-0 pixels of the moving slide.
    angle_deg : float
        Turn of the tissue there, clockwise, -180 to 180; of a mirrored section after x was mirrored.
    error_um : float
        Estimated error; NaN where the sections could not be matched.
    distinct : bool
        Whether the place itself was recognised; if not, it rests on the map of the whole section.
    """

    xy_px: NDArray[np.float64]
    angle_deg: float
    error_um: float
    distinct: bool


@dataclass(frozen=True)
class SlidePair:
    """Two slides of consecutive sections.

    Attributes
    ----------
    reference, moving : RegisteredSlide
    """

    reference: RegisteredSlide
    moving: RegisteredSlide

    @cached_property
    def registration(self) -> Registration:
        """How the moving section lies on the reference."""
        return register_sections(self.reference.view, self.moving.view)

    def carry(self, xy_px: ArrayLike, *, side_um: float) -> CarriedPlace:
        """Where a place of the reference lies on the moving slide.

        Parameters
        ----------
        xy_px : array_like, shape (2,)
            Centre of the place, level-0 pixels of the reference.
        side_um : float
            Side of the square around it that is looked for.
        """
        centre = np.asarray(xy_px, float)
        transform = self.registration.transform_at(centre)
        error_um, distinct = self.registration.error_um_at(centre), False
        if self.registration.confirmed:
            try:
                transform, placed = self._refined(transform, centre, side_um)
            except ReadError:
                pass  # the map of the whole section has to do
            else:
                distinct = placed.distinct
                # The larger of two errors, and none at all where one is unknown.
                error_um = placed.error_um if distinct else float(np.maximum(placed.error_um, error_um))
        return CarriedPlace(
            xy_px=transform(centre), angle_deg=transform.angle_deg, error_um=error_um, distinct=distinct
        )

    def _refined(
        self, transform: Affine, centre: NDArray[np.float64], side_um: float
    ) -> tuple[Affine, Placed]:
        """The map that holds around a place, found in the pixels there."""
        mpp_um = max(_PLACE_MPP_UM, self.reference.slide.mpp_um, self.moving.slide.mpp_um)
        pixel_px = mpp_um / self.reference.slide.mpp_um
        size = round((side_um + 2 * REACH_UM) / mpp_um)
        from_centre = Affine.shifting(centre) @ Affine.scaling(pixel_px)
        onto = from_centre @ Affine.shifting((-size / 2, -size / 2))
        placed = place(
            self.reference.structure_in(onto, size),
            self.moving.structure_in(transform @ onto, size),
            side_um=side_um,
            mpp_um=mpp_um,
        )
        return transform @ from_centre @ placed.correction @ from_centre.inverse(), placed
