"""Regions and fields alone: for correction in QuPath before anything is counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

import ihcscore
from ihcscore import output, pictures
from ihcscore.errors import OutputError, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.run.plan import Plan, plan_fields
from ihcscore.run.survey import Survey, propose, survey_slide
from ihcscore.run.views import draw_plan, regions_geojson
from ihcscore.schema import PLANNED_FIELDS, REGION_COLOURS, TUMOUR_COLOUR, Chromogen, RunSettings
from ihcscore.slide import Slide, open_slide
from ihcscore.slide.thumbnail import CACHE, keep_thumbnail
from ihcscore.tissue.mask import TissueSettings


def write_regions(
    path: str | Path,
    *,
    out: str | Path,
    mpp_um: float | None = None,
    icc: bool = True,
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
        survey = survey_slide(slide, chromogen=Chromogen.DAB)
        annotations, confidence, warnings = propose(survey)
        content = output.regions_geojson({"Tumor": (annotations.tumour, TUMOUR_COLOUR)}, slide=slide.name)
    partial = out.with_name(f".{out.name}.partial")
    try:
        output.write_json(partial, content)
        partial.replace(out)
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); give another {parameter('out')}"
        ) from error
    return [f"confidence {confidence:.2f} of 1", *warnings]


def write_fields(
    path: str | Path,
    *,
    regions: str | Path | None = None,
    settings: RunSettings | None = None,
    chromogen: Chromogen = Chromogen.DAB,
    out: str | Path,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Plan:
    """Draw the fields of a slide and show them, without counting.

    Parameters are those of :func:`ihcscore.score_slide`. Writes ``fields.csv``, ``fields.geojson``,
    ``regions.geojson``, ``overview.png`` and ``run.json``.

    Returns
    -------
    Plan

    Raises
    ------
    IhcscoreError
        As :func:`ihcscore.score_slide`.
    """
    settings = settings or RunSettings()
    regions_file = Path(regions) if regions is not None else None
    with (
        output.OutputFolder(out, overwrite=overwrite) as folder,
        open_slide(path, mpp_um=settings.mpp_um, icc=settings.icc) as slide,
    ):
        survey = survey_slide(slide, chromogen=chromogen, progress=progress, cache=Path(out) / CACHE)
        plan = plan_fields(slide, survey, settings=settings, regions_file=regions_file)
        _write(folder, slide, survey, plan, settings)
    return plan


def _write(
    folder: output.OutputFolder, slide: Slide, survey: Survey, plan: Plan, settings: RunSettings
) -> None:
    fields = plan.fields.assign(
        slide=slide.name,
        region_source=str(plan.annotations.source),
        sampling=plan.sampling,
        seed=settings.fields.seed,
        margin_um=settings.regions.margin_um,
        front=str(settings.regions.front),
    )[PLANNED_FIELDS.names]
    output.write_table(folder.new_file("fields.csv"), pd.DataFrame(fields), PLANNED_FIELDS)
    keep_thumbnail(folder.staging / CACHE, slide, survey.thumbnail, TissueSettings().mpp_um)
    output.write_json(folder.new_file("fields.geojson"), output.fields_geojson(fields, REGION_COLOURS))
    output.write_json(folder.new_file("regions.geojson"), regions_geojson(plan, slide=slide.name))
    overview = draw_plan(slide, survey, plan, plan.fields, title=f"regions {plan.annotations.source}")
    pictures.write_png(folder.new_file("overview.png"), overview)
    record = {
        "ihcscore": ihcscore.__version__,
        "command": "fields",
        "slide": slide.name,
        "warnings": [line for lines in plan.warnings.values() for line in lines],
        "packages": output.package_versions(),
    }
    output.write_json(folder.new_file("run.json"), record | {"files": folder.files()})
