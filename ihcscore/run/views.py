"""A plan as people see it: the overview, and GeoJSON of what was drawn."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import output, pictures
from ihcscore.geometry.field import Field, square_of
from ihcscore.geometry.polygons import mask_to_polygons
from ihcscore.run.count import CountedField
from ihcscore.run.plan import Plan
from ihcscore.run.planned import PlannedSlide
from ihcscore.run.survey import Survey
from ihcscore.schema import (
    CLASS_COLOURS,
    FOLD_COLOUR,
    IGNORE_COLOUR,
    INK_COLOUR,
    LEFT_OUT_COLOUR,
    PALE_COLOUR,
    REGION_COLOURS,
    TUMOUR_COLOUR,
    CellClass,
    FieldStatus,
    RegionName,
    Rgb,
)
from ihcscore.slide import Slide
from ihcscore.tissue.focus import spoilt_parts

OVERVIEW_PX = 1600
# What a screen shows; the overview is no larger, lying or standing, its strips of text included.
_SCREEN_PX = (1920, 1080)
_STRIPS_PX = 140


def draw_plan(
    slide: Slide, survey: Survey, plan: Plan, fields: pd.DataFrame, *, title: str
) -> NDArray[np.uint8]:
    """The whole slide with regions, fields and what is left out, as large as a screen at most.

    Small slides are read at a finer scale.
    """
    thumbnail = survey.thumbnail
    longest_um = max(slide.size_xy_px) * slide.mpp_um
    if max(thumbnail.rgb.shape) < OVERVIEW_PX / 2:
        thumbnail = slide.thumbnail(max(longest_um / OVERVIEW_PX, slide.mpp_um))
    rgb = _on_a_screen(thumbnail.rgb)
    shrink = thumbnail.rgb.shape[1] / rgb.shape[1]
    left_out = survey.tissue.mask & ~survey.countable
    marks = (
        ("Left out (ink, fold, edge, blur)", left_out | survey.artefacts.pen, LEFT_OUT_COLOUR),
        ("Pale", survey.artefacts.pale, PALE_COLOUR),
    )
    return pictures.draw_overview(
        pictures.Overview(
            rgb=rgb,
            downsample=thumbnail.downsample * shrink,
            mpp_um=thumbnail.mpp_um * shrink,
            tumour=plan.annotations.tumour,
            tissue=survey.outline,
            excluded=plan.annotations.excluded,
            marks=[
                (label, mask_to_polygons(mask, downsample=survey.tissue.downsample), colour)
                for label, mask, colour in marks
                if mask.any()
            ],
            regions=[(region.name, region.area) for region in plan.regions],
            fields=placed_fields(fields),
            title=f"{slide.name}  ·  {title}",
        )
    )


def _on_a_screen(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture that fits on a screen with its strips of text."""
    lying = rgb.shape[1] >= rgb.shape[0]
    width, height = _SCREEN_PX if lying else _SCREEN_PX[::-1]
    return pictures.shrunk_to_fit(rgb, (width, height - _STRIPS_PX))


def placed_fields(fields: pd.DataFrame) -> list[pictures.PlacedField]:
    """The fields of a field table, or of a plan's, as the overview shows them."""
    return [
        pictures.PlacedField(
            field_id=str(row["field_id"]),
            region=RegionName(row["region"]),
            square=square_of(row),
            status=FieldStatus(row.get("status", FieldStatus.SCORED)),
        )
        for row in fields.to_dict("records")
    ]


def annotations_geojson(plan: Plan, *, slide: str) -> dict[str, Any]:
    """What was drawn or proposed, to be corrected in QuPath and given back."""
    drawn = plan.annotations
    return output.regions_geojson(
        {
            "Tumor": (drawn.tumour, TUMOUR_COLOUR),
            RegionName.TUMOUR_CENTRE: (drawn.centre, REGION_COLOURS[RegionName.TUMOUR_CENTRE]),
            RegionName.INVASIVE_FRONT: (drawn.front, REGION_COLOURS[RegionName.INVASIVE_FRONT]),
            "Ignore*": (drawn.excluded, IGNORE_COLOUR),
            "Pigment": (drawn.pigment, CLASS_COLOURS[CellClass.PIGMENT_SUSPECT]),
        },
        slide=slide,
    )


def regions_geojson(plan: Plan, survey: Survey, *, slide: str) -> dict[str, Any]:
    """The regions that follow from what was drawn, clipped to the tissue."""
    return output.regions_geojson(
        {
            str(region.name): (region.area.intersection(survey.outline), REGION_COLOURS[region.name])
            for region in plan.regions
        },
        slide=slide,
    )


def spoilt_in(
    planned: PlannedSlide, one: Field, counted: CountedField
) -> list[tuple[str, NDArray[np.bool_], Rgb]]:
    """What spoils a field: name, pixels of its picture and colour of folds and of ink, where there are any.

    As its quality is judged: by its own pixels, and by the slide's thumbnail.
    """
    window, inside = counted.square.pixels(counted.rgb.shape)
    own = spoilt_parts(
        np.ascontiguousarray(counted.rgb[window]),
        mpp_um=counted.mpp_um,
        white_rgb=planned.survey.stains.white_rgb,
        inside=inside,
    )
    artefacts = planned.survey.artefacts
    found = []
    for name, colour, near, far in (
        ("Fold", FOLD_COLOUR, own[0], artefacts.fold),
        ("Ink", INK_COLOUR, own[1], artefacts.pen),
    ):
        seen = _in_picture(far, one, counted, planned.survey.tissue.downsample)
        here = np.zeros_like(seen)
        here[window] = (seen[window] | near) & inside
        if here.any():
            found.append((name, here, colour))
    return found


def _in_picture(
    mask: NDArray[np.bool_], one: Field, counted: CountedField, downsample: float
) -> NDArray[np.bool_]:
    """A mask of the thumbnail on the pixels of a field's picture."""
    scale = counted.square.side_px / one.square.side_px
    left, top = counted.square.centre_xy_px - one.square.centre_xy_px * scale
    size = (counted.rgb.shape[1], counted.rgb.shape[0])
    zoom = downsample * scale
    # Pixel centres lie half a pixel from the corners that both systems start from.
    shift = (zoom - 1) / 2
    onto = np.array([[zoom, 0.0, left + shift], [0.0, zoom, top + shift]])
    return np.asarray(cv2.warpAffine(mask.astype(np.uint8), onto, size, flags=cv2.INTER_NEAREST) > 0)
