"""The page of uptake measured in scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd


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
    methods, threshold : str
        Threshold of the metabolic tumour volume, in words.
    unit : str
    """

    record: Mapping[str, Any]
    lesions: pd.DataFrame = field(repr=False)
    parts: Sequence[ScanPart]
    errors: Sequence[str]
    warnings: Sequence[str]
    methods: str
    threshold: str
    unit: str

    template: ClassVar[str] = "uptake.html.j2"

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        rows = self.lesions.to_dict("records")
        return {
            "record": self.record,
            "lesions": [row for row in rows if row["tissue"] == "lesion"],
            "organs": [row for row in rows if row["tissue"] != "lesion"],
            "parts": self.parts,
            "errors": self.errors,
            "warnings": self.warnings,
            "methods": self.methods,
            "unit": self.unit,
            "threshold": self.threshold,
        }
