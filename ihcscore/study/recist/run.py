"""Diameters to tables, figures and a page on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ihcscore import output
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import BEST_RESPONSE, BEST_RESPONSES, VISITS, RecistSettings
from ihcscore.study.recist.read import read_diameters
from ihcscore.study.recist.tables import Responses, recist_tables
from ihcscore.study.written import study_record, write_page, write_tables


def assess_responses(
    diameters: str | Path,
    *,
    out: str | Path,
    settings: RecistSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Responses:
    """Find the response of each visit and the best of each patient, and write tables, figures and a page.

    Parameters
    ----------
    diameters : str or Path
        CSV or XLSX with the columns of :data:`ihcscore.schema.DIAMETERS`.
    out : str or Path
        Gets visits.csv, response.csv, best_responses.csv, figures, report.html, results.md and run.json.
    settings : RecistSettings, optional
    rename : mapping of str to str, optional
        New name of a column to its name in the file.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the table cannot be used or the folder cannot be written.
    """
    settings = settings or RecistSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        progress("reading the diameters", 0.0)
        table = read_diameters(diameters, rename=rename)
        found = recist_tables(table, settings)
        write_tables(
            folder, [(found.visits, VISITS), (found.response, BEST_RESPONSE), (found.best, BEST_RESPONSES)]
        )
        record = study_record(
            "recist", {"diameters": diameters}, settings=settings, rename=rename, warnings=found.warnings
        )
        progress("drawing", 0.3)
        _write_page(folder, found, record, settings)
        output.write_record(folder, record)
        progress("done", 1.0)
    return found


def _write_page(
    folder: output.OutputFolder, found: Responses, record: dict[str, Any], settings: RecistSettings
) -> None:
    # Matplotlib and Jinja2 are loaded by those who draw and write pages with them.
    from ihcscore.report.page import html_of
    from ihcscore.report.recist import RecistPage, results
    from ihcscore.report.recist_figures import spider, waterfall

    drawn = [make(found.visits, found.response) for make in (waterfall, spider)]
    page = RecistPage(
        record=record,
        settings=settings,
        visits=found.visits,
        response=found.response,
        best=found.best,
        warnings=found.warnings,
        figures=drawn,
    )
    write_page(folder, html_of(page), results(page), drawn)
