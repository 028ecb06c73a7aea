"""A slide seen whole before any field is drawn: thumbnail, tissue, stains, a proposal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import NoTissueError, ReadError, SlideError, parameter
from ihcscore.geometry.square import corners_of_centres
from ihcscore.output.progress import Progress, silent
from ihcscore.run.nuclei import BlockScan, scan_blocks
from ihcscore.schema import Chromogen, WhiteSource
from ihcscore.slide import Slide, Thumbnail
from ihcscore.slide.thumbnail import kept_thumbnail
from ihcscore.stain import MPP_RANGE_UM, Stains, estimate_pigment, estimate_stains, rgb_to_od, unmix
from ihcscore.tissue.artefacts import Artefacts, find_artefacts
from ihcscore.tissue.mask import TissueMap, TissueSettings, find_tissue
from ihcscore.tissue.stain_check import StainCheck, check_stain

# Stains are estimated on this many squares, spread evenly over the tissue: 0.6 mm² in all.
_SAMPLES = 36
_SAMPLE_UM = 128.0
_SAMPLE_MPP_UM = 0.5
_MAX_PIGMENT_PX = 1024
# The longest whole-mount glass; beyond it the pixel size is wrong, and the thumbnail would be huge.
_MAX_SIDE_MM = 250.0


@dataclass(frozen=True, kw_only=True)
class WholeSlide:
    """A slide at low resolution, whatever its stain.

    Attributes
    ----------
    thumbnail : Thumbnail
    tissue : TissueMap
    artefacts : Artefacts
        On the thumbnail's grid.
    """

    thumbnail: Thumbnail
    tissue: TissueMap
    artefacts: Artefacts


@dataclass(frozen=True, kw_only=True)
class Survey(WholeSlide):
    """What is known of a slide before fields are drawn.

    Attributes
    ----------
    outline : shapely geometry
        Of the tissue, level-0 pixels.
    stains : Stains
    stain_check : StainCheck
        Whether it is stained by haematoxylin and the chromogen at all.
    blocks : BlockScan
    """

    outline: BaseGeometry = field(repr=False)
    stains: Stains
    stain_check: StainCheck
    blocks: BlockScan

    @property
    def countable(self) -> NDArray[np.bool_]:
        """Tissue without ink, folds, edges and out-of-focus parts, on the thumbnail's grid."""
        return self.artefacts.usable_tissue & ~self.blocks.blurred


def see_whole(slide: Slide, *, cache: Path | None = None, progress: Progress = silent) -> WholeSlide:
    """Thumbnail, tissue and artefacts of a slide.

    Parameters
    ----------
    slide : Slide
    cache : Path, optional
        File that may hold the slide's thumbnail.
    progress : callable, optional

    Raises
    ------
    SlideError
        If the slide cannot be read.
    """
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
    progress("artefacts", 0.2)
    artefacts = find_artefacts(
        thumbnail.rgb,
        scanned=thumbnail.scanned & ~thumbnail.unreadable,
        tissue=tissue.mask,
        white_rgb=tissue.white_rgb,
        mpp_um=thumbnail.mpp_um,
    )
    return WholeSlide(thumbnail=thumbnail, tissue=tissue, artefacts=artefacts)


def survey_slide(
    slide: Slide,
    *,
    chromogen: Chromogen,
    pigment: BaseGeometry | None = None,
    progress: Progress = silent,
    cache: Path | None = None,
) -> Survey:
    """Thumbnail, tissue, stains, focus and nuclei of a slide.

    Parameters
    ----------
    slide : Slide
    chromogen : Chromogen
        What its antibody is seen by.
    pigment : shapely geometry, optional
        Areas that a pathologist marked as pigment, level-0 pixels: its colour is taken from there.
    progress : callable, optional
    cache : Path, optional
        File that may hold the slide's thumbnail.

    Raises
    ------
    SlideError
        If the slide cannot be read, its size cannot be right, or it shows no tissue.
    """
    check_size(slide)
    whole = see_whole(slide, cache=cache, progress=progress)
    tissue, artefacts = whole.tissue, whole.artefacts
    if not tissue.mask.any():
        raise NoTissueError(
            f"{slide.name}: no tissue found; is it the right slide, and was it scanned in brightfield?"
        )
    progress("stains", 0.22)
    stains, stain_check = slide_stains(
        slide, tissue, artefacts.usable_tissue, chromogen=chromogen, pigment=pigment
    )
    return Survey(
        thumbnail=whole.thumbnail,
        tissue=tissue,
        artefacts=artefacts,
        outline=tissue.outline(),
        stains=stains,
        stain_check=stain_check,
        blocks=scan_blocks(
            slide, tissue=artefacts.usable_tissue, downsample=tissue.downsample, stains=stains
        ),
    )


def check_size(slide: Slide) -> None:
    """Refuse a slide that is too coarse to count cells, or larger than any glass.

    Raises
    ------
    SlideError
        Also where its µm per pixel are not known.
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
            f"than any slide; give the right {parameter('mpp_um')}"
        )


def slide_stains(
    slide: Slide,
    tissue: TissueMap,
    usable: NDArray[np.bool_],
    *,
    chromogen: Chromogen,
    pigment: BaseGeometry | None = None,
) -> tuple[Stains, StainCheck]:
    """Stains of a slide, and whether they are those at all, from squares spread over its tissue.

    Ink and folds say nothing of the stain: the check leaves squares in them out, where there are others. The
    pigment's colour comes from areas that are marked.

    Raises
    ------
    SlideError
        If nothing of the tissue, or of the marked area, can be decoded.
    """
    sample = sample_tissue(slide, tissue)
    stains = estimate_stains(
        sample.rgb,
        chromogen=chromogen,
        white_rgb=tissue.white_rgb if tissue.white_source == WhiteSource.GLASS else None,
        mpp_um=sample.mpp_um,
        n_squares=sample.n_squares,
    )
    check = check_stain(
        sample.on(usable), chromogen=chromogen, white_rgb=stains.white_rgb, mpp_um=sample.mpp_um
    )
    if pigment is None or pigment.is_empty:
        return stains, check
    return estimate_pigment(stains, _marked_pixels(slide, pigment)), check


@dataclass(frozen=True, kw_only=True)
class TissueSample:
    """Squares of a slide's tissue, one below the other.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (n × side, side, 3)
        At about 0.5 µm per pixel.
    mpp_um : float
        µm per pixel.
    rows, columns : ndarray of int, shape (n,)
        Their centres on the tissue's mask.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    mpp_um: float
    rows: NDArray[np.intp] = field(repr=False)
    columns: NDArray[np.intp] = field(repr=False)

    @property
    def n_squares(self) -> int:
        """Number of squares."""
        return len(self.rows)

    def on(self, mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """The squares whose centre lies on a mask, one below the other; all where none does."""
        chosen = mask[self.rows, self.columns]
        if not chosen.any():
            return self.rgb
        squares = np.array_split(self.rgb, self.n_squares)
        return np.concatenate([square for square, here in zip(squares, chosen, strict=True) if here])


def sample_tissue(slide: Slide, tissue: TissueMap) -> TissueSample:
    """Squares of tissue, evenly spread over the mask; those that cannot be decoded are left out.

    Raises
    ------
    SlideError
        If none can be decoded.
    """
    view = slide.at(_SAMPLE_MPP_UM, exact=True)
    stored = view.stored
    side = max(1, round(_SAMPLE_UM / stored.mpp_um))
    rows, columns = np.nonzero(tissue.mask)
    picked = np.unique(np.linspace(0, len(rows) - 1, _SAMPLES).round().astype(int))
    squares, read = [], []
    for at in picked:
        x, y = (
            int(corners_of_centres(v[at]) * tissue.downsample / stored.downsample - side / 2)
            for v in (columns, rows)
        )
        try:
            squares.append(stored.read((x, y), (side, side)))
        except ReadError:
            continue
        read.append(at)
    if not squares:
        raise SlideError(
            f"{slide.name}: nothing of the tissue can be decoded; copy or export the slide again"
        )
    return TissueSample(
        rgb=view.averaged(np.concatenate(squares)),
        mpp_um=view.mpp_um,
        rows=rows[read],
        columns=columns[read],
    )


def _marked_pixels(slide: Slide, area: BaseGeometry) -> NDArray[np.uint8]:
    """RGB of the largest part of a marked area, shape (n, 3): it shows enough, and no more of it is read.

    Raises
    ------
    ReadError
        If it cannot be decoded.
    """
    view = slide.at(_SAMPLE_MPP_UM)
    largest = max(shapely.get_parts(area), key=lambda part: float(part.area))
    left, top, right, bottom = (edge / view.downsample for edge in largest.bounds)
    width, height = (min(int(extent) + 1, _MAX_PIGMENT_PX) for extent in (right - left, bottom - top))
    rgb = view.read((int(left), int(top)), (width, height))
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    x, y = (
        corners_of_centres(axis + int(start)) * view.downsample
        for axis, start in ((columns, left), (rows, top))
    )
    marked: NDArray[np.bool_] = shapely.contains_xy(largest, x, y)
    return rgb[marked]


def stain_amounts(survey: Survey, stain: int) -> NDArray[np.float32]:
    """Haematoxylin (0) or chromogen (1) of the thumbnail in OD, 0 or more."""
    od = rgb_to_od(survey.thumbnail.rgb, survey.stains.white_rgb)
    return np.maximum(unmix(od, survey.stains)[..., stain], 0).astype(np.float32)
