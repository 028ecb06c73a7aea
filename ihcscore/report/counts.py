"""The page of counted images: contact sheets, counts, what to know of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd


@dataclass(frozen=True, kw_only=True)
class CountsPage:
    """What the page of counted images shows.

    Attributes
    ----------
    record : dict
        The run's record, as in ``run.json``.
    counts : DataFrame
        As in ``counts.csv``.
    sheets : sequence of str
        Files of the contact sheets, relative to the page.
    overlays : mapping of str to str
        Name of each image's overlay without ending, by its file name; empty where none was drawn.
    """

    template: ClassVar[str] = "counts.html.j2"

    record: Mapping[str, Any]
    counts: pd.DataFrame = field(repr=False)
    sheets: Sequence[str]
    overlays: Mapping[str, str]

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        totals = self.counts[["n_positive", "n_negative", "n_pigment_suspect", "area_mm2"]].sum()
        return {
            "record": self.record,
            "rows": self.counts.to_dict("records"),
            "totals": {**totals, "per_mm2": totals["n_positive"] / totals["area_mm2"]},
            "warnings": self.record["warnings"],
            "errors": self.record["errors"],
            "sheets": self.sheets,
            "overlays": self.overlays,
        }
