"""Where the fields of a slide are, and why there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from shapely.geometry.base import BaseGeometry

from ihcscore import fields as field_step
from ihcscore import regions as region_step
from ihcscore.errors import AnnotationError, IhcscoreError
from ihcscore.geometry.polygons import mask_to_polygons
from ihcscore.run.survey import Survey, propose, stain_amounts
from ihcscore.schema import RegionName, RegionSource, RunSettings, Sampling
from ihcscore.slide import Slide

# How near the centre of a thin tumour comes to its outline: as far as one field needs, then nearer in
# quarters, at last all of the tumour.
_NEARNESS = (1.0, 0.75, 0.5, 0.25, 0.0)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where the fields are, and why there.

    Attributes
    ----------
    annotations : Annotations
        Drawn or proposed.
    confidence : float or None
        How sure a proposal is, 0 to 1.
    regions : list of Region
    fields : DataFrame
        As :func:`ihcscore.fields.draw_fields` returns them, all regions, with area_mm2.
    frame : SamplingFrame
    sampling : str
        How the fields were chosen.
    warnings : dict of str to list of str
        By region's name; under the empty name what concerns the whole slide.
    carried : dict or None
        Where fields come from another slide: its name and the registration, for the record.
    """

    annotations: region_step.Annotations
    confidence: float | None
    regions: list[region_step.Region]
    fields: pd.DataFrame = field(repr=False)
    frame: field_step.SamplingFrame
    sampling: str
    warnings: dict[str, list[str]]
    carried: dict[str, Any] | None = None

    @property
    def redraws(self) -> bool:
        """Whether another field may take a rejected one's place."""
        return self.carried is None and self.sampling in (Sampling.RANDOM, Sampling.HOTSPOT)


def plan_fields(
    slide: Slide,
    survey: Survey,
    *,
    settings: RunSettings,
    regions_file: Path | None = None,
    fields_file: Path | None = None,
) -> Plan:
    """Regions from the annotation, or proposed, and the fields in them; or the fields that were given.

    Raises
    ------
    AnnotationError
        If the annotation or the given fields cannot be used on this slide.
    IhcscoreError
        If a region has no room for a field.
    """
    frame = field_step.SamplingFrame(
        tissue=survey.countable,
        downsample=survey.tissue.downsample,
        size_xy_px=slide.size_xy_px,
        side_px=settings.fields.side_um / slide.mpp_um,
        chromogen=stain_amounts(survey, 1) if settings.fields.sampling == Sampling.HOTSPOT else None,
    )
    if fields_file is not None:
        plan = _given(slide, frame, fields_file)
    else:
        plan = _drawn(slide, survey, frame, regions_file, settings)
    if survey.thumbnail.unreadable.any():
        plan.warnings[""].append(f"{survey.thumbnail.unreadable.mean():.1%} of the slide cannot be decoded")
    return plan


def _given(slide: Slide, frame: field_step.SamplingFrame, file: Path) -> Plan:
    """Fields that a pathologist chose."""
    fields = field_step.parse_fields(_read_bytes(file), name=file.name)
    warnings = field_step.check_fields_on_slide(fields, size_xy_px=slide.size_xy_px, name=file.name)
    fields["tissue_fraction"] = field_step.tissue_fractions(fields, frame)
    fields["area_mm2"] = (fields["side_px"] * slide.mpp_um / 1000) ** 2
    chosen = "fields were given, not drawn at random: their density is theirs, not the region's"
    return Plan(
        annotations=region_step.Annotations(),
        confidence=None,
        regions=[],
        fields=fields,
        frame=frame,
        sampling="given",
        warnings={"": [chosen, *warnings]},
    )


def _drawn(
    slide: Slide,
    survey: Survey,
    frame: field_step.SamplingFrame,
    regions_file: Path | None,
    settings: RunSettings,
) -> Plan:
    """Fields in regions that were drawn or proposed."""
    if regions_file is None:
        annotations, confidence, slide_warnings = propose(survey)
        slide_warnings = [f"regions {RegionSource.PROPOSED}", *slide_warnings]
    else:
        annotations = region_step.parse_annotations(
            _read_bytes(regions_file), name=regions_file.name, origin_xy_px=slide.origin_xy_px
        )
        region_step.check_on_slide(
            annotations, size_xy_px=slide.size_xy_px, tissue=survey.outline, name=regions_file.name
        )
        confidence, slide_warnings = None, []
    # Along ink and folds nothing was invaded either: there the front ends as at the tissue's edge.
    countable = mask_to_polygons(survey.countable, downsample=survey.tissue.downsample)
    regions, warnings, fields, field_warnings = _regions_with_room(
        annotations, slide, countable, frame, settings
    )
    if settings.fields.sampling == Sampling.HOTSPOT:
        slide_warnings.append(
            "fields are hot spots, chosen for their chromogen: not the density of the region"
        )
    fields["area_mm2"] = settings.fields.area_mm2
    warnings[""] = slide_warnings + warnings[""]
    for name, lines in field_warnings.items():
        warnings[name] += lines
    return Plan(
        annotations=annotations,
        confidence=confidence,
        regions=regions,
        fields=fields,
        frame=frame,
        sampling=str(settings.fields.sampling),
        warnings=warnings,
    )


def _regions_with_room(
    annotations: region_step.Annotations,
    slide: Slide,
    tissue: BaseGeometry,
    frame: field_step.SamplingFrame,
    settings: RunSettings,
) -> tuple[list[region_step.Region], dict[str, list[str]], pd.DataFrame, dict[str, list[str]]]:
    """Regions and their fields; a thin tumour's centre comes nearer to the outline until all fields fit."""
    best = None
    most = -1
    failure: IhcscoreError | None = None
    for nearness in _NEARNESS:
        regions, warnings = region_step.derive_regions(
            annotations,
            tissue=tissue,
            mpp_um=slide.mpp_um,
            side_px=frame.side_px,
            settings=settings.regions,
            nearness=nearness,
        )
        try:
            fields, field_warnings = _draw_all(regions, frame=frame, settings=settings, slide=slide)
        except IhcscoreError as error:
            failure = failure or error
        else:
            n_centre = int((fields["region"] == RegionName.TUMOUR_CENTRE).sum())
            if n_centre > most:
                best, most = (regions, warnings, fields, field_warnings), n_centre
        if most >= settings.fields.n_per_region or not any(region.thin for region in regions):
            break
    if best is None:
        raise failure or IhcscoreError(f"{slide.name}: no region to draw fields in")
    return best


def _read_bytes(path: Path) -> bytes:
    """The file's content, as far as the parser would look at it."""
    try:
        with path.open("rb") as file:
            return file.read(region_step.MAX_BYTES + 1)
    except FileNotFoundError:
        raise AnnotationError(f"{path}: no such file") from None
    except OSError as error:
        raise AnnotationError(f"{path.name}: cannot be read ({error.strerror})") from error


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
