"""A study's sentences for a paper: results.md."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import pandas as pd

from ihcscore.report.manuscript import captions
from ihcscore.report.numbers import equals_p, format_p, format_rho, format_value, spoken
from ihcscore.report.sentences import (
    COUNTS,
    Say,
    exact_and_spss,
    listed,
    mean_range,
    mean_sd,
    median_iqr,
    number_of,
    say_count,
    say_percent,
    say_plain,
    say_suv,
    span,
)
from ihcscore.report.study import StudyPage
from ihcscore.schema import CorrelationSettings, Described, Role

Row = Mapping[Hashable, Any]


def results(page: StudyPage, by_patient: pd.DataFrame) -> str:
    """The sentences as Markdown.

    Parameters
    ----------
    page : StudyPage
    by_patient : DataFrame
        The columns of :data:`ihcscore.schema.PATIENT_DENSITIES`.
    """
    said, settings = page.content(), page.settings
    lines = [f"# {said['title']}", ""]
    lines += _part("Uptake" if settings.measure.is_suv else spoken(settings.measure.name), _uptake(page))
    lines += _part("Before and during treatment", _serial(page))
    lines += _part("Tissue", [*_tissue(page.summary, settings), *_patients(by_patient, settings)])
    lines += _part("Correlations", _correlations(page, said))
    lines += _part("Response", _response(page))
    lines += ["## Methods", "", said["methods"], "", *captions(page.journal)]
    return "\n".join(lines)


def _part(heading: str, lines: Iterator[str] | list[str]) -> list[str]:
    """A heading with its lines, if there are any."""
    found = list(lines)
    return [f"## {heading}", "", *found, ""] if found else []


def _say(settings: CorrelationSettings) -> tuple[Say, str]:
    """How a value of a lesion is written, and its unit."""
    measure = settings.measure
    return (say_suv if measure.is_suv else say_plain), measure.unit


def _uptake(page: StudyPage) -> Iterator[str]:
    """Lesions, then patients, then healthy tissue, scan by scan."""
    say, unit = _say(page.settings)
    after = f" {unit}" if unit else ""
    for row in page.summary.to_dict("records"):
        if row["what"] not in (Described.LESIONS, Described.PATIENTS, Described.HEALTHY):
            continue
        many = number_of(row["n"], "lesion") + " of " if row["what"] == Described.LESIONS else ""
        values = median_iqr(row["median"], row["q1"], row["q3"], say=say, unit=unit)
        yield (
            f"- {spoken(row['timepoint'])}: {spoken(row['variable'])} {values}, range "
            f"{span(row['min'], row['max'], say)}{after}, in {many}{number_of(row['n_patients'], 'patient')}"
        )


def _serial(page: StudyPage) -> Iterator[str]:
    say, unit = _say(page.settings)
    measure = spoken(page.settings.measure.name)
    for row in page.serial.to_dict("records"):
        before, during = (
            median_iqr(row[f"median_{when}"], row[f"q1_{when}"], row[f"q3_{when}"], say=say, unit=unit)
            for when in ("before", "after")
        )
        who = (
            f"In {number_of(row['n'], 'lesion')} of {number_of(row['n_patients'], 'patient')}"
            if row["unit"] == "lesion"
            else f"By {row['unit']} ({number_of(row['n'], 'pair')})"
        )
        text = (
            f"- {who}, {measure} was {before} at {spoken(row['before'])} and {during} at "
            f"{spoken(row['after'])}: medians {say_percent(row['change_of_medians_pct'])}, median change "
            f"{say_percent(row['median_change_pct'])} "
            f"({exact_and_spss(row['p'], row['p_asymptotic'], 'Wilcoxon')}; "
            f"smallest that could have come out: {format_p(row['p_smallest'])})"
        )
        if pd.notna(row["p_by_patient"]):
            text += f"; with the signs of a patient's lesions turned together {equals_p(row['p_by_patient'])}"
        yield text


def _tissue(summary: pd.DataFrame, settings: CorrelationSettings) -> Iterator[str]:
    """Densities as papers give them, and ratios."""
    for row in summary.to_dict("records"):
        if row["what"] == Described.DENSITY:
            counts = settings.density.endswith("_per_mm2")
            say, unit = (say_count, COUNTS) if counts else (say_plain, "")
            values = mean_range(row["mean"], row["min"], row["max"], say=say, unit=unit)
        elif row["what"] == Described.RATIO:
            values = mean_range(row["mean"], row["min"], row["max"], say=say_plain, unit="")
        else:
            continue
        yield f"- {row['variable']} {values} in {row['n']} {row['counted']}"


def _patients(by_patient: pd.DataFrame, settings: CorrelationSettings) -> Iterator[str]:
    """Each patient's markers, mean ± SD."""
    counts = settings.density.endswith("_per_mm2")
    say, unit = (say_count, COUNTS) if counts else (say_plain, "")
    for (region, patient), own in by_patient.groupby(["region", "patient_id"], sort=True):
        told = [
            f"{row['marker']} {mean_sd(row['mean'], row['sd'], say=say, unit=unit)}"
            for row in own.to_dict("records")
        ]
        yield f"- {patient}, {region}: {listed(told)}"


def _correlations(page: StudyPage, said: Mapping[str, Any]) -> Iterator[str]:
    """What could have been found, what was, and each primary test."""
    if page.correlations.empty:
        return
    yield from (f"{text}\n" for _, text in said["could"])
    yield f"{said['found']}\n"
    for row in page.correlations[page.correlations["role"] == Role.PRIMARY].to_dict("records"):
        if pd.isna(row["rho"]):
            continue
        interval = (
            "95 % interval not estimable"
            if pd.isna(row["rho_low"])
            else f"95 % interval {format_rho(row['rho_low'])} to {format_rho(row['rho_high'])}"
        )
        yield (
            f"- {row['x']} against {spoken(row['y'])}: ρ = {format_rho(row['rho'])} ({interval}), "
            f"n = {row['n']}, {equals_p(row['p'])}, adjusted {equals_p(row['p_adjusted'])}"
        )


def _response(page: StudyPage) -> Iterator[str]:
    for row in page.response.to_dict("records"):
        yield f"- {_against_response(row)}"


def _against_response(row: Row) -> str:
    name = spoken(row["variable"])
    sides = f"{row['n_responders']} responders and {row['n_others']} others"
    if pd.isna(row["p"]):
        return f"{name}: {sides} could not be compared"
    middle = " and ".join(format_value(row[f"median_{side}"]) for side in ("responders", "others"))
    return (
        f"{name}: median {middle} in {sides} "
        f"({exact_and_spss(row['p'], row['p_asymptotic'], 'Mann-Whitney')}; adjusted within its family "
        f"{equals_p(row['p_adjusted'])}; smallest that could have come out: {format_p(row['p_smallest'])})"
    )
