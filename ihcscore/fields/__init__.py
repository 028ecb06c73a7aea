"""Fields: drawn at random, or given; and whether what lies in one can be counted."""

from ihcscore.fields.draw import SamplingFrame, candidate_positions, draw_fields, tissue_fraction
from ihcscore.fields.given import as_square, check_fields_on_slide
from ihcscore.fields.quality import QualitySettings, judge_field

__all__ = [
    "QualitySettings",
    "SamplingFrame",
    "as_square",
    "candidate_positions",
    "check_fields_on_slide",
    "draw_fields",
    "judge_field",
    "tissue_fraction",
]
