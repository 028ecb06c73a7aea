"""Figures as a journal prints them: one column or the page wide, letters of 8 pt, each with its data.

Widths are those of most journals (Springer Nature: 85 and 175 mm within 84 to 88 and 174 to 180).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Protocol

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ihcscore.report.figures import SMALL_PT, draw
from ihcscore.schema import Table

_MM_PER_INCH = 25.4
# Springer Nature asks for 600 dpi of figures that join lines and letters.
_PNG_DPI = 600
# All letters of one size; lines that a printer holds (0.1 mm is 0.28 pt).
_STYLE = {
    "font.size": SMALL_PT,
    "axes.titlesize": SMALL_PT,
    "axes.labelsize": SMALL_PT,
    "xtick.labelsize": SMALL_PT,
    "ytick.labelsize": SMALL_PT,
    "legend.fontsize": SMALL_PT,
    "axes.titleweight": "normal",
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.color": "#1e1e22",
    "ytick.color": "#1e1e22",
    "axes.edgecolor": "#1e1e22",
}


class Width(IntEnum):
    """Width of a figure in mm."""

    COLUMN = 85
    PAGE = 175


class Paint(Protocol):
    """Draws on a figure."""

    def __call__(self, figure: Figure, /, *, width: Width) -> None:
        """Draw on a figure of this width."""
        ...


@dataclass(frozen=True, kw_only=True)
class JournalFigure:
    """A figure for a paper.

    Attributes
    ----------
    name : str
        Its name in the folder, without ending.
    caption : str
        What it shows, as under a figure in a paper: bars, lines and n are named.
    data : DataFrame
        What is drawn, a row a point or bar.
    table : Table
        Its columns.
    pictures : mapping of str to bytes
        Each width and format by the end of its file's name: ``-85mm.png``, ``-85mm.svg``, ``-175mm.png``, ...
    """

    name: str
    caption: str
    data: pd.DataFrame = field(repr=False)
    table: Table = field(repr=False)
    pictures: Mapping[str, bytes] = field(repr=False)


def journal_figure(
    name: str,
    paint: Paint,
    *,
    data: pd.DataFrame,
    table: Table,
    caption: str,
    height_mm: float = 65.0,
) -> JournalFigure:
    """Draw a figure at both widths, as PNG and SVG.

    Parameters
    ----------
    name : str
    paint : callable
        Gets the figure and its :class:`Width`. Letters are 8 pt: it sets no size of its own.
    data, table, caption
        As in :class:`JournalFigure`.
    height_mm : float
        Of both widths.
    """
    pictures: dict[str, bytes] = {}
    for width in Width:
        drawn = draw(
            partial(paint, width=width),
            size_inch=(width / _MM_PER_INCH, height_mm / _MM_PER_INCH),
            style=_STYLE,
            dpi=_PNG_DPI,
        )
        pictures |= {f"-{width.value}mm.{kind}": content for kind, content in drawn.items()}
    return JournalFigure(name=name, caption=caption, data=data, table=table, pictures=pictures)


def median_bars(axes: Axes, place: float, quartiles: tuple[float, float, float], *, half: float) -> None:
    """A median as a thick line and the quartiles as a bar with caps, as papers draw them.

    Parameters
    ----------
    axes : Axes
    place : float
        Where on the axis across.
    quartiles : (float, float, float)
        Lower quartile, median, upper quartile.
    half : float
        Half the length of the median's line.
    """
    low, middle, high = quartiles
    axes.vlines(place, low, high, color="black", linewidth=0.9, zorder=6)
    axes.hlines([low, high], place - half / 2, place + half / 2, color="black", linewidth=0.9, zorder=6)
    axes.hlines(middle, place - half, place + half, color="black", linewidth=1.6, zorder=7)
