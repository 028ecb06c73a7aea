"""Fields: drawn at random, or given; and whether what lies in one can be counted."""

from ihcscore.fields.draw import SamplingFrame, candidate_positions, draw_fields, tissue_fraction
from ihcscore.fields.given import as_square, check_fields_on_slide
from ihcscore.fields.often import Places, draw_often, places_in
from ihcscore.fields.quality import QualitySettings, judge_field

__all__ = [
    "Places",
    "QualitySettings",
    "SamplingFrame",
    "as_square",
    "candidate_positions",
    "check_fields_on_slide",
    "draw_fields",
    "draw_often",
    "judge_field",
    "places_in",
    "tissue_fraction",
]
