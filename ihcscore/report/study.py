"""The pages of a study: counts against uptake, and one rater against another."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ihcscore.report import wording
from ihcscore.report.page import environment, format_percent
from ihcscore.schema import CorrelationSettings


@dataclass(frozen=True, kw_only=True)
class StudyPage:
    """What the page of a study shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    settings : CorrelationSettings
    correlations, summary, serial, response, unmatched : DataFrame
        The tables.
    flow : sequence of (str, sequence of (str, int))
        Numbers from slides and lesions to pairs, side by side.
    warnings : sequence of str
    figures : mapping of str to bytes
        SVG by name: ``forest``, ``scans``, ``response``.
    scatters : sequence of (str, bytes)
        Title and SVG of each scatter plot.
    """

    record: Mapping[str, Any]
    settings: CorrelationSettings
    correlations: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)
    serial: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    flow: Sequence[tuple[str, Sequence[tuple[str, int]]]]
    warnings: Sequence[str]
    figures: Mapping[str, bytes] = field(repr=False)
    scatters: Sequence[tuple[str, bytes]] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class AgreementPage:
    """What the page of two raters shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    measures : DataFrame
        The table of agreement.
    classes : sequence of sequence of int
        Things by class of the first (row) and the second (column).
    class_names : sequence of str
    unmatched : DataFrame
    warnings : sequence of str
    figure : bytes
        SVG.
    """

    record: Mapping[str, Any]
    measures: pd.DataFrame = field(repr=False)
    classes: Sequence[Sequence[int]]
    class_names: Sequence[str]
    unmatched: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]
    figure: bytes = field(repr=False)


def write_study_page(path: Path, page: StudyPage) -> None:
    """Write the page of a study; it opens from disk as one file."""
    correlations = page.correlations
    parts = {
        "serial": len(page.serial) > 0,
        "response": len(page.response) > 0,
        "suv": "suv" in page.record["inputs"],
    }
    families = [
        (name, group.to_dict("records")) for name, group in correlations.groupby("family", sort=False)
    ]
    html = (
        _study_environment()
        .get_template("correlate.html.j2")
        .render(
            record=page.record,
            settings=page.settings,
            question=wording.question(page.settings, correlations[["x", "y"]].iloc[0].tolist()),
            could=wording.what_could_be_found(correlations, page.settings),
            found=wording.what_was_found(correlations, page.settings),
            methods=wording.methods(correlations, page.settings, parts),
            families=families,
            attainable=_attainable(correlations),
            notes=_notes(correlations),
            correlations_n=len(correlations),
            with_t=bool(correlations["p_t"].notna().any()),
            summary=page.summary.to_dict("records"),
            serial=page.serial.to_dict("records"),
            response=page.response.to_dict("records"),
            unmatched=page.unmatched.to_dict("records"),
            flow=page.flow,
            warnings=page.warnings,
            figures={name: _svg_uri(svg) for name, svg in page.figures.items()},
            scatters=[(title, _svg_uri(svg)) for title, svg in page.scatters],
        )
    )
    path.write_text(html, encoding="utf-8")


def write_agreement_page(path: Path, page: AgreementPage) -> None:
    """Write the page of two raters; it opens from disk as one file."""
    html = (
        _study_environment()
        .get_template("agree.html.j2")
        .render(
            record=page.record,
            measures=page.measures.to_dict("records"),
            by_name={row["measure"]: row for row in page.measures.to_dict("records")},
            classes=page.classes,
            class_names=page.class_names,
            unmatched=page.unmatched.to_dict("records"),
            warnings=page.warnings,
            figure=_svg_uri(page.figure),
        )
    )
    path.write_text(html, encoding="utf-8")


def forest_texts(correlations: pd.DataFrame) -> list[str]:
    """What stands beside each line of the forest plot."""
    return [
        f"ρ {wording.format_rho(row['rho'])}   n {row['n']}   adj. P {wording.format_p(row['p_adjusted'])}"
        + ("   interval not estimable" if pd.isna(row["rho_low"]) and pd.notna(row["rho"]) else "")
        for row in correlations.to_dict("records")
    ]


def axis_name(name: str, settings: CorrelationSettings) -> str:
    """Name of an axis, with its unit; a ratio of densities and an SUV have none of their own."""
    if name.startswith(settings.suv):
        return f"{name}, {settings.timepoint.replace('_', ' ')}"
    return name if "/" in name.split(" · ")[0] else f"{name}, cells per mm²"


def scatter_title(row: Mapping[Any, Any]) -> str:
    """Title of a scatter plot."""
    adjusted = f", adjusted {wording.format_p(row['p_adjusted'])}" if row["n_tests"] > 1 else ""
    return (
        f"{row['x']}\nρ = {wording.format_rho(row['rho'])}, n = {row['n']}, "
        f"{wording.equals_p(row['p']) if pd.notna(row['p']) else 'P –'}{adjusted}"
    )


def _attainable(correlations: pd.DataFrame) -> list[tuple[list[str], list[str]]]:
    """What tests could have found: the densities of which the same is said, and what is said."""
    said: dict[tuple[str, ...], list[str]] = {}
    for row in correlations.to_dict("records"):
        powers = (
            f"{format_percent(row[f'power_rho_{at}'])}; {format_percent(row[f'power_adjusted_rho_{at}'])}"
            for at in ("05", "07")
        )
        cells = (
            row["y"], str(row["n"]),
            wording.format_p(row["p_smallest"]), wording.format_p(row["p_smallest_adjusted"]),
            wording.format_rho(row["rho_needed"]), wording.format_rho(row["rho_needed_adjusted"]), *powers,
        )  # fmt: skip
        said.setdefault(cells, []).append(row["x"])
    return [(names, list(cells)) for cells, names in said.items()]


def _notes(correlations: pd.DataFrame) -> dict[str, list[str]]:
    """What is missing and why: each note with the tests that it is about."""
    notes: dict[str, list[str]] = {}
    for row in correlations[correlations["note"] != ""].to_dict("records"):
        notes.setdefault(row["note"], []).append(f"{row['x']}, {row['y']}")
    return notes


def _study_environment() -> jinja2.Environment:
    made = environment()
    made.filters |= {
        "p": wording.format_p,
        "rho": wording.format_rho,
        "value": wording.format_value,
        "interval": lambda row, suffix="": wording.format_interval(
            row[f"rho_low{suffix}"], row[f"rho_high{suffix}"]
        ),
        "sentence": lambda text: f"{text[0].upper()}{text[1:]}.",
        "filled": pd.notna,
    }
    made.tests["filled"] = pd.notna
    return made


def _svg_uri(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
