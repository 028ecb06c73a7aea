"""Scores and a PET table to tables, figures and a page on disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ihcscore import output
from ihcscore.output.progress import Progress, silent
from ihcscore.pet.table import read_uptake
from ihcscore.schema import (
    CORRELATIONS,
    JOINED,
    RESPONSE,
    RESPONSES,
    SERIAL,
    SUMMARY,
    UNMATCHED,
    CorrelationSettings,
    Role,
    Variable,
)
from ihcscore.study.scores import read_scores
from ihcscore.study.tables import Study, study_tables
from ihcscore.study.written import study_record, write_page, write_tables

if TYPE_CHECKING:
    from ihcscore.report.journal import JournalFigure

Picture = dict[str, bytes]
"""A figure by its format: png and svg."""


def correlate_tables(
    scores: str | Path | None,
    suv: str | Path | None,
    *,
    out: str | Path,
    settings: CorrelationSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Study:
    """Correlate a cohort's scores with lesion uptake, and write tables, figures and the page.

    Parameters
    ----------
    scores : str or Path or None
        ``scores.csv`` of a cohort, or XLSX; None where lesions alone are studied.
    suv : str or Path or None
        Table of lesions, CSV or XLSX; None where two densities are correlated.
    out : str or Path
        Gets joined.csv, correlations.csv, summary.csv, unmatched.csv, serial.csv and response.csv where
        there are two scans and responses, figures, those for a paper with their data in journal,
        results.md, report.html and run.json.
    settings : CorrelationSettings, optional
    rename : mapping of str to str, optional
        Columns of the table of lesions: new name to the name in the file.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Returns
    -------
    Study

    Raises
    ------
    IhcscoreError
        If a table cannot be used, nothing can be joined, or the folder cannot be written.
    """
    settings = settings or CorrelationSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        progress("reading the tables", 0.0)
        score_table = None if scores is None else read_scores(scores, columns=settings.columns)
        suv_table = (
            None
            if suv is None
            else read_uptake(suv, suv=settings.suv, covariate=settings.covariate, rename=rename)
        )
        progress("correlating", 0.1)
        study = study_tables(score_table, suv_table, settings)
        _write_tables(folder, study)
        given = {name: path for name, path in (("scores", scores), ("suv", suv)) if path is not None}
        command = "uptake" if scores is None else "correlate"
        record = study_record(command, given, settings=settings, rename=rename, warnings=study.warnings)
        _write_page(folder, study, record, settings, progress)
        output.write_record(folder, record)
        progress("done", 1.0)
    return study


def _write_tables(folder: output.OutputFolder, study: Study) -> None:
    tables = [
        (study.joined, JOINED),
        (study.correlations, CORRELATIONS),
        (study.summary, SUMMARY),
        (study.unmatched, UNMATCHED),
        (study.serial, SERIAL),
        (study.response, RESPONSE),
    ]
    write_tables(folder, [(rows, schema) for rows, schema in tables if len(rows) or schema is UNMATCHED])


def _write_page(
    folder: output.OutputFolder,
    study: Study,
    record: dict[str, Any],
    settings: CorrelationSettings,
    progress: Progress,
) -> None:
    """Draw and write figures and page."""
    # Jinja2 is loaded by those who write pages with it.
    from ihcscore.report.page import html_of
    from ihcscore.report.study import StudyPage
    from ihcscore.report.study_results import results

    n_overviews = (len(study.correlations) > 0) + (len(study.serial) > 0) + (len(study.response) > 0)
    n_figures = n_overviews + sum(question.role is Role.PRIMARY for question in study.questions)

    def drawing(number: int) -> None:
        progress(f"drawing figure {number} of {n_figures}", 0.3 + 0.6 * (number - 1) / n_figures)

    drawn = _draw_overviews(study, settings, drawing)
    scatters = _draw_scatters(study, settings, lambda number: drawing(n_overviews + number))
    files = dict(drawn)
    for number, (variable, _, picture) in enumerate(scatters, 1):
        name = f"scatter-{_file_name(variable)}"
        files[name if name not in files else f"{name}-{number}"] = picture
    for name, picture in files.items():
        for kind, content in picture.items():
            folder.add_file(content, "figures", f"{name}.{kind}")
    journal = _journal_figures(study, settings)
    page = StudyPage(
        record=record,
        settings=settings,
        correlations=study.correlations,
        summary=study.summary,
        serial=study.serial,
        response=study.response,
        unmatched=study.unmatched,
        flow=study.flow,
        regions_left_out=study.regions_left_out,
        warnings=study.warnings,
        figures={name: picture["svg"] for name, picture in drawn.items()},
        scatters=[(title, picture["svg"]) for _, title, picture in scatters],
        journal=journal,
    )
    write_page(folder, html_of(page), results(page, study.by_patient), journal)


def _journal_figures(study: Study, settings: CorrelationSettings) -> list[JournalFigure]:
    """Those for a paper: patients by marker, and lesions by scan, each where there is something to draw."""
    from ihcscore.report import study_figures
    from ihcscore.report.study import measure_axis

    drawn = []
    if len(study.by_patient):
        drawn.append(study_figures.patients(study.by_patient, density=settings.density))
    if len(study.lesions):
        drawn.append(study_figures.lesions(study.lesions, axis=measure_axis(settings)))
    return drawn


def _draw_overviews(
    study: Study, settings: CorrelationSettings, drawing: Callable[[int], None]
) -> dict[str, Picture]:
    """All correlations, both scans, and responses; each where there is something to draw."""
    # Matplotlib is loaded by those who draw with it.
    from ihcscore.report import figures
    from ihcscore.report.numbers import spoken
    from ihcscore.report.study import forest_names, forest_texts, measure_axis

    drawn = {}
    if len(study.correlations):
        drawing(1)
        drawn["forest"] = figures.forest(
            study.correlations,
            names=forest_names([(question.x, question.y) for question in study.questions]),
            texts=forest_texts(study.correlations),
        )
    if len(study.serial):
        drawing(len(drawn) + 1)
        names = spoken(settings.timepoint), spoken(settings.during_name)
        drawn["scans"] = figures.before_after(study.scans, names=names, suv=measure_axis(settings))
    if len(study.response):
        drawing(len(drawn) + 1)
        titled = [("\n".join(map(spoken, quantity.parts)), table) for _, quantity, table in study.by_response]
        drawn["response"] = figures.by_response(titled, RESPONSES)
    return drawn


def _draw_scatters(
    study: Study, settings: CorrelationSettings, drawing: Callable[[int], None]
) -> list[tuple[Variable, str, Picture]]:
    """The points of each primary question: its x, its title, its picture."""
    from ihcscore.report import figures
    from ihcscore.report.study import axis_name, scatter_title

    rows = zip(study.questions, study.correlations.to_dict("records"), strict=True)
    primary = [(question, row) for question, row in rows if question.role is Role.PRIMARY]
    drawn = []
    for number, (question, row) in enumerate(primary, 1):
        drawing(number)
        title = scatter_title(row)
        picture = figures.scatter(
            question.points,
            x=axis_name(question.x, settings),
            y=axis_name(question.y, settings),
            title="\n".join(title),
        )
        drawn.append((question.x, ": ".join(title), picture))
    return drawn


def _file_name(variable: Variable) -> str:
    """A variable as part of a file name: small letters, digits and hyphens."""
    ratio = variable.marker if variable.over is None else f"{variable.marker}-to-{variable.over}"
    words = re.sub(r"[^0-9A-Za-z]+", "-", "-".join((ratio, *variable.parts[1:]))).strip("-").lower()
    # Letters that a file name cannot show must not make two variables one.
    clash = hashlib.sha256(variable.name.encode()).hexdigest()[:6]
    return words if re.fullmatch(r"[\x20-\x7e·]+", variable.name) else f"{words}-{clash}".strip("-")
