"""Waterfall and spider plots of response, for page and paper."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from ihcscore.report.figures import LINE, SOFT
from ihcscore.report.journal import JournalFigure, Width, journal_figure
from ihcscore.schema import BEST_RESPONSE, VISITS, RecistCode

# Told apart in print without colour, too: from dark to light, progression warm.
COLOURS = {
    RecistCode.CR: "#123c7c",
    RecistCode.PR: "#4f8fd9",
    RecistCode.SD: "#a9b0ba",
    RecistCode.NON_CR_NON_PD: "#a9b0ba",
    RecistCode.PD: "#c2571a",
    RecistCode.NE: "#ffffff",
}
_WORDS = {
    RecistCode.CR: "complete response",
    RecistCode.PR: "partial response",
    RecistCode.SD: "stable disease",
    RecistCode.NON_CR_NON_PD: "non-CR/non-PD",
    RecistCode.PD: "progressive disease",
    RecistCode.NE: "not evaluable",
}
PROGRESSION_PCT, RESPONSE_PCT = 20.0, -30.0
"""Where the sum of diameters becomes progression (from the smallest sum) and response (from baseline)."""
_MOST_PCT = 100.0
_DAYS_A_WEEK = 7


def waterfall(visits: pd.DataFrame, response: pd.DataFrame) -> JournalFigure:
    """Each patient's best change of the sum of diameters, the largest growth at the left.

    Parameters
    ----------
    visits, response : DataFrame
        As in ``visits.csv`` and ``response.csv``.
    """
    shown = response[response["best_change_pct"].notna()]
    shown = shown.sort_values(["best_change_pct", "patient_id"], ascending=[False, True])
    with_new = set(visits.loc[visits["new_lesion"] == "yes", "patient_id"])

    def paint(figure: Figure, *, width: Width) -> None:
        axes = figure.add_subplot()
        heights = shown["best_change_pct"].to_numpy(float)
        drawn = np.minimum(heights, _MOST_PCT)
        places = np.arange(len(shown))
        codes = [RecistCode(str(one)) for one in shown["best"]]
        axes.bar(
            places, drawn, width=0.72, color=[COLOURS[code] for code in codes], edgecolor="black",
            linewidth=0.5,
        )  # fmt: skip
        for place, height, patient in zip(places, heights, shown["patient_id"], strict=True):
            _mark_bar(axes, float(place), float(height), new=patient in with_new)
        axes.axhline(0, color="black", linewidth=0.6)
        for level in (PROGRESSION_PCT, RESPONSE_PCT):
            axes.axhline(level, color=SOFT, linewidth=0.7, linestyle=(0, (4, 3)))
        low, high = min(drawn.min(initial=0), RESPONSE_PCT - 5), max(drawn.max(initial=0), PROGRESSION_PCT)
        axes.set_ylim(max(low - 8, -112), high + 14)
        crowded = len(shown) > (12 if width is Width.COLUMN else 30)
        axes.set_xticks(places, list(shown["patient_id"]), rotation=90 if crowded else 0)
        axes.tick_params(axis="x", length=0)
        axes.set_xlim(-0.7, max(len(shown), 1) - 0.3)
        axes.set_ylabel("Best change of the sum\nof diameters (%)")
        _legend(axes, codes, width)

    n_left = len(response) - len(shown)
    left = f" {n_left} patients without a sum after baseline are not shown." if n_left else ""
    star = " *, new lesion." if with_new & set(shown["patient_id"]) else ""
    cut = (
        " Bars end at +100 %, the number stands above."
        if (shown["best_change_pct"] > _MOST_PCT).any()
        else ""
    )
    return journal_figure(
        "waterfall",
        paint,
        data=shown,
        table=BEST_RESPONSE,
        caption=(
            f"Best change of the sum of target lesions from baseline in {len(shown)} patients, by best "
            f"response (RECIST 1.1). Dashed: +20 % and −30 %.{star}{cut}{left}"
        ),
    )


def _mark_bar(axes: Axes, place: float, height: float, *, new: bool) -> None:
    """What stands at a bar's end: its number where it is cut, and a star for a new lesion."""
    text = f"+{height:.0f}" if height > _MOST_PCT else ""
    text += "*" if new else ""
    if text:
        end = min(height, _MOST_PCT)
        above = end >= 0
        axes.annotate(
            text, (place, end), xytext=(0, 1.5 if above else -1.5), textcoords="offset points", ha="center",
            va="bottom" if above else "top",
        )  # fmt: skip


def _legend(axes: Axes, codes: list[RecistCode], width: Width) -> None:
    """The responses that occur, best first."""
    there = [code for code in RecistCode if code in codes]
    handles = [
        Patch(facecolor=COLOURS[code], edgecolor="black", linewidth=0.5, label=_label(code, width))
        for code in there
    ]
    if handles:
        axes.legend(handles=handles, frameon=False, loc="upper right", handlelength=1.1, handleheight=0.9)


def _label(code: RecistCode, width: Width) -> str:
    return str(code) if width is Width.COLUMN or _WORDS[code] == code else f"{_WORDS[code]} ({code})"


def spider(visits: pd.DataFrame, response: pd.DataFrame) -> JournalFigure:
    """Each patient's sum of diameters over time against baseline.

    Parameters
    ----------
    visits, response : DataFrame
        As in ``visits.csv`` and ``response.csv``.
    """
    best = dict(zip(response["patient_id"], response["best"], strict=True))
    drawn = _lines(visits)
    data = pd.concat([line for _, line in drawn]) if drawn else visits[:0]

    def paint(figure: Figure, *, width: Width) -> None:
        axes = figure.add_subplot()
        for level in (PROGRESSION_PCT, RESPONSE_PCT):
            axes.axhline(level, color=SOFT, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
        axes.axhline(0, color=LINE, linewidth=0.7, zorder=0)
        ends = []
        for patient, line in drawn:
            code = RecistCode(str(best[patient]))
            colour = COLOURS[code] if code is not RecistCode.NE else SOFT
            weeks = line["day"].to_numpy(float) / _DAYS_A_WEEK
            change = line["change_from_baseline_pct"].to_numpy(float)
            axes.plot(weeks, change, "-o", color=colour, linewidth=1.1, markersize=2.6)
            first_new = np.flatnonzero(line["new_lesion"].to_numpy(str) == "yes")
            if len(first_new):
                axes.plot(
                    weeks[first_new[0]], change[first_new[0]], "*", color="black", markersize=6, zorder=5
                )
            ends.append((float(weeks[-1]), float(change[-1]), str(patient)))
        _name_ends(axes, ends)
        axes.set_xlabel("Weeks")
        axes.set_ylabel("Change of the sum of\ndiameters from baseline (%)")
        _line_legend(axes, [RecistCode(str(best[patient])) for patient, _ in drawn], width, star=any(
            (line["new_lesion"] == "yes").any() for _, line in drawn
        ))  # fmt: skip

    star = " ★, first visit with a new lesion." if len(data) and (data["new_lesion"] == "yes").any() else ""
    return journal_figure(
        "spider",
        paint,
        data=data[VISITS.names],
        table=VISITS,
        caption=(
            f"Sum of target lesions from baseline on, {len(drawn)} patients with a sum after baseline, by "
            f"best response (RECIST 1.1). Dashed: +20 % and −30 % of baseline.{star}"
        ),
        height_mm=75.0,
    )


def _lines(visits: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Patients with a sum after baseline: their visits with one."""
    found = []
    for patient, rows in visits.groupby("patient_id", sort=True):
        line = rows[rows["sum_mm"].notna()].sort_values("day")
        line = line.assign(
            change_from_baseline_pct=line["change_from_baseline_pct"].where(line["is_baseline"] != "yes", 0.0)
        )
        if len(line) > 1:
            found.append((str(patient), line))
    return found


def _name_ends(axes: Axes, ends: list[tuple[float, float, str]]) -> None:
    """Patients at the right ends of their lines, pushed apart."""
    if not ends:
        return
    low, high = axes.get_ylim()
    gap = (high - low) / 19
    right = max(weeks for weeks, _, _ in ends)
    at = -math.inf
    for weeks, change, name in sorted(ends, key=lambda end: (end[1], end[2])):
        at = max(at + gap, change - gap / 4)
        axes.plot([weeks, right * 1.03], [change, at], color=LINE, linewidth=0.5, zorder=0)
        axes.annotate(
            name,
            (right * 1.03, at),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            annotation_clip=False,
        )
    axes.set_xlim(right=right * 1.04)
    axes.set_ylim(low, max(high, at + gap / 2))


def _line_legend(axes: Axes, codes: list[RecistCode], width: Width, *, star: bool) -> None:
    handles = [
        Line2D([], [], color=COLOURS[code] if code is not RecistCode.NE else SOFT, marker="o", markersize=2.6,
               linewidth=1.1, label=_label(code, width))
        for code in RecistCode if code in codes
    ]  # fmt: skip
    if star:
        handles.append(
            Line2D([], [], color="black", marker="*", markersize=6, linestyle="", label="new lesion")
        )
    if handles:
        axes.figure.legend(
            handles=handles, frameon=False, loc="outside upper center", ncols=3,
            handlelength=1.4, columnspacing=1.0,
        )  # fmt: skip
