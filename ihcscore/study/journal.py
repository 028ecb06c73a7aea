"""Figures for a paper and the sentences with its numbers, written beside a study's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ihcscore import output

if TYPE_CHECKING:
    from ihcscore.report.journal import JournalFigure

JOURNAL = "journal"
"""Folder of a paper's figures."""
RESULTS = "results.md"
"""File with the sentences."""


def write_figures(folder: output.OutputFolder, figures: Sequence[JournalFigure]) -> None:
    """Write each figure at both widths as PNG and SVG, and its data as CSV."""
    for figure in figures:
        for end, content in figure.pictures.items():
            folder.add_file(content, JOURNAL, f"{figure.name}{end}")
        output.write_table(folder.new_file(JOURNAL, f"{figure.name}.csv"), figure.data, figure.table)


def write_results(folder: output.OutputFolder, markdown: str) -> None:
    """Write the sentences; the text is Markdown."""
    folder.add_file(markdown, RESULTS)
