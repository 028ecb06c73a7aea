"""From the cells of a whole slide to what its map says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from ihcscore.fields import draw_often, places_in
from ihcscore.geometry.square import corners_of_centres
from ihcscore.run.planned import PlannedSlide
from ihcscore.run.whole_regions import EarlierRun, MappedArea
from ihcscore.run.whole_tiles import CountedTiles, tile_mask
from ihcscore.schema import (
    MAP,
    MAP_CELLS,
    MAP_FIELDS,
    PROFILE,
    SPATIAL,
    CellClass,
    CellPlace,
    FieldStatus,
    MapSettings,
    Note,
    NoteKind,
    RegionName,
)
from ihcscore.score.fields_tell import WITHIN, densities_at, fields_needed, fields_tell, whole_draws
from ihcscore.score.maps import PartDensity, density_map, part_density
from ihcscore.score.phenotype import Estimate, immune_phenotype
from ihcscore.score.profile import Outline, Rings, infiltration_profile
from ihcscore.score.spatial import SpatialSettings, spatial_statistics

TISSUE, TUMOUR, BEYOND = "Tissue", "Tumour", "Beyond the tumour"
# Numbers of fields in each region that are tried, with fewer draws than the run's own number.
_LADDER = (*range(1, 21), 25, 30, 40, 50, 75, 100)
_LADDER_DRAWS = 2000

_COUNTED = (CellClass.POSITIVE, CellClass.NEGATIVE, CellClass.PIGMENT_SUSPECT)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a map says.

    Attributes
    ----------
    cells, parts, profile, fields_tell, spatial : DataFrame
        The map's tables.
    density : ndarray of float32, shape (height, width)
    area : MappedArea
    unread_mm2 : float
        Tissue in tiles that could not be read.
    fields : DataFrame
        The fields that are shown: the run's, or those that a run would draw.
    six_means : ndarray of float, shape (n_draws,)
        Means over the fields of the run's own number, of all draws.
    summary : dict
        Phenotype, hot spot, the fields' own mean, how many fields are needed.
    notes : tuple of Note
    """

    cells: pd.DataFrame = field(repr=False)
    parts: pd.DataFrame = field(repr=False)
    profile: pd.DataFrame = field(repr=False)
    fields_tell: pd.DataFrame = field(repr=False)
    spatial: pd.DataFrame = field(repr=False)
    density: NDArray[np.float32] = field(repr=False)
    area: MappedArea = field(repr=False)
    unread_mm2: float
    fields: pd.DataFrame = field(repr=False)
    six_means: NDArray[np.float64] = field(repr=False)
    summary: dict[str, Any]
    notes: tuple[Note, ...]


def measure(
    planned: PlannedSlide,
    counted: CountedTiles,
    earlier: EarlierRun | None,
    *,
    marker: str,
    settings: MapSettings,
) -> Measured:
    """Everything that follows from the cells.

    Parameters
    ----------
    planned : PlannedSlide
    counted : CountedTiles
    earlier : EarlierRun or None
    marker : str
    settings : MapSettings
    """
    survey = planned.survey
    unread = tile_mask(list(counted.failed), survey.tissue.mask.shape, downsample=survey.tissue.downsample)
    area = MappedArea.of(planned, unread=unread)
    outline = Outline.of(area.border.tumour, area.border.line, mpp_um=planned.slide.mpp_um)
    cells = placed(counted.cells, area, outline)
    about = {"slide": planned.slide.name, "marker": marker}
    source = {"region_source": str(planned.plan.annotations.source)}
    on_tissue = cells[cells["place"] == CellPlace.TISSUE]
    positive = _xy(on_tissue[on_tissue["class"] == CellClass.POSITIVE])
    parts = _parts(on_tissue, area, settings, seed=planned.settings.fields.seed)
    notes: list[Note] = []
    profile = pd.DataFrame(columns=PROFILE.names)
    if outline is None:
        notes.append(
            Note(
                kind=NoteKind.NO_REGION,
                text="no infiltration profile: no tumour outline with tissue beyond it",
            )
        )
    else:
        rings = Rings(
            ring_um=settings.ring_um, reach_um=settings.reach_um, block_um=settings.block_um,
            seed=planned.settings.fields.seed,
        )  # fmt: skip
        profile = infiltration_profile(positive, area.tissue, outline, rings=rings).assign(**about, **source)
    told = _fields_told(planned, cells, earlier, settings)
    summary = {**told.summary, **_phenotype(parts, settings, outlined=bool(area.regions))}
    spatial = spatial_statistics(
        positive, area.tissue, settings=SpatialSettings(seed=planned.settings.fields.seed)
    )
    return Measured(
        cells=cells,
        parts=_part_table(parts, on_tissue, about | source),
        profile=profile[PROFILE.names],
        fields_tell=told.table.assign(**about)[MAP_FIELDS.names],
        spatial=spatial.assign(**about, other_marker="", registration_error_um=np.nan)[SPATIAL.names],
        density=density_map(positive, area.tissue, radius_um=settings.radius_um),
        area=area,
        unread_mm2=float((survey.countable & unread).sum()) * area.tissue.pixel_mm2,
        fields=told.fields,
        six_means=told.means,
        summary=summary,
        notes=tuple(notes),
    )


def placed(cells: pd.DataFrame, area: MappedArea, outline: Outline | None) -> pd.DataFrame:
    """Cells with where each lies: place, region, distance to the outline.

    Parameters
    ----------
    cells : DataFrame
        Level-0 pixels.
    area : MappedArea
    outline : Outline or None

    Returns
    -------
    DataFrame
        The columns of ``cells.parquet``; class, place and region are categories.
    """
    xy = _xy(cells)
    at = area.tissue.pixels_of(xy)
    counts, tissue = area.tissue.mask[at], area.whole[at]
    place = np.select(
        [counts, tissue], [CellPlace.TISSUE.value, CellPlace.LEFT_OUT.value], CellPlace.OFF_TISSUE.value
    )
    corners = corners_of_centres(xy)
    region = np.full(len(cells), "", object)
    for one in reversed(area.regions):
        shapely.prepare(one.area)
        region[counts & shapely.contains_xy(one.area, *corners.T)] = one.name.value
    distance = np.full(len(cells), np.nan)
    if outline is not None and len(cells):
        distance, _ = outline.measured(corners * outline.mpp_um)
    table = cells.assign(
        place=pd.Categorical(place, categories=[one.value for one in CellPlace]),
        region=pd.Categorical(region, categories=["", *(one.value for one in RegionName)]),
        distance_um=distance,
    )
    return table[MAP_CELLS.names]


def _xy(cells: pd.DataFrame) -> NDArray[np.float64]:
    return cells[["x_px", "y_px"]].to_numpy(float)


@dataclass(frozen=True, kw_only=True)
class _Part:
    """A part of the tissue: its density, and which of the tissue's cells lie in it."""

    density: PartDensity
    inside: NDArray[np.bool_]


def _parts(cells: pd.DataFrame, area: MappedArea, settings: MapSettings, *, seed: int) -> dict[str, _Part]:
    """The parts of the tissue by name."""
    corners = corners_of_centres(_xy(cells))
    is_positive = (cells["class"] == CellClass.POSITIVE).to_numpy()
    held = {TISSUE: (area.tissue.mask, np.ones(len(cells), np.bool_))}
    if not area.border.tumour.is_empty:
        shapely.prepare(area.border.tumour)
        mask = area.part(area.border.tumour)
        inside = np.asarray(shapely.contains_xy(area.border.tumour, *corners.T), np.bool_)
        held |= {TUMOUR: (mask, inside), BEYOND: (area.tissue.mask & ~mask, ~inside)}
    for one in area.regions:
        held[str(one.name)] = (area.part(one.area), (cells["region"] == one.name).to_numpy())
    return {
        name: _Part(
            density=part_density(
                _xy(cells[inside & is_positive]), mask, area.tissue, block_um=settings.block_um, seed=seed
            ),
            inside=inside,
        )
        for name, (mask, inside) in held.items()
    }


def _part_table(parts: dict[str, _Part], cells: pd.DataFrame, about: dict[str, str]) -> pd.DataFrame:
    rows = []
    for name, part in parts.items():
        classes = cells.loc[part.inside, "class"].value_counts()
        positive, negative, suspect = (int(classes.get(kind, 0)) for kind in _COUNTED)
        both, one = positive + negative, part.density
        rows.append(
            {
                **about,
                "region": name,
                "tissue_mm2": one.tissue_mm2,
                "n_positive": positive,
                "n_negative": negative,
                "n_pigment_suspect": suspect,
                "positive_per_mm2_tissue": one.per_mm2,
                "ci95_low_per_mm2": one.low,
                "ci95_high_per_mm2": one.high,
                "n_blocks": one.n_blocks,
                "positive_or_suspect_per_mm2_tissue": (
                    (positive + suspect) / one.tissue_mm2 if one.tissue_mm2 > 0 else math.nan
                ),
                "percent_positive": 100 * positive / both if both else math.nan,
            }
        )
    return pd.DataFrame(rows, columns=MAP.names)


def _phenotype(parts: dict[str, _Part], settings: MapSettings, *, outlined: bool) -> dict[str, Any]:
    """Immune phenotype with its probabilities, where a cut was given and both regions are there."""
    regions = [parts.get(str(name)) for name in (RegionName.TUMOUR_CENTRE, RegionName.INVASIVE_FRONT)]
    if settings.cut_per_mm2 is None or not outlined or None in regions:
        return {}
    centre, front = (
        Estimate(value=one.density.per_mm2, low=one.density.low, high=one.density.high)
        for one in regions
        if one
    )
    found = immune_phenotype(centre, front, cut_per_mm2=settings.cut_per_mm2)
    return {
        "phenotype": {
            "class": found.phenotype,
            "p_inflamed": _or_none(found.p_inflamed),
            "p_excluded": _or_none(found.p_excluded),
            "p_desert": _or_none(found.p_desert),
            "cut_per_mm2": found.cut_per_mm2,
        }
    }


def _or_none(value: float) -> float | None:
    """A number as JSON can hold it."""
    return float(value) if math.isfinite(value) else None


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What fields tell: the table, the draws of the run's own number, the fields that are shown."""

    table: pd.DataFrame
    means: NDArray[np.float64]
    fields: pd.DataFrame
    summary: dict[str, Any]


def _fields_told(
    planned: PlannedSlide, cells: pd.DataFrame, earlier: EarlierRun | None, settings: MapSettings
) -> _Told:
    plan, design = planned.plan, planned.settings.fields
    positive = corners_of_centres(_xy(cells[cells["class"] == CellClass.POSITIVE]))
    places = {
        one.name: places_in(one.area, frame=plan.frame, min_tissue_fraction=design.min_tissue_fraction)
        for one in plan.regions
    }
    places = {name: one for name, one in places.items() if len(one.corners_xy_px)}
    by_region = [
        densities_at(one.centres_xy_px, positive, side_px=one.side_px, area_mm2=design.field_area_mm2)
        for one in places.values()
    ]

    def drawn(n_fields: int, n_draws: int) -> NDArray[np.float64]:
        chosen = draw_often(list(places.values()), n_fields=n_fields, n_draws=n_draws, seed=design.seed)
        densities = np.full(chosen.shape, np.nan)
        for region, known in enumerate(by_region):
            there = chosen[:, region] >= 0
            densities[:, region][there] = known[chosen[:, region][there]]
        return densities

    fields = _shown_fields(planned, earlier, positive)
    own = fields.loc[fields["status"] == FieldStatus.SCORED, "positive_per_mm2"].astype(float)
    summary: dict[str, Any] = {
        "fields_mean_per_mm2": float(own.mean()) if len(own) else None,
        "fields_from": "run" if earlier is not None else "drawn on the map",
        "hot_spot": None,
    }
    if not places:
        return _Told(
            table=fields_tell(np.empty((0, 0, 1)), ()), means=np.empty(0), fields=fields, summary=summary
        )
    few = drawn(design.n_fields, settings.draws)
    # Squares put down at random find little room beyond a third of an area.
    room = (
        max(len(one.corners_xy_px) for one in places.values())
        * (plan.frame.downsample / plan.frame.side_px) ** 2
    )
    ladder = [n for n in _LADDER if n != design.n_fields and (n <= room / 3 or n == 1)]
    n_draws = min(_LADDER_DRAWS, settings.draws)
    table = pd.concat(
        [fields_tell(few, [design.n_fields]), fields_tell(drawn(max(ladder, default=1), n_draws), ladder)],
        ignore_index=True,
    ).sort_values("n_fields", ignore_index=True)
    means = whole_draws(few)
    hottest = max(range(len(by_region)), key=lambda at: by_region[at].max())
    at, name = int(by_region[hottest].argmax()), list(places)[hottest]
    x_px, y_px = places[name].corners_xy_px[at].tolist()
    summary |= {
        "draws_mean_per_mm2": float(means.mean()) if len(means) else None,
        "n_fields_within": {f"{share:.0%}": fields_needed(table, share) for share in WITHIN},
        "hot_spot": {
            "positive_per_mm2": float(by_region[hottest][at]), "region": name,
            "x_px": x_px, "y_px": y_px, "side_px": places[name].side_px,
        },
    }  # fmt: skip
    return _Told(table=table, means=means, fields=fields, summary=summary)


def _shown_fields(
    planned: PlannedSlide, earlier: EarlierRun | None, positive: NDArray[np.float64]
) -> pd.DataFrame:
    """The run's fields, or those that a run with these settings would draw, with their densities."""
    if earlier is not None:
        return earlier.fields
    rows = pd.DataFrame([one.as_row() for one in planned.plan.fields])
    if rows.empty:
        return pd.DataFrame({"status": [], "positive_per_mm2": []})
    squares = [one.square for one in planned.plan.fields]
    density = densities_at(
        np.array([one.centre_xy_px for one in squares]), positive, side_px=squares[0].side_px,
        area_mm2=planned.settings.fields.field_area_mm2,
    )  # fmt: skip
    return rows.assign(status=str(FieldStatus.SCORED), positive_per_mm2=density)
