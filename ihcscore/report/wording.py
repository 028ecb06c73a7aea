"""What a study asked, could have found and found, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from ihcscore.report.numbers import equals_p, format_interval, format_p, format_rho, format_span, spoken
from ihcscore.report.page import render
from ihcscore.schema import (
    Adjustment,
    Attainable,
    CorrelationSettings,
    Described,
    PermutationKind,
    Role,
    Unit,
)

ADJUSTMENT_NAMES = {
    Adjustment.HOLM: "Holm",
    Adjustment.BENJAMINI_HOCHBERG: "Benjamini-Hochberg",
    Adjustment.NONE: "not adjusted",
}
_ADJUSTMENTS = {
    Adjustment.HOLM: "Holm's method",
    Adjustment.BENJAMINI_HOCHBERG: "the method of Benjamini and Hochberg",
    Adjustment.NONE: "no adjustment",
}
# How the density of a region comes from its fields, for those columns that are densities.
_OVER_FIELDS = {
    "mean_per_mm2": "mean over fields",
    "median_per_mm2": "median over fields",
    "positive_per_mm2": "over all fields together",
}
# What the interval of a density leaves room for, by its column.
_INTERVALS = {
    "mean_per_mm2": "95 % interval of the mean over a sample's fields",
    "positive_per_mm2": "95 % interval by the spread between a sample's fields",
}
# Power from which on a study is called able to find what is there.
_ENOUGH_POWER = 0.8


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Which parts a study has beside its correlations, for the methods to name no other.

    Attributes
    ----------
    suv, serial, response : bool
        An uptake table, two scans, responses.
    response_sampled : bool
        Of the responses: whether choices of patients were drawn, because they were too many to count.
    normality : bool
        Of the two scans: whether the differences were enough to be examined.
    groups, trend : bool
        Of the responses: whether two groups could be compared, and a trend tested.
    """

    suv: bool
    serial: bool
    response: bool
    response_sampled: bool = False
    normality: bool = True
    groups: bool = True
    trend: bool = True


def interval(settings: CorrelationSettings) -> str:
    """What the interval of a sample's density is, as the scatter plots show it."""
    return _INTERVALS.get(settings.columns[0], f"interval of a sample's {settings.columns[0]}, if any")


def summary_headings(settings: CorrelationSettings) -> dict[Described, str]:
    """Headings of the parts of the summary."""
    noun = _noun_first(settings)
    return {
        Described.DENSITY: "Positive cells per mm²",
        Described.RATIO: "Ratios of densities",
        Described.LESIONS: f"{noun}, lesion by lesion",
        Described.PATIENTS: f"{noun}, patient by patient",
        Described.HEALTHY: "Healthy tissue, patient by patient",
    }


def family_names(settings: CorrelationSettings) -> dict[str, str]:
    """What the families of tests against response are called on the page."""
    return {"uptake": f"{_noun_first(settings)} and its change", "tissue": "Tissue"}


def _noun_first(settings: CorrelationSettings) -> str:
    noun = settings.measure.noun
    return f"{noun[0].upper()}{noun[1:]}"


def title(settings: CorrelationSettings, *, tissue: bool) -> str:
    """Headline of a study's page."""
    if settings.y is not None:
        return "Two densities"
    noun = settings.measure.noun
    return f"Immune cells and {noun}" if tissue else f"{_noun_first(settings)} of lesions"


def question(settings: CorrelationSettings, variables: Sequence[str]) -> str:
    """What was asked."""
    if not len(variables):
        measure = spoken(settings.measure.name)
        return (
            f"How high is the {measure} of lesions at {spoken(settings.timepoint)}, does it change, and does "
            "it go with response? No tissue takes part."
        )
    if settings.y is not None:
        return f"Do {variables[0]} and {variables[1]} go together across patients?"
    what = "the lesion's" if settings.point is Unit.LESION else "the patient's"
    return (
        f"Does the density of immune cells in {what} tissue go with {what} "
        f"{spoken(settings.measure.name)} at {spoken(settings.timepoint)}? One point is a {settings.point}."
    )


def what_could_be_found(correlations: pd.DataFrame, settings: CorrelationSettings) -> list[tuple[str, str]]:
    """What each family could have found, in words, with how grave it is: red, amber or plain."""
    return [_family_words(group, settings) for _, group in correlations.groupby("family", sort=False)]


def _family_words(group: pd.DataFrame, settings: CorrelationSettings) -> tuple[str, str]:
    tests = group[group["p_smallest"].notna()]
    name = group["family"].iloc[0]
    intro = f"{name[0].upper()}{name[1:]}:"
    if tests.empty:
        return "red", f"{intro} no correlation could be computed."
    could = tests["could_be_significant"]
    if (could == Attainable.NO).all():
        return "red", f"{intro} {_nothing_possible(tests, settings)}"
    if (could != Attainable.YES).all():
        return "red", f"{intro} {_nothing_after_adjustment(tests, settings)}"
    sentences = [intro]
    impossible = tests[could != Attainable.YES]
    if len(impossible):
        sentences.append(
            f"{len(impossible)} of {_tests(tests)} could not have been significant whatever the data: "
            f"{'; '.join(impossible['x'])}."
        )
    sentences.append(_needed(tests, settings))
    weak = float(tests["power_adjusted_rho_07"].max()) < _ENOUGH_POWER
    return "amber" if len(impossible) or weak else "plain", " ".join(sentences)


def _tests(tests: pd.DataFrame) -> str:
    return f"{len(tests)} tests" if len(tests) > 1 else "the one test"


def _size(tests: pd.DataFrame, settings: CorrelationSettings) -> str:
    """Number of points, and of patients where they are fewer."""
    size = f"n = {format_span(tests['n'])} {settings.point}s"
    if (tests["n_patients"] < tests["n"]).any():
        size += f" in {format_span(tests['n_patients'])} patients"
    return size


def _nothing_possible(tests: pd.DataFrame, settings: CorrelationSettings) -> str:
    any_of = "any of " if len(tests) > 1 else ""
    return (
        f"with {_size(tests, settings)}, no result could have been significant, whatever the tissue and the "
        f"{settings.measure.noun}. The smallest two-sided P that {any_of}{_tests(tests)} could have given is "
        f"{format_p(float(tests['p_smallest'].min()))}, above {settings.alpha:g}. That nothing is "
        "significant here says nothing against a correlation."
    )


def _nothing_after_adjustment(tests: pd.DataFrame, settings: CorrelationSettings) -> str:
    return (
        f"with {_size(tests, settings)} and {_tests(tests)}, no result could have been significant after "
        f"adjustment by {_ADJUSTMENTS[settings.adjust]}: the smallest attainable adjusted P is "
        f"{format_p(float(tests['p_smallest_adjusted'].min()))}, even if every test had come out as extreme "
        f"as can be (before adjustment {format_p(float(tests['p_smallest'].min()))})."
    )


def _needed(tests: pd.DataFrame, settings: CorrelationSettings) -> str:
    """How large a correlation had to be, and the chance to find one."""
    could = tests[tests["could_be_significant"] == Attainable.YES]
    over = f"after adjustment by {_ADJUSTMENTS[settings.adjust]} over {_tests(tests)}"
    sentence = (
        f"with {_size(tests, settings)}, a single correlation would have been significant "
        f"(P < {settings.alpha:g}) from |ρ| = {format_span(could['rho_needed'], 2)} on"
    )
    adjusts = settings.adjust is not Adjustment.NONE and len(tests) > 1
    if adjusts and could["rho_needed_adjusted"].notna().any():
        sentence += f", {over} from {format_span(could['rho_needed_adjusted'], 2)}"
    elif adjusts:
        sentence += f"; {over} one alone could not have been"
    if could["power_rho_05"].isna().all():
        return f"{sentence}. The power is not given: it depends on how alike the lesions of a patient are."
    kind = "power_adjusted" if adjusts else "power"
    powers = [
        f"{format_span(could[f'{kind}_rho_{at}'], percent=True)} if ρ was truly {rho}"
        for at, rho in (("05", "0.5"), ("07", "0.7"))
    ]
    return f"{sentence}. The chance to find one was {' and '.join(powers)}."


def what_was_found(correlations: pd.DataFrame, settings: CorrelationSettings) -> str:
    """What came out in the primary family, in a sentence or two."""
    tests = correlations[(correlations["role"] == Role.PRIMARY) & correlations["rho"].notna()]
    if tests.empty:
        return "No correlation could be computed."
    found = tests[tests["p_adjusted"] < settings.alpha]
    adjusted = settings.adjust is not Adjustment.NONE and len(tests) > 1
    after = f" after adjustment by {_ADJUSTMENTS[settings.adjust]}" if adjusted else ""
    if found.empty:
        return _nothing_found(tests, after)
    kind = "adjusted " if adjusted else ""
    named = "; ".join(
        f"{row['x']} (ρ = {format_rho(row['rho'])}, {kind}{equals_p(row['p_adjusted'])})"
        for row in found.to_dict("records")
    )
    if len(tests) == 1:
        return f"The correlation is significant: {named}."
    are = "is" if len(found) == 1 else "are"
    return f"{len(found)} of {len(tests)} correlations {are} significant{after}: {named}."


def _nothing_found(tests: pd.DataFrame, after: str) -> str:
    none = f"None of {len(tests)} correlations is" if len(tests) > 1 else "The correlation is not"
    could = ", and none could have been" if (tests["could_be_significant"] != Attainable.YES).all() else ""
    strongest = tests.iloc[int(tests["rho"].abs().to_numpy().argmax())]
    return (
        f"{none} significant{after}{could}. The strongest is {strongest['x']}: "
        f"ρ = {format_rho(strongest['rho'])} (95 % interval "
        f"{format_interval(strongest['rho_low'], strongest['rho_high'])})."
    )


def methods(correlations: pd.DataFrame, settings: CorrelationSettings, parts: Parts) -> str:
    """A paragraph for a manuscript, with the right names of the tests.

    Parameters
    ----------
    correlations : DataFrame
    settings : CorrelationSettings
    parts : Parts
    """
    kinds = {method.kind for method in correlations["p_method"].dropna()}
    paragraph = render(
        "methods.md.j2",
        {
            "settings": settings,
            "parts": parts,
            "by_lesion": settings.point is Unit.LESION,
            "over_fields": _OVER_FIELDS.get(settings.density, settings.density),
            "all_permutations": PermutationKind.ALL in kinds,
            "random_permutations": PermutationKind.RANDOM in kinds,
            "kept_together": bool((correlations["n_patients"] < correlations["n"]).any()),
            "took_part": _took_part(correlations),
            "adjusts": settings.adjust is not Adjustment.NONE,
            "adjustment": _ADJUSTMENTS[settings.adjust],
            "n_tests": int(correlations.loc[correlations["role"] == Role.PRIMARY, "n_tests"].max())
            if len(correlations)
            else 0,
            "measure": settings.measure,
            "tissue": len(correlations) > 0,
        },
    )
    return " ".join(paragraph.split())


def _took_part(correlations: pd.DataFrame) -> dict[str, bool]:
    """What any correlation has: an interval asks for four units, a power for a lesion a patient."""
    columns = {
        "intervals": "rho_low",
        "bootstrap": "rho_low_bca",
        "kendall": "p_tau_b",
        "smallest": "p_smallest",
        "power": "power_rho_05",
    }
    return {name: bool(correlations[column].notna().any()) for name, column in columns.items()}
