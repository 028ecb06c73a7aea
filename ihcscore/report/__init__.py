"""What people read: pages, figures, sentences; rounding happens here."""

from ihcscore.report.cohort import CohortPage
from ihcscore.report.counts import CountsPage
from ihcscore.report.numbers import format_density, format_range
from ihcscore.report.page import IndexPage, SlidePage, html_of

__all__ = ["CohortPage", "CountsPage", "IndexPage", "SlidePage", "format_density", "format_range", "html_of"]
