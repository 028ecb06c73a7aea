"""Regions and fields alone: for correction in QuPath before anything is counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ihcscore import output, pictures
from ihcscore.errors import OutputError, parameter
from ihcscore.output.progress import Progress, Stopwatch, silent
from ihcscore.run.drawn import DrawnFields, propose
from ihcscore.run.plan import FieldPlanner, Plan
from ihcscore.run.planned import PlannedSlide, mark_of, plan_slide
from ihcscore.run.survey import survey_slide
from ihcscore.run.views import annotations_geojson, draw_plan, regions_geojson
from ihcscore.schema import PLANNED_FIELDS, REGION_COLOURS, TUMOUR_COLOUR, Chromogen, NoteKind, RunSettings
from ihcscore.slide import open_slide
from ihcscore.slide.thumbnail import CACHE, keep_thumbnail
from ihcscore.tissue.mask import TissueSettings


def write_regions(
    path: str | Path,
    *,
    out: str | Path,
    mpp_um: float | None = None,
    icc: bool = True,
    chromogen: Chromogen = Chromogen.DAB,
    overwrite: bool = False,
) -> list[str]:
    """Write the proposed tumour outline of a slide as QuPath GeoJSON.

    Parameters
    ----------
    path : str or Path
        The slide.
    out : str or Path
        The GeoJSON file.
    mpp_um : float, optional
        µm per level-0 pixel, overriding the file's.
    icc : bool
        Convert colours to sRGB where the slide has an ICC profile.
    chromogen : Chromogen
        What the antibody is seen by.
    overwrite : bool
        Replace the file if it exists.

    Returns
    -------
    list of str
        Warnings, how sure the proposal is first.

    Raises
    ------
    IhcscoreError
        If the slide cannot be used or the file cannot be written.
    """
    out = Path(out)
    if out.exists() and not overwrite:
        raise OutputError(
            f"{out}: exists, perhaps with corrections in it; "
            f"give {parameter('overwrite')} or another {parameter('out')}"
        )
    with open_slide(path, mpp_um=mpp_um, icc=icc) as slide:
        survey = survey_slide(slide, chromogen=chromogen)
        annotations, confidence, notes = propose(survey)
        of_slide = slide.notes
        content = output.regions_geojson({"Tumor": (annotations.tumour, TUMOUR_COLOUR)}, slide=slide.name)
    partial = out.with_name(f".{out.name}.partial")
    try:
        output.write_geojson(partial, content)
        partial.replace(out)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); give another {parameter('out')}"
        ) from error
    about = (note.text for note in (*of_slide, *notes) if note.kind != NoteKind.PROPOSED)
    return [f"confidence {confidence:.2f} of 1", *about]


def write_fields(
    path: str | Path,
    *,
    fields: FieldPlanner | None = None,
    settings: RunSettings | None = None,
    chromogen: Chromogen = Chromogen.DAB,
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Draw the fields of a slide and show them, without counting.

    Parameters are those of :func:`ihcscore.score_slide`. Writes ``fields.csv``, ``fields.geojson``,
    ``annotations.geojson``, ``regions.geojson``, ``overview.png`` and ``run.json``.

    Returns
    -------
    Plan

    Raises
    ------
    IhcscoreError
        As :func:`ihcscore.score_slide`.
    """
    settings = settings or RunSettings()
    with (
        output.OutputFolder(out, overwrite=overwrite) as folder,
        open_slide(path, mpp_um=settings.mpp_um, icc=settings.icc) as slide,
    ):
        planned = plan_slide(
            slide,
            fields or DrawnFields(),
            chromogen=chromogen,
            settings=settings,
            cache=Path(out) / CACHE,
            watch=Stopwatch(),
            progress=progress,
            refuses=False,
        )
        _write(folder, planned)
    return planned.plan


def _write(folder: output.OutputFolder, planned: PlannedSlide) -> None:
    slide, survey, plan = planned.slide, planned.survey, planned.plan
    rows = [planned.about | one.as_row() for one in plan.fields]
    fields = pd.DataFrame(rows, columns=PLANNED_FIELDS.names)
    output.write_table(folder.new_file("fields.csv"), fields, PLANNED_FIELDS)
    keep_thumbnail(folder.staging / CACHE, slide, survey.thumbnail, TissueSettings().mpp_um)
    for file, content in (
        ("fields.geojson", output.fields_geojson(fields, REGION_COLOURS, mark=mark_of(planned, plan.fields))),
        ("annotations.geojson", annotations_geojson(plan, slide=slide.name)),
        ("regions.geojson", regions_geojson(plan, survey, slide=slide.name)),
    ):
        output.write_geojson(folder.new_file(file), content)
    overview = draw_plan(slide, survey, plan, fields, title=f"regions {plan.annotations.source}")
    pictures.write_png(folder.new_file("overview.png"), overview)
    content = {"slide": slide.name, "parameters": planned.settings, "notes": plan.notes}
    output.write_record(folder, output.make_record("fields", content))
