"""A slide seen whole before any field is drawn: thumbnail, tissue, stains, a proposal."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import ReadError, SlideError
from ihcscore.output.progress import Progress
from ihcscore.profiles import MarkerProfile
from ihcscore.run.nuclei import CloserLook, look_closer
from ihcscore.run.thumbnails import kept_thumbnail
from ihcscore.slide import Slide, Thumbnail
from ihcscore.stain import MPP_RANGE_UM, Stains, estimate_pigment, estimate_stains, rgb_to_od, unmix
from ihcscore.tissue.artefacts import Artefacts, find_artefacts
from ihcscore.tissue.mask import TissueMap, TissueSettings, find_tissue

# Stains are estimated on this many squares, spread evenly over the tissue: 0.6 mm² in all.
_SAMPLES = 36
_SAMPLE_UM = 128.0
_SAMPLE_MPP_UM = 0.5
_MAX_PIGMENT_PX = 1024
# The longest whole-mount glass; beyond it the pixel size is wrong, and the thumbnail would be huge.
_MAX_SIDE_MM = 250.0


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What is known of a slide before fields are drawn.

    Attributes
    ----------
    thumbnail : Thumbnail
    tissue : TissueMap
    outline : shapely geometry
        Of the tissue, level-0 pixels.
    stains : Stains
    artefacts : Artefacts
        On the thumbnail's grid.
    closer : CloserLook
    """

    thumbnail: Thumbnail
    tissue: TissueMap
    outline: BaseGeometry = field(repr=False)
    stains: Stains
    artefacts: Artefacts
    closer: CloserLook

    @property
    def countable(self) -> NDArray[np.bool_]:
        """Tissue without ink, folds, edges and out-of-focus parts, on the thumbnail's grid."""
        return self.artefacts.usable_tissue & ~self.closer.blurred


def survey_slide(
    slide: Slide, *, profile: MarkerProfile, progress: Progress, cache: Path | None = None
) -> Survey:
    """Thumbnail, tissue and stains of a slide; the thumbnail from `cache` where that holds it.

    Raises
    ------
    SlideError
        If the slide cannot be read or shows no tissue.
    """
    coarsest = MPP_RANGE_UM[1]
    if slide.mpp_um > coarsest:
        raise SlideError(
            f"{slide.name}: {slide.mpp_um:g} µm per pixel are too coarse to count cells; "
            f"scan it at {coarsest:g} or finer"
        )
    width_mm, height_mm = (length * slide.mpp_um / 1000 for length in slide.size_xy_px)
    if max(width_mm, height_mm) > _MAX_SIDE_MM:
        raise SlideError(
            f"{slide.name}: {width_mm:.0f} × {height_mm:.0f} mm at {slide.mpp_um:g} µm per pixel is larger "
            f"than any slide; give the right --mpp-um"
        )
    settings = TissueSettings()
    thumbnail = kept_thumbnail(
        slide, settings.mpp_um, cache=cache, progress=lambda share: progress("thumbnail", 0.2 * share)
    )
    tissue = find_tissue(
        thumbnail.rgb,
        scanned=thumbnail.scanned,
        unreadable=thumbnail.unreadable,
        downsample=thumbnail.downsample,
        mpp_um=thumbnail.mpp_um,
        fill_rgb=slide.background_rgb,
        settings=settings,
    )
    if not tissue.mask.any():
        raise SlideError(
            f"{slide.name}: no tissue found; is it the right slide, and was it scanned in brightfield?"
        )
    progress("stains", 0.2)
    sample, sample_mpp_um, n_squares = sample_tissue(slide, tissue)
    white = tissue.white_rgb if tissue.white_source == "glass" else None
    stains = estimate_stains(
        sample, chromogen=profile.chromogen, white_rgb=white, mpp_um=sample_mpp_um, n_squares=n_squares
    )
    progress("artefacts", 0.22)
    artefacts = find_artefacts(
        thumbnail.rgb,
        scanned=thumbnail.scanned & ~thumbnail.unreadable,
        tissue=tissue.mask,
        white_rgb=tissue.white_rgb,
        mpp_um=thumbnail.mpp_um,
    )
    closer = look_closer(slide, tissue=artefacts.usable_tissue, downsample=tissue.downsample, stains=stains)
    return Survey(
        thumbnail=thumbnail,
        tissue=tissue,
        outline=tissue.outline(),
        stains=stains,
        artefacts=artefacts,
        closer=closer,
    )


def sample_tissue(slide: Slide, tissue: TissueMap) -> tuple[NDArray[np.uint8], float, int]:
    """Squares of tissue, evenly spread over the mask, one below the other.

    Returns
    -------
    sample : ndarray of uint8, shape (n × side, side, 3)
        At about 0.5 µm per pixel. Squares that cannot be decoded are left out.
    mpp_um : float
        Its µm per pixel.
    n : int
        Number of squares.

    Raises
    ------
    SlideError
        If none can be decoded.
    """
    level = slide.level_for(_SAMPLE_MPP_UM)
    downsample = slide.levels[level].downsample
    side = max(1, round(_SAMPLE_UM / (slide.mpp_um * downsample)))
    rows, columns = np.nonzero(tissue.mask)
    picked = np.unique(np.linspace(0, len(rows) - 1, _SAMPLES).round().astype(int))
    squares = []
    for at in picked:
        x, y = (int((v[at] + 0.5) * tissue.downsample / downsample - side / 2) for v in (columns, rows))
        try:
            squares.append(slide.read(level, (x, y), (side, side)))
        except ReadError:
            continue
    if not squares:
        raise SlideError(
            f"{slide.name}: nothing of the tissue can be decoded; copy or export the slide again"
        )
    mosaic, mpp_um = np.concatenate(squares), slide.mpp_um * downsample
    if mpp_um >= _SAMPLE_MPP_UM:
        return mosaic, mpp_um, len(squares)
    scale = mpp_um / _SAMPLE_MPP_UM
    small = cv2.resize(mosaic, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), _SAMPLE_MPP_UM, len(squares)


def learn_pigment(slide: Slide, survey: Survey, pigment: BaseGeometry) -> Survey:
    """The survey with the pigment's colour taken from areas that a pathologist marked as pigment.

    Raises
    ------
    ReadError
        If the marked area cannot be decoded.
    """
    if pigment.is_empty:
        return survey
    level = slide.level_for(_SAMPLE_MPP_UM)
    downsample = slide.levels[level].downsample
    # The largest of them shows enough; so much of it is read and no more.
    largest = max(shapely.get_parts(pigment), key=lambda part: float(part.area))
    left, top, right, bottom = (edge / downsample for edge in largest.bounds)
    width, height = (min(int(extent) + 1, _MAX_PIGMENT_PX) for extent in (right - left, bottom - top))
    rgb = slide.read(level, (int(left), int(top)), (width, height))
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    x, y = ((axis + int(start) + 0.5) * downsample for axis, start in ((columns, left), (rows, top)))
    marked = shapely.contains_xy(largest, x, y)
    return replace(survey, stains=estimate_pigment(survey.stains, rgb[marked]))


def stain_amounts(survey: Survey, stain: int) -> NDArray[np.float32]:
    """Haematoxylin (0) or chromogen (1) of the thumbnail in OD, 0 or more."""
    od = rgb_to_od(survey.thumbnail.rgb, survey.stains.white_rgb)
    return np.maximum(unmix(od, survey.stains)[..., stain], 0).astype(np.float32)
