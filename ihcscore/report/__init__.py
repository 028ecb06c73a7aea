"""What people read: pages, figures, sentences; rounding happens here."""

from ihcscore.report.cohort import CohortPage, write_cohort_page
from ihcscore.report.page import (
    SlidePage,
    format_density,
    format_number,
    format_range,
    write_index_page,
    write_slide_page,
)

__all__ = [
    "CohortPage",
    "SlidePage",
    "format_density",
    "format_number",
    "format_range",
    "write_cohort_page",
    "write_index_page",
    "write_slide_page",
]
