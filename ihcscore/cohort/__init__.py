"""A manifest of many slides: each sample's fields on all its stains, resumable, on many workers."""

from ihcscore.cohort.run import CohortPlan, CohortResult, plan_cohort, score_cohort

__all__ = ["CohortPlan", "CohortResult", "plan_cohort", "score_cohort"]
