"""Cells to densities: per field, per region of a slide, per image; and their intervals."""

from ihcscore.score.density import (
    count_classes,
    field_table,
    image_densities,
    score_counts,
    score_field,
    score_regions,
)
from ihcscore.score.interval import mean_interval, poisson_interval
from ihcscore.score.review import REVIEW_COUNTS, status_of, whole

__all__ = [
    "REVIEW_COUNTS",
    "count_classes",
    "field_table",
    "image_densities",
    "mean_interval",
    "poisson_interval",
    "score_counts",
    "score_field",
    "score_regions",
    "status_of",
    "whole",
]
