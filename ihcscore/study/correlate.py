"""Scores and a PET table to tables, figures and a page on disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import ihcscore
from ihcscore import output
from ihcscore.output.progress import Progress, silent
from ihcscore.output.record import STUDY_PACKAGES
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
)
from ihcscore.study.scores import read_scores
from ihcscore.study.tables import Study, study_tables


def correlate_tables(
    scores: str | Path,
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
    scores : str or Path
        ``scores.csv`` of a cohort, or XLSX.
    suv : str or Path or None
        SUV table, CSV or XLSX; None where two densities are correlated.
    out : str or Path
        Gets joined.csv, correlations.csv, summary.csv, unmatched.csv, serial.csv and response.csv where
        there are two scans and responses, figures, report.html and run.json.
    settings : CorrelationSettings, optional
    rename : mapping of str to str, optional
        Columns of the SUV table: new name to the name in the file.
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
        score_table = read_scores(scores, columns=[settings.density])
        suv_table = None if suv is None else read_uptake(suv, suv=settings.suv, rename=rename)
        progress("correlating", 0.1)
        study = study_tables(score_table, suv_table, settings)
        _write_tables(folder, study)
        record = {
            "ihcscore": ihcscore.__version__,
            "command": "correlate",
            "inputs": describe_inputs({"scores": scores} | ({} if suv is None else {"suv": suv})),
            "parameters": _plain(settings) | {"map": dict(rename or {})},
            "warnings": study.warnings,
            "packages": output.package_versions(STUDY_PACKAGES),
        }
        _write_page(folder, study, record, settings, progress)
        output.write_json(folder.new_file("run.json"), record | {"files": folder.files()})
        progress("done", 1.0)
    return study


def describe_inputs(paths: Mapping[str, str | Path]) -> dict[str, dict[str, str]]:
    """File name, without folders, and SHA-256 of each input."""
    return {
        name: {"name": Path(path).name, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest()}
        for name, path in paths.items()
    }


def _plain(settings: CorrelationSettings) -> dict[str, Any]:
    """Settings as JSON has them."""
    values = asdict(settings)
    return {
        name: str(value) if name in ("unit", "adjust") else [list(pair) for pair in value]
        if name == "ratios" else value
        for name, value in values.items()
    }  # fmt: skip


def _write_tables(folder: output.OutputFolder, study: Study) -> None:
    tables = [
        (study.joined, JOINED),
        (study.correlations, CORRELATIONS),
        (study.summary, SUMMARY),
        (study.unmatched, UNMATCHED),
        (study.serial, SERIAL),
        (study.response, RESPONSE),
    ]
    for table, schema in tables:
        if len(table) or schema is UNMATCHED:
            output.write_table(folder.new_file(f"{schema.name}.csv"), table, schema)


def _write_page(
    folder: output.OutputFolder,
    study: Study,
    record: dict[str, Any],
    settings: CorrelationSettings,
    progress: Progress,
) -> None:
    """Draw and write figures and page."""
    # Matplotlib is loaded by those who draw with it.
    from ihcscore.report import figures
    from ihcscore.report import study as pages

    drawn: dict[str, dict[str, bytes]] = {
        "forest": figures.forest(study.correlations, pages.forest_texts(study.correlations))
    }
    if len(study.serial):
        names = (settings.timepoint, settings.on_treatment)
        drawn["scans"] = figures.before_after(study.scans, names=names, suv=settings.suv)
    if len(study.response):
        drawn["response"] = figures.by_response(study.by_response, RESPONSES)
    scatters: list[tuple[str, dict[str, bytes]]] = []
    primary = study.correlations[study.correlations["role"] == "primary"].to_dict("records")
    for number, row in enumerate(primary):
        progress("drawing", 0.3 + 0.6 * number / len(primary))
        title = pages.scatter_title(row)
        picture = figures.scatter(
            study.points[f"{row['x']}\n{row['y']}"],
            x=pages.axis_name(row["x"], settings),
            y=pages.axis_name(row["y"], settings),
            title=title,
        )
        scatters.append((title.replace("\n", ": "), picture))
        name = f"scatter-{_file_name(row['x'])}"
        drawn[name if name not in drawn else f"{name}-{number + 1}"] = picture
    for name, picture in drawn.items():
        for kind, content in picture.items():
            folder.new_file("figures", f"{name}.{kind}").write_bytes(content)
    page = pages.StudyPage(
        record=record,
        settings=settings,
        correlations=study.correlations,
        summary=study.summary,
        serial=study.serial,
        response=study.response,
        unmatched=study.unmatched,
        flow=study.flow,
        warnings=study.warnings,
        figures={name: drawn[name]["svg"] for name in ("forest", "scans", "response") if name in drawn},
        scatters=[(title, picture["svg"]) for title, picture in scatters],
    )
    pages.write_study_page(folder.new_file("report.html"), page)


def _file_name(variable: str) -> str:
    """A variable as part of a file name: small letters, digits and hyphens."""
    words = re.sub(r"[^0-9A-Za-z]+", "-", variable.replace("/", "-to-")).strip("-").lower()
    clash = hashlib.sha256(variable.encode()).hexdigest()[:6]
    return words if re.fullmatch(r"[\x20-\x7e·]+", variable) else f"{words}-{clash}".strip("-")
