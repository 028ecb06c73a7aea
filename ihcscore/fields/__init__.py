"""Fields: drawn at random, or given; and whether what lies in one can be counted."""

from ihcscore.fields.draw import SamplingFrame, candidate_positions, draw_fields, tissue_fraction
from ihcscore.fields.given import as_square, check_fields_on_slide
from ihcscore.fields.quality import FieldQuality, QualitySettings, field_quality, find_blur, judge_field

__all__ = [
    "FieldQuality",
    "QualitySettings",
    "SamplingFrame",
    "as_square",
    "candidate_positions",
    "check_fields_on_slide",
    "draw_fields",
    "field_quality",
    "find_blur",
    "judge_field",
    "tissue_fraction",
]
