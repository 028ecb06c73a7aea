"""What pages and results.md of a study share: figures with their captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ihcscore.report.journal import JournalFigure, Width
from ihcscore.report.page import svg_uri


def figure_uris(figures: Sequence[JournalFigure]) -> list[dict[str, Any]]:
    """Each figure for a page: name, caption and the wide picture as a source of an image."""
    return [
        {
            "name": figure.name,
            "caption": figure.caption,
            "uri": svg_uri(figure.pictures[f"-{Width.PAGE.value}mm.svg"]),
        }
        for figure in figures
    ]


def captions(figures: Sequence[JournalFigure]) -> Iterator[str]:
    """Lines of Markdown with each figure's caption and files."""
    if figures:
        yield "## Figures\n"
    for number, figure in enumerate(figures, 1):
        files = f"`journal/{figure.name}-85mm`, `-175mm`: `.png`, `.svg`; data: `{figure.name}.csv`"
        yield f"**Fig. {number}** {figure.caption} ({files})\n"
