"""Settings that go in and the tables that come out: names, types, units and meaning of every column.

Nothing here imports numpy or pandas, so that ``ihcscore --help`` stays instant.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum


class CellClass(StrEnum):
    """Classes of a cell, by QuPath's names where QuPath has one."""

    POSITIVE = "Positive"
    NEGATIVE = "Negative"
    PIGMENT_SUSPECT = "Pigment suspect"


class RegionName(StrEnum):
    """Where fields are drawn (Hendry et al. 2017, doi 10.1097/PAP.0000000000000161)."""

    TUMOUR_CENTRE = "Tumour centre"
    INVASIVE_FRONT = "Invasive front"
    GIVEN = "Given fields"


class RegionSource(StrEnum):
    """Who said where the tumour is."""

    ANNOTATED = "annotated"
    PROPOSED = "proposed, not confirmed"


class FieldStatus(StrEnum):
    """What became of a field."""

    SCORED = "scored"
    REJECTED = "rejected"
    FAILED = "failed"


def _require(holds: bool, name: str, got: object, expected: str) -> None:
    if not holds:
        raise ValueError(f"{name} is {got}, expected {expected}")


class Sampling(StrEnum):
    """How fields are chosen in a region."""

    RANDOM = "random"
    SYSTEMATIC = "systematic"
    HOTSPOT = "hotspot"
    ALL = "all"


class Front(StrEnum):
    """Which side of the tumour outline the invasive front takes."""

    BOTH = "both"
    INSIDE = "inside"
    OUTSIDE = "outside"


@dataclass(frozen=True, kw_only=True)
class RegionSettings:
    """How tumour centre and invasive front follow from a tumour outline.

    Attributes
    ----------
    margin_um : float
        Whole width of the invasive front in µm, half of it on each side of the outline. 1000 µm
        is the International TILs Working Group's (Hendry et al. 2017,
        doi 10.1097/PAP.0000000000000161); Immunoscore uses 720 (360 each side).
    front : Front
        Both sides of the outline, or one; the centre is the same whichever.
    """

    margin_um: float = 1000.0
    front: Front = Front.BOTH

    def __post_init__(self) -> None:
        _require(self.margin_um > 0, "margin_um", self.margin_um, "above 0")


@dataclass(frozen=True, kw_only=True)
class FieldSettings:
    """How fields are drawn.

    Attributes
    ----------
    n_per_region : int
        Fields in each region; 3 in van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y.
    area_mm2 : float
        Area of a square field in mm²; 0.13 in the same study (side 360.6 µm).
    min_tissue_fraction : float
        Smallest share of a field that must be tissue, 0 to 1.
    sampling : Sampling
        ``random``: simple random sampling without overlap. ``systematic``: a lattice with a random
        start (systematic uniform random sampling), about `n_per_region` fields. ``hotspot``: where
        the chromogen is densest, which measures something else than a region's density. ``all``:
        every field of a lattice without gaps.
    seed : int
        Seed of the random positions, 0 or more.
    """

    n_per_region: int = 3
    area_mm2: float = 0.13
    min_tissue_fraction: float = 0.70
    sampling: Sampling = Sampling.RANDOM
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.n_per_region >= 1, "n_per_region", self.n_per_region, "1 or more")
        _require(self.area_mm2 > 0, "area_mm2", self.area_mm2, "above 0")
        share = self.min_tissue_fraction
        _require(0 <= share <= 1, "min_tissue_fraction", share, "0 to 1")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")

    @property
    def side_um(self) -> float:
        """Side of a field in µm."""
        return 1000.0 * math.sqrt(self.area_mm2)


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Everything that decides a run, beside the slide, its annotation and the marker profile.

    Attributes
    ----------
    fields : FieldSettings
    regions : RegionSettings
    mpp_um : float or None
        µm per level-0 pixel, overriding the file's.
    """

    fields: FieldSettings = field(default_factory=FieldSettings)
    regions: RegionSettings = field(default_factory=RegionSettings)
    mpp_um: float | None = None


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its name (with the unit in it), type and meaning."""

    name: str
    dtype: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Table:
    """A tidy table: one row a thing, its columns in the order in which they are written."""

    name: str
    row: str
    columns: tuple[Column, ...] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in order."""
        return [column.name for column in self.columns]


def _columns(text: str) -> tuple[Column, ...]:
    """Columns from lines of ``name | dtype | meaning``."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    return tuple(Column(name=n.strip(), dtype=d.strip(), meaning=m.strip()) for n, d, m in lines)


_CELL = _columns("""
    x_px            | float | centre of the cell, px of the image or level-0 px of the slide
    y_px            | float | the same, y down; the centre of the first pixel is at (0, 0)
    class           | str   | Positive, Negative or Pigment suspect
    diameter_um     | float | diameter of the circle of the cell's size
    dab_od          | float | optical density of the chromogen in the marker's compartment
    hematoxylin_od  | float | optical density of haematoxylin in the nucleus
    confidence      | float | how sure the class is, 0 (on the threshold) to 1
""")

_COUNTS = _columns("""
    n_positive          | int | cells classed Positive
    n_negative          | int | cells classed Negative
    n_pigment_suspect   | int | brown objects classed Pigment suspect
""")

_DENSITIES = _columns("""
    positive_per_mm2            | float | positive cells per mm² of field
    positive_per_mm2_tissue     | float | positive cells per mm² of tissue in the field
    positive_or_suspect_per_mm2 | float | positive cells and pigment suspects per mm² of field
""")

IMAGE_CELLS = Table(
    name="cells",
    row="a cell on a plain image",
    columns=(*_columns("image | str | file name"), *_CELL),
)

IMAGE_COUNTS = Table(
    name="counts",
    row="an image",
    columns=(
        *_columns("""
            image       | str   | file name
            marker      | str   | profile that was used
            width_px    | int   | width of the image
            height_px   | int   | height of the image
            mpp_um      | float | µm per pixel
            area_mm2    | float | area of the image
        """),
        *_COUNTS,
        *_columns("""
            positive_per_mm2            | float | positive cells per mm² of image
            positive_or_suspect_per_mm2 | float | positive cells and pigment suspects per mm² of image
            pigment_fraction            | float | share of the image covered by pigment, 0 to 1
            stain_source                | str   | where white reference and stain vectors come from
        """),
    ),
)

_WHERE = _columns("""
    slide           | str   | file name of the slide
    marker          | str   | profile that was used
    region          | str   | Tumour centre or Invasive front
    region_source   | str   | annotated, or proposed, not confirmed
""")

SLIDE_CELLS = Table(
    name="cells",
    row="a cell whose centre lies in a field",
    columns=(
        *_columns("""
            slide       | str   | file name of the slide
            marker      | str   | profile that was used
            region      | str   | Tumour centre or Invasive front
            sampling    | str   | how the field was chosen
            field_id    | str   | field that holds the cell's centre
        """),
        *_CELL,
    ),
)

FIELDS = Table(
    name="fields",
    row="a field",
    columns=(
        *_WHERE,
        *_columns("""
            field_id        | str   | name of the field on this slide
            sampling        | str   | how the field was chosen
            seed            | int   | seed of the random positions
            margin_um       | float | whole width of the invasive front
        front           | str   | sides of the outline it takes: both, inside or outside
            x_px            | float | left edge, level-0 px
            y_px            | float | top edge, level-0 px
            side_px         | float | side of the square, level-0 px
            side_um         | float | side of the square
            area_mm2        | float | area of the square
            tissue_fraction | float | share of the square that is tissue, 0 to 1
            status          | str   | scored, rejected (its quality fails) or failed (cannot be decoded)
        qc              | str   | quality: pass, warn or fail
        qc_reason       | str   | why, else empty
        focus           | float | sharpness, 0 to about 0.6; below 0.20 warned of, below 0.15 failed
        fold_fraction   | float | share of the square that is folded, 0 to 1
        pen_fraction    | float | share of the square under ink, 0 to 1
        """),
        *_COUNTS,
        *_DENSITIES,
        *_columns("""
            percent_positive | float | Positive / (Positive + Negative), in percent
            pigment_fraction | float | share of the square covered by pigment, 0 to 1
            error            | str   | why the field failed, else empty
        """),
    ),
)

PLANNED_FIELDS = Table(
    name="fields",
    row="a field that was drawn and not scored",
    columns=tuple(
        column
        for column in FIELDS.columns
        if column.name
        in ("slide", "region", "region_source", "field_id", "sampling", "seed", "margin_um", "front",
            "x_px", "y_px", "side_px", "area_mm2", "tissue_fraction")
    ),
)  # fmt: skip

SCORES = Table(
    name="scores",
    row="a region of a slide",
    columns=(
        *_WHERE,
        *_columns("""
            sampling            | str   | how the fields were chosen
            seed                | int   | seed of the random positions
            margin_um           | float | whole width of the invasive front
            front               | str   | sides of the outline it takes: both, inside or outside
            field_area_mm2      | float | area of one field
            n_fields_asked      | int   | fields that were asked for
            n_fields            | int   | fields that were scored
            n_fields_rejected   | int   | fields whose quality failed; others were drawn in their place
            n_fields_failed     | int   | fields that were drawn and could not be decoded
            area_mm2            | float | area of all scored fields
            tissue_mm2          | float | tissue in all scored fields
        """),
        *_COUNTS,
        *_DENSITIES,
        *_columns("""
            mean_per_mm2        | float | mean of the fields' positive_per_mm2
            sd_per_mm2          | float | their standard deviation (n - 1)
            ci95_low_per_mm2    | float | 95 % interval of the mean, lower end; empty below 3 fields
            ci95_high_per_mm2   | float | 95 % interval of the mean, upper end; empty below 3 fields
            cv                  | float | their coefficient of variation, sd_per_mm2 / mean_per_mm2
        n_fields_to_halve   | int   | fields that would halve the interval, at this standard deviation
        min_per_mm2         | float | smallest field
            max_per_mm2         | float | largest field
            pigment_fraction    | float | share of the fields' area covered by pigment, 0 to 1
            warnings            | str   | what a reader must know, separated by '; '
        """),
    ),
)

DEMO = Table(
    name="comparison",
    row="a region of the demonstration's slide",
    columns=_columns("""
        region              | str   | Tumour centre or Invasive front
        n_fields            | int   | fields that were scored
        n_counted           | int   | positive cells that were counted in the fields
        n_true              | int   | positive cells that were drawn in the same fields
        counted_per_mm2     | float | counted per mm² of field
        true_per_mm2        | float | drawn per mm² of field
        ratio               | float | counted over drawn
        region_true_per_mm2 | float | drawn per mm² of the whole region, which three fields only sample
    """),
)
