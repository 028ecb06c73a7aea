"""Fields: drawn at random, or given; and whether what lies in one can be counted."""

from ihcscore.fields.draw import SamplingFrame, candidate_positions, draw_fields, tissue_fractions
from ihcscore.fields.given import check_fields_on_slide, parse_fields
from ihcscore.fields.quality import QualitySettings, judge_field

__all__ = [
    "QualitySettings",
    "SamplingFrame",
    "candidate_positions",
    "check_fields_on_slide",
    "draw_fields",
    "judge_field",
    "parse_fields",
    "tissue_fractions",
]
