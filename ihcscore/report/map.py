"""The page of a mapped slide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pandas as pd

from ihcscore.schema import NoteKind, RegionSource


@dataclass(frozen=True, kw_only=True)
class MapPage:
    """What the page of a mapped slide shows.

    Attributes
    ----------
    record : dict
        The map's record, as in ``run.json``.
    parts, fields_tell, spatial : DataFrame
        As in ``map.csv``, ``what_fields_tell.csv`` and ``spatial.csv``.
    n_cells : int
        Cells that were found on the slide, whatever their place.
    has_profile : bool
    cells_files : sequence of str
        Files with the cells.
    pictures : sequence of str
        Names of the pictures that were drawn.
    """

    template: ClassVar[str] = "map.html.j2"

    record: Mapping[str, Any]
    parts: pd.DataFrame = field(repr=False)
    fields_tell: pd.DataFrame = field(repr=False)
    spatial: pd.DataFrame = field(repr=False)
    n_cells: int
    has_profile: bool
    cells_files: Sequence[str]
    pictures: Sequence[str]

    def content(self) -> dict[str, Any]:
        """What the template shows, by name."""
        own = self.record["parameters"]["run"]["fields"]["n_fields"]
        told = self.fields_tell
        return {
            "record": self.record,
            "summary": self.record["summary"],
            "parts": self.parts.to_dict("records"),
            "n_cells": self.n_cells,
            "own": next(iter(told[told["n_fields"] == own].to_dict("records")), None),
            "spatial": [
                {
                    "statistic": name,
                    "other": other,
                    **table.iloc[0][["p", "n_cells", "n_simulations"]].to_dict(),
                }
                for (name, other), table in self.spatial.groupby(["statistic", "other_marker"], sort=False)
            ],
            "has_profile": self.has_profile,
            "cells_files": self.cells_files,
            "pictures": self.pictures,
            "proposed": self.record["annotations"]["source"] == RegionSource.PROPOSED,
            "warnings": [
                ("red" if note["kind"] == NoteKind.STAIN else "amber", note["text"])
                for note in self.record["notes"]
                if note["kind"] != NoteKind.PROPOSED
            ],
        }
