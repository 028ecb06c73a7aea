"""Plasma samples to tables, figures and a page on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ihcscore import output
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import CURVES, PLASMA_PATIENTS, PLASMA_TESTS, PLASMA_TIMES, PlasmaSettings
from ihcscore.study.plasma.read import read_samples
from ihcscore.study.plasma.tables import Plasma, plasma_tables
from ihcscore.study.written import study_record, write_page, write_tables


def compare_plasma(
    samples: str | Path,
    *,
    out: str | Path,
    settings: PlasmaSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Plasma:
    """Compare activity in plasma before and during treatment, and write tables, figures and a page.

    Parameters
    ----------
    samples : str or Path
        CSV or XLSX with the columns of :data:`ihcscore.schema.SAMPLES`.
    out : str or Path
        Gets curves.csv, times.csv, comparison.csv, patients.csv, figures, report.html, results.md and
        run.json.
    settings : PlasmaSettings, optional
    rename : mapping of str to str, optional
        New name of a column to its name in the file.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the table cannot be used, a scan is not in it, or the folder cannot be written.
    """
    settings = settings or PlasmaSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        progress("reading the samples", 0.0)
        table = read_samples(samples, half_life_min=settings.half_life_min, rename=rename)
        found = plasma_tables(table, settings)
        write_tables(
            folder,
            [
                (found.curves, CURVES),
                (found.times, PLASMA_TIMES),
                (found.comparison, PLASMA_TESTS),
                (found.patients, PLASMA_PATIENTS),
            ],
        )
        record = study_record(
            "plasma", {"samples": samples}, settings=settings, rename=rename, warnings=found.warnings
        )
        progress("drawing", 0.3)
        _write_page(folder, found, record, settings)
        output.write_record(folder, record)
        progress("done", 1.0)
    return found


def _write_page(
    folder: output.OutputFolder, found: Plasma, record: dict[str, Any], settings: PlasmaSettings
) -> None:
    # Matplotlib and Jinja2 are loaded by those who draw and write pages with them.
    from ihcscore.report.page import html_of
    from ihcscore.report.plasma import PlasmaPage, plasma_figures, results

    drawn = plasma_figures(found.times, settings)
    page = PlasmaPage(
        record=record,
        settings=settings,
        times=found.times,
        comparison=found.comparison,
        patients=found.patients,
        warnings=found.warnings,
        figures=drawn,
    )
    write_page(folder, html_of(page), results(page), drawn)
