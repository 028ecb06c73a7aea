"""Where the tumour is on a slide that is mapped, and where a run's fields lie on it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ihcscore import output
from ihcscore.errors import AnnotationError, IhcscoreError, OutputError, parameter
from ihcscore.geometry.polygons import mask_to_polygons
from ihcscore.profiles import MarkerProfile
from ihcscore.regions import Annotations, Border, Region, derive_regions, tumour_border
from ihcscore.run.drawn import DrawnFields, propose
from ihcscore.run.plan import Plan, fields_asked_for, sampling_frame
from ihcscore.run.planned import PlannedSlide
from ihcscore.run.survey import Survey
from ihcscore.schema import (
    FIELDS,
    FieldSettings,
    Front,
    Note,
    NoteKind,
    RegionSettings,
    RegionSource,
    RunSettings,
    Sampling,
)
from ihcscore.score.maps import TissueGrid
from ihcscore.slide import Slide


@dataclass(frozen=True, kw_only=True)
class EarlierRun:
    """A finished run on the slide that is mapped.

    Attributes
    ----------
    folder : Path
    slide, identity, marker : str
        Its slide's file name and identity, and its marker.
    outline : Path or None
        File with what was drawn, proposed or carried; None where fields were given.
    source : RegionSource
    fields : DataFrame
        Its field table.
    settings : RunSettings
        Regions and fields as in the run.
    """

    folder: Path
    slide: str
    identity: str
    marker: str
    outline: Path | None
    source: RegionSource
    fields: pd.DataFrame = field(repr=False)
    settings: RunSettings

    @classmethod
    def read(cls, folder: Path, settings: RunSettings) -> EarlierRun:
        """Read the run of a folder.

        Parameters
        ----------
        folder : Path
        settings : RunSettings
            What of them decides no region and no field stays.

        Raises
        ------
        OutputError
            If it holds no run of one slide.
        """
        try:
            record = output.read_record(folder)
            content = record.content
            if record.command != "run" or not record.slide:
                raise ValueError("not a run of one slide")
            own = content["parameters"]
            regions = {**own["regions"], "front": Front(own["regions"]["front"])}
            fields = {**own["fields"], "sampling": Sampling(own["fields"]["sampling"])}
            outline = folder / "annotations.geojson"
            given = content["sampling"] == Sampling.GIVEN or "drawn_before" in content
            return cls(
                folder=folder,
                slide=record.slide,
                identity=str(content["slide"]["identity"]),
                marker=record.marker,
                outline=None if given or not outline.is_file() else outline,
                source=RegionSource(content["annotations"]["source"]),
                fields=output.read_table(folder / "fields.csv", FIELDS),
                settings=replace(settings, regions=RegionSettings(**regions), fields=FieldSettings(**fields)),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputError(
                f"{folder}: no finished run of one slide ({error}); give the folder that 'ihcscore run' wrote"
            ) from error

    def check(self, slide: Slide, profile: MarkerProfile) -> None:
        """Refuse a run of another slide or marker.

        Raises
        ------
        OutputError
        """
        if self.identity != slide.identity:
            raise OutputError(
                f"{self.folder}: is a run of another slide ({self.slide}), not of {slide.name}; give another "
                f"{parameter('run')}"
            )
        if self.marker != profile.name:
            raise OutputError(
                f"{self.folder}: is a run of {self.marker}, the map is of {profile.name}; give another "
                f"{parameter('run')}"
            )


@dataclass(frozen=True, kw_only=True)
class MappedFields:
    """Regions as in a run, with the fields that it would draw, or without fields where there is no room.

    Attributes
    ----------
    outline : Path or None
        Annotation with the tumour; without it the program proposes one.
    source : RegionSource
        Who made the outline.
    """

    outline: Path | None = None
    source: RegionSource = RegionSource.ANNOTATED

    def annotations(self, slide: Slide) -> Annotations:
        """What was drawn; see :class:`ihcscore.run.plan.FieldPlanner`."""
        drawn = DrawnFields(outline=self.outline).annotations(slide)
        return drawn if self.outline is None else replace(drawn, source=self.source)

    def plan(self, slide: Slide, survey: Survey, *, annotations: Annotations, settings: RunSettings) -> Plan:
        """Regions and fields; see :class:`ihcscore.run.plan.FieldPlanner`."""
        drawn = DrawnFields(outline=self.outline)
        try:
            return drawn.plan(slide, survey, annotations=annotations, settings=settings)
        except AnnotationError:
            raise
        except IhcscoreError as error:
            no_fields = Note(kind=NoteKind.NO_ROOM, text=f"no field was placed on the map: {error}")
        confidence: float | None = None
        notes: list[Note] = []
        if self.outline is None:
            annotations, confidence, notes = propose(survey)
        frame = sampling_frame(slide, survey, settings.fields)
        regions, of_regions = derive_regions(
            annotations,
            tissue=mask_to_polygons(survey.countable, downsample=survey.tissue.downsample),
            mpp_um=slide.mpp_um,
            side_px=frame.side_px,
            settings=settings.regions,
        )
        return Plan(
            annotations=annotations,
            confidence=confidence,
            regions=tuple(regions),
            fields=(),
            n_fields=fields_asked_for(settings.fields),
            frame=frame,
            sampling=settings.fields.sampling,
            notes=(*notes, *of_regions, no_fields),
            file=self.outline,
        )


@dataclass(frozen=True, kw_only=True)
class MappedArea:
    """What of a slide counts, and its parts.

    Attributes
    ----------
    tissue : TissueGrid
        Tissue without what is left out.
    whole : ndarray of bool
        All tissue, on the same grid.
    regions : tuple of Region
    border : Border
        The tumour and the outline from which distances are measured.
    """

    tissue: TissueGrid
    whole: NDArray[np.bool_] = field(repr=False)
    regions: tuple[Region, ...]
    border: Border

    @classmethod
    def of(cls, planned: PlannedSlide, *, unread: NDArray[np.bool_]) -> MappedArea:
        """The area of a slide whose regions are known.

        Parameters
        ----------
        planned : PlannedSlide
        unread : ndarray of bool
            What could not be read, on the thumbnail's grid.
        """
        survey, plan, mpp_um = planned.survey, planned.plan, planned.slide.mpp_um
        whole, downsample = survey.tissue.mask, survey.tissue.downsample
        countable = survey.countable
        excluded = plan.annotations.excluded
        if not excluded.is_empty:
            countable = countable & ~inside_of(excluded, countable, downsample)
        return cls(
            tissue=TissueGrid(mask=countable & ~unread, downsample=downsample, mpp_um=survey.tissue.mpp_um),
            whole=whole,
            regions=plan.regions,
            border=tumour_border(
                plan.annotations,
                tissue=mask_to_polygons(survey.countable, downsample=downsample),
                mpp_um=mpp_um,
            ),
        )

    def part(self, area: shapely.Geometry) -> NDArray[np.bool_]:
        """The tissue that lies in an area, by the centres of its pixels."""
        return inside_of(area, self.tissue.mask, self.tissue.downsample)


def inside_of(area: shapely.Geometry, mask: NDArray[np.bool_], downsample: float) -> NDArray[np.bool_]:
    """Those pixels of a mask whose centre lies in an area (level-0 pixels)."""
    inside = np.zeros_like(mask)
    rows, columns = np.nonzero(mask)
    shapely.prepare(area)
    inside[rows, columns] = shapely.contains_xy(area, (columns + 0.5) * downsample, (rows + 0.5) * downsample)
    return inside
