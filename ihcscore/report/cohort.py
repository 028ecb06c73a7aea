"""The page of a cohort: what every sample shows, the paper's table, what is missing and why."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from ihcscore.report.page import svg_uri
from ihcscore.schema import BOTH_REGIONS, FieldStatus, RegionName, RegionSource

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Where = tuple[str, str]
# Beyond so many samples the legend would be larger than what it explains.
_NAMED_SAMPLES = 30
# Panels side by side on the page.
_ACROSS = 4
# Densities are drawn linear below, logarithmic above.
_LINEAR_PER_MM2 = 10.0
# After ten samples the colours come again, with another mark.
_SHAPES = ("o", "s", "^")
_SHORT: dict[str, str] = {RegionName.TUMOUR_CENTRE: "Centre", RegionName.INVASIVE_FRONT: "Front"}


@dataclass(frozen=True, kw_only=True)
class CohortPage:
    """What the page of a cohort shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    scores, fields, samples, markers : DataFrame
        The tables of the same names.
    errors : mapping of (str, str) to str
        Slides that failed, by sample and marker.
    stains : mapping of (str, str) to str
        What is doubtful in the stain of a slide, by sample and marker.
    contacts : mapping of str to str
        File of each sample's contact sheet, relative to the page.
    overlays : mapping of (str, str) to mapping of str to str
        Pictures of each slide's scored fields, by field_id, relative to the page, without ending.
    folders : mapping of (str, str) to str
        Folder of each slide, by sample and marker, relative to the page.
    """

    template: ClassVar[str] = "cohort.html.j2"

    record: Mapping[str, Any]
    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    samples: pd.DataFrame = field(repr=False)
    markers: pd.DataFrame = field(repr=False)
    errors: Mapping[Where, str]
    stains: Mapping[Where, str]
    contacts: Mapping[str, str]
    overlays: Mapping[Where, Mapping[str, str]]
    folders: Mapping[Where, str]

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        scores = self.scores
        return {
            "record": self.record,
            "scores": scores.to_dict("records"),
            "registration": _registration(self.fields),
            "paper": _paper(self.samples),
            "markers": self.markers.to_dict("records"),
            "marker_names": list(dict.fromkeys(scores["marker"])),
            "errors": self.errors,
            "stains": self.stains,
            "missing": _missing(scores),
            "contacts": self.contacts,
            "overlays": self.overlays,
            "folders": self.folders,
            "figure": "" if self.samples.empty else svg_uri(_small_multiples(scores)),
            "proposed": bool((scores["region_source"] == RegionSource.PROPOSED).any()),
        }


def _paper(samples: pd.DataFrame) -> list[dict[str, Any]]:
    """Mean and standard deviation over all fields of each sample, a row a sample, by marker."""
    both = samples[samples["region"] == BOTH_REGIONS]
    rows: dict[str, dict[str, Any]] = {}
    for row in both.to_dict("records"):
        whose = {"patient_id": row["patient_id"], "sample_id": row["sample_id"], "markers": {}}
        rows.setdefault(row["sample_id"], whose)["markers"][row["marker"]] = row
    return list(rows.values())


def _missing(scores: pd.DataFrame) -> list[dict[Hashable, Any]]:
    """Regions that lack fields; what both lack together is their sum."""
    lacking = scores[(scores["missing"] != "") & (scores["region"] != BOTH_REGIONS)]
    return lacking.to_dict("records")


def _registration(fields: pd.DataFrame) -> list[dict[str, Any]]:
    """How well each slide's fields were placed."""
    rows = []
    groups = fields.groupby(["sample_id", "marker"], sort=False)
    for (sample, marker), group in groups:
        errors = group["registration_error_um"].astype(float)
        if errors.notna().any() or (group["status"] == FieldStatus.UNPLACED).any():
            rows.append(
                {
                    "sample_id": sample,
                    "marker": marker,
                    "n": len(group),
                    "n_unplaced": int((group["status"] == FieldStatus.UNPLACED).sum()),
                    "median_um": errors.median(),
                    "max_um": errors.max(),
                }
            )
    return rows


def _small_multiples(scores: pd.DataFrame) -> bytes:
    """Density by marker and region, a panel a marker, as SVG; both regions together are no third one."""
    from ihcscore.report import figures

    scored = scores[(scores["n_scored"].astype(int) > 0) & (scores["region"] != BOTH_REGIONS)]
    markers = list(dict.fromkeys(scored["marker"]))
    regions = list(dict.fromkeys(scored["region"]))
    n_down = math.ceil(len(markers) / _ACROSS)
    size_inch = (figures.PAGE_INCH, 2.5 * n_down + 0.7)
    drawn = figures.draw(lambda figure: _paint(figure, scored, markers, regions), size_inch=size_inch)
    return drawn["svg"]


def _paint(figure: Figure, scored: pd.DataFrame, markers: list[str], regions: list[str]) -> None:
    """A panel a marker: a line a sample from region to region, with the interval of each mean."""
    from ihcscore.report import figures

    n_across = min(len(markers), _ACROSS)
    n_down = math.ceil(len(markers) / _ACROSS)
    panels = figure.subplots(n_down, n_across, squeeze=False, sharey=True)
    samples = list(dict.fromkeys(scored["sample_id"]))
    for panel in panels.ravel()[len(markers) :]:
        panel.set_visible(False)
    for panel, marker in zip(panels.ravel(), markers, strict=False):
        _paint_samples(panel, scored[scored["marker"] == marker], samples, regions)
        panel.set_title(marker)
        panel.set_xticks(range(len(regions)), [_SHORT.get(region, region) for region in regions])
        panel.set_xlim(-0.4, len(regions) - 0.6)
    first = panels[0, 0]
    first.set_yscale("symlog", linthresh=_LINEAR_PER_MM2)
    highest = scored[["mean_per_mm2", "ci95_high_per_mm2"]].astype(float).max().max()
    top = max(1.3 * float(highest), _LINEAR_PER_MM2)
    first.set_ylim(0, top)
    figures.plain_ticks(first, "y", _LINEAR_PER_MM2, top, nought=True)
    for row in panels:
        row[0].set_ylabel("positive cells per mm²")
    if len(samples) <= _NAMED_SAMPLES:
        shown = [panel.get_legend_handles_labels() for panel in panels.ravel()]
        by_name = {name: handle for one in shown for handle, name in zip(*one, strict=True)}
        where: Any = "outside lower center"  # matplotlib's types lack it
        figure.legend(
            list(by_name.values()), list(by_name), loc=where, ncols=6, frameon=False,
            fontsize=figures.SMALL_PT,
        )  # fmt: skip


def _paint_samples(panel: Axes, own: pd.DataFrame, samples: list[str], regions: list[str]) -> None:
    """The samples of one marker, each in its colour, its interval paler."""
    for sample, group in own.groupby("sample_id", sort=False):
        number = samples.index(str(sample))
        colour, shape = f"C{number % 10}", _SHAPES[number // 10 % len(_SHAPES)]
        x = [regions.index(region) + 0.05 * (number % 5 - 2) for region in group["region"]]
        low, high = (group[f"ci95_{end}_per_mm2"].to_numpy(float) for end in ("low", "high"))
        panel.vlines(x, low, high, color=colour, alpha=0.5, linewidth=1.4)
        panel.plot(
            x,
            group["mean_per_mm2"].to_numpy(float),
            f"{shape}-",
            markersize=4,
            linewidth=1,
            color=colour,
            label=str(sample),
        )
