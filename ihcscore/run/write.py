"""What a run leaves on disk, and reading it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from shapely.geometry.base import BaseGeometry

from ihcscore import output, pictures, report
from ihcscore.cells import described, finder_of
from ihcscore.geometry.field import Field
from ihcscore.geometry.mark import DrawnMark
from ihcscore.profiles import MarkerProfile
from ihcscore.regions import Annotations, read_annotations
from ihcscore.run.count import CountedField
from ihcscore.run.key import RUN_KEY
from ihcscore.run.places import PicturePlace, write_places
from ihcscore.run.plan import Plan
from ihcscore.run.planned import PlannedSlide, mark_of
from ihcscore.run.result import ScoredField, SlideScores
from ihcscore.run.stained import stain_mark
from ihcscore.run.views import OVERVIEW_PX, annotations_geojson, draw_plan, regions_geojson, spoilt_in
from ihcscore.schema import (
    CLASS_COLOURS,
    FIELDS,
    REGION_COLOURS,
    SCORES,
    SLIDE_CELLS,
    FieldStatus,
    Note,
    NoteKind,
    Quality,
    RegionName,
    RegionSource,
    ReviewStatus,
    Sampling,
)
from ihcscore.schema.colours import MEMBRANE_COLOURS
from ihcscore.slide.thumbnail import CACHE, keep_thumbnail
from ihcscore.tissue.mask import TissueSettings

REJECTED_CELLS = "rejected-cells.csv"
"""Cells that were found in fields of failing quality: none of them counts."""

_PREVIEW_PX = 640
# In the record of a run on fields that were drawn, looked at and given back: how they were drawn.
_DRAWN_BEFORE = "drawn_before"
_PLAIN_QUALITY = 90


@dataclass(kw_only=True)
class FieldPictures:
    """Pictures of the fields that were read, written one by one so that no more than one is held in memory.

    Attributes
    ----------
    folder : OutputFolder
    planned : PlannedSlide
    marker : str
    upright : bool
        Also write each field as it lies on the reference: what a contact sheet shows.
    previews : dict of str to bytes
        A small JPEG of each field so far, by field_id.
    places : dict of str to PicturePlace
        Where each picture without rings lies on the slide, by field_id.
    """

    folder: output.OutputFolder
    planned: PlannedSlide
    marker: str
    upright: bool = False
    previews: dict[str, bytes] = field(default_factory=dict, repr=False)
    places: dict[str, PicturePlace] = field(default_factory=dict, repr=False)

    def add(self, scored: ScoredField, counted: CountedField) -> None:
        """Write the pictures of a field that was scored, or rejected for what is tinted on them.

        A turned field is shown as it lies on the slide that it was drawn on; `-plain.jpg` is as scanned.
        """
        name, carried = scored.field.field_id, self.planned.plan.carried
        mirrored = carried is not None and carried.mirrored
        as_scanned = self._picture(scored, counted)
        turned = mirrored or counted.square.angle_deg % 360 != 0
        drawn = pictures.draw_field(
            pictures.upright_field(as_scanned, mirrored=mirrored) if turned else as_scanned
        )
        pictures.write_png(self._file(name, ".png"), drawn)
        pictures.write_jpeg(self._file(name, "-plain.jpg"), counted.rgb, quality=_PLAIN_QUALITY)
        if as_scanned.tinted:
            pictures.write_tints(self._file(name, "-spoilt.png"), as_scanned.tinted)
        self.places[name] = PicturePlace(
            corner_xy_px=counted.corner_xy_px,
            downsample=counted.downsample,
            mpp_um=counted.mpp_um,
            size_xy_px=(counted.rgb.shape[1], counted.rgb.shape[0]),
            mirrored=mirrored,
            spoilt=tuple(kind for kind, _, _ in as_scanned.tinted),
        )
        if self.upright:
            square = pictures.upright_square(
                pictures.tinted(as_scanned), counted.square, side_px=pictures.CONTACT_PX, mirrored=mirrored
            )
            pictures.write_jpeg(self._file(name, "-upright.jpg"), square, quality=90)
        self.previews[name] = pictures.encode_jpeg(drawn, longest_px=_PREVIEW_PX)

    def _picture(self, scored: ScoredField, counted: CountedField) -> pictures.FieldPicture:
        """A field as it was scanned, with its cells and with what spoils it."""
        mark = stain_mark(self.planned.survey.stain_check)
        rejected = scored.status is FieldStatus.REJECTED
        return pictures.FieldPicture(
            rgb=counted.rgb,
            cells=None if rejected else counted.cells_in_picture,
            square=counted.square,
            mpp_um=counted.mpp_um,
            title=field_title(
                f"{mark}{self.planned.slide.name}",
                self.marker,
                scored.field.field_id,
                per_mm2=None if rejected else float(scored.values["positive_per_mm2"]),
                status=ReviewStatus.NOT_REVIEWED,
            ),
            negatives=self.planned.settings.negatives,
            numbers=self.planned.settings.numbers,
            tinted=[] if scored.qc is Quality.PASS else spoilt_in(self.planned, scored.field, counted),
            note=f"Not scored: {scored.qc_reason}" if rejected else "",
        )

    def _file(self, field_id: str, ending: str) -> Path:
        name = output.overlay_name(self.planned.slide.name, self.marker, field_id)
        return self.folder.new_file("overlays", name + ending)


def field_title(
    slide: str, marker: str, field_id: str, *, per_mm2: float | None, status: ReviewStatus
) -> str:
    """What stands above a field's picture; without a density where it was not scored."""
    words = [slide, marker, field_id]
    if per_mm2 is not None:
        words.append(f"{report.format_density(per_mm2)} positive per mm²")
    return "  ·  ".join([*words, str(status)])


def write_run(
    folder: output.OutputFolder,
    result: SlideScores,
    planned: PlannedSlide,
    *,
    marker: str,
    drawn: FieldPictures,
) -> None:
    """Tables, GeoJSON, overview, page and record of one slide."""
    previews = drawn.previews
    slide, survey, plan = planned.slide, planned.survey, planned.plan
    output.write_table(folder.new_file("scores.csv"), result.scores, SCORES)
    output.write_table(folder.new_file("fields.csv"), result.fields, FIELDS)
    output.write_table(folder.new_file("cells.csv"), result.cells, SLIDE_CELLS)
    if len(result.rejected_cells):
        output.write_table(folder.new_file(REJECTED_CELLS), result.rejected_cells, SLIDE_CELLS)
    for file, content in (
        ("annotations.geojson", annotations_geojson(plan, slide=slide.name)),
        ("regions.geojson", regions_geojson(plan, survey, slide=slide.name)),
        ("fields.geojson", output.fields_geojson(result.fields, REGION_COLOURS, mark=_mark(planned, result))),
        (
            "cells.geojson",
            output.cells_geojson(
                result.cells,
                CLASS_COLOURS | MEMBRANE_COLOURS,
                mpp_um=slide.mpp_um,
                run_key=str(result.record[RUN_KEY]),
            ),
        ),
    ):
        output.write_geojson(folder.new_file(file), content)
    if plan.carried is None:
        keep_thumbnail(folder.staging / CACHE, slide, survey.thumbnail, TissueSettings().mpp_um)
    write_places(folder, drawn.places, survey.thumbnail)
    said = f"regions {plan.annotations.source}  ·  {ReviewStatus.NOT_REVIEWED}"
    title = f"{stain_mark(survey.stain_check)}{marker}  ·  {said}"
    overview = draw_plan(slide, survey, plan, result.fields, title=title)
    pictures.write_png(folder.new_file("overview.png"), overview)
    page = report.SlidePage(
        record=result.record,
        fields=result.fields,
        scores=result.scores,
        notes=result.notes,
        overview_jpeg=pictures.encode_jpeg(overview, longest_px=OVERVIEW_PX),
        field_jpegs=previews,
        overlays={one: output.overlay_name(slide.name, marker, one) for one in previews},
    )
    folder.add_file(report.html_of(page), "report.html")
    output.write_record(folder, result.record)


def _mark(planned: PlannedSlide, result: SlideScores) -> DrawnMark | None:
    """How the fields were drawn, for when they are given back; None where they were not drawn here."""
    if planned.plan.sampling == Sampling.GIVEN or planned.plan.carried is not None:
        return None
    if planned.plan.mark is not None:
        return planned.plan.mark
    return mark_of(planned, [Field.from_row(row) for row in result.fields.to_dict("records")])


def record_of(
    planned: PlannedSlide, notes: Sequence[Note], *, profile: MarkerProfile, work_key: str | None
) -> dict[str, Any]:
    """Everything that is needed to do the run again; no path of the user's machine."""
    slide, survey, plan = planned.slide, planned.survey, planned.plan
    tissue = survey.tissue
    return output.make_record(
        "run",
        {
            "marker": profile.name,
            "parameters": planned.settings,
            "profile": profile,
            "finder": described(finder_of(profile)),
            "slide": {
                "name": slide.name,
                "format": slide.format,
                "size_xy_px": slide.size_xy_px,
                "mpp_um": slide.mpp_um,
                "mpp_source": slide.mpp_source,
                "identity": slide.identity,
                "background_rgb": slide.background_rgb,
                "icc_applied": slide.icc_applied,
                "icc_name": slide.icc_name,
            },
            **({"work_key": work_key} if work_key else {}),
            "sampling": plan.sampling,
            "annotations": _annotations(plan),
            **({"carried": plan.carried} if plan.carried else {}),
            **({_DRAWN_BEFORE: plan.mark.as_json()} if plan.mark else {}),
            "tissue": {
                "area_mm2": tissue.area_mm2,
                "white_rgb": tissue.white_rgb,
                "white_source": tissue.white_source,
                "mpp_um": tissue.mpp_um,
            },
            "stains": survey.stains,
            "stain_check": survey.stain_check,
            "notes": notes,
        },
    )


def _annotations(plan: Plan) -> dict[str, object]:
    """Who said where the tumour is, and the file that said so."""
    said: dict[str, object] = {"source": plan.annotations.source}
    if drawn := [region for region, area in _outlined(plan.annotations).items() if not area.is_empty]:
        said["drawn_regions"] = drawn
    if plan.confidence is not None:
        said["confidence"] = plan.confidence
    if plan.file is not None:
        said |= {"file": plan.file.name, "sha256": output.sha256_of(plan.file)}
    return said


def _outlined(annotations: Annotations) -> dict[RegionName, BaseGeometry]:
    """What a person drew as a region, rather than as the tumour from which regions follow."""
    return {
        RegionName.TUMOUR_CENTRE: annotations.centre,
        RegionName.INVASIVE_FRONT: annotations.front,
    }


@dataclass(frozen=True, kw_only=True)
class FinishedRun:
    """A run on one slide, read back from its folder.

    Attributes
    ----------
    scored : tuple of Field
        Fields that were scored.
    annotations : Annotations
        The outlines, drawn, proposed or carried; empty where fields were given.
    sampling : Sampling
        How the fields were chosen.
    """

    scored: tuple[Field, ...] = field(repr=False)
    annotations: Annotations = field(repr=False)
    sampling: Sampling


def read_run(folder: Path) -> FinishedRun:
    """Read what :func:`write_run` wrote.

    Raises
    ------
    OSError
        If a file cannot be read.
    ValueError
        If a file is not what a run writes.
    IhcscoreError
        If its annotations cannot be used.
    """
    record = output.read_record(folder).content
    table = output.read_table(folder / "fields.csv", FIELDS)
    scored = table[table["status"] == FieldStatus.SCORED]
    sampling = Sampling(record["sampling"])
    annotations = Annotations(source=RegionSource(record["annotations"]["source"]))
    if sampling != Sampling.GIVEN and _DRAWN_BEFORE not in record:
        drawn = read_annotations(folder / "annotations.geojson")
        annotations = replace(drawn, source=annotations.source)
    return FinishedRun(
        scored=tuple(Field.from_row(row) for row in scored.to_dict("records")),
        annotations=annotations,
        sampling=sampling,
    )


def read_stain_doubt(folder: Path) -> str:
    """What a finished run says is doubtful in its stain; empty where all is well."""
    notes = output.read_record(folder).content.get("notes", ())
    return "; ".join(note["text"] for note in notes if note["kind"] == NoteKind.STAIN)
