"""The fields of a reference slide on another slide of the same sample."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import shapely

from ihcscore import fields as field_step
from ihcscore import output
from ihcscore import regions as region_step
from ihcscore.errors import IhcscoreError
from ihcscore.fields.quality import QualitySettings
from ihcscore.geometry.square import square_corners
from ihcscore.register import Registration
from ihcscore.run.plan import Plan
from ihcscore.run.survey import Survey
from ihcscore.schema import FIELDS, FieldSettings, FieldStatus, RegionSource, RunSettings
from ihcscore.serial.pair import CarriedPlace, RegisteredSlide, SlidePair
from ihcscore.serial.register import describe_registration
from ihcscore.slide import Slide, open_slide
from ihcscore.slide.thumbnail import CACHE

# Smaller squares show too little to be told from others nearby; whether a match is distinct was set on
# fields of the default side. A small field is looked for with its surroundings.
_LEAST_SIDE_UM = FieldSettings().side_um


@dataclass(frozen=True, kw_only=True)
class ReferenceFields:
    """The fields that were scored on a reference slide.

    Attributes
    ----------
    slide : Path
    mpp_um : float or None
        µm per level-0 pixel of the reference, overriding the file's.
    fields : DataFrame
        Rows of its ``fields.csv`` that were scored.
    annotations : Annotations
        Its outlines, drawn or proposed.
    sampling : str
        How its fields were chosen.
    thumbnail : Path or None
        File that may hold its thumbnail.
    """

    slide: Path
    mpp_um: float | None = None
    fields: pd.DataFrame = field(repr=False)
    annotations: region_step.Annotations = field(repr=False)
    sampling: str
    thumbnail: Path | None = None

    @classmethod
    def read(cls, slide: Path, folder: Path, *, mpp_um: float | None = None) -> ReferenceFields:
        """Fields from the folder that a run on the reference has written.

        Raises
        ------
        IhcscoreError
            If the folder holds no run, or one in which no field was scored.
        """
        try:
            record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            fields = output.read_table(folder / "fields.csv", FIELDS)
            outlines = (folder / "regions.geojson").read_bytes()
        except (OSError, ValueError) as error:
            raise IhcscoreError(f"{slide.name}: its results cannot be read; score it again") from error
        scored = fields[fields["status"] == FieldStatus.SCORED].reset_index(drop=True)
        if scored.empty:
            raise IhcscoreError(f"{slide.name}: no field was scored on it, so none can be carried over")
        source = RegionSource(record["regions"]["source"])
        annotations = region_step.Annotations(source=source)
        if record["parameters"]["sampling"] != "given":
            parsed = region_step.parse_annotations(outlines, name=f"{slide.name}, regions")
            annotations = replace(parsed, source=source)
        sampling = str(record["parameters"]["sampling"])
        return cls(
            slide=slide,
            mpp_um=mpp_um,
            fields=scored,
            annotations=annotations,
            sampling=sampling,
            thumbnail=folder / CACHE,
        )


def carry_fields(slide: Slide, survey: Survey, *, reference: ReferenceFields, settings: RunSettings) -> Plan:
    """The reference's fields on a slide of another stain: the same areas, found again.

    A field whose place is not sure enough or is no tissue here stays in the plan with the reason why
    it isn't scored.

    Raises
    ------
    SlideError
        If the reference cannot be opened or read.
    """
    with open_slide(reference.slide, mpp_um=reference.mpp_um, icc=settings.icc) as other:
        pair = SlidePair(
            reference=RegisteredSlide.of(other, cache=reference.thumbnail),
            moving=RegisteredSlide.of(slide, survey),
        )
        places = [
            pair.carry(
                (row["x_px"] + row["side_px"] / 2, row["y_px"] + row["side_px"] / 2),
                side_um=max(row["side_um"], _LEAST_SIDE_UM),
            )
            for row in reference.fields.to_dict("records")
        ]
        name = other.name
    frame = field_step.SamplingFrame(
        tissue=survey.countable,
        downsample=survey.tissue.downsample,
        size_xy_px=slide.size_xy_px,
        side_px=settings.fields.side_um / slide.mpp_um,
    )
    fields = _placed(reference.fields, places, mpp_um=slide.mpp_um)
    fields["tissue_fraction"] = _tissue_fractions(fields, frame)
    most_um = settings.max_registration_error_um
    fields["unplaced"] = [
        _why_unplaced(place, tissue, most_um)
        for place, tissue in zip(places, fields["tissue_fraction"], strict=True)
    ]
    fields["tissue_fraction"] = fields["tissue_fraction"].fillna(0.0)
    registration = pair.registration
    return Plan(
        annotations=_carried(reference.annotations, registration),
        confidence=None,
        regions=[],
        fields=fields,
        frame=frame,
        sampling=reference.sampling,
        warnings={"": _warnings(reference, name)} | {str(r): [] for r in fields["region"].unique()},
        carried={"reference": name, "registration": describe_registration(registration)},
    )


def _placed(fields: pd.DataFrame, places: list[CarriedPlace], *, mpp_um: float) -> pd.DataFrame:
    """Squares of the same area around the places."""
    side_px = fields["side_um"].to_numpy(float) / mpp_um
    centres = np.array([place.xy_px for place in places])
    return pd.DataFrame(
        {
            "region": fields["region"],
            "field_id": fields["field_id"],
            "x_px": centres[:, 0] - side_px / 2,
            "y_px": centres[:, 1] - side_px / 2,
            "side_px": side_px,
            "angle_deg": [place.angle_deg for place in places],
            "area_mm2": fields["area_mm2"],
            "registration_error_um": [place.error_um for place in places],
        }
    )


def _tissue_fractions(fields: pd.DataFrame, frame: field_step.SamplingFrame) -> list[float]:
    """Share of tissue of each field; NaN for one that is not wholly on the slide."""
    shares = []
    for at in range(len(fields)):
        one = fields.iloc[[at]]
        corners = square_corners(
            *(float(one.iloc[0][name]) for name in ("x_px", "y_px", "side_px", "angle_deg"))
        )
        whole = bool((corners >= 0).all() and (corners <= np.asarray(frame.size_xy_px)).all())
        shares.append(float(field_step.tissue_fractions(one, frame)[0]) if whole else math.nan)
    return shares


def _why_unplaced(place: CarriedPlace, tissue_fraction: float, most_um: float) -> str:
    """Why a field isn't scored here; empty where it is."""
    if math.isnan(place.error_um):
        return "this part of the section could not be matched with the reference"
    if place.error_um > most_um:
        return f"estimated registration error {place.error_um:.0f} µm, above {most_um:g}"
    if math.isnan(tissue_fraction):
        return "lands beyond the edge of the scan"
    if tissue_fraction < QualitySettings().fail_tissue_fraction:
        return f"lands outside the tissue ({tissue_fraction:.0%} tissue)"
    return ""


def _carried(annotations: region_step.Annotations, registration: Registration) -> region_step.Annotations:
    """The reference's outlines where the whole section's map puts them; none where there is no map."""
    if not registration.confirmed:
        return region_step.Annotations(source=annotations.source)
    areas = {
        name: shapely.transform(getattr(annotations, name), registration.transform)
        for name in ("tumour", "centre", "front", "excluded")
    }
    return region_step.Annotations(**areas, source=annotations.source)


def _warnings(reference: ReferenceFields, name: str) -> list[str]:
    lines = [f"fields carried over from {name}"]
    if reference.annotations.source == RegionSource.PROPOSED:
        lines.insert(0, f"regions {RegionSource.PROPOSED}")
    return lines
