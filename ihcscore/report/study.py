"""The pages of a study: counts against uptake, and one rater against another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from ihcscore.report import wording
from ihcscore.report.journal import JournalFigure
from ihcscore.report.manuscript import figure_uris
from ihcscore.report.numbers import equals_p, format_p, format_percent, format_rho, spoken
from ihcscore.report.page import svg_uri
from ihcscore.schema import Change, CorrelationSettings, PermutationKind, Quantity, Uptake, Variable

Pair = tuple[Quantity, Quantity]
"""What a correlation is between: its x and its y."""


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
    regions_left_out : sequence of str
        Regions that are described and take part in no test.
    warnings : sequence of str
    figures : mapping of str to bytes
        SVG by name: ``forest``, ``scans``, ``response``.
    scatters : sequence of (str, bytes)
        Title and SVG of each scatter plot.
    journal : sequence of JournalFigure
        Figures for a paper.
    """

    template: ClassVar[str] = "correlate.html.j2"

    record: Mapping[str, Any]
    settings: CorrelationSettings
    correlations: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)
    serial: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    flow: Sequence[tuple[str, Sequence[tuple[str, int]]]]
    regions_left_out: Sequence[str]
    warnings: Sequence[str]
    figures: Mapping[str, bytes] = field(repr=False)
    scatters: Sequence[tuple[str, bytes]] = field(repr=False)
    journal: Sequence[JournalFigure] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        correlations, settings = self.correlations, self.settings
        parts = wording.Parts(
            suv="suv" in self.record["inputs"],
            serial=len(self.serial) > 0,
            response=len(self.response) > 0,
            response_sampled=any(
                method.kind is PermutationKind.RANDOM for method in self.response["p_method"].dropna()
            ),
            normality=bool(self.serial["shapiro_p"].notna().any()),
            groups=bool(self.response["p"].notna().any()),
            trend=bool(self.response["p_trend"].notna().any()),
        )
        return {
            "record": self.record,
            "settings": settings,
            "measure": settings.measure,
            "measure_said": measure_axis(settings),
            "tissue": len(correlations) > 0,
            "title": wording.title(settings, tissue=len(correlations) > 0),
            "question": wording.question(
                settings, correlations[["x", "y"]].head(1).to_numpy().ravel().tolist()
            ),
            "could": wording.what_could_be_found(correlations, settings),
            "found": wording.what_was_found(correlations, settings) if len(correlations) else "",
            "methods": wording.methods(correlations, settings, parts),
            "adjustment": wording.ADJUSTMENT_NAMES[settings.adjust],
            "interval_of": wording.interval(settings),
            "headings": wording.summary_headings(settings),
            "family_names": wording.family_names(settings),
            "families": [
                (name, group.to_dict("records")) for name, group in correlations.groupby("family", sort=False)
            ],
            "attainable": _attainable(correlations),
            "notes": _notes(correlations),
            "correlations_n": len(correlations),
            "with_t": bool(correlations["p_t"].notna().any()),
            **{
                name: getattr(self, name).to_dict("records")
                for name in ("summary", "serial", "response", "unmatched")
            },
            "flow": self.flow,
            "regions_left_out": self.regions_left_out,
            "warnings": self.warnings,
            "figures": {name: svg_uri(svg) for name, svg in self.figures.items()},
            "scatters": [(title, svg_uri(svg)) for title, svg in self.scatters],
            "journal": figure_uris(self.journal),
        }


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

    template: ClassVar[str] = "agree.html.j2"

    record: Mapping[str, Any]
    measures: pd.DataFrame = field(repr=False)
    classes: Sequence[Sequence[int]]
    class_names: Sequence[str]
    unmatched: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]
    figure: bytes = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        measures = self.measures.to_dict("records")
        return {
            "record": self.record,
            "measures": measures,
            "by_name": {row["measure"]: row for row in measures},
            "classes": self.classes,
            "class_names": self.class_names,
            "unmatched": self.unmatched.to_dict("records"),
            "warnings": self.warnings,
            "figure": svg_uri(self.figure),
        }


def forest_names(pairs: Sequence[Pair]) -> list[str]:
    """What each line of the forest plot is called: x, and y where it is not the same in all lines."""
    if all(isinstance(y, Variable) for _, y in pairs):
        return [f"{x.name}\nagainst {y.name}" for x, y in pairs]
    if len({y for _, y in pairs}) < 2:
        return [x.name for x, _ in pairs]
    return [f"{x.name}, {spoken(y.parts[-1])}" for x, y in pairs]


def forest_texts(correlations: pd.DataFrame) -> list[str]:
    """What stands beside each line of the forest plot."""
    return [
        f"ρ {format_rho(row['rho'])}   n {row['n']}   adj. P {format_p(row['p_adjusted'])}"
        + ("   interval not estimable" if pd.isna(row["rho_low"]) and pd.notna(row["rho"]) else "")
        for row in correlations.to_dict("records")
    ]


def measure_axis(settings: CorrelationSettings) -> str:
    """Name of what is studied of the lesions, with its unit."""
    measure = settings.measure
    return f"{spoken(measure.name)} ({measure.unit})" if measure.unit else spoken(measure.name)


def axis_name(quantity: Quantity, settings: CorrelationSettings) -> str:
    """Name of an axis, with its unit; a ratio of densities and an SUV have none of their own."""
    if isinstance(quantity, Uptake):
        unit = f" ({settings.measure.unit})" if settings.measure.unit else ""
        return f"{spoken(quantity.name)}{unit}, {spoken(settings.timepoint)}"
    if isinstance(quantity, Change):
        return spoken(quantity.name)
    column = quantity.column or settings.density
    if quantity.over is not None:
        return quantity.name
    if column.endswith("_per_mm2"):
        return f"{quantity.name}, cells per mm²"
    return quantity.name if quantity.column else f"{quantity.name}, {column}"


def scatter_title(row: Mapping[Hashable, Any]) -> tuple[str, str]:
    """Title of a scatter plot in two lines, from its row of the correlations."""
    adjusted = f", adjusted {format_p(row['p_adjusted'])}" if row["n_tests"] > 1 else ""
    return row["x"], f"ρ = {format_rho(row['rho'])}, n = {row['n']}, {equals_p(row['p'])}{adjusted}"


def _attainable(correlations: pd.DataFrame) -> list[tuple[list[str], list[str]]]:
    """What tests could have found: the densities of which the same is said, and what is said."""
    said: dict[tuple[str, ...], list[str]] = {}
    for row in correlations.to_dict("records"):
        powers = (
            f"{format_percent(row[f'power_rho_{at}'])}; {format_percent(row[f'power_adjusted_rho_{at}'])}"
            for at in ("05", "07")
        )
        cells = (
            row["y"], str(row["n"]), format_p(row["p_smallest"]), format_p(row["p_smallest_adjusted"]),
            format_rho(row["rho_needed"]), format_rho(row["rho_needed_adjusted"]), *powers,
        )  # fmt: skip
        said.setdefault(cells, []).append(row["x"])
    return [(names, list(cells)) for cells, names in said.items()]


def _notes(correlations: pd.DataFrame) -> dict[str, list[str]]:
    """What is missing and why: each note with the tests that it is about."""
    notes: dict[str, list[str]] = {}
    for row in correlations[correlations["note"] != ""].to_dict("records"):
        notes.setdefault(row["note"], []).append(f"{row['x']}, {row['y']}")
    return notes
