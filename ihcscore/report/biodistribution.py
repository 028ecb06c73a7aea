"""The page of uptake by organ, its figure and its sentences for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ihcscore.report.figures import BLUE, ORANGE, plain_ticks
from ihcscore.report.journal import JournalFigure, Width, journal_figure
from ihcscore.report.manuscript import captions, figure_uris
from ihcscore.report.numbers import equals_p, format_p, spoken
from ihcscore.report.sentences import exact_and_spss, listed, median_iqr, say_percent
from ihcscore.report.wording import ADJUSTMENT_NAMES
from ihcscore.schema import ORGANS, Adjustment, BiodistributionSettings

_SKEWED = 20.0
_SIDE = 0.17


@dataclass(frozen=True, kw_only=True)
class BiodistributionPage:
    """What the page of organs shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    settings : BiodistributionSettings
    organs : DataFrame
        As in ``organs.csv``.
    warnings : sequence of str
    figures : sequence of JournalFigure
    """

    template: ClassVar[str] = "biodistribution.html.j2"

    record: Mapping[str, Any]
    settings: BiodistributionSettings
    organs: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]
    figures: Sequence[JournalFigure] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        return {
            "record": self.record,
            "settings": self.settings,
            "could": could_be_found(self.organs, self.settings),
            "found": what_was_found(self.organs, self.settings),
            "adjustment": ADJUSTMENT_NAMES[self.settings.adjust],
            "organs": self.organs.to_dict("records"),
            "after": listed([spoken(name) for name in self.settings.after], "or"),
            "methods": methods(self.settings),
            "warnings": self.warnings,
            "figures": figure_uris(self.figures),
        }


def could_be_found(organs: pd.DataFrame, settings: BiodistributionSettings) -> tuple[str, str]:
    """What the organs could have shown, and how grave it is."""
    tests = organs[organs["p"].notna()]
    if tests.empty:
        return "red", "No organ could be compared: no patient has it at both scans, or nothing changed."
    least, adjusted = float(tests["p_smallest"].min()), float(tests["p_smallest_adjusted"].min())
    size = f"{len(tests)} organs with {tests['n_pairs'].min()} to {tests['n_pairs'].max()} pairs"
    text = f"With {size}, the smallest two-sided P that an organ could have given is {format_p(least)}"
    if least >= settings.alpha:
        return "red", f"{text}: no result could have been significant, whatever the uptake."
    if adjusted >= settings.alpha:
        return "red", (
            f"{text}, after adjustment {format_p(adjusted)}: nothing could have been significant after "
            "adjustment."
        )
    return "plain", f"{text}, after adjustment {format_p(adjusted)}."


def what_was_found(organs: pd.DataFrame, settings: BiodistributionSettings) -> str:
    """What came out before and after adjustment over the organs."""
    tests = organs[organs["p"].notna()]
    if tests.empty:
        return "No organ could be compared."
    alone, kept = tests[tests["p"] < settings.alpha], tests[tests["p_adjusted"] < settings.alpha]
    told = [f"{row['organ']} ({equals_p(row['p'])})" for row in alone.to_dict("records")]
    first = (
        f"Each organ by itself, {len(alone)} of {len(tests)} changed with P < {settings.alpha:g}"
        f"{': ' + listed(told) if told else ''}."
    )
    if settings.adjust is Adjustment.NONE:
        return f"{first} Nothing was adjusted for {len(tests)} tests."
    over = f"After adjustment over {len(tests)} organs ({ADJUSTMENT_NAMES[settings.adjust]})"
    if kept.empty:
        return (
            f"{first} {over} none remains: the smallest adjusted P is {format_p(tests['p_adjusted'].min())}."
        )
    names = [f"{row['organ']} ({equals_p(row['p_adjusted'])})" for row in kept.to_dict("records")]
    return f"{first} {over} there remain{'s' if len(kept) == 1 else ''} {listed(names)}."


def methods(settings: BiodistributionSettings) -> str:
    """A paragraph for a manuscript."""
    adjusted = (
        "P values were not adjusted for the number of organs."
        if settings.adjust is Adjustment.NONE
        else f"P values were adjusted over the organs ({ADJUSTMENT_NAMES[settings.adjust]})."
    )
    return (
        f"{spoken(settings.suv)} of healthy organs, both sides averaged, was compared between scans by the "
        "exact Wilcoxon signed-rank test with the patient as the unit (zeros ranked after Pratt), with the "
        f"Hodges-Lehmann shift and its 95 % interval. {adjusted} Values are medians with interquartile "
        "ranges."
    )


def results(page: BiodistributionPage) -> str:
    """The sentences as Markdown."""
    suv = spoken(page.settings.suv)
    lines = ["# Biodistribution", "", what_was_found(page.organs, page.settings), ""]
    for row in page.organs.to_dict("records"):
        text = f"- {row['organ']}: {suv} "
        text += median_iqr(row["median_before"], row["q1_before"], row["q3_before"])
        text += f" in {row['n_before']} patients before and "
        text += median_iqr(row["median_after"], row["q1_after"], row["q3_after"])
        text += f" in {row['n_after']} during treatment"
        if pd.notna(row["p"]):
            p = exact_and_spss(row["p"], row["p_asymptotic"], "Wilcoxon")
            change = say_percent(row["change_of_medians_pct"])
            text += (
                f"; {row['n_pairs']} pairs: medians {change}, median change "
                f"{say_percent(row['median_change_pct'])} ({p}; adjusted {equals_p(row['p_adjusted'])})"
            )
        lines.append(text)
    return "\n".join([*lines, "", "## Methods", "", methods(page.settings), "", *captions(page.figures)])


def organ_figure(organs: pd.DataFrame, settings: BiodistributionSettings) -> JournalFigure:
    """Medians and quartiles of each organ before and during treatment, highest at the left."""
    values = organs[["q1_before", "q3_before", "q1_after", "q3_after"]].to_numpy(float)
    positive = values[values > 0]
    logarithmic = len(positive) > 0 and float(positive.max()) > _SKEWED * float(positive.min())
    logarithmic = logarithmic and not (values <= 0).any()

    def paint(figure: Figure, *, width: Width) -> None:
        axes = figure.add_subplot()
        places = np.arange(len(organs))
        after = listed([spoken(name) for name in settings.after], "or")
        for when, aside, colour, marker, label in (
            ("before", -_SIDE, BLUE, "o", spoken(settings.before)),
            ("after", _SIDE, ORANGE, "s", after if width is Width.PAGE else "during treatment"),
        ):
            axes.vlines(
                places + aside, organs[f"q1_{when}"], organs[f"q3_{when}"], color=colour, linewidth=1.1
            )
            axes.plot(
                places + aside, organs[f"median_{when}"], marker, color=colour, markersize=3.6, label=label
            )
        if logarithmic:
            axes.set_yscale("log")
            plain_ticks(axes, "y", *axes.get_ylim(), nought=False)
        else:
            axes.set_ylim(bottom=0)
        axes.set_xticks(places, organs["organ"], rotation=45, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.6, max(len(organs), 1) - 0.4)
        axes.set_ylabel(f"{spoken(settings.suv)}{', logarithmic' if logarithmic else ''}")
        axes.legend(frameon=False, loc="upper right", handletextpad=0.3)

    return journal_figure(
        "organs",
        paint,
        data=organs,
        table=ORGANS,
        caption=(
            f"{spoken(settings.suv)} of organs before and during treatment: points, medians of all patients "
            "at each scan; lines, interquartile ranges."
        ),
        height_mm=80.0,
    )
