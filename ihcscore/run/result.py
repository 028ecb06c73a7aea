"""What a run on one slide gives, and its tables."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from ihcscore import score
from ihcscore.cells.nuclear_size import Diameters, scale_doubt
from ihcscore.geometry.field import Field, FieldQuality
from ihcscore.run.plan import Plan
from ihcscore.run.planned import PlannedSlide
from ihcscore.schema import SLIDE_CELLS, FieldStatus, Note, NoteKind, Quality, RegionName


@dataclass(frozen=True, kw_only=True)
class ScoredField:
    """What became of a field.

    Attributes
    ----------
    field : Field
    status : FieldStatus
    error : str
        Why it was not scored; empty where it was.
    qc : Quality or None
        None where no pixel was seen.
    qc_reason : str
        Why, in a sentence; empty for a field that passed.
    quality : FieldQuality or None
    values : dict of str to float
        Counts and densities under their columns' names; empty where it was not scored.
    cells : DataFrame or None
        Its cells in level-0 pixels; None where it was not scored.
    nuclei_um : ndarray of float or None
        Diameters of its lone nuclei; None where it was not scored.
    """

    field: Field
    status: FieldStatus
    error: str = ""
    qc: Quality | None = None
    qc_reason: str = ""
    quality: FieldQuality | None = None
    values: dict[str, float] = dataclasses.field(default_factory=dict)
    cells: pd.DataFrame | None = dataclasses.field(default=None, repr=False)
    nuclei_um: Diameters | None = dataclasses.field(default=None, repr=False)

    def as_row(self) -> dict[str, object]:
        """Its columns in the field table."""
        seen = {} if self.qc is None else {"qc": str(self.qc), "qc_reason": self.qc_reason}
        return {
            **self.field.as_row(),
            "status": str(self.status),
            "error": self.error,
            **seen,
            **(asdict(self.quality) if self.quality is not None else {}),
            **self.values,
        }


@dataclass(frozen=True, kw_only=True)
class SlideScores:
    """What a run on one slide gives.

    Attributes
    ----------
    scores, fields, cells : DataFrame
        As in ``scores.csv``, ``fields.csv`` and ``cells.csv`` (:mod:`ihcscore.schema`).
    notes : tuple of Note
        What a reader must know.
    record : dict
        As in ``run.json``.
    seconds : dict of str to float
        Wall-clock seconds by part of the run.
    """

    scores: pd.DataFrame = dataclasses.field(repr=False)
    fields: pd.DataFrame = dataclasses.field(repr=False)
    cells: pd.DataFrame = dataclasses.field(repr=False)
    notes: tuple[Note, ...]
    record: dict[str, Any] = dataclasses.field(repr=False)
    seconds: dict[str, float] = dataclasses.field(repr=False)

    @property
    def n_scored(self) -> int:
        """Fields that were scored."""
        return int((self.fields["status"] == FieldStatus.SCORED).sum())

    @property
    def n_failed(self) -> int:
        """Fields that could not be read."""
        return int((self.fields["status"] == FieldStatus.FAILED).sum())


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables of one slide."""

    scores: pd.DataFrame
    fields: pd.DataFrame
    cells: pd.DataFrame


def tables_of(
    planned: PlannedSlide, scored: Sequence[ScoredField], notes: Sequence[Note], *, marker: str
) -> Tables:
    """Scores, fields and cells of a slide as they are written."""
    about, plan = {**planned.about, "marker": marker}, planned.plan
    fields = score.field_table([{**about, **one.as_row()} for one in scored])
    cells = [
        one.cells.assign(
            slide=planned.slide.name,
            marker=marker,
            region=str(one.field.region),
            sampling=str(plan.sampling),
            field_id=one.field.field_id,
        )
        for one in scored
        if one.cells is not None
    ]
    return Tables(
        scores=score.score_regions(
            fields,
            about_slide=about | {"field_area_mm2": planned.settings.fields.field_area_mm2},
            n_fields=plan.n_fields,
            notes=notes,
        ),
        fields=fields,
        cells=pd.concat(cells, ignore_index=True)[SLIDE_CELLS.names]
        if cells
        else pd.DataFrame(columns=SLIDE_CELLS.names),
    )


def notes_of(plan: Plan, scored: Sequence[ScoredField]) -> tuple[Note, ...]:
    """The plan's notes and those of the fields' fate: of the whole slide first, then region by region."""
    notes = [*plan.notes, *_scale_notes(scored)]
    for region in RegionName:
        own = [one for one in scored if one.field.region == region]
        notes += [
            Note(kind=NoteKind.UNPLACED, region=region, text=one.error)
            for one in own
            if one.status == FieldStatus.UNPLACED
        ]
        rejected = [one for one in own if one.status == FieldStatus.REJECTED]
        doubtful = [one for one in own if one.status == FieldStatus.SCORED and one.qc == Quality.WARN]
        if rejected:
            text = f"{_named(rejected)} rejected for quality"
            notes.append(Note(kind=NoteKind.REJECTED, region=region, text=text))
        if doubtful:
            text = f"{_named(doubtful)} of doubtful quality"
            notes.append(Note(kind=NoteKind.DOUBTFUL, region=region, text=text))
    order = [None, *RegionName]
    return tuple(sorted(notes, key=lambda note: order.index(note.region)))


def _scale_notes(scored: Sequence[ScoredField]) -> list[Note]:
    """What the size of all fields' nuclei says against the µm per pixel."""
    nuclei_um = [one.nuclei_um for one in scored if one.nuclei_um is not None]
    doubt = scale_doubt(np.concatenate(nuclei_um)) if nuclei_um else ""
    return [Note(kind=NoteKind.SLIDE, text=doubt)] if doubt else []


def _named(scored: Sequence[ScoredField]) -> str:
    names = ", ".join(one.field.field_id for one in scored)
    return f"field {names}" if len(scored) == 1 else f"fields {names}"
