"""A run that is reviewed, read from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore import output
from ihcscore.errors import IhcscoreError
from ihcscore.run.key import RUN_KEY
from ihcscore.run.write import REJECTED_CELLS
from ihcscore.schema import FIELDS, SCORES, SLIDE_CELLS

REVIEW = "review"
"""Member of the record of a run after its review."""


@dataclass(frozen=True, kw_only=True)
class ReviewedRun:
    """The tool's own result, which no review touches.

    Attributes
    ----------
    folder : Path
    record : mapping
        As in ``run.json``.
    scores, fields, cells, rejected_cells : DataFrame
    """

    folder: Path
    record: Mapping[str, Any] = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    rejected_cells: pd.DataFrame = field(repr=False)

    @property
    def run_key(self) -> str:
        """What the run is known by."""
        return str(self.record[RUN_KEY])

    @property
    def identity(self) -> str:
        """Of the slide."""
        return str(self.record["slide"]["identity"])

    @property
    def slide(self) -> str:
        """File name of the slide."""
        return str(self.record["slide"]["name"])

    @property
    def mpp_um(self) -> float:
        """µm per level-0 pixel."""
        return float(self.record["slide"]["mpp_um"])

    @property
    def all_cells(self) -> pd.DataFrame:
        """Cells of scored fields and of those that quality rejected."""
        tables = [one for one in (self.cells, self.rejected_cells) if len(one)]
        return pd.concat(tables, ignore_index=True) if tables else self.cells


def read_reviewed(folder: Path) -> ReviewedRun:
    """Read the run of a folder.

    Raises
    ------
    IhcscoreError
        If it holds no run on one slide, one that is reviewed already, or one of an older version.
    """
    record = output.find_record(folder)
    if record is None or record.command != "run" or not record.slide:
        raise IhcscoreError(f"{folder}: holds no run on a slide; give the folder of one slide that run wrote")
    if REVIEW in record.content:
        raise IhcscoreError(f"{folder}: holds a run after its review; give the folder of the run itself")
    if RUN_KEY not in record.content:
        raise IhcscoreError(f"{folder}: was written by an older version; run the slide again")
    try:
        tables = {
            name: output.read_table(folder / f"{name}.csv", table)
            for name, table in (("scores", SCORES), ("fields", FIELDS), ("cells", SLIDE_CELLS))
        }
        rejected = tables["cells"].iloc[:0]
        if REJECTED_CELLS in record.files:
            rejected = output.read_table(folder / REJECTED_CELLS, SLIDE_CELLS)
    except (OSError, ValueError) as error:
        raise IhcscoreError(f"{folder}: its tables cannot be read ({error}); run the slide again") from error
    return ReviewedRun(folder=folder, record=record.content, rejected_cells=rejected, **tables)
