"""Results as plain tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from ihcscore.schema import BOTH_REGIONS

if TYPE_CHECKING:
    import pandas as pd

    from ihcscore.cohort import CohortPlan
    from ihcscore.demo import DemoResult
    from ihcscore.schema import CorrelationSettings


def print_warnings(texts: Sequence[str]) -> None:
    """What a reader must know, a line each, on stderr."""
    for text in texts:
        typer.echo(f"warning: {text}", err=True)


def print_scores(scores: pd.DataFrame) -> None:
    """The scores as a plain table."""
    from ihcscore.report import format_density, format_range

    header = ("slide", "marker", "region", "fields", "mean/mm²", "SD", "95 % interval", "with suspects")
    rows = [
        (
            row["slide"],
            row["marker"],
            row["region"],
            str(row["n_scored"]),
            format_density(row["mean_per_mm2"]),
            format_density(row["sd_per_mm2"]),
            format_range(row["ci95_low_per_mm2"], row["ci95_high_per_mm2"]),
            format_density(row["positive_or_suspect_per_mm2"]),
        )
        for row in scores.to_dict("records")
    ]
    print_table(header, rows, n_left=3)


def print_totals(counts: pd.DataFrame) -> None:
    """Cells of all images together."""
    totals = counts[["n_positive", "n_negative", "n_pigment_suspect"]].sum()
    typer.echo(
        f"{len(counts)} images: {totals['n_positive']} positive, {totals['n_negative']} negative, "
        f"{totals['n_pigment_suspect']} pigment suspects"
    )


def print_samples(samples: pd.DataFrame) -> None:
    """Mean and standard deviation of every sample and marker, as the paper gives them."""
    from ihcscore.report import format_density

    both = samples[samples["region"] == BOTH_REGIONS]
    rows = [
        (
            row["patient_id"], row["sample_id"], row["marker"], str(row["n_scored"]),
            format_density(row["mean_per_mm2"]), format_density(row["sd_per_mm2"]),
        )
        for row in both.to_dict("records")
    ]  # fmt: skip
    print_table(("patient", "sample", "marker", "fields", "mean/mm²", "SD"), rows, n_left=3)


def print_plan(plan: CohortPlan) -> None:
    """What a run on a cohort would do, a line a slide."""
    rows = []
    for task, look, done in zip(plan.tasks, plan.looks, plan.done, strict=True):
        entry, (width, height) = task.entry, look.size_xy_px
        fields = "carried" if task.reference is not None else "drawn"
        if task.reference is None:
            fields += f" in {entry.annotations.name}" if entry.annotations else " in a proposal"
        rows.append(
            (
                entry.patient_id, entry.sample_id, entry.marker, entry.written, fields,
                "left out" if task.fault else "done before" if done else "to do",
                look.format or "–", f"{width} × {height}" if width else "–",
                f"{look.mpp_um:.4g}" if look.mpp_um else "–",
            )
        )  # fmt: skip
    header = ("patient", "sample", "marker", "slide", "fields", "", "format", "px", "µm/px")
    print_table(header, rows, n_left=7)
    n_faulty, n_done = sum(bool(task.fault) for task in plan.tasks), sum(plan.done)
    n_samples = len({task.entry.sample_id for task in plan.tasks})
    typer.echo(
        f"\n{n_samples} samples, {len(rows)} slides: {len(rows) - n_faulty - n_done} to do, "
        f"{n_done} done before, {n_faulty} that cannot be scored. Nothing was written."
    )


def print_correlations(correlations: pd.DataFrame, settings: CorrelationSettings) -> None:
    """What could have been found in words, then what was."""
    from ihcscore.report.numbers import format_interval, format_p, format_rho
    from ihcscore.report.wording import what_could_be_found

    for _, sentence in what_could_be_found(correlations, settings):
        typer.echo(sentence)
    typer.echo()
    header = ("x", "y", "n", "rho", "95 % interval", "P", "adjusted P")
    rows = [
        (
            row["x"], row["y"], str(row["n"]), format_rho(row["rho"]),
            format_interval(row["rho_low"], row["rho_high"]), format_p(row["p"]), format_p(row["p_adjusted"]),
        )
        for row in correlations.to_dict("records")
    ]  # fmt: skip
    print_table(header, rows, n_left=2)


def print_agreement(measures: pd.DataFrame) -> None:
    """The measures with their intervals."""
    from ihcscore.report.numbers import format_value

    rows = [
        (row["measure"], *(format_value(row[name]) for name in ("value", "low", "high")))
        for row in measures.to_dict("records")
    ]
    print_table(("measure", "value", "low", "high"), rows, n_left=1)


def print_uptake(summary: pd.DataFrame) -> None:
    """Lesions and patients, scan by scan."""
    from ihcscore.report.numbers import format_value, spoken

    rows = [
        (
            spoken(row["variable"]), spoken(row["timepoint"]), str(row["n"]), row["counted"],
            str(row["n_patients"]), format_value(row["median"]),
            f"{format_value(row['q1'])} to {format_value(row['q3'])}",
            f"{format_value(row['min'])} to {format_value(row['max'])}",
        )
        for row in summary[summary["timepoint"] != ""].to_dict("records")
    ]  # fmt: skip
    header = ("quantity", "scan", "n", "of", "patients", "median", "IQR", "range")
    print_table(header, rows, n_left=2)


def print_demo(result: DemoResult) -> None:
    """The demonstration beside its truth."""
    from ihcscore.report import format_density

    print_samples(result.cohort.samples)
    typer.echo("\nMeasured over drawn density of the regions:")
    rows = [
        (
            row["marker"],
            f"{format_density(row['lowest_per_mm2'])} to {format_density(row['highest_per_mm2'])}",
            f"{row['slope']:.2f}",
            f"{row['r']:.3f}",
        )
        for row in result.fit.to_dict("records")
    ]
    print_table(("marker", "drawn per mm²", "slope", "r"), rows, n_left=1)
    counted, true = (int(result.comparison[name].sum()) for name in ("n_counted", "n_true"))
    typer.echo(f"\nIn the same fields: {counted} counted, {true} drawn, ratio {counted / true:.3f}")
    places = result.places
    typer.echo(
        f"Fields carried to other stains: {len(places)}, off by {places['true_error_um'].median():.1f} µm in "
        f"the median and {places['true_error_um'].max():.1f} µm at most "
        f"(estimated {places['registration_error_um'].median():.1f} and "
        f"{places['registration_error_um'].max():.1f} µm)"
    )
    typer.echo(f"{_about_uptake(result)}\n")


def _about_uptake(result: DemoResult) -> str:
    """How near the uptake measured in the scans is to what was drawn."""
    if result.uptake is None:
        return result.no_scans
    keys = ["patient_id", "timepoint", "tissue", "lesion_id"]
    both = result.uptake.lesions.merge(result.planted_suv, on=keys, suffixes=("", "_drawn"))
    both = both[both["tissue"] == "lesion"]
    off = (both["suv_max"] / both["suv_max_drawn"] - 1).abs().max()
    makers = ", ".join(result.uptake.scans["manufacturer"].unique())
    return (
        f"SUVmax of {len(both)} lesions in {len(result.uptake.scans)} scans ({makers}): "
        f"off from the drawn by {100 * off:.2f} % at most"
    )


def print_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, n_left: int) -> None:
    """Columns under a header, the first so many to the left, numbers to the right."""
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    for line in (header, *rows):
        cells = [
            text.ljust(w) if i < n_left else text.rjust(w)
            for i, (text, w) in enumerate(zip(line, widths, strict=True))
        ]
        typer.echo("  ".join(cells).rstrip())
