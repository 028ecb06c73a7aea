"""A run's folder after its review, beside the tool's own, which stays as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ihcscore import output, pictures, report
from ihcscore.errors import IhcscoreError
from ihcscore.geometry.field import square_of
from ihcscore.geometry.mark import MARK, DrawnMark
from ihcscore.geometry.square import centres_of_corners, corners_of_centres
from ihcscore.review.acts import Row
from ihcscore.review.folder import REVIEW, ReviewedRun, read_reviewed
from ihcscore.review.replay import Replayed, replay
from ihcscore.review.store import Store, broken_at, corrections
from ihcscore.run.places import PicturePlace, read_places
from ihcscore.run.stained import verdict_mark
from ihcscore.run.views import OVERVIEW_PX
from ihcscore.run.write import REJECTED_CELLS, field_title
from ihcscore.schema import (
    CLASS_COLOURS,
    CORRECTIONS,
    FIELDS,
    FOLD_COLOUR,
    INK_COLOUR,
    REGION_COLOURS,
    SCORES,
    SLIDE_CELLS,
    FieldStatus,
    ReviewRule,
    ReviewStatus,
    StainVerdict,
)

REVIEWED = "reviewed"
"""Folder for the result where none is given, in the run's own."""

_PREVIEW_PX = 640
_TINTS = {"Fold": FOLD_COLOUR, "Ink": INK_COLOUR}


def apply_review(folder: Path, *, out: Path | None = None, rule: ReviewRule = ReviewRule.FIRST) -> Replayed:
    """Write a run's tables, overlays and report as they are after its review.

    Parameters
    ----------
    folder : Path
        Of the run; nothing in it is changed.
    out : Path, optional
        The default is a folder ``reviewed`` in it. An earlier result of a review there is replaced.
    rule : ReviewRule
        Whose marks count where several readers reviewed a field.

    Raises
    ------
    IhcscoreError
        If there is no run or no review, the trail is not whole or of another run, or `out` holds another run.
    """
    run = read_reviewed(folder)
    with Store(folder) as store:
        rows = store.rows()
    if broken := broken_at(rows):
        raise IhcscoreError(
            f"{folder}: the trail of its review is not whole: {broken}; put back a copy of it"
        )
    after = replay(run, [row.act for row in rows], rule)
    out = folder / REVIEWED if out is None else out
    there = output.find_record(out)
    with output.OutputFolder(out, overwrite=there is not None and REVIEW in there.content) as target:
        names = [str(name) for name in run.record["files"]]
        target.copy_files(folder, [name for name in names if (folder / name).is_file()])
        output.write_table(target.new_file(f"{CORRECTIONS.name}.csv"), corrections(rows), CORRECTIONS)
        record = _record(run, after, rows, rule)
        if after.reviewed:
            _write_tables(target, run, after)
            for row in after.fields.to_dict("records"):
                if row["field_id"] in after.reviewed:
                    _redraw(target, run, row, after)
            _write_report(target, run, after, record)
        output.write_record(target, record)
    return after


def sentence(run: ReviewedRun, after: Replayed) -> str:
    """What the review did, for a person."""
    before, now = run.scores.iloc[-1], after.scores.iloc[-1]
    if not after.reviewed:
        return "Not reviewed."
    n_asked = int(((after.fields["status"] == FieldStatus.SCORED) | (after.fields["reviewers"] != "")).sum())
    n_changes = sum(now[name] for name in ("n_added", "n_removed", "n_changed"))
    return (
        f"Reviewed by {now['reviewers']}: {now['n_reviewed']} of {n_asked} fields, "
        f"{n_changes:g} of {now['n_positive_tool']:g} positives changed, "
        f"{report.format_density(before['mean_per_mm2'])} → "
        f"{report.format_density(now['mean_per_mm2'])} per mm²."
    )


def _record(run: ReviewedRun, after: Replayed, rows: list[Row], rule: ReviewRule) -> dict[str, Any]:
    said = {
        "rule": str(rule),
        "n_acts": len(rows),
        "trail": rows[-1].hash if rows else "",
        "sentence": sentence(run, after),
    }
    record = {name: value for name, value in run.record.items() if name != "files"}
    return {**record, "notes": output.as_plain(list(after.notes)), REVIEW: said}


def _write_tables(target: output.OutputFolder, run: ReviewedRun, after: Replayed) -> None:
    output.write_table(target.new_file("scores.csv"), after.scores, SCORES)
    output.write_table(target.new_file("fields.csv"), after.fields, FIELDS)
    output.write_table(target.new_file("cells.csv"), after.cells, SLIDE_CELLS)
    if len(after.rejected_cells) or len(run.rejected_cells):
        output.write_table(target.new_file(REJECTED_CELLS), after.rejected_cells, SLIDE_CELLS)
    drawn = DrawnMark.from_json(output.read_json(run.folder / "fields.geojson").get(MARK))
    fields = output.fields_geojson(after.fields, REGION_COLOURS, mark=drawn)
    output.write_geojson(target.new_file("fields.geojson"), fields)
    cells = output.cells_geojson(after.cells, CLASS_COLOURS, mpp_um=run.mpp_um, run_key=run.run_key)
    output.write_geojson(target.new_file("cells.geojson"), cells)


def _redraw(target: output.OutputFolder, run: ReviewedRun, row: dict[Any, Any], after: Replayed) -> None:
    """A field's overlay after its review, on the picture without rings that the run kept."""
    name = output.overlay_name(run.slide, str(run.record["marker"]), row["field_id"])
    plain = run.folder / output.OVERLAYS / f"{name}-plain.jpg"
    place = read_places(run.folder).fields.get(row["field_id"])
    if place is None or not plain.is_file():
        return
    picture = _picture(run, row, after, place, pictures.read_rgb(plain))
    if place.spoilt:
        tints = pictures.read_rgb(plain.with_name(f"{name}-spoilt.png"))
        tinted = [(one, (tints == _TINTS[one]).all(axis=2), _TINTS[one]) for one in place.spoilt]
        picture = _with(picture, tinted)
    if place.mirrored or row["angle_deg"] % 360 != 0:
        picture = pictures.upright_field(picture, mirrored=place.mirrored)
    pictures.write_png(target.new_file(output.OVERLAYS, f"{name}.png"), pictures.draw_field(picture))


def _with(picture: pictures.FieldPicture, tinted: list[Any]) -> pictures.FieldPicture:
    from dataclasses import replace

    return replace(picture, tinted=tinted)


def _picture(
    run: ReviewedRun, row: dict[Any, Any], after: Replayed, place: PicturePlace, rgb: Any
) -> pictures.FieldPicture:
    own = after.cells[after.cells["field_id"] == row["field_id"]]
    at = {
        axis: centres_of_corners(
            (corners_of_centres(own[axis].to_numpy(float)) - place.corner_xy_px[number]) / place.downsample
        )
        for number, axis in enumerate(("x_px", "y_px"))
    }
    left, top = (value / place.downsample for value in place.corner_xy_px)
    scored = row["status"] == FieldStatus.SCORED
    mark = verdict_mark(StainVerdict(run.record["stain_check"]["verdict"]))
    return pictures.FieldPicture(
        rgb=np.asarray(rgb, np.uint8),
        cells=own.assign(**at) if scored else None,
        square=square_of(row).reduced(place.downsample).shifted(-left, -top),
        mpp_um=place.mpp_um,
        title=field_title(
            f"{mark}{run.slide}", str(run.record["marker"]), row["field_id"],
            per_mm2=row["positive_per_mm2"] if scored else None, status=ReviewStatus(row["review_status"]),
        ),
        negatives=bool(run.record["parameters"]["negatives"]),
        numbers=bool(run.record["parameters"].get("numbers", False)),
        note="" if scored else f"Not scored: {row['error'] or row['qc_reason']}",
    )  # fmt: skip


def _write_report(
    target: output.OutputFolder, run: ReviewedRun, after: Replayed, record: dict[str, Any]
) -> None:
    overlays = {
        name: output.overlay_name(run.slide, str(run.record["marker"]), name)
        for name in after.fields["field_id"]
    }
    drawn = {name: target.staging / output.OVERLAYS / f"{file}.png" for name, file in overlays.items()}
    previews = {
        name: pictures.encode_jpeg(pictures.read_rgb(path), longest_px=_PREVIEW_PX)
        for name, path in drawn.items()
        if path.is_file()
    }
    page = report.SlidePage(
        record=record,
        fields=after.fields.assign(error=after.fields["error"].fillna("")),
        scores=after.scores,
        notes=after.notes,
        overview_jpeg=pictures.encode_jpeg(
            pictures.read_rgb(run.folder / "overview.png"), longest_px=OVERVIEW_PX
        ),
        field_jpegs=previews,
        overlays={name: overlays[name] for name in previews},
    )
    target.add_file(report.html_of(page), "report.html")
