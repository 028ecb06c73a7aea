"""Figures of a map: density on the slide, the infiltration profile, draws of fields, spatial statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.report.figures import BLUE, INK, LINE, ORANGE, PAGE_INCH, SMALL_PT, SOFT, draw
from ihcscore.schema import REGION_COLOURS

# Even to the eye, and the same to colour-blind ones (Nuñez et al. 2018, doi 10.1371/journal.pone.0199239).
COLOUR_MAP = "cividis"
# The scale ends here, so that one cell on a speck of tissue does not darken all else.
_TOP_QUANTILE = 0.995
# Colours of several markers' curves, apart for colour-blind eyes (Okabe and Ito 2008).
_CURVES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_TUMOUR = "#d02020"


@dataclass(frozen=True, kw_only=True)
class DensityPicture:
    """A slide beside its density.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The slide, small.
    density : ndarray of float32, shape (height, width)
        Of the whole slide, too; NaN where there is none.
    size_mm : (float, float)
        Width and height of the slide.
    tumour : shapely geometry
        Its outline in mm from the slide's corner.
    squares : sequence of (name, region, ndarray of float, shape (4, 2))
        Fields by their corners in mm.
    hot_spot : ndarray of float, shape (4, 2), optional
        Corners of the densest field.
    title, kernel : str
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    density: NDArray[np.float32] = field(repr=False)
    size_mm: tuple[float, float]
    tumour: BaseGeometry = field(repr=False)
    squares: Sequence[tuple[str, str, NDArray[np.float64]]] = field(repr=False)
    hot_spot: NDArray[np.float64] | None = None
    title: str
    kernel: str


def density_figure(picture: DensityPicture) -> bytes:
    """The slide as it is beside its density, both with outline and fields, as PNG."""
    width, height = picture.size_mm
    beside = width < 1.3 * height
    panel_width = PAGE_INCH / 2 if beside else PAGE_INCH
    panel_height = min(panel_width * height / width, 4.6)
    size = (PAGE_INCH, (panel_height if beside else 2 * panel_height) + 1.15)

    def paint(figure: Figure) -> None:
        figure.suptitle(picture.title, fontsize=10, x=0.01, ha="left")
        panels = figure.subplots(*((1, 2) if beside else (2, 1)))
        extent = (0.0, width, height, 0.0)
        panels[0].imshow(picture.rgb, extent=extent, interpolation="bilinear")
        panels[0].set_title("The slide", fontsize=9)
        shown = picture.density[np.isfinite(picture.density)]
        top = float(np.quantile(shown, _TOP_QUANTILE)) if len(shown) else 1.0
        colours = Normalize(0.0, top if top > 0 else 1.0)
        drawn = panels[1].imshow(
            picture.density, extent=extent, cmap=COLOUR_MAP, norm=colours, interpolation="nearest"
        )
        panels[1].set_title("Positive cells per mm² of tissue", fontsize=9)
        for axes in panels:
            _landmarks(axes, picture, on_map=axes is panels[1])
        beyond = "max" if len(shown) and shown.max() > top > 0 else "neither"
        bar = figure.colorbar(
            drawn, ax=list(panels), location="bottom", shrink=0.5, aspect=40, pad=0.02, extend=beyond
        )
        bar.set_label(f"positive cells per mm² of tissue, {picture.kernel}", fontsize=SMALL_PT)
        bar.outline.set_visible(False)

    return draw(paint, size_inch=size)["png"]


def _landmarks(axes: Axes, picture: DensityPicture, *, on_map: bool) -> None:
    """Outline, fields, hot spot and scale bar; no axes."""
    width, height = picture.size_mm
    for part in shapely.get_parts(picture.tumour):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                x, y = shapely.get_coordinates(ring).T
                axes.plot(x, y, color="white", linewidth=2.2)
                axes.plot(x, y, color=_TUMOUR, linewidth=1.1)
    for name, region, corners in picture.squares:
        x, y = np.vstack([corners, corners[:1]]).T
        axes.plot(x, y, color="white", linewidth=2.0)
        axes.plot(x, y, color=INK, linewidth=1.0)
        if not on_map:
            colour = "#{:02x}{:02x}{:02x}".format(*REGION_COLOURS.get(region, (70, 70, 160)))
            axes.annotate(
                name, (float(x.min()), float(y.min())), fontsize=6, color="white", va="bottom",
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
    if picture.hot_spot is not None and on_map:
        x, y = np.vstack([picture.hot_spot, picture.hot_spot[:1]]).T
        axes.plot(x, y, color="white", linewidth=1.2, linestyle=(0, (2, 1.5)))
    bar = max(
        step * 10.0**power for power in range(-2, 3) for step in (1, 2, 5) if step * 10.0**power <= width / 4
    )
    axes.set_xlim(0, width)
    axes.set_ylim(height * 1.07, 0)
    axes.plot(
        [width * 0.97 - bar, width * 0.97],
        [height * 1.035] * 2,
        color=INK,
        linewidth=2.2,
        solid_capstyle="butt",
    )
    said = f"{bar:g} mm" if bar >= 1 else f"{1000 * bar:g} µm"
    axes.text(
        width * 0.97 - bar - 0.01 * width,
        height * 1.035,
        said,
        ha="right",
        va="center",
        fontsize=7,
        color=INK,
    )
    axes.set_axis_off()


def profile_figure(profiles: Mapping[str, pd.DataFrame], *, title: str, margin_um: float) -> dict[str, bytes]:
    """Density by distance to the tumour's outline, a curve a marker, each with its interval.

    Parameters
    ----------
    profiles : mapping of str to DataFrame
        Profile tables by marker.
    title : str
    margin_um : float
        Whole width of the invasive front, which is shaded.
    """
    several = len(profiles) > 1

    def paint(figure: Figure) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        upper.axvspan(-margin_um / 2, margin_um / 2, color="#f0ede4", zorder=0)
        for (marker, table), colour in zip(profiles.items(), _CURVES * len(profiles), strict=False):
            colour = colour if several else BLUE
            middle = (table["from_um"] + table["to_um"]) / 2
            known = table["ci95_low_per_mm2"].notna()
            upper.fill_between(
                middle[known], table["ci95_low_per_mm2"][known], table["ci95_high_per_mm2"][known],
                color=colour, alpha=0.22, linewidth=0,
            )  # fmt: skip
            if not several:
                for end in ("band95_low_per_mm2", "band95_high_per_mm2"):
                    upper.plot(middle[known], table[end][known], color=colour, linewidth=0.6, linestyle=":")
            upper.plot(middle, table["positive_per_mm2_tissue"], color=colour, linewidth=1.5, label=marker)
            lower.plot(middle, table["tissue_mm2"], color=colour if several else SOFT, linewidth=1.1)
        upper.axvline(0, color=INK, linewidth=0.9)
        upper.set_ylabel("positive cells\nper mm² of tissue")
        upper.set_ylim(bottom=0)
        top = upper.get_ylim()[1]
        for x, words, side in ((0.01, "inside the tumour", "left"), (0.99, "outside", "right")):
            upper.text(
                x, 0.98, words, transform=upper.transAxes, ha=side, va="top", fontsize=SMALL_PT, color=SOFT
            )
        upper.text(0, top, " outline", fontsize=SMALL_PT, color=INK, va="top")
        upper.set_title(title, fontsize=9)
        if several:
            upper.legend(frameon=False, fontsize=SMALL_PT, loc="upper right", bbox_to_anchor=(1.0, 0.93))
        lower.set_ylabel("tissue\nmm²")
        lower.set_ylim(bottom=0)
        lower.set_xlabel("signed distance to the tumour outline, µm")
        low, high = (
            min(t["from_um"].min() for t in profiles.values()),
            max(t["to_um"].max() for t in profiles.values()),
        )
        lower.set_xlim(low, high)

    return draw(paint, size_inch=(PAGE_INCH, 3.9))


def fields_figure(
    means: NDArray[np.float64], *, drawn: float | None, from_run: bool, n_fields: int, title: str
) -> dict[str, bytes]:
    """How the mean of a run's fields spreads over all places where they could lie."""

    def paint(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.hist(means, bins=60, color="#9db8e3", edgecolor="none")
        middle = float(means.mean())
        axes.axvline(middle, color=INK, linewidth=1.2, label=f"mean of all draws: {middle:.0f}")
        low, high = np.quantile(means, [0.025, 0.975])
        axes.axvspan(
            low, high, color=LINE, alpha=0.45, zorder=0, label=f"95 % of draws: {low:.0f} to {high:.0f}"
        )
        if drawn is not None:
            name = "the run's own fields" if from_run else "one draw (seed of the settings)"
            axes.axvline(drawn, color=ORANGE, linewidth=1.6, linestyle="--", label=f"{name}: {drawn:.0f}")
        axes.set_xlabel(f"mean of {n_fields} fields, positive cells per mm²")
        axes.set_ylabel("draws")
        axes.set_title(title, fontsize=9)
        axes.set_xlim(left=0)
        axes.legend(frameon=False, fontsize=SMALL_PT)

    return draw(paint, size_inch=(PAGE_INCH, 2.7))


def spatial_figure(spatial: pd.DataFrame, *, title: str) -> dict[str, bytes]:
    """Spatial statistics with their envelopes, one beside the other."""
    groups = list(spatial.groupby(["statistic", "other_marker"], sort=False))

    def paint(figure: Figure) -> None:
        figure.suptitle(title, fontsize=9, x=0.01, ha="left")
        panels: Any = figure.subplots(1, len(groups), squeeze=False)[0]
        for axes, ((name, other), table) in zip(panels, groups, strict=True):
            axes.fill_between(
                table["r_um"], table["low95"], table["high95"], color=LINE, alpha=0.8, linewidth=0
            )
            axes.plot(table["r_um"], table["expected"], color=SOFT, linewidth=0.9, linestyle="--")
            axes.plot(table["r_um"], table["value"], color=BLUE, linewidth=1.5)
            axes.set_xlabel("r, µm")
            axes.set_title(
                f"{name}{f' of {other}' if other else ''} (P {table['p'].iloc[0]:.3f})", fontsize=9
            )
            axes.set_ylabel("share" if name == "G" else "µm")

    return draw(paint, size_inch=(PAGE_INCH, 2.8))
