"""Plasma samples to tables, figures and a page on disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ihcscore import output
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import CURVES, PLASMA_PATIENTS, PLASMA_TESTS, PLASMA_TIMES, PlasmaSettings
from ihcscore.study.journal import write_figures, write_results
from ihcscore.study.plasma.read import read_samples
from ihcscore.study.plasma.tables import Plasma, plasma_tables


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
        for rows, schema in (
            (found.curves, CURVES),
            (found.times, PLASMA_TIMES),
            (found.comparison, PLASMA_TESTS),
            (found.patients, PLASMA_PATIENTS),
        ):
            output.write_table(folder.new_file(f"{schema.name}.csv"), rows, schema)
        content = {
            "inputs": output.describe_inputs({"samples": samples}),
            "parameters": output.as_plain(settings) | {"map": dict(rename or {})},
            "warnings": found.warnings,
        }
        record = output.make_record("plasma", content, packages=output.STUDY_PACKAGES)
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
    write_figures(folder, drawn)
    page = PlasmaPage(
        record=record,
        settings=settings,
        times=found.times,
        comparison=found.comparison,
        patients=found.patients,
        warnings=found.warnings,
        figures=drawn,
    )
    folder.add_file(html_of(page), "report.html")
    write_results(folder, results(page))
