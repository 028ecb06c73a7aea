"""A plan as people see it: the overview, and GeoJSON of what was drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import output, pictures
from ihcscore.run.plan import Plan
from ihcscore.run.survey import Survey
from ihcscore.schema import (
    CLASS_COLOURS,
    IGNORE_COLOUR,
    LEFT_OUT_COLOUR,
    PALE_COLOUR,
    REGION_COLOURS,
    TUMOUR_COLOUR,
)
from ihcscore.slide import Slide
from ihcscore.tissue.mask import mask_to_polygons

OVERVIEW_PX = 1600


def draw_plan(
    slide: Slide, survey: Survey, plan: Plan, fields: pd.DataFrame, *, title: str
) -> NDArray[np.uint8]:
    """The whole slide with regions, fields and what is left out; small slides are read at a finer scale."""
    thumbnail = survey.thumbnail
    longest_um = max(slide.size_xy_px) * slide.mpp_um
    if max(thumbnail.rgb.shape) < OVERVIEW_PX / 2:
        thumbnail = slide.thumbnail(max(longest_um / OVERVIEW_PX, slide.mpp_um))
    left_out = survey.tissue.mask & ~survey.countable
    marks = (
        ("Left out (ink, fold, edge, blur)", left_out | survey.artefacts.pen, LEFT_OUT_COLOUR),
        ("Pale", survey.artefacts.pale, PALE_COLOUR),
    )
    return pictures.draw_overview(
        pictures.Overview(
            rgb=thumbnail.rgb,
            downsample=thumbnail.downsample,
            mpp_um=thumbnail.mpp_um,
            tumour=plan.annotations.tumour,
            tissue=survey.outline,
            excluded=plan.annotations.excluded,
            marks=[
                (label, mask_to_polygons(mask, downsample=survey.tissue.downsample), colour)
                for label, mask, colour in marks
                if mask.any()
            ],
            regions=[(str(region.name), region.area) for region in plan.regions],
            fields=fields,
            title=f"{slide.name}  ·  {title}",
        )
    )


def annotations_geojson(plan: Plan, *, slide: str) -> dict[str, Any]:
    """What was drawn or proposed, to be corrected in QuPath and given back."""
    drawn = plan.annotations
    return output.regions_geojson(
        {
            "Tumor": (drawn.tumour, TUMOUR_COLOUR),
            "Tumour centre": (drawn.centre, REGION_COLOURS["Tumour centre"]),
            "Invasive front": (drawn.front, REGION_COLOURS["Invasive front"]),
            "Ignore*": (drawn.excluded, IGNORE_COLOUR),
            "Pigment": (drawn.pigment, CLASS_COLOURS["Pigment suspect"]),
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
