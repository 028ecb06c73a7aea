"""Figures of a study, drawn by matplotlib's objects: no window, no state, the same bytes every time."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from ihcscore.schema import Role

INK, SOFT, LINE, BLUE, ORANGE = "#1e1e22", "#63636b", "#d9d9de", "#2a62c8", "#c2571a"

_STYLE: Any = {  # the type of matplotlib's own lists each key
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "svg.hashsalt": "ihcscore",  # else ids are random
    "svg.fonttype": "path",
    "text.parse_math": False,  # a dollar in an id is a dollar
}
_PNG_DPI = 200
# From here on a density is drawn on a logarithmic axis: largest over smallest.
_SKEWED = 30.0
_MOST_LABELS = 60
# Between A4's margins of 14 mm: figures fill a printed page, so that their letters keep their size.
PAGE_INCH = 7.1
# Two side by side, each in a frame.
_HALF_INCH = 3.3
# On paper nothing is smaller than 8 pt.
SMALL_PT = 8
# Ends of steps within a decade, from few ticks to many.
_DECADE_STEPS = (
    (1.0,),
    (1.0, 3.0),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
)
_FEWEST_TICKS, _MOST_TICKS = 4, 9


def draw(
    paint: Callable[[Figure], None],
    *,
    size_inch: tuple[float, float],
    style: Mapping[str, Any] | None = None,
    dpi: int = _PNG_DPI,
) -> dict[str, bytes]:
    """A figure as PNG and SVG, by format: painted and laid out once, written twice.

    Parameters
    ----------
    paint : callable
        Draws on the figure that it gets.
    size_inch : (float, float)
        Width and height.
    style : mapping of str to Any, optional
        Settings of matplotlib that differ from those of a page's figures.
    dpi : int
        Of the PNG.
    """
    with mpl.rc_context(_STYLE | dict(style or {})), warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=size_inch, layout="constrained")
        FigureCanvasAgg(figure)
        paint(figure)
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # else each format is laid out anew
        written = {}
        for kind, metadata in (("svg", {"Date": None, "Creator": None}), ("png", {"Software": None})):
            stream = io.BytesIO()
            figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata)
            written[kind] = stream.getvalue()
    return written


def scatter(points: pd.DataFrame, *, x: str, y: str, title: str) -> dict[str, bytes]:
    """Points with their intervals, each labelled by its patient.

    Parameters
    ----------
    points : DataFrame
        Columns patient_id, lesion_id, x, y and the ends x_low, x_high, y_low, y_high, NaN where a point
        has no interval.
    x, y : str
        Names of the axes.
    title : str
    """

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        place, other = points["x"].to_numpy(float), points["y"].to_numpy(float)
        for low, high, horizontal in (("x_low", "x_high", True), ("y_low", "y_high", False)):
            ends = points[[low, high]].to_numpy(float)
            shown = np.isfinite(ends).all(axis=1)
            line = axes.hlines if horizontal else axes.vlines
            across = (other if horizontal else place)[shown]
            line(across, ends[shown, 0], ends[shown, 1], color=BLUE, alpha=0.35, linewidth=1.1)
        axes.plot(place, other, "o", color=BLUE, markersize=5, markeredgecolor="white", markeredgewidth=0.6)
        scale = _scale(axes, place, points["x_high"].to_numpy(float))
        axes.set_xlabel(x + scale)
        axes.set_ylabel(y)
        axes.set_title(title, fontsize=9)
        axes.margins(0.08)
        if axes.get_ylim()[0] < 0:
            axes.set_ylim(bottom=0)
        names = [
            f"{p} {les}".strip() for p, les in zip(points["patient_id"], points["lesion_id"], strict=True)
        ]
        _label(figure, axes, np.column_stack([place, other]), names)

    return draw(paint, size_inch=(_HALF_INCH, 2.9))


def _scale(axes: Axes, values: np.ndarray, highs: np.ndarray) -> str:
    """A logarithmic axis where the values are skewed; what to add to its name."""
    positive = values[values > 0]
    if len(positive) < 2 or positive.max() < _SKEWED * positive.min():
        if values.min(initial=0) >= 0:
            top = max(np.nanmax(highs, initial=0.0), values.max(initial=0.0))
            axes.set_xlim(-0.06 * top, 1.08 * top)
        return ""
    if (values > 0).all():
        axes.set_xscale("log")
        axes.set_xlim(left=positive.min() / 2)
    else:
        axes.set_xscale("symlog", linthresh=float(positive.min()))
        axes.set_xlim(left=-0.3 * positive.min())
    low, high = axes.get_xlim()
    plain_ticks(axes, "x", max(low, float(positive.min()) / 2), high, nought=low <= 0)
    return ", logarithmic"


def plain_ticks(axes: Axes, which: Literal["x", "y"], low: float, high: float, *, nought: bool) -> None:
    """Ticks with plain numbers on a logarithmic axis, as many as can be read, chosen from the data.

    Parameters
    ----------
    axes : Axes
    which : "x" or "y"
    low, high : float
        What the axis shows, above 0.
    nought : bool
        Mark 0 too, on an axis that is linear about it.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator([*([0.0] if nought else []), *log_ticks(low, high)]))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_locator(FixedLocator([]))


def log_ticks(low: float, high: float) -> list[float]:
    """Round numbers from `low` to `high`, both above 0: 4 to about 9 of them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in _DECADE_STEPS:
        ticks = [float(f"{step * 10.0**decade:.6g}") for decade in decades for step in steps]
        found = [tick for tick in ticks if low <= tick <= high]
        if len(found) >= _FEWEST_TICKS:
            return found[:: math.ceil(len(found) / _MOST_TICKS)]
    # Less than half a decade: steps of equal size.
    near = MaxNLocator(nbins=6, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(f"{tick:.6g}") for tick in near if low <= tick <= high]


def _label(figure: Figure, axes: Axes, xy: np.ndarray, names: Sequence[str]) -> None:
    """Names beside the points, each where it covers the fewest points and names."""
    if len(names) > _MOST_LABELS:
        return
    figure.canvas.draw()
    figure.set_layout_engine("none")  # what follows must not move the axes
    at = axes.transData.transform(xy)
    window = axes.get_window_extent()
    height = SMALL_PT / 72 * figure.dpi
    taken: list[tuple[float, float, float, float]] = []
    for i in np.lexsort([at[:, 0], -at[:, 1]]):
        width = 0.62 * height * len(names[i])
        best, least = None, math.inf
        for turn in range(8):
            angle = math.pi / 4 * turn + 0.35
            dx, dy = math.cos(angle) * 0.9 * height, math.sin(angle) * 0.9 * height
            left = at[i, 0] + dx - (width if dx < 0 else 0)
            bottom = at[i, 1] + dy - height / 2
            box = (left, bottom, left + width, bottom + height)
            cost = sum(_overlap(box, other) for other in taken)
            cost += sum(_overlap(box, (x - 4, y - 4, x + 4, y + 4)) for x, y in at)
            cost += 1e4 * (
                box[0] < window.x0 or box[2] > window.x1 or box[3] > window.y1 or box[1] < window.y0
            )
            cost += turn * 1e-3
            if cost < least:
                best, least = (box, dx), cost
        if best is None:
            continue
        box, dx = best
        taken.append(box)
        where = axes.transData.inverted().transform((box[2] if dx < 0 else box[0], (box[1] + box[3]) / 2))
        axes.text(
            where[0], where[1], names[i], fontsize=SMALL_PT, color=INK, va="center",
            ha="right" if dx < 0 else "left",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.4},
        )  # fmt: skip


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def forest(correlations: pd.DataFrame, *, names: Sequence[str], texts: Sequence[str]) -> dict[str, bytes]:
    """Each rho with its interval, and what it had to reach.

    Parameters
    ----------
    correlations : DataFrame
        The table of correlations.
    names, texts : sequence of str
        What stands at the left and at the right of each.
    """
    n = len(correlations)

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        for line, (row, text) in enumerate(zip(correlations.to_dict("records"), texts, strict=True)):
            primary = row["role"] == Role.PRIMARY
            colour = BLUE if primary else ORANGE
            axes.hlines(line, row["rho_low"], row["rho_high"], color=colour, linewidth=1.4)
            axes.plot(
                row["rho"], line, "o" if primary else "D", color=colour, markersize=5 if primary else 4.5,
                markerfacecolor=colour if primary else "white",
            )  # fmt: skip
            for sign in (-1, 1):
                needed = sign * row["rho_needed_adjusted"]
                axes.vlines(needed, line - 0.32, line + 0.32, color=SOFT, linewidth=1.0)
            axes.text(1.07, line, text, fontsize=8, color=INK, va="center", clip_on=False)
        axes.axvline(0, color=LINE, linewidth=1, zorder=0)
        axes.set_xlim(-1.04, 1.04)
        axes.set_ylim(n - 0.4, -0.6)
        axes.set_yticks(range(n), names, color=INK, fontsize=8)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("Spearman's ρ, 95 % interval (Bonett-Wright)")
        axes.spines["left"].set_visible(False)

    return draw(paint, size_inch=(PAGE_INCH, 0.9 + 0.27 * n))


def before_after(scans: pd.DataFrame, *, names: tuple[str, str], suv: str) -> dict[str, bytes]:
    """Lines from the first scan to the second: lesions, and means of patients.

    Parameters
    ----------
    scans : DataFrame
        Columns patient_id, lesion_id, before, after.
    names : (str, str)
        Names of the scans.
    suv : str
        Name of the axis.
    """
    means = scans.groupby("patient_id", sort=True)[["before", "after"]].mean().reset_index()

    def paint(figure: Figure) -> None:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, table, title in (
            (panels[0], scans, "Lesions"),
            (panels[1], means, "Patients, mean of lesions"),
        ):
            values = table[["before", "after"]].to_numpy(float)
            axes.plot([0, 1], values.T, "-o", color=BLUE, alpha=0.45, linewidth=1, markersize=3)
            for place, middle in enumerate(np.median(values, axis=0)):
                axes.hlines(middle, place - 0.07, place + 0.07, color=ORANGE, linewidth=2.6, zorder=5)
            axes.set_xticks([0, 1], names, color=INK)
            axes.set_xlim(-0.25, 1.45)
            axes.set_title(f"{title}, n = {len(table)}")
        panels[0].set_ylabel(suv)
        _spread_labels(panels[1], means["after"].to_numpy(float), means["patient_id"].tolist())

    return draw(paint, size_inch=(PAGE_INCH, 4.2))


def _spread_labels(axes: Axes, heights: np.ndarray, names: Sequence[str]) -> None:
    """Names at the right ends of lines, pushed apart."""
    if len(names) > _MOST_LABELS // 2:
        return
    low, high = axes.get_ylim()
    gap = (high - low) / 34
    order = np.argsort(heights, kind="stable")
    placed = heights[order].astype(float)
    for _ in range(200):
        close = np.flatnonzero(np.diff(placed) < gap * 0.999)
        if not len(close):
            break
        for i in close:
            push = (gap - (placed[i + 1] - placed[i])) / 2
            placed[i] -= push
            placed[i + 1] += push
    for i, height in zip(order, placed, strict=True):
        axes.plot([1.02, 1.09], [heights[i], height], color=LINE, linewidth=0.8)
        axes.text(1.11, height, names[i], fontsize=SMALL_PT, color=INK, va="center")


def by_response(values: Sequence[tuple[str, pd.DataFrame]], order: Sequence[str]) -> dict[str, bytes]:
    """Values of patients by best response, a panel a quantity.

    Parameters
    ----------
    values : sequence of (str, DataFrame)
        Title of each panel, and columns value and response.
    order : sequence of str
        The responses, from the left.
    """
    n_across = min(len(values), 4)
    n_down = math.ceil(len(values) / n_across)

    def paint(figure: Figure) -> None:
        panels = np.atleast_1d(figure.subplots(n_down, n_across, squeeze=False)).ravel()
        for axes in panels[len(values) :]:
            axes.set_visible(False)
        for axes, (title, table) in zip(panels, values, strict=False):
            for place, response in enumerate(order):
                here = np.sort(table.loc[table["response"] == response, "value"].to_numpy(float))
                aside = (np.arange(len(here)) % 3 - 1) * 0.13
                axes.plot(place + aside, here, "o", color=BLUE, alpha=0.7, markersize=4)
                if len(here):
                    axes.hlines(np.median(here), place - 0.3, place + 0.3, color=ORANGE, linewidth=2)
            axes.set_xticks(range(len(order)), order, color=INK)
            axes.set_xlim(-0.6, len(order) - 0.4)
            axes.margins(y=0.1)
            axes.set_ylim(bottom=0)
            axes.set_title(title, fontsize=8)

    return draw(paint, size_inch=(PAGE_INCH, 2.3 * n_down))


def agreement(
    pairs: pd.DataFrame,
    *,
    names: tuple[str, str],
    line: tuple[float, float],
    limits: Sequence[float],
    offset: float,
) -> dict[str, bytes]:
    """Two raters: one against the other with the line, and their ratio over their mean.

    Parameters
    ----------
    pairs : DataFrame
        Columns a and b.
    names : (str, str)
    line : (float, float)
        Slope and intercept of b on a; NaN where there is none.
    limits : sequence of float
        Lower limit, mean and upper limit of the ratio a / b.
    offset : float
        What was added before the logarithm.
    """
    a, b = pairs["a"].to_numpy(float), pairs["b"].to_numpy(float)

    def paint(figure: Figure) -> None:
        left, right = figure.subplots(1, 2)
        top = 1.05 * max(a.max(), b.max(), 1e-9)
        left.plot([0, top], [0, top], color=LINE, linewidth=1)
        if math.isfinite(line[0]):
            ends = np.array([0.0, top])
            left.plot(ends, line[1] + line[0] * ends, color=ORANGE, linewidth=1.5, label="Passing-Bablok")
            left.legend(frameon=False, fontsize=8, loc="upper left")
        left.plot(a, b, "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0)
        left.set(
            xlim=(-0.03 * top, top), ylim=(-0.03 * top, top), xlabel=names[0], ylabel=names[1], aspect="equal"
        )
        middle = np.exp((np.log(a + offset) + np.log(b + offset)) / 2) - offset if offset else np.sqrt(a * b)
        right.plot(
            middle, (a + offset) / (b + offset), "o", color=BLUE, alpha=0.6, markersize=4, markeredgewidth=0
        )
        right.axhline(1, color=LINE, linewidth=1)
        for place, value in enumerate(limits):
            if math.isfinite(value):
                right.axhline(value, color=ORANGE, linewidth=1.4, linestyle="-" if place == 1 else "--")
        right.set_yscale("log")
        plain_ticks(right, "y", *right.get_ylim(), nought=False)
        right.set(xlabel="geometric mean of both", ylabel=f"{names[0]} / {names[1]}, logarithmic")

    return draw(paint, size_inch=(PAGE_INCH, 3.6))
