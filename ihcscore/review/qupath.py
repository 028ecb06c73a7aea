"""What a reader did to a run's cells in QuPath, from the GeoJSON that QuPath exported."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import shapely

from ihcscore.errors import AnnotationError
from ihcscore.geometry.field import square_of
from ihcscore.geometry.square import centres_of_corners, corners_of_centres
from ihcscore.regions.qupath import class_of_properties, features
from ihcscore.review.acts import BEGINNING, Act, Row
from ihcscore.review.folder import ReviewedRun
from ihcscore.review.marks import FieldMarks
from ihcscore.review.replay import added_id, reader_marks
from ihcscore.schema import REMOVED, CellClass, FieldStatus, ReviewAct

# A cell that lost its id is the one whose centre lies so near.
_SAME_PLACE_PX = 1.0
_CLASSES = {str(one) for one in CellClass}
_VERDICTS = {"Accept": ReviewAct.ACCEPTED, "Reject": ReviewAct.REJECTED}


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a file says.

    Attributes
    ----------
    acts : tuple of Act
        What the reader did since the acts that the trail has.
    refused : tuple of str
        Objects that were not taken, and why.
    """

    acts: tuple[Act, ...]
    refused: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """A cell of the file: its centre in level-0 pixels, its diameter where it has one."""

    where: str
    feature_id: str
    run: str
    class_name: str
    x_px: float
    y_px: float
    diameter_um: float | None


@dataclass(kw_only=True)
class _Known:
    """A cell as the reader left it."""

    field_id: str
    x_px: float
    y_px: float
    class_name: str


@dataclass(kw_only=True)
class _Import:
    """Compares a file with what is known."""

    run: ReviewedRun
    known: dict[str, _Known]
    marks: dict[str, FieldMarks]
    blank: Act
    head: str
    acts: list[Act] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def act(self, act: ReviewAct, field_id: str, **given: Any) -> None:
        """Note an act; its id follows from the trail so far, so that two imports at once don't double it."""
        words = (self.head, self.blank.reader, act, field_id, given.get("cell_id"), given.get("class_new"))
        act_id = str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, words))))
        self.acts.append(replace(self.blank, act_id=act_id, act=act, field_id=field_id, **given))

    def field_at(self, x_px: float, y_px: float) -> str:
        """The field that holds a cell's centre, empty where none does."""
        at = corners_of_centres(np.array([x_px, y_px]))
        for row in self.run.fields.to_dict("records"):
            own = self.marks.get(row["field_id"], FieldMarks())
            counts = row["status"] == FieldStatus.SCORED or own.verdict is ReviewAct.RESTORED
            if counts and square_of(row).polygon.covers(shapely.Point(*at)):
                return str(row["field_id"])
        return ""

    def compare(self, seen: Sequence[_Seen]) -> None:
        """Acts from the cells of the file: by id first, then by place, what is left is new."""
        left = dict(self.known)
        lost = []
        for one in seen:
            if one.run not in ("", self.run.run_key):
                self.refused.append(f"{one.where}: a cell of another run")
            elif one.feature_id in left:
                self._same(one.feature_id, left.pop(one.feature_id), one)
            else:
                lost.append(one)
        new = []
        for one in lost:
            near = [
                (math.hypot(cell.x_px - one.x_px, cell.y_px - one.y_px), cell_id)
                for cell_id, cell in left.items()
            ]
            distance, cell_id = min(near, default=(math.inf, ""))
            if distance <= _SAME_PLACE_PX:
                self._same(cell_id, left.pop(cell_id), one)
            else:
                new.append(one)
        there = [cell for cell in self.known.values() if cell.class_name != REMOVED]
        if there and len(left) == len(self.known):
            raise AnnotationError(
                "the file holds no cell of this run; export all objects of the image from QuPath, "
                "after cells.geojson of this run was dragged onto it"
            )
        for one in new:
            self._new(one)
        for cell_id, cell in left.items():
            if cell.class_name != REMOVED:
                place = {"cell_id": cell_id, "x_px": cell.x_px, "y_px": cell.y_px}
                self.act(ReviewAct.REMOVED, cell.field_id, class_old=cell.class_name, **place)

    def _same(self, cell_id: str, cell: _Known, one: _Seen) -> None:
        if one.class_name not in _CLASSES:
            self.refused.append(f"{one.where}: a cell of class '{one.class_name}'; its class stays")
        elif one.class_name != cell.class_name:
            self.act(
                ReviewAct.CHANGED, cell.field_id, cell_id=cell_id, x_px=cell.x_px, y_px=cell.y_px,
                class_old=cell.class_name, class_new=one.class_name,
            )  # fmt: skip

    def _new(self, one: _Seen) -> None:
        if one.class_name not in _CLASSES:
            return  # whatever else people draw
        field_id = self.field_at(one.x_px, one.y_px)
        if not field_id:
            self.refused.append(f"{one.where}: a {one.class_name} cell outside the scored fields")
            return
        cell_id = one.feature_id or added_id(
            self.run, self.blank.reader, field_id=field_id, x_px=one.x_px, y_px=one.y_px
        )
        if one.feature_id in self.known or any(act.cell_id == cell_id for act in self.acts):
            cell_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{cell_id}/{one.x_px:.2f},{one.y_px:.2f}"))
        self.act(
            ReviewAct.ADDED, field_id, cell_id=cell_id, x_px=one.x_px, y_px=one.y_px,
            class_new=one.class_name, diameter_um=one.diameter_um,
        )  # fmt: skip

    def judge(self, field_id: str, verdict: ReviewAct) -> None:
        """A field that the reader accepted or rejected; what quality rejected is restored by accepting it."""
        status = self.run.fields.set_index("field_id").loc[field_id, "status"]
        if verdict is ReviewAct.ACCEPTED and status == FieldStatus.REJECTED:
            verdict = ReviewAct.RESTORED
        if self.marks.get(field_id, FieldMarks()).verdict is not verdict:
            self.act(verdict, field_id)


def import_qupath(run: ReviewedRun, trail: Sequence[Row], text: str, *, name: str, reader: str) -> Imported:
    """Acts by which a reader's marks become those of a file.

    Parameters
    ----------
    run : ReviewedRun
    trail : sequence of Row
        So far.
    text : str
        QuPath's GeoJSON.
    name : str
        The file's.
    reader : str

    Raises
    ------
    IhcscoreError
        If it is no GeoJSON, holds no cell of the run, or the trail is of another run.
    """
    marks = reader_marks(run, [row.act for row in trail], reader)
    blank = Act(
        act_id="-", at=datetime.now(UTC).isoformat(timespec="seconds"), reader=reader,
        origin=f"QuPath, {name}", slide_identity=run.identity, run_key=run.run_key, field_id="",
        act=ReviewAct.ACCEPTED,
    )  # fmt: skip
    work = _Import(
        run=run, known=_known(run, marks), marks=marks, blank=blank,
        head=trail[-1].hash if trail else BEGINNING,
    )  # fmt: skip
    names = set(run.fields["field_id"])
    seen = []
    for feature in features(text, name):
        class_name, where = class_of_properties(feature.properties), f"{name}: object {feature.number}"
        said = feature.properties.get("metadata")
        said = said if isinstance(said, dict) else {}
        if feature.kind == "annotation" and class_name in _VERDICTS:
            field_id = str(said.get("field") or feature.properties.get("name") or "")
            if field_id in names:
                work.judge(field_id, _VERDICTS[class_name])
            else:
                work.refused.append(f"{where}: classed {class_name}, and no field of this run")
        elif class_name in _CLASSES or feature.kind in ("detection", "cell"):
            seen += _cells(feature.geometry, where, str(feature.content.get("id") or ""),
                           str(said.get("run") or ""), class_name, run.mpp_um)  # fmt: skip
    work.compare(seen)
    return Imported(acts=tuple(work.acts), refused=tuple(work.refused))


def _known(run: ReviewedRun, marks: dict[str, FieldMarks]) -> dict[str, _Known]:
    """The cells as the reader left them, removed ones too, by cell_id."""
    restored = [name for name, one in marks.items() if one.verdict is ReviewAct.RESTORED]
    cells = run.all_cells
    scored = set(run.cells["field_id"])
    known = {}
    for row in cells[cells["field_id"].isin([*scored, *restored])].to_dict("records"):
        own = marks.get(row["field_id"], FieldMarks())
        known[str(row["cell_id"])] = _Known(
            field_id=row["field_id"], x_px=row["x_px"], y_px=row["y_px"],
            class_name=own.changed.get(row["cell_id"], row["class"]),
        )  # fmt: skip
    for name, own in marks.items():
        for one in own.added.values():
            known[one.cell_id] = _Known(
                field_id=name, x_px=one.x_px, y_px=one.y_px, class_name=one.class_name
            )
    return known


def _cells(
    geometry: Any, where: str, feature_id: str, run: str, class_name: str, mpp_um: float
) -> list[_Seen]:
    """The cells of a feature: an area is one, points are one each."""
    try:
        shape = shapely.geometry.shape(geometry)
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        shapely.errors.ShapelyError,
    ) as error:
        raise AnnotationError(f"{where}: its outline cannot be read; export it from QuPath again") from error
    points = shape.geom_type in ("Point", "MultiPoint")
    found = []
    for number, part in enumerate(shapely.get_parts(shape) if points else [shape]):
        x, y = part.centroid.x, part.centroid.y
        if not (math.isfinite(x) and math.isfinite(y)):
            raise AnnotationError(f"{where}: is empty; delete it and export again")
        diameter = 2 * math.sqrt(part.area / math.pi) * mpp_um
        found.append(
            _Seen(
                where=where,
                feature_id=feature_id if number == 0 else "",
                run=run,
                class_name=class_name,
                x_px=float(centres_of_corners(x)),
                y_px=float(centres_of_corners(y)),
                diameter_um=diameter if diameter > 0 else None,
            )
        )
    return found
