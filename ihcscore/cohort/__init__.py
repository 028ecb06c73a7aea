"""A manifest of many slides: each sample's fields on all its stains, resumable, on many workers."""

from ihcscore.cohort.run import CohortResult, score_cohort

__all__ = ["CohortResult", "score_cohort"]
