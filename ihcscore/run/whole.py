"""A whole slide mapped: every cell of the tissue, density, infiltration profile, and what fields tell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import ihcscore
from ihcscore import output
from ihcscore.cells import described, finder_of
from ihcscore.errors import require_in
from ihcscore.output.columnar import CellFormat, writable
from ihcscore.output.parts import KeptParts, kept_parts
from ihcscore.output.progress import Progress, Stopwatch, silent
from ihcscore.profiles import MarkerProfile
from ihcscore.run.array import as_profile
from ihcscore.run.planned import PlannedSlide, plan_slide
from ihcscore.run.whole_measure import Measured, measure
from ihcscore.run.whole_regions import EarlierRun, MappedFields
from ihcscore.run.whole_tiles import TILE_UM, CountedTiles, Counting, TileJob, tiles_of
from ihcscore.run.whole_write import write_map
from ihcscore.schema import WORKERS, MapSettings, Note, NoteKind, RegionSource
from ihcscore.slide import Slide, open_slide
from ihcscore.slide.thumbnail import CACHE


@dataclass(frozen=True, kw_only=True)
class MappedSlide:
    """What a map of a slide gives.

    Attributes
    ----------
    cells, parts, profile, fields_tell, spatial : DataFrame
        As in ``cells.parquet``, ``map.csv``, ``profile.csv``, ``what_fields_tell.csv`` and ``spatial.csv``.
    density : ndarray of float32, shape (height, width)
        Positive cells per mm² of tissue around each place, NaN off the tissue.
    density_mpp_um : float
        µm per pixel of it; its first pixel starts at the slide's corner.
    summary : dict
        Phenotype, hot spot, the fields' own mean: as in ``run.json``.
    notes : tuple of Note
    record : dict
    seconds : dict of str to float
        Where the time went; of tiles summed over the processes.
    """

    cells: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    profile: pd.DataFrame = field(repr=False)
    fields_tell: pd.DataFrame = field(repr=False)
    spatial: pd.DataFrame = field(repr=False)
    density: NDArray[np.float32] = field(repr=False)
    density_mpp_um: float
    summary: dict[str, Any]
    notes: tuple[Note, ...]
    record: dict[str, Any] = field(repr=False)
    seconds: dict[str, float]


def map_slide(
    path: str | Path,
    *,
    profile: str | MarkerProfile,
    annotations: str | Path | None = None,
    run: str | Path | None = None,
    settings: MapSettings | None = None,
    out: str | Path | None = None,
    formats: Collection[CellFormat] = (CellFormat.PARQUET,),
    workers: int = 1,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: Progress = silent,
) -> MappedSlide:
    """Count every cell of a slide, and map their density.

    Parameters
    ----------
    path : str or Path
        The slide.
    profile : str or MarkerProfile
        A marker's name, a profile file, or a profile.
    annotations : str or Path, optional
        Annotation with the tumour's outline; without it the run's, or a proposal.
    run : str or Path, optional
        Folder of a finished run on the slide with the marker: its regions and its fields are taken.
    settings : MapSettings, optional
    out : str or Path, optional
        Folder for tables, maps and pages; without it nothing is written.
    formats : collection of CellFormat
        How the cells are written.
    workers : int
        Processes on this machine.
    executor : Executor, optional
        Counts the tiles instead, such as ``distributed.Client(...).get_executor()``; the slide's path must
        hold on its machines.
    resume : bool
        Go on with the tiles that a killed run has left beside `out`.
    overwrite : bool
        Replace a map that the folder already holds.
    progress : callable, optional

    Returns
    -------
    MappedSlide

    Raises
    ------
    IhcscoreError
        If slide, annotation, run, profile or folder cannot be used; nothing is written then. A tile that
        cannot be read is no error: its tissue is left out, and that is said.
    """
    settings, profile = settings or MapSettings(), as_profile(profile)
    require_in(WORKERS, "workers", workers)
    formats = () if out is None else writable(formats)
    earlier = None if run is None else EarlierRun.read(Path(run), settings.run)
    if earlier is not None:
        settings = replace(settings, run=earlier.settings)
    finder_of(profile)  # its weights are refused before anything is written
    watch = Stopwatch()
    with ExitStack() as stack:
        folder = None if out is None else output.OutputFolder(out, overwrite=overwrite)
        if folder is not None:
            folder.check()
        slide = stack.enter_context(open_slide(path, mpp_um=settings.run.mpp_um, icc=settings.run.icc))
        planned = _planned(slide, annotations, earlier, profile, settings, out, watch, progress)
        job = TileJob(
            path=Path(path), mpp_um=settings.run.mpp_um, icc=settings.run.icc, profile=profile,
            stains=planned.survey.stains,
        )  # fmt: skip
        parts: KeptParts | None = None
        if out is not None and folder is not None:
            # The tiles are removed after the files are in their place, not before.
            parts = stack.enter_context(kept_parts(Path(out), key=_work_key(slide, job), resume=resume))
            stack.enter_context(folder)
        counting = Counting(
            job=job, slide=slide, parts=parts, n_workers=workers, executor=executor, watch=watch,
            progress=progress,
        )  # fmt: skip
        tissue = planned.survey.tissue
        tiles = tiles_of(tissue.mask, downsample=tissue.downsample, mpp_um=slide.mpp_um)
        counted = counting.count(tiles)
        progress("maps", 0.88)
        with watch.timing("maps and statistics"):
            measured = measure(planned, counted, earlier, marker=profile.name, settings=settings)
        result = _result(planned, measured, counted, earlier, profile, settings, watch)
        progress("writing", 0.95)
        if folder is not None:
            with watch.timing("writing"):
                write_map(folder, planned, measured, record=result.record, formats=formats)
        progress("done", 1.0)
    return result


def _planned(
    slide: Slide,
    annotations: str | Path | None,
    earlier: EarlierRun | None,
    profile: MarkerProfile,
    settings: MapSettings,
    out: str | Path | None,
    watch: Stopwatch,
    progress: Progress,
) -> PlannedSlide:
    outline, source = None if annotations is None else Path(annotations), RegionSource.ANNOTATED
    cache = None if out is None else Path(out) / CACHE
    if earlier is not None:
        earlier.check(slide, profile)
        cache = earlier.folder / CACHE
        if outline is None:
            outline, source = earlier.outline, earlier.source
    return plan_slide(
        slide,
        MappedFields(outline=outline, source=source),
        chromogen=profile.chromogen,
        settings=settings.run,
        cache=cache,
        watch=watch,
        progress=progress,
    )


def _work_key(slide: Slide, job: TileJob) -> str:
    """Hash of all that the tiles' cells depend on."""
    content = {
        "ihcscore": ihcscore.__version__,
        "tile_um": TILE_UM,
        "slide": (slide.identity, slide.size_xy_px, slide.mpp_um, slide.icc_applied),
        "profile": job.profile,
        "finder": described(finder_of(job.profile)),
        "stains": job.stains,
    }
    text = json.dumps(output.as_plain(content), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _result(
    planned: PlannedSlide,
    measured: Measured,
    counted: CountedTiles,
    earlier: EarlierRun | None,
    profile: MarkerProfile,
    settings: MapSettings,
    watch: Stopwatch,
) -> MappedSlide:
    notes = [*planned.plan.notes, *measured.notes]
    if counted.failed:
        first = next(iter(counted.failed.values()))
        notes.append(
            Note(
                kind=NoteKind.UNREADABLE,
                text=f"{len(counted.failed)} tiles of {TILE_UM:g} µm with {measured.unread_mm2:.3g} mm² of "
                f"tissue could not be read and are left out ({first})",
            )
        )
    slide, plan = planned.slide, planned.plan
    record = output.make_record(
        "map",
        {
            "marker": profile.name,
            "parameters": settings,
            "profile": profile,
            "finder": described(finder_of(profile)),
            "slide": {
                "name": slide.name,
                "format": slide.format,
                "size_xy_px": slide.size_xy_px,
                "mpp_um": slide.mpp_um,
                "mpp_source": slide.mpp_source,
                "identity": slide.identity,
            },
            "annotations": {"source": plan.annotations.source},
            "tile_um": TILE_UM,
            "stains": planned.survey.stains,
            "stain_check": planned.survey.stain_check,
            "of_run": earlier is not None,
            "summary": measured.summary,
            "notes": [output.as_plain(note) for note in notes],
        },
    )
    return MappedSlide(
        cells=measured.cells,
        parts=measured.parts,
        profile=measured.profile,
        fields_tell=measured.fields_tell,
        spatial=measured.spatial,
        density=measured.density,
        density_mpp_um=measured.area.tissue.mpp_um,
        summary=measured.summary,
        notes=tuple(notes),
        record=record,
        seconds=watch.seconds,
    )
