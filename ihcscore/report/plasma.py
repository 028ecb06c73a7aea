"""The page of activity in plasma, its figures and its sentences for a paper."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import pandas as pd
from matplotlib.figure import Figure

from ihcscore.report.figures import BLUE, ORANGE
from ihcscore.report.journal import JournalFigure, Width, journal_figure
from ihcscore.report.manuscript import captions, figure_uris
from ihcscore.report.numbers import equals_p, format_fixed, format_p, format_value, spoken
from ihcscore.report.sentences import exact_and_spss, listed, mean_sd, number_of, say_percent, say_plain, span
from ihcscore.report.wording import ADJUSTMENT_NAMES
from ihcscore.schema import (
    PLASMA_TIMES,
    Adjustment,
    AucRule,
    CurveFit,
    PlasmaQuantity,
    PlasmaSettings,
)

NAMES = {
    PlasmaQuantity.SUV: "SUV in plasma",
    PlasmaQuantity.INTACT: "intact tracer (%)",
    PlasmaQuantity.PARENT: "SUV of the intact tracer",
}
"""What each quantity is called."""

_ASIDE = 0.006


@dataclass(frozen=True, kw_only=True)
class PlasmaPage:
    """What the page of plasma shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    settings : PlasmaSettings
    times, comparison, patients : DataFrame
        As in the files of these names.
    warnings : sequence of str
    figures : sequence of JournalFigure
    """

    template: ClassVar[str] = "plasma.html.j2"

    record: Mapping[str, Any]
    settings: PlasmaSettings
    times: pd.DataFrame = field(repr=False)
    comparison: pd.DataFrame = field(repr=False)
    patients: pd.DataFrame = field(repr=False)
    warnings: Sequence[str]
    figures: Sequence[JournalFigure] = field(repr=False)

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        return {
            "record": self.record,
            "settings": self.settings,
            "could": could_be_found(self.comparison, self.settings),
            "found": what_was_found(self.comparison, self.settings),
            "half_lives": half_lives(self.patients),
            "adjustment": ADJUSTMENT_NAMES[self.settings.adjust],
            "after": listed([spoken(name) for name in self.settings.after], "or"),
            "names": NAMES,
            "times": self.times.to_dict("records"),
            "comparison": self.comparison.to_dict("records"),
            "patients": self.patients.to_dict("records"),
            "methods": methods(self.settings),
            "warnings": self.warnings,
            "figures": figure_uris(self.figures),
        }


def could_be_found(comparison: pd.DataFrame, settings: PlasmaSettings) -> tuple[str, str]:
    """What the pairs could have shown, and how grave it is."""
    primary = comparison[comparison["role"] == "primary"].iloc[0]
    n, least = int(primary["n"]), primary["p_smallest"]
    if pd.isna(least):
        return (
            "red",
            f"{primary['what']} could not be compared: no patient has it at both scans, or none changed.",
        )
    size = number_of(n, "pair")
    text = f"The primary test is {primary['what']} of the SUV with {size}"
    if least >= settings.alpha:
        return "red", (
            f"{text}: {size} cannot go below P = {least:.4g} in the exact two-sided test, even if all change "
            "in one direction, so no such result can be significant. An asymptotic P below 0.05 (as SPSS "
            "prints it) is not evidence here: with 5 pairs it is 0.0431 at best, with 4 pairs 0.0679."
        )
    return "plain", f"{text}; the smallest exact two-sided P that it could have given is {format_p(least)}."


def what_was_found(comparison: pd.DataFrame, settings: PlasmaSettings) -> str:
    """The primary result, and how many minutes differ."""
    primary = comparison[comparison["role"] == "primary"].iloc[0]
    if pd.isna(primary["p"]):
        return f"{primary['what']} could not be compared."
    text = (
        f"{primary['what']} of the SUV in {number_of(int(primary['n']), 'patient')}: ratio during / before "
        f"{format_fixed(primary['ratio'])}{_interval(primary)} "
        f"({exact_and_spss(primary['p'], primary['p_asymptotic'], 'Wilcoxon')}; paired t "
        f"{equals_p(primary['p_t'])})."
    )
    times = comparison[(comparison["quantity"] == PlasmaQuantity.SUV) & comparison["minute"].notna()]
    tests = times[times["p"].notna()]
    below = tests[tests["p_adjusted"] < settings.alpha]
    how = (
        f"without adjustment for {len(tests)} tests"
        if settings.adjust is Adjustment.NONE
        else f"after adjustment over {len(tests)} minutes ({ADJUSTMENT_NAMES[settings.adjust]})"
    )
    named = f": {listed(below['what'].tolist())}" if len(below) else ""
    return f"{text} By minute, {len(below)} of {len(tests)} differ with P < {settings.alpha:g} {how}{named}."


def half_lives(patients: pd.DataFrame) -> str:
    """How many curves have half-lives."""
    own = patients[patients["quantity"] == PlasmaQuantity.SUV]
    found = own["half_life_2_min"].notna()
    slope = own["half_life_slope_min"].dropna()
    text = f"By the slope of the last three samples {len(slope)} of {len(own)} curves have a half-life"
    if len(slope):
        text += f" (median {say_plain(slope.median())} min, {span(slope.min(), slope.max(), say_plain)})"
    return (
        f"{text}; it reads too short where the curve still bends. Two half-lives are identifiable in "
        f"{int(found.sum())} of {len(own)} curves; where AICc does not prefer two, or an interval has no "
        "end, none is given."
    )


def methods(settings: PlasmaSettings) -> str:
    """A paragraph for a manuscript."""
    rule = "linear trapezoids" if settings.auc is AucRule.LINEAR else "linear trapezoids up, logarithmic down"
    fitted = "logarithms" if settings.fit is CurveFit.LOG else "values"
    adjusted = (
        "were not adjusted for the number of minutes"
        if settings.adjust is Adjustment.NONE
        else f"were adjusted over the minutes ({ADJUSTMENT_NAMES[settings.adjust]})"
    )
    return (
        "Activity in plasma was corrected for decay to the injection and given as SUV (1 g/ml). The "
        f"primary comparison was the area under the curve over the sampled minutes ({rule}), by the exact "
        "Wilcoxon signed-rank test with the patient as the unit (zeros ranked after Pratt); the ratio is a "
        "geometric mean with a 95 % interval by Student's t on the logarithm. P values of the single minutes "
        f"{adjusted}. Half-lives follow from the slope of the logarithm over the last three samples, and "
        f"from two exponentials fitted to {fitted} of each patient's curve where AICc preferred them and the "
        "intervals of both half-lives were finite."
    )


def results(page: PlasmaPage) -> str:
    """The sentences as Markdown."""
    lines = ["# Activity in plasma", "", what_was_found(page.comparison, page.settings), ""]
    lines += [could_be_found(page.comparison, page.settings)[1], "", half_lives(page.patients), ""]
    for quantity, rows in page.times.groupby("quantity", sort=False):
        lines += [f"## {NAMES[PlasmaQuantity(str(quantity))]}", ""]
        tests = page.comparison[page.comparison["quantity"] == quantity]
        for row in tests[tests["minute"].isna()].to_dict("records"):
            lines.append(f"- {row['what']}: {_said(row)}")
        for minute, at in rows.groupby("minute", sort=True):
            sides = [
                f"{spoken(row['timepoint'])} {mean_sd(row['mean'], row['sd'], say=say_plain, unit='')} "
                f"(n = {row['n']})"
                for row in at.to_dict("records")
            ]
            (own,) = tests[tests["minute"] == minute].to_dict("records")
            lines.append(f"- {minute:g} min: {', '.join(sides)}; {_said(own)}")
        lines.append("")
    return "\n".join([*lines, "## Methods", "", methods(page.settings), "", *captions(page.figures)])


def plasma_figures(times: pd.DataFrame, settings: PlasmaSettings) -> list[JournalFigure]:
    """Mean ± SD of each quantity over time, before and during treatment."""
    drawn = []
    for quantity, rows in times.groupby("quantity", sort=False):
        name = NAMES[PlasmaQuantity(str(quantity))]
        n = rows.groupby("timepoint", sort=False)["n"]
        sizes = listed(
            [
                f"{spoken(str(scan))}, n = {own.min()}"
                + (f" to {own.max()}" if own.max() > own.min() else "")
                for scan, own in n
            ]
        )
        drawn.append(
            journal_figure(
                f"plasma-{quantity}",
                partial(_paint, rows=rows, label=f"{name[0].upper()}{name[1:]}", before=settings.before),
                data=rows,
                table=PLASMA_TIMES,
                caption=(
                    f"{name[0].upper()}{name[1:]} over time after injection: points, means of all patients; "
                    f"bars, standard deviations ({sizes})."
                ),
            )
        )
    return drawn


def _paint(figure: Figure, /, *, width: Width, rows: pd.DataFrame, label: str, before: str) -> None:
    axes = figure.add_subplot()
    aside = _ASIDE * float(rows["minute"].max())
    for scan, own in rows.groupby("timepoint", sort=False):
        first = scan == before
        axes.errorbar(
            own["minute"] + (-aside if first else aside),
            own["mean"],
            yerr=own["sd"].fillna(0),
            fmt="o-" if first else "s-",
            color=BLUE if first else ORANGE,
            markersize=3.6,
            linewidth=1.1,
            capsize=2,
            label=spoken(str(scan)) if width is Width.PAGE or first else "during treatment",
        )
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Minutes after injection")
    axes.set_ylabel(label)
    axes.legend(frameon=False, loc="best", handletextpad=0.5)


def _said(row: Mapping[Hashable, Any]) -> str:
    """A comparison in words."""
    if pd.isna(row["p"]):
        return f"not compared ({row['note']})"
    adjusted = "" if pd.isna(row["minute"]) else f"; adjusted {equals_p(row['p_adjusted'])}"
    return (
        f"{number_of(int(row['n']), 'pair')}, median change {say_percent(row['median_change_pct'])}, ratio "
        f"{format_value(row['ratio'])}{_interval(row)} "
        f"({exact_and_spss(row['p'], row['p_asymptotic'], 'Wilcoxon')}; paired t {equals_p(row['p_t'])}; "
        f"smallest attainable P = {row['p_smallest']:.4g}{adjusted})"
    )


def _interval(row: Mapping[Hashable, Any] | pd.Series) -> str:
    if pd.isna(row["ratio_low"]):
        return ""
    return f" (95 % interval {format_fixed(row['ratio_low'])} to {format_fixed(row['ratio_high'])})"
