"""The main job: a whole slide to counts per mm², overlays and a report."""

from __future__ import annotations

import hashlib
import math
from collections import deque
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ihcscore
from ihcscore import output, pictures, report
from ihcscore.errors import ReadError
from ihcscore.fields.draw import draw_fields, tissue_fractions
from ihcscore.fields.quality import judge_field
from ihcscore.geometry.square import Square
from ihcscore.output.progress import Progress, Stopwatch, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.count import CountedField, as_profile, count_field
from ihcscore.run.plan import Plan, plan_fields
from ihcscore.run.survey import Survey, learn_pigment, survey_slide
from ihcscore.run.thumbnails import CACHE, keep_thumbnail
from ihcscore.run.views import OVERVIEW_PX, bands_geojson, draw_plan, regions_geojson
from ihcscore.schema import (
    CLASS_COLOURS,
    FIELDS,
    REGION_COLOURS,
    SCORES,
    SLIDE_CELLS,
    FieldStatus,
    RegionName,
    RunSettings,
)
from ihcscore.score import density as score
from ihcscore.serial.carry import ReferenceFields, carry_fields
from ihcscore.slide import Slide, open_slide
from ihcscore.tissue.focus import field_quality
from ihcscore.tissue.mask import TissueSettings

# Fields that may be drawn in a region in place of rejected ones.
_MAX_REDRAWS = 10
_PREVIEW_PX = 640


@dataclass(frozen=True, kw_only=True)
class SlideScores:
    """What a run on one slide gives.

    Attributes
    ----------
    scores, fields, cells : DataFrame
        As in ``scores.csv``, ``fields.csv`` and ``cells.csv`` (:mod:`ihcscore.schema`).
    warnings : tuple of str
    record : dict
        As in ``run.json``.
    seconds : dict of str to float
        Wall-clock seconds by part of the run.
    """

    scores: pd.DataFrame = field(repr=False)
    fields: pd.DataFrame = field(repr=False)
    cells: pd.DataFrame = field(repr=False)
    warnings: tuple[str, ...]
    record: dict[str, Any] = field(repr=False)
    seconds: dict[str, float] = field(repr=False)

    @property
    def n_failed(self) -> int:
        """Fields that could not be read."""
        return int((self.fields["status"] == FieldStatus.FAILED).sum())


def score_slide(
    path: str | Path,
    *,
    profile: str | MarkerProfile,
    regions: str | Path | None = None,
    fields: str | Path | None = None,
    reference: ReferenceFields | None = None,
    settings: RunSettings | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    work_key: str | None = None,
    progress: Progress = silent,
) -> SlideScores:
    """Score one slide: draw fields, count cells, give densities.

    Parameters
    ----------
    path : str or Path
        The slide.
    profile : str or MarkerProfile
        A marker's name, a profile file, or a profile.
    regions : str or Path, optional
        QuPath GeoJSON with the tumour's outline; without it the program proposes one.
    fields : str or Path, optional
        QuPath GeoJSON with squares that are to be scored instead of drawn ones.
    reference : ReferenceFields, optional
        Fields of another slide of the sample, which are found again on this one instead of drawn.
    settings : RunSettings, optional
        Fields, margin and pixel size; the defaults are the study's.
    out : str or Path, optional
        Folder for tables, overlays and report; without it nothing is written.
    overwrite : bool
        Replace a run that the folder already holds.
    work_key : str, optional
        What the run was made from, written into its record.
    progress : callable, optional
        Called with what is being done and the share done.

    Returns
    -------
    SlideScores

    Raises
    ------
    IhcscoreError
        If slide, annotation, profile or folder cannot be used; nothing is written then. A field
        that cannot be read is no error: it stands in the tables as failed.
    """
    settings = settings or RunSettings()
    profile = as_profile(profile)
    files = {
        "regions_file": Path(regions) if regions is not None else None,
        "fields_file": Path(fields) if fields is not None else None,
    }
    watch = Stopwatch()
    with ExitStack() as stack:
        folder = (
            stack.enter_context(output.OutputFolder(out, overwrite=overwrite)) if out is not None else None
        )
        with watch.timing("opening"):
            slide = stack.enter_context(open_slide(path, mpp_um=settings.mpp_um, icc=settings.icc))
        with watch.timing("thumbnail, tissue and stains"):
            cache = None if out is None else Path(out) / CACHE
            survey = survey_slide(slide, profile=profile, progress=progress, cache=cache)
        with watch.timing("regions and fields"):
            plan = (
                plan_fields(slide, survey, settings=settings, **files)
                if reference is None
                else carry_fields(slide, survey, reference=reference, settings=settings)
            )
            survey = learn_pigment(slide, survey, plan.annotations.pigment)
        run = _Run(
            slide=slide,
            survey=survey,
            plan=plan,
            profile=profile,
            settings=settings,
            folder=folder,
            work_key=work_key,
            watch=watch,
        )
        result = run.score(files["fields_file"] or files["regions_file"], progress)
        progress("done", 1.0)
    return result


@dataclass(kw_only=True)
class _Run:
    """One slide on its way from the plan to the tables."""

    slide: Slide
    survey: Survey
    plan: Plan
    profile: MarkerProfile
    settings: RunSettings
    folder: output.OutputFolder | None
    work_key: str | None
    watch: Stopwatch
    previews: dict[str, bytes] = field(default_factory=dict)

    def score(self, annotation_file: Path | None, progress: Progress) -> SlideScores:
        """Count every field, make the tables, write what was asked for."""
        rows: list[dict[str, object]] = []
        cells = []
        waiting = deque(self.plan.fields.to_dict("records"))
        places = list(waiting)
        while waiting:
            place = waiting.popleft()
            progress(f"field {place['field_id']}", 0.25 + 0.7 * len(rows) / len(places))
            row, found = self._score_field(place)
            rows.append(row)
            cells.append(found)
            if row["status"] == FieldStatus.REJECTED:
                again = self._redrawn(str(place["region"]), places)
                waiting.extendleft(again)
                places += again
        fields = score.field_table(rows)
        warnings = self._warnings(fields)
        scores = score.score_regions(
            fields,
            about_slide=self._about_slide() | {
                "field_area_mm2": self.settings.fields.area_mm2,
                "n_fields_asked": self.settings.fields.n_per_region,
            },
            warnings={name: "; ".join([*warnings[""], *lines]) for name, lines in warnings.items() if name},
        )  # fmt: skip
        result = SlideScores(
            scores=scores,
            fields=fields,
            cells=pd.concat(cells, ignore_index=True)[SLIDE_CELLS.names],
            warnings=tuple(line for lines in warnings.values() for line in lines),
            record=self._record(annotation_file, warnings),
            seconds=self.watch.seconds,
        )
        progress("report", 0.95)
        if self.folder is not None:
            with self.watch.timing("writing"):
                _write(self.folder, result, self)
        return result

    def _redrawn(self, region: str, places: list[dict[Any, Any]]) -> list[dict[Any, Any]]:
        """One field more in a region, or none where there is no room or enough was tried."""
        drawn = [place for place in places if place["region"] == region]
        if not self.plan.redraws or len(drawn) >= self.settings.fields.n_per_region + _MAX_REDRAWS:
            return []
        (area,) = (one.area for one in self.plan.regions if one.name == region)
        fields = draw_fields(
            area,
            region=RegionName(region),
            frame=self.plan.frame,
            settings=replace(self.settings.fields, n_per_region=1),
            taken=pd.DataFrame(places),
            first_number=len(drawn) + 1,
        )
        return list(fields.assign(area_mm2=self.settings.fields.area_mm2).to_dict("records"))

    def _warnings(self, fields: pd.DataFrame) -> dict[str, list[str]]:
        """The plan's warnings and those of the fields' quality, by region."""
        warnings = {name: list(lines) for name, lines in self.plan.warnings.items()}
        for region, group in fields.groupby("region", sort=False):
            lines = warnings.setdefault(str(region), [])
            rejected = group[group["status"] == FieldStatus.REJECTED]
            unplaced = group[group["status"] == FieldStatus.UNPLACED]
            doubtful = group[(group["qc"] == "warn") & (group["status"] == FieldStatus.SCORED)]
            lines += list(unplaced["error"])
            if len(rejected):
                lines.append(f"{_named(rejected)} rejected for quality")
            if len(doubtful):
                lines.append(f"{_named(doubtful)} of doubtful quality")
        return warnings

    def _about_slide(self) -> dict[str, object]:
        """Values that stand in every row of the field and the score table."""
        return {
            "slide": self.slide.name,
            "marker": self.profile.name,
            "region_source": str(self.plan.annotations.source),
            "sampling": self.plan.sampling,
            "seed": self.settings.fields.seed,
            "margin_um": self.settings.regions.margin_um,
            "front": str(self.settings.regions.front),
        }

    def _score_field(self, place: dict[Any, Any]) -> tuple[dict[str, object], pd.DataFrame]:
        """The field table's row and the cells of one field."""
        row: dict[str, object] = {
            **self._about_slide(),
            **place,
            "side_um": 1000 * math.sqrt(place["area_mm2"]),
            "status": str(FieldStatus.SCORED),
            "error": "",
        }
        if row.pop("unplaced", ""):
            row |= {
                "status": str(FieldStatus.UNPLACED),
                "error": f"field {place['field_id']} not placed: {place['unplaced']}",
            }
            return row, pd.DataFrame(columns=SLIDE_CELLS.names)
        square = Square(**{name: place[name] for name in ("x_px", "y_px", "side_px", "angle_deg")})
        try:
            counted = count_field(
                self.slide, square, profile=self.profile, stains=self.survey.stains, watch=self.watch
            )
        except ReadError as error:
            row |= {"status": str(FieldStatus.FAILED), "error": f"field {place['field_id']}: {error}"}
            return row, pd.DataFrame(columns=SLIDE_CELLS.names)
        row |= self._quality(place, counted)
        if row["qc"] == "fail" and self.plan.sampling != "given":
            row |= {
                "status": str(FieldStatus.REJECTED),
                "error": f"field {place['field_id']}: {row['qc_reason']}",
            }
            return row, pd.DataFrame(columns=SLIDE_CELLS.names)
        row |= score.score_field(
            counted.cells,
            area_mm2=place["area_mm2"],
            tissue_fraction=place["tissue_fraction"],
            pigment_fraction=counted.pigment_fraction,
        )
        if self.folder is not None:
            with self.watch.timing("writing"):
                self._write_overlay(self.folder, place, counted, row)
        cells = counted.cells.assign(
            slide=self.slide.name,
            marker=self.profile.name,
            region=place["region"],
            sampling=self.plan.sampling,
            field_id=place["field_id"],
        )
        return row, cells

    def _quality(self, place: dict[Any, Any], counted: CountedField) -> dict[str, object]:
        """Quality columns of one field, from its own pixels and from the thumbnail's folds."""
        window, inside = counted.square.pixels(counted.rgb.shape)
        found = field_quality(
            np.ascontiguousarray(counted.rgb[window]),
            inside=inside,
            mpp_um=counted.mpp_um,
            white_rgb=self.survey.stains.white_rgb,
        )
        # A field that lies in a fold altogether cannot see its edge.
        frame = replace(self.plan.frame, tissue=self.survey.artefacts.fold)
        (folded,) = tissue_fractions(pd.DataFrame([place]), frame)
        found = replace(found, fold_fraction=max(found.fold_fraction, float(folded)))
        qc, reason = judge_field(
            found, tissue_fraction=place["tissue_fraction"], pigment_fraction=counted.pigment_fraction
        )
        return {"qc": qc, "qc_reason": reason, **asdict(found)}

    def _write_overlay(
        self,
        folder: output.OutputFolder,
        place: dict[Any, Any],
        counted: CountedField,
        row: dict[str, object],
    ) -> None:
        name = place["field_id"]
        density = report.format_density(float(str(row["positive_per_mm2"])))
        picture = pictures.FieldPicture(
            rgb=counted.rgb,
            cells=counted.cells_in_picture,
            corners_xy_px=counted.square.corners_xy_px,
            mpp_um=counted.mpp_um,
            title=f"{self.slide.name}  ·  {self.profile.name}  ·  {name}  ·  {density} positive per mm²",
        )
        drawn = pictures.draw_field(picture)
        pictures.write_png(folder.new_file("overlays", f"{name}.png"), drawn)
        folder.new_file("overlays", f"{name}-plain.jpg").write_bytes(
            pictures.encode_jpeg(counted.rgb, quality=92)
        )
        if self.work_key is not None:
            mirrored = bool(self.plan.carried and self.plan.carried["registration"]["mirrored"])
            upright = pictures.upright_square(counted.rgb, counted.square.corners_xy_px, mirrored=mirrored)
            folder.new_file("overlays", f"{name}-upright.jpg").write_bytes(
                pictures.encode_jpeg(upright, quality=90)
            )
        self.previews[name] = pictures.encode_jpeg(drawn, longest_px=_PREVIEW_PX)

    def _record(self, annotation_file: Path | None, warnings: dict[str, list[str]]) -> dict[str, Any]:
        """Everything that is needed to do the run again; no path of the user's machine."""
        slide, tissue = self.slide, self.survey.tissue
        annotation: dict[str, object] = {"source": str(self.plan.annotations.source)}
        if self.plan.confidence is not None:
            annotation["confidence"] = self.plan.confidence
        if annotation_file is not None:
            digest = hashlib.sha256(annotation_file.read_bytes()).hexdigest()
            annotation |= {"file": annotation_file.name, "sha256": digest}
        carried = {"carried": self.plan.carried} if self.plan.carried else {}
        work = {"work_key": self.work_key} if self.work_key else {}
        return {
            "ihcscore": ihcscore.__version__,
            "command": "run",
            "marker": self.profile.name,
            "parameters": {
                "n_fields": self.settings.fields.n_per_region,
                "field_area_mm2": self.settings.fields.area_mm2,
                "min_tissue_fraction": self.settings.fields.min_tissue_fraction,
                "sampling": self.plan.sampling,
                "seed": self.settings.fields.seed,
                "margin_um": self.settings.regions.margin_um,
                "front": str(self.settings.regions.front),
                "mpp_um": self.settings.mpp_um,
                "icc": self.settings.icc,
                **(
                    {"max_registration_error_um": self.settings.max_registration_error_um}
                    if self.plan.carried
                    else {}
                ),
            },
            "profile": asdict(self.profile),
            "slide": {
                "name": slide.name,
                "format": slide.format,
                "size_xy_px": list(slide.size_xy_px),
                "mpp_um": slide.mpp_um,
                "mpp_source": slide.mpp_source,
                "identity": slide.identity,
                "background_rgb": list(slide.background_rgb),
                "icc_applied": slide.icc_applied,
                "icc_name": slide.icc_name,
            },
            **work,
            "regions": annotation,
            **carried,
            "tissue": {
                "area_mm2": tissue.area_mm2,
                "white_rgb": list(tissue.white_rgb),
                "white_source": tissue.white_source,
                "mpp_um": tissue.mpp_um,
            },
            "stains": self.survey.stains.as_dict(),
            "warnings": [line for lines in warnings.values() for line in lines],
            "packages": output.package_versions(),
        }


def _named(fields: pd.DataFrame) -> str:
    names = ", ".join(fields["field_id"])
    return f"field {names}" if len(fields) == 1 else f"fields {names}"


def _write(folder: output.OutputFolder, result: SlideScores, run: _Run) -> None:
    """Tables, GeoJSON, pictures, page and record of one slide."""
    output.write_table(folder.new_file("scores.csv"), result.scores, SCORES)
    output.write_table(folder.new_file("fields.csv"), result.fields, FIELDS)
    output.write_table(folder.new_file("cells.csv"), result.cells, SLIDE_CELLS)
    name = run.slide.name
    for file, content in (
        ("regions.geojson", regions_geojson(run.plan, slide=name)),
        ("bands.geojson", bands_geojson(run.plan, run.survey, slide=name)),
        ("fields.geojson", output.fields_geojson(result.fields, REGION_COLOURS)),
        (
            "cells.geojson",
            output.cells_geojson(result.cells, CLASS_COLOURS, mpp_um=run.slide.mpp_um),
        ),
    ):
        output.write_json(folder.new_file(file), content)
    if run.plan.carried is None:
        keep_thumbnail(folder.staging / CACHE, run.slide, run.survey.thumbnail, TissueSettings().mpp_um)
    title = f"{run.profile.name}  ·  regions {run.plan.annotations.source}"
    overview = draw_plan(run.slide, run.survey, run.plan, result.fields, title=title)
    pictures.write_png(folder.new_file("overview.png"), overview)
    report.write_slide_page(
        folder.new_file("report.html"),
        report.SlidePage(
            record=result.record,
            fields=result.fields,
            scores=result.scores,
            warnings=result.warnings,
            overview_jpeg=pictures.encode_jpeg(overview, longest_px=OVERVIEW_PX),
            field_jpegs=run.previews,
        ),
    )
    output.write_json(folder.new_file("run.json"), result.record | {"files": folder.files()})
