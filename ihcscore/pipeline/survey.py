"""A slide seen whole before any field is drawn: tissue, stains, regions, fields."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore import fields as field_step
from ihcscore import regions as region_step
from ihcscore.errors import AnnotationError, IhcscoreError, ReadError, SlideError
from ihcscore.pipeline.progress import Progress
from ihcscore.profiles import MarkerProfile
from ihcscore.schema import RegionName, RegionSource, RunSettings, Sampling
from ihcscore.slide import Slide, Thumbnail
from ihcscore.stain import Stains, estimate_pigment, estimate_stains, rgb_to_od, unmix
from ihcscore.tissue import TissueMap, TissueSettings, find_tissue, mask_to_polygons

# Stains are estimated on this many squares, spread evenly over the tissue: 0.6 mm² in all.
_SAMPLES = 36
_SAMPLE_UM = 128.0
_SAMPLE_MPP_UM = 0.5
_MAX_PIGMENT_PX = 1024


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
    """

    thumbnail: Thumbnail
    tissue: TissueMap
    outline: BaseGeometry = field(repr=False)
    stains: Stains


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where the fields are, and why there.

    Attributes
    ----------
    annotations : Annotations
        Drawn or proposed.
    regions : list of Region
    fields : DataFrame
        As :func:`ihcscore.fields.draw_fields` returns them, all regions.
    warnings : dict of str to list of str
        By region's name; under the empty name what concerns the whole slide.
    """

    annotations: region_step.Annotations
    regions: list[region_step.Region]
    fields: pd.DataFrame = field(repr=False)
    warnings: dict[str, list[str]]


def survey_slide(slide: Slide, *, profile: MarkerProfile, progress: Progress) -> Survey:
    """Thumbnail, tissue and stains of a slide.

    Raises
    ------
    SlideError
        If the slide cannot be read or shows no tissue.
    """
    settings = TissueSettings()
    thumbnail = slide.thumbnail(
        max(settings.mpp_um, slide.mpp_um), progress=lambda share: progress("thumbnail", 0.2 * share)
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
    sample, sample_mpp_um = sample_tissue(slide, tissue)
    white = tissue.white_rgb if tissue.white_source == "glass" else None
    stains = estimate_stains(sample, chromogen=profile.chromogen, white_rgb=white, mpp_um=sample_mpp_um)
    return Survey(thumbnail=thumbnail, tissue=tissue, outline=tissue.outline(), stains=stains)


def sample_tissue(slide: Slide, tissue: TissueMap) -> tuple[NDArray[np.uint8], float]:
    """Squares of tissue, evenly spread over the mask, one below the other.

    Returns
    -------
    sample : ndarray of uint8, shape (n × side, side, 3)
        At about 0.5 µm per pixel. Squares that cannot be decoded are left out.
    mpp_um : float
        Its µm per pixel.

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
        return mosaic, mpp_um
    scale = mpp_um / _SAMPLE_MPP_UM
    small = cv2.resize(mosaic, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), _SAMPLE_MPP_UM


def plan_fields(slide: Slide, survey: Survey, *, regions_file: Path | None, settings: RunSettings) -> Plan:
    """Regions from the annotation, or proposed, and the fields in them.

    Raises
    ------
    AnnotationError
        If the annotation cannot be used on this slide.
    IhcscoreError
        If a region has no room for a field.
    """
    side_px = settings.fields.side_um / slide.mpp_um
    if regions_file is None:
        annotations, proposal_warning = _propose(survey)
        slide_warnings = [f"regions {RegionSource.PROPOSED}", *proposal_warning]
    else:
        annotations = region_step.parse_annotations(
            _read_bytes(regions_file), name=regions_file.name, origin_xy_px=slide.origin_xy_px
        )
        region_step.check_on_slide(
            annotations, size_xy_px=slide.size_xy_px, tissue=survey.outline, name=regions_file.name
        )
        slide_warnings = []
    regions, region_warnings = region_step.derive_regions(
        annotations,
        tissue=survey.outline,
        mpp_um=slide.mpp_um,
        side_px=side_px,
        settings=settings.regions,
    )
    if survey.thumbnail.unreadable.any():
        slide_warnings.append(f"{survey.thumbnail.unreadable.mean():.1%} of the slide cannot be decoded")
    frame = field_step.SamplingFrame(
        tissue=survey.tissue.mask,
        downsample=survey.tissue.downsample,
        size_xy_px=slide.size_xy_px,
        side_px=side_px,
        chromogen=_amounts(survey, 1) if settings.fields.sampling == Sampling.HOTSPOT else None,
    )
    fields, field_warnings = _draw_all(regions, frame=frame, settings=settings, slide=slide)
    warnings = {name: list(lines) for name, lines in region_warnings.items()}
    warnings[""] = slide_warnings + warnings[""]
    for name, lines in field_warnings.items():
        warnings[name] += lines
    return Plan(annotations=annotations, regions=regions, fields=fields, warnings=warnings)


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


def _read_bytes(path: Path) -> bytes:
    """The file's content, as far as the parser would look at it."""
    try:
        with path.open("rb") as file:
            return file.read(region_step.MAX_BYTES + 1)
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file") from None
    except OSError as error:
        raise AnnotationError(f"{path.name}: cannot be read ({error.strerror})") from error


def _propose(survey: Survey) -> tuple[region_step.Annotations, list[str]]:
    """Tumour as the program sees it."""
    hematoxylin_od = _amounts(survey, 0)
    mask, warning = region_step.propose_tumour(
        hematoxylin_od, survey.tissue.mask, mpp_um=survey.tissue.mpp_um
    )
    tumour = mask_to_polygons(mask, downsample=survey.tissue.downsample).simplify(survey.tissue.downsample)
    annotations = region_step.Annotations(tumour=shapely.make_valid(tumour), source=RegionSource.PROPOSED)
    return annotations, [warning] if warning else []


def _amounts(survey: Survey, stain: int) -> NDArray[np.float32]:
    """Haematoxylin (0) or chromogen (1) of the thumbnail in OD, 0 or more."""
    od = rgb_to_od(survey.thumbnail.rgb, survey.stains.white_rgb)
    return np.maximum(unmix(od, survey.stains)[..., stain], 0).astype(np.float32)


def _draw_all(
    regions: list[region_step.Region], *, frame: field_step.SamplingFrame, settings: RunSettings, slide: Slide
) -> tuple[pd.DataFrame, dict[str, list[str]]]:
    """Fields of every region; a region without room is an error, unless it is a derived front."""
    drawn = pd.DataFrame(columns=["x_px", "y_px"])
    tables: list[pd.DataFrame] = []
    warnings: dict[str, list[str]] = {}
    asked = settings.fields.n_per_region
    for region in regions:
        fields = field_step.draw_fields(
            region.area, region=region.name, frame=frame, settings=settings.fields, taken=drawn
        )
        no_room = (
            f"no room for a field of {settings.fields.area_mm2:g} mm² with "
            f"{settings.fields.min_tissue_fraction:.0%} tissue in the {region.name.lower()}"
        )
        if fields.empty and (region.drawn or region.name == RegionName.TUMOUR_CENTRE):
            raise IhcscoreError(
                f"{slide.name}: {no_room}; give a smaller --field-area-mm2 or a larger region"
            )
        if fields.empty:
            warnings[region.name] = [no_room]
        elif len(fields) < asked:
            warnings[region.name] = [f"only {len(fields)} of {asked} fields fit in the {region.name.lower()}"]
        if not fields.empty:
            tables.append(fields)
            drawn = pd.concat(tables, ignore_index=True)
    return drawn, warnings
