"""Uptake measured in scans: suv."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Annotated, Any

import typer

from ihcscore.cli.app import EXIT_PARTLY, app
from ihcscore.cli.options import DEFAULT_OUT, Out, Overwrite, Quiet, checked, existing, free
from ihcscore.cli.printing import print_table, print_warnings
from ihcscore.cli.progress import progress_bar
from ihcscore.cli.stopping import stoppable
from ihcscore.errors import IhcscoreError
from ihcscore.schema import PeakKind, SuvKind, SuvSettings, Threshold

_INFO = "info"
_DEFAULTS = SuvSettings()


@app.command()
def suv(
    manifest: Annotated[
        Path,
        typer.Argument(metavar="MANIFEST.csv", help="patient_id, timepoint, pet, voi, ...; or: info FOLDER"),
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="After info: folder of a PET series.")
    ] = None,
    out: Out = DEFAULT_OUT,
    threshold: Annotated[
        str, typer.Option(help="Metabolic tumour volume: percent of SUVmax, or an SUV.", metavar="41%")
    ] = f"{_DEFAULTS.threshold.value:g}%",
    peak: Annotated[PeakKind, typer.Option(help="Voxels of the peak.")] = _DEFAULTS.peak,
    kind: Annotated[SuvKind, typer.Option("--suv", help="What uptake is normalised to.")] = _DEFAULTS.suv,
    names: Annotated[
        Path | None, typer.Option(help="What names of volumes stand for.", metavar="NAMES.csv")
    ] = None,
    series: Annotated[
        str | None, typer.Option(help="With info: the series, where there are several.", metavar="TEXT")
    ] = None,
    reference_time: Annotated[
        str | None,
        typer.Option(help="With info: time to which decay was corrected.", metavar="09:30:00"),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Make SUV of DICOM PET, measure lesions and organs in given volumes, write the table for correlate."""
    if str(manifest) == _INFO and folder is not None:
        _show(folder, series, reference_time)
        return
    if folder is not None:
        raise IhcscoreError(f"{manifest} {folder}: expected one manifest, or: ihcscore suv info FOLDER")
    if series is not None or reference_time is not None:
        raise IhcscoreError("--series and --reference-time go with info; in a manifest they are columns")
    settings = SuvSettings(threshold=checked(Threshold.parse, text=threshold), peak=peak, suv=kind)
    existing(manifest, names)
    free(out, overwrite=overwrite)
    with stoppable(out), progress_bar(quiet) as progress:
        from ihcscore.suv import measure_scans

        result = measure_scans(
            manifest, out=out, settings=settings, names=names, overwrite=overwrite, progress=progress
        )
    for error in result.errors:
        typer.echo(f"ihcscore: {error}", err=True)
    print_warnings(result.warnings)
    if not quiet:
        _print_lesions(result.lesions.to_dict("records"))
        typer.echo(f"\nReport: {out / 'report.html'}")
    if result.errors:
        raise typer.Exit(EXIT_PARTLY)


def _show(folder: Path, series: str | None, reference_time: str | None) -> None:
    from ihcscore.suv import describe_scan

    lines = describe_scan(folder, series=series, reference_time=reference_time)
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        typer.echo(f"{name.ljust(width)}  {text}")


def _print_lesions(rows: list[dict[Hashable, Any]]) -> None:
    from ihcscore.report.numbers import format_fixed

    numbers = ("suv_max", "suv_mean", "suv_peak", "volume_ml", "mtv_ml", "tlg")
    table = [
        (
            str(row["patient_id"]), str(row["timepoint"]),
            " ".join(str(row[name]) for name in ("tissue", "lesion_id")).removeprefix("lesion ").strip(),
            *(format_fixed(float(str(row[name]))) for name in numbers),
        )
        for row in rows
    ]  # fmt: skip
    header = ("patient", "scan", "volume", "SUVmax", "SUVmean", "SUVpeak", "ml", "MTV ml", "TLG")
    print_table(header, table, n_left=3)
