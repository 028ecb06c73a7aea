"""The tool's tables and the readers' acts to the tables after the review."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ihcscore import score
from ihcscore.errors import IhcscoreError
from ihcscore.review.acts import Act
from ihcscore.review.folder import ReviewedRun
from ihcscore.review.marks import AddedCell, FieldMarks, Marks, marks_of, together
from ihcscore.schema import (
    BOTH_REGIONS,
    FIELDS,
    REMOVED,
    SLIDE_CELLS,
    CellClass,
    FieldStatus,
    Note,
    NoteKind,
    RegionName,
    ReviewAct,
    ReviewRule,
    ReviewStatus,
)

_ABOUT = (
    "slide", "marker", "region_source", "sampling", "seed", "margin_um", "front", "field_area_mm2",
)  # fmt: skip
_COUNTS = ("n_positive", "n_negative", "n_pigment_suspect")
_DENSITIES = (
    "positive_per_mm2", "positive_per_mm2_tissue", "positive_or_suspect_per_mm2", "percent_positive",
)  # fmt: skip
# Of an added cell where the run has none from which its size could be taken: a lymphocyte's.
_DIAMETER_UM = 8.0


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """The tables after a review.

    Attributes
    ----------
    scores, fields, cells, rejected_cells : DataFrame
    notes : tuple of Note
        The run's, and what readers rejected or restored.
    reviewed : frozenset of str
        Names of the fields that a reader reviewed.
    """

    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    rejected_cells: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...]
    reviewed: frozenset[str]


def acts_of(acts: Sequence[Act], run: ReviewedRun) -> list[Act]:
    """The acts on a run.

    Raises
    ------
    IhcscoreError
        If some are of another run: it was made again since, with other settings or another slide.
    """
    others = [act for act in acts if act.run_key != run.run_key]
    if others:
        what = "another slide" if others[0].slide_identity != run.identity else "other settings"
        raise IhcscoreError(
            f"{run.folder}: the run has changed since {others[-1].reader} reviewed it ({what} or other "
            f"cells); {len(others)} acts of the review are of the earlier run and are not applied: "
            "put that run back, or move review.sqlite away and review again"
        )
    return list(acts)


def replay(run: ReviewedRun, acts: Sequence[Act], rule: ReviewRule = ReviewRule.FIRST) -> Replayed:
    """The tables of a run after the acts of its readers.

    Parameters
    ----------
    run : ReviewedRun
    acts : sequence of Act
        The whole trail, in its order.
    rule : ReviewRule
        Whose marks count where several readers reviewed a field.

    Raises
    ------
    IhcscoreError
        If acts are of another run.
    """
    cells = run.all_cells
    tool = dict(zip(cells["cell_id"], cells["class_tool"], strict=True))
    marks = marks_of(acts_of(acts, run), tool)
    rows, tables = [], []
    notes = [_note(said) for said in run.record["notes"]]
    for tool_row in run.fields.to_dict("records"):
        row: dict[str, Any] = {str(name): value for name, value in tool_row.items()}
        readers = marks.get(str(row["field_id"]), {})
        own = cells[cells["field_id"] == row["field_id"]]
        if readers:
            said = together(readers, rule, tool, mpp_um=run.mpp_um)
            own = _cells_after(own, said, run, row)
            mean = [_cells_after(_tools(own), one, run, row) for one in readers.values()]
            row = _row_after(row, said, own, readers, counted=mean if rule is ReviewRule.MEAN else [own])
            notes += _verdict(row, said, readers)
        rows.append(row)
        tables.append(own.assign(status=str(row["status"])))
    fields = _whole_numbers(pd.DataFrame(rows, columns=FIELDS.names))
    after = pd.concat(tables, ignore_index=True) if tables else cells.assign(status="")
    split = {status: after[after["status"] == status][SLIDE_CELLS.names] for status in FieldStatus}
    return Replayed(
        scores=_scores(run, fields, notes),
        fields=fields,
        cells=split[FieldStatus.SCORED].reset_index(drop=True),
        rejected_cells=split[FieldStatus.REJECTED].reset_index(drop=True),
        notes=tuple(notes),
        reviewed=frozenset(name for name, readers in marks.items() if readers),
    )


def reader_marks(run: ReviewedRun, acts: Sequence[Act], reader: str) -> dict[str, FieldMarks]:
    """One reader's own marks, by field_id."""
    cells = run.all_cells
    tool = dict(zip(cells["cell_id"], cells["class_tool"], strict=True))
    marks: Marks = marks_of([act for act in acts_of(acts, run) if act.reader == reader], tool)
    return {name: readers[reader] for name, readers in marks.items() if reader in readers}


def _note(said: Mapping[str, Any]) -> Note:
    region = said.get("region")
    return Note(
        kind=NoteKind(said["kind"]), text=said["text"], region=None if region is None else RegionName(region)
    )


def _tools(cells: pd.DataFrame) -> pd.DataFrame:
    """A field's cells as the tool had them."""
    own = cells[cells["class_tool"] != ""]
    return own.assign(**{"class": own["class_tool"]})


def _cells_after(
    cells: pd.DataFrame, said: FieldMarks, run: ReviewedRun, row: Mapping[Any, Any]
) -> pd.DataFrame:
    """A field's cells with new classes, those that were added last."""
    classes = [
        said.changed.get(cell_id, tool)
        for cell_id, tool in zip(cells["cell_id"], cells["class_tool"], strict=True)
    ]
    after = cells.assign(**{"class": classes, "review_status": str(said.status)})
    if not said.added:
        return after
    first = 1 + (int(cells["number"].max()) if len(cells) else 0)
    added = pd.DataFrame(
        [
            {
                **{name: row[name] for name in ("slide", "marker", "region", "sampling", "field_id")},
                "cell_id": one.cell_id, "number": number, "x_px": one.x_px, "y_px": one.y_px,
                "class": one.class_name, "diameter_um": _diameter(one, run), "chromogen_od": np.nan,
                "hematoxylin_od": np.nan, "confidence": np.nan, "class_tool": "",
                "review_status": str(said.status),
            }
            for number, one in enumerate(said.added.values(), first)
        ],
        columns=SLIDE_CELLS.names,
    )  # fmt: skip
    added = added.astype(
        {"number": "Int64", "chromogen_od": float, "hematoxylin_od": float, "confidence": float}
    )
    return pd.concat([after, added], ignore_index=True) if len(after) else added


def _diameter(one: AddedCell, run: ReviewedRun) -> float:
    """What was drawn, else the median of the tool's cells of the class."""
    if one.diameter_um is not None:
        return one.diameter_um
    same = run.cells.loc[run.cells["class_tool"] == one.class_name, "diameter_um"]
    return float(same.median()) if len(same) else _DIAMETER_UM


def _row_after(
    row: Mapping[Any, Any],
    said: FieldMarks,
    cells: pd.DataFrame,
    readers: Mapping[str, FieldMarks],
    *,
    counted: Sequence[pd.DataFrame],
) -> dict[str, Any]:
    """A field's row after the review, its counts the means over the tables that count."""
    status = said.status
    if len(counted) > 1 and status is ReviewStatus.ACCEPTED and any(_differs(one) for one in counted):
        status = ReviewStatus.CORRECTED
    by_whom = {"review_status": str(status), "reviewers": "; ".join(readers)}
    after = {**row, **by_whom}
    if said.verdict is ReviewAct.REJECTED:
        because = f": {said.reason}" if said.reason else ""
        error = f"field {row['field_id']}: rejected in review{because}"
        nothing: dict[str, Any] = dict.fromkeys((*_COUNTS, *score.REVIEW_COUNTS), pd.NA)
        nothing |= dict.fromkeys(_DENSITIES, np.nan)
        return {**after, "status": str(FieldStatus.REJECTED), "error": error, **nothing}
    restored = row["status"] == FieldStatus.REJECTED and said.verdict is ReviewAct.RESTORED
    if row["status"] != FieldStatus.SCORED and not restored:
        return after
    tallies = [_tally(one) for one in counted]
    means = {name: score.whole(float(np.mean([one[name] for one in tallies]))) for name in tallies[0]}
    values = score.score_counts(
        {name: means[name] for name in _COUNTS},
        area_mm2=float(row["area_mm2"]),
        tissue_fraction=float(row["tissue_fraction"]),
        pigment_fraction=float(row["pigment_fraction"]),
    )
    return {**after, **means, **values, "status": str(FieldStatus.SCORED), "error": ""}


def _differs(cells: pd.DataFrame) -> bool:
    return bool((cells["class"] != cells["class_tool"]).any())


def _tally(cells: pd.DataFrame) -> dict[str, int]:
    """Counts of a field's cells, and how they differ from the tool's."""
    tool, now = cells["class_tool"], cells["class"]
    own = tool != ""
    return {
        **score.count_classes(cells),
        "n_positive_tool": int((tool == CellClass.POSITIVE).sum()),
        "n_added": int((~own).sum()),
        "n_removed": int((now == REMOVED).sum()),
        "n_changed": int((own & (now != tool) & (now != REMOVED)).sum()),
    }


def _verdict(row: Mapping[str, Any], said: FieldMarks, readers: Mapping[str, FieldMarks]) -> list[Note]:
    """A note on a field that readers rejected or restored."""
    if said.verdict not in (ReviewAct.REJECTED, ReviewAct.RESTORED):
        return []
    who = ", ".join(name for name, one in readers.items() if one.verdict is said.verdict)
    because = f": {said.reason}" if said.reason else ""
    text = f"field {row['field_id']} {said.verdict} in review by {who}{because}"
    return [Note(kind=NoteKind.REVIEW, text=text, region=RegionName(row["region"]))]


def _whole_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Counts as whole numbers; with a fraction where a mean of readers has one."""
    for column in (*_COUNTS, *score.REVIEW_COUNTS):
        numbers = table[column].astype("Float64")
        parts = bool(((numbers % 1) != 0).fillna(False).any())
        table[column] = numbers if parts else numbers.astype("Int64")
    return table


def _scores(run: ReviewedRun, fields: pd.DataFrame, notes: Sequence[Note]) -> pd.DataFrame:
    """The score table from the field table, by the function that made the tool's."""
    rows = run.scores.to_dict("records")
    return score.score_regions(
        fields,
        about_slide={name: rows[0][name] for name in _ABOUT},
        n_fields={
            RegionName(row["region"]): int(row["n_fields"]) for row in rows if row["region"] != BOTH_REGIONS
        },
        notes=notes,
    )


def added_id(run: ReviewedRun, reader: str, *, field_id: str, x_px: float, y_px: float) -> str:
    """An id for a cell that a reader added where its program gave none."""
    name = f"{run.run_key}/{reader}/{field_id}/{x_px:.2f},{y_px:.2f}"
    return str(uuid.uuid5(uuid.NAMESPACE_OID, name))
