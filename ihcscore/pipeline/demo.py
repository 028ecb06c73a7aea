"""The demonstration: a MIRAX slide of known truth, scored and held against the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore import report, synthetic
from ihcscore.pipeline.progress import Progress, silent
from ihcscore.pipeline.slide import SlideScores, score_slide
from ihcscore.schema import DEMO

_MARKER = "CD8"
_SEED = 1


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demonstration gives.

    Attributes
    ----------
    comparison : DataFrame
        As in ``comparison.csv``: a row a region, counted beside true.
    result : SlideScores
    """

    comparison: pd.DataFrame = field(repr=False)
    result: SlideScores = field(repr=False)


def run_demo(out: str | Path, *, overwrite: bool = False, progress: Progress = silent) -> DemoResult:
    """Draw a slide with a tumour, an invasive front, pigment and an unscanned area, and score it.

    Parameters
    ----------
    out : str or Path
        Gets the slide with its annotation and truth (``slide/``), what a run writes (``result/``) and
        the comparison.
    overwrite : bool
        Replace a demonstration that the folder already holds.
    progress : callable, optional

    Raises
    ------
    OutputError
        If the folder cannot be used.
    """
    with report.OutputFolder(out, overwrite=overwrite) as folder:
        progress("drawing the slide", 0.0)
        section = synthetic.draw_section(synthetic.SectionSettings(), seed=_SEED)
        progress("writing the slide", 0.35)
        files = synthetic.write_phantom(folder.staging / "slide", section, name=_MARKER)
        result = score_slide(
            files.slide,
            profile=_MARKER,
            regions=files.annotation,
            out=folder.staging / "result",
            progress=lambda stage, share: progress(stage, 0.45 + 0.55 * share),
        )
        comparison = compare(result.fields, section)
        report.write_table(folder.new_file("comparison.csv"), comparison, DEMO)
        record = {key: result.record[key] for key in ("ihcscore", "packages")}
        report.write_json(
            folder.new_file("run.json"), {"command": "demo", "seed": _SEED, **record, "files": folder.files()}
        )
    return DemoResult(comparison=comparison, result=result)


def compare(fields: pd.DataFrame, section: synthetic.Section) -> pd.DataFrame:
    """Counted beside true, by region: in the same fields, and planted in the whole region.

    Parameters
    ----------
    fields : DataFrame
        The field table of a run on the section.
    section : Section

    Returns
    -------
    DataFrame
        The comparison table.
    """
    region_density = dict(zip(section.zones["zone"], section.zones["positive_per_mm2"], strict=True))
    rows = []
    for region, group in fields.groupby("region", sort=False):
        area_mm2 = float(group["area_mm2"].sum())
        # The section's cells have pixel centres at whole numbers, the fields' edges lie on corners.
        true = sum(
            section.n_positive_in(place["x_px"] - 0.5, place["y_px"] - 0.5, place["side_px"])
            for place in group.to_dict("records")
        )
        counted = int(group["n_positive"].sum())
        rows.append(
            {
                "region": region,
                "n_fields": len(group),
                "n_counted": counted,
                "n_true": true,
                "counted_per_mm2": counted / area_mm2,
                "true_per_mm2": true / area_mm2,
                "ratio": counted / true if true else float("nan"),
                "region_true_per_mm2": region_density[str(region)],
            }
        )
    return pd.DataFrame(rows, columns=DEMO.names)
