"""A study's figures for a paper: patients by marker, and lesions by scan."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from ihcscore.report.figures import BLUE, INK, ORANGE, SOFT
from ihcscore.report.journal import JournalFigure, Width, journal_figure, median_bars
from ihcscore.report.numbers import spoken
from ihcscore.report.sentences import COUNTS
from ihcscore.schema import LESION_POINTS, PATIENT_DENSITIES

_COLOURS = (BLUE, ORANGE, "#2f8f5b", "#8a4fb0", SOFT, "#b59b00")
_GROUP = 0.8
_SPREAD = 0.2
_LETTERS = {Width.COLUMN: 9, Width.PAGE: 18}


def patients(table: pd.DataFrame, *, density: str) -> JournalFigure:
    """Mean ± SD by patient and marker, a panel a region.

    Parameters
    ----------
    table : DataFrame
        The columns of :data:`ihcscore.schema.PATIENT_DENSITIES`.
    density : str
        Column of the scores that it is of.
    """
    regions = list(dict.fromkeys(table["region"]))
    markers, names = sorted(set(table["marker"])), sorted(set(table["patient_id"]))
    unit = COUNTS if density.endswith("_per_mm2") else density

    def paint(figure: Figure, *, width: Width) -> None:
        step = _GROUP / len(markers)
        for panel, region in enumerate(regions, 1):
            axes = figure.add_subplot(len(regions), 1, panel)
            for at, marker in enumerate(markers):
                own = table[(table["region"] == region) & (table["marker"] == marker)]
                places = np.array([names.index(name) for name in own["patient_id"]], float)
                places += (at + 0.5) * step - _GROUP / 2
                colour = _COLOURS[at % len(_COLOURS)]
                axes.bar(places, own["mean"], 0.9 * step, color=colour, label=marker)
                sd = own["sd"].fillna(0).to_numpy(float)
                axes.errorbar(
                    places, own["mean"], yerr=sd, fmt="none", ecolor=INK, elinewidth=0.7, capsize=1.2
                )
            turned = len(names) > (6 if width is Width.COLUMN else 14)
            axes.set_xticks(range(len(names)), names, rotation=90 if turned else 0)
            axes.set_xlim(-0.6, len(names) - 0.4)
            axes.set_ylim(bottom=0)
            axes.set_title(region)
        figure.supylabel(unit, fontsize="medium")
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(markers), 4), frameon=False)

    return journal_figure(
        "patients",
        paint,
        data=table,
        table=PATIENT_DENSITIES,
        caption=(
            f"Positive cells ({unit}) by patient and marker: mean ± SD between the fields of a patient's "
            "sample, or between samples where there are several."
        ),
        height_mm=25.0 + 45.0 * len(regions),
    )


def lesions(table: pd.DataFrame, *, axis: str) -> JournalFigure:
    """Single lesions by scan, with the median as a line and the quartiles as a bar.

    Parameters
    ----------
    table : DataFrame
        The columns of :data:`ihcscore.schema.LESION_POINTS`, the scans in their order.
    axis : str
        Name of what is drawn, with its unit.
    """
    scans = list(dict.fromkeys(table["timepoint"]))
    groups = [table[table["timepoint"] == scan] for scan in scans]
    # Points are spread by a number of their own, the same each time.
    aside = [np.random.default_rng(at).uniform(-_SPREAD, _SPREAD, len(own)) for at, own in enumerate(groups)]

    def paint(figure: Figure, *, width: Width) -> None:
        axes = figure.add_subplot()
        said = []
        for at, (scan, own) in enumerate(zip(scans, groups, strict=True)):
            axes.plot(at + aside[at], own["value"], "o", color=BLUE, alpha=0.55, markersize=3, mew=0)
            first = own.iloc[0]
            median_bars(axes, at, (first["q1"], first["median"], first["q3"]), half=0.26)
            name = textwrap.fill(spoken(str(scan)), _LETTERS[width])
            said.append(f"{name}\n{len(own)} ({own['patient_id'].nunique()})")
        axes.set_xticks(range(len(scans)), said)
        axes.set_xlim(-0.6, len(scans) - 0.4)
        if (table["value"] >= 0).all():
            axes.set_ylim(bottom=0)
        axes.set_ylabel(axis)

    return journal_figure(
        "lesions",
        paint,
        data=table,
        table=LESION_POINTS,
        caption=(
            f"{axis} of single lesions by scan: points, lesions; thick lines, medians; bars, interquartile "
            "ranges. Below each scan: lesions, in brackets patients."
        ),
        height_mm=75.0,
    )
