"""What a study leaves in its folder: tables, record, figures for a paper, page and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ihcscore import output
from ihcscore.schema import Table

if TYPE_CHECKING:
    from ihcscore.report.journal import JournalFigure

JOURNAL = "journal"
"""Folder of a paper's figures."""
RESULTS = "results.md"
"""File with the sentences."""


def write_tables(folder: output.OutputFolder, tables: Iterable[tuple[pd.DataFrame, Table]]) -> None:
    """Write each table under its schema's name."""
    for rows, schema in tables:
        output.write_table(folder.new_file(f"{schema.name}.csv"), rows, schema)


def study_record(
    command: str,
    inputs: Mapping[str, str | Path],
    *,
    settings: object,
    rename: Mapping[str, str] | None,
    warnings: Sequence[str],
    **more: object,
) -> dict[str, Any]:
    """The record of a study: what went in, with which parameters, and what a reader must know.

    Parameters
    ----------
    command : str
        Name of the command.
    inputs : mapping of str to path
        Tables by the names of their arguments.
    settings : dataclass
    rename : mapping of str to str, optional
        New name of a column to its name in the file.
    warnings : sequence of str
    **more
        Further entries.
    """
    content = {
        "inputs": output.describe_inputs(dict(inputs)),
        "parameters": output.as_plain(settings) | {"map": dict(rename or {})},
        **more,
        "warnings": warnings,
    }
    return output.make_record(command, content, packages=output.STUDY_PACKAGES)


def write_page(
    folder: output.OutputFolder, html: str, sentences: str, figures: Sequence[JournalFigure] = ()
) -> None:
    """Write a study's page, its sentences as Markdown, and its figures.

    Each figure is written at both widths as PNG and SVG, and its data as CSV.
    """
    for figure in figures:
        for end, content in figure.pictures.items():
            folder.add_file(content, JOURNAL, f"{figure.name}{end}")
        output.write_table(folder.new_file(JOURNAL, f"{figure.name}.csv"), figure.data, figure.table)
    folder.add_file(html, "report.html")
    folder.add_file(sentences, RESULTS)
