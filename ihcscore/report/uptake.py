"""The page of uptake measured in scans."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore.report.page import environment


@dataclass(frozen=True, kw_only=True)
class ScanPart:
    """What the page says of one scan.

    Attributes
    ----------
    name, patient_id, timepoint : str
    scanner, derivation : sequence of (str, str)
        A name and a text a line.
    notes : sequence of str
    projection : bytes
        JPEG.
    volumes : sequence of (str, bytes)
        Name and JPEG of each.
    uptake_min, dose_mbq : float or None
    sources : sequence of str
        What the volumes came from.
    """

    name: str
    patient_id: str
    timepoint: str
    scanner: Sequence[tuple[str, str]]
    derivation: Sequence[tuple[str, str]]
    notes: Sequence[str]
    projection: bytes = field(repr=False)
    volumes: Sequence[tuple[str, bytes]] = field(repr=False)
    uptake_min: float | None
    dose_mbq: float | None
    sources: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class UptakePage:
    """What the page of uptake shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    lesions : DataFrame
        As in ``lesions.csv``.
    parts : sequence of ScanPart
    errors, warnings : sequence of str
    methods : str
    unit : str
    """

    record: Mapping[str, Any]
    lesions: pd.DataFrame = field(repr=False)
    parts: Sequence[ScanPart]
    errors: Sequence[str]
    warnings: Sequence[str]
    methods: str
    unit: str


def write_uptake_page(path: Path, page: UptakePage) -> None:
    """Write the page; it opens from disk as one file."""
    made = environment()
    made.filters["fixed"] = format_fixed
    made.filters["jpeg"] = lambda jpeg: "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
    rows = page.lesions.to_dict("records")
    html = made.get_template("uptake.html.j2").render(
        record=page.record,
        lesions=[row for row in rows if row["tissue"] == "lesion"],
        organs=[row for row in rows if row["tissue"] != "lesion"],
        parts=page.parts,
        errors=page.errors,
        warnings=page.warnings,
        methods=page.methods,
        unit=page.unit,
        threshold=page.record["parameters"]["threshold"],
    )
    path.write_text(html, encoding="utf-8")


def format_fixed(value: float | None, digits: int = 2) -> str:
    """So many decimals; a dash where there is no number."""
    return "–" if value is None or pd.isna(value) else f"{value:.{digits}f}"
