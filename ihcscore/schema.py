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
    UNPLACED = "unplaced"
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
    icc : bool
        Whether colours are converted to sRGB where the slide has an ICC profile.
    max_registration_error_um : float
        A field that was carried over from another slide is not scored where its estimated error is
        larger.
    """

    fields: FieldSettings = field(default_factory=FieldSettings)
    regions: RegionSettings = field(default_factory=RegionSettings)
    mpp_um: float | None = None
    icc: bool = True
    max_registration_error_um: float = 100.0

    def __post_init__(self) -> None:
        most = self.max_registration_error_um
        _require(most > 0, "max_registration_error_um", most, "above 0")


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
            x_px            | float | left edge before the turn, level-0 px
            y_px            | float | top edge before the turn, level-0 px
            side_px         | float | side of the square, level-0 px
            side_um         | float | side of the square
            angle_deg       | float | turn of the square about its centre, clockwise, degrees
        registration_error_um | float | estimated error of the place on this slide; empty if drawn here
            area_mm2        | float | area of the square
            tissue_fraction | float | share of the square that is tissue, 0 to 1
            status          | str   | scored, unplaced (not found), rejected (quality) or failed (no pixels)
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
            "x_px", "y_px", "side_px", "angle_deg", "area_mm2", "tissue_fraction")
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
            n_fields_unplaced   | int   | fields of the reference that could not be placed on this slide
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

_WHOSE = _columns("""
    patient_id  | str | as in the manifest
    sample_id   | str | as in the manifest
""")

COHORT_SCORES = Table(
    name="scores",
    row="a region of a slide of a cohort",
    columns=(
        *_WHOSE,
        *SCORES.columns,
        *_columns("missing | str | what was not scored and why, else empty"),
    ),
)

COHORT_FIELDS = Table(name="fields", row="a field of a slide of a cohort", columns=(*_WHOSE, *FIELDS.columns))

SAMPLE_SUMMARY = Table(
    name="samples",
    row="a marker and region of a sample; Both regions is all fields together, as the paper gives them",
    columns=(
        *_WHOSE,
        *_columns("""
            marker          | str   | profile that was used
            region          | str   | Tumour centre, Invasive front or Both regions
            n_fields        | int   | fields that were scored
            mean_per_mm2    | float | mean of the fields' positive_per_mm2
            sd_per_mm2      | float | their standard deviation (n - 1)
        """),
    ),
)

MARKER_SUMMARY = Table(
    name="markers",
    row="a marker and region over all samples",
    columns=_columns("""
        marker              | str   | profile that was used
        region              | str   | Tumour centre, Invasive front or Both regions
        n_samples           | int   | samples with a scored field
        mean_per_mm2        | float | mean of the samples' means
        min_per_mm2         | float | smallest mean
        max_per_mm2         | float | largest mean
        median_per_mm2      | float | median of the samples' means
        q1_per_mm2          | float | their lower quartile
        q3_per_mm2          | float | their upper quartile
    """),
)

CARRIED_POINTS = Table(
    name="points",
    row="a point carried from a reference slide to another",
    columns=_columns("""
        X                       | float | the point on the moving slide, level-0 px
        Y                       | float | the same, y down
        reference_X             | float | the point on the reference, level-0 px
        reference_Y             | float | the same, y down
        registration_error_um   | float | estimated error; empty where the slides could not be matched
        recognised              | bool  | whether the place itself was recognised, rather than the section
    """),
)

DEMO = Table(
    name="comparison",
    row="a region of a slide of the demonstration",
    columns=_columns("""
        sample_id           | str   | as in the manifest
        marker              | str   | profile that was used
        region              | str   | Tumour centre or Invasive front
        n_fields            | int   | fields that were scored
        n_counted           | int   | positive cells that were counted in the fields
        n_true              | int   | positive cells that were drawn in the same fields
        counted_per_mm2     | float | counted per mm² of field
        true_per_mm2        | float | drawn per mm² of field
        ratio               | float | counted over drawn
    """),
)

DEMO_FIT = Table(
    name="fit",
    row="a marker of the demonstration",
    columns=_columns("""
        marker              | str   | profile that was used
        n                   | int   | regions of samples
        lowest_per_mm2      | float | smallest density that was drawn in a whole region
        highest_per_mm2     | float | largest
        slope               | float | of the line through the measured over the drawn densities
        intercept_per_mm2   | float | of the same line
        r                   | float | Pearson's correlation
    """),
)

DEMO_PLACES = Table(
    name="places",
    row="a field that was carried to another stain of the demonstration",
    columns=_columns("""
        sample_id               | str   | as in the manifest
        marker                  | str   | marker of the slide
        field_id                | str   | name of the field
        true_error_um           | float | distance from where the sections were drawn to have it
        registration_error_um   | float | what the program estimated
        status                  | str   | what became of the field
    """),
)


class Unit(StrEnum):
    """What one point of a correlation is."""

    PATIENT = "patient"
    LESION = "lesion"


class Adjustment(StrEnum):
    """How P values are adjusted for the number of tests in a family."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "bh"
    NONE = "none"


@dataclass(frozen=True, kw_only=True)
class CorrelationSettings:
    """What is asked of a study of densities and uptake.

    Attributes
    ----------
    suv : str
        Column of the SUV table: suv_max, suv_mean or suv_peak.
    density : str
        Column of the scores; the mean over fields is the paper's number.
    unit : Unit
        What a point is: a patient, or a lesion whose own tissue was scored.
    timepoint, on_treatment : str
        Names of the scans before and during treatment. The correlations take the first.
    adjust : Adjustment
        Holm (1979), Benjamini and Hochberg (1995, doi 10.1111/j.2517-6161.1995.tb02031.x), or none.
    ratios : tuple of (str, str)
        Markers whose densities are divided, numerator first, region by region.
    x, y : str or None
        ``marker:region``. x alone correlates that density with SUV, x and y two densities.
    kendall : bool
        Also Kendall's tau-b.
    alpha : float
        A P value below this is called significant.
    n_resamples, n_bootstrap, n_simulated : int
        Random permutations of a test (from 10 units on), bootstrap samples of an interval, simulated
        studies for a power.
    seed : int
        Seed of all three.
    """

    suv: str = "suv_max"
    density: str = "mean_per_mm2"
    unit: Unit = Unit.PATIENT
    timepoint: str = "baseline"
    on_treatment: str = "on_treatment"
    adjust: Adjustment = Adjustment.HOLM
    ratios: tuple[tuple[str, str], ...] = (("CD25", "CD3"), ("CD8", "CD4"))
    x: str | None = None
    y: str | None = None
    kendall: bool = False
    alpha: float = 0.05
    n_resamples: int = 100_000
    n_bootstrap: int = 10_000
    n_simulated: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        _require(self.suv in SUV_COLUMNS, "suv", self.suv, f"one of {', '.join(SUV_COLUMNS)}")
        _require(0 < self.alpha < 1, "alpha", self.alpha, "between 0 and 1")
        for name in ("n_resamples", "n_bootstrap", "n_simulated"):
            _require(getattr(self, name) >= 100, name, getattr(self, name), "100 or more")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        _require(self.y is None or self.x is not None, "x", self.x, "a marker:region where y is given")
        _require(self.timepoint != self.on_treatment, "on_treatment", self.on_treatment, "another scan")


@dataclass(frozen=True, kw_only=True)
class AgreementSettings:
    """What is asked of two raters.

    Attributes
    ----------
    value : str or None
        Column that holds the numbers; None: the only one that both tables have beside the key.
    keys : tuple of str
        Columns that name the thing that was rated; empty: all columns of text that both tables have.
    bins : tuple of float
        Lower ends of the classes for the weighted kappa, beside 0; empty: 1, 6, 11 and 21, which makes
        the classes 0, 1-5, 6-10, 11-20 and more.
    offset : float
        Added to all values before the logarithm if any is 0, in the unit of the values.
    """

    value: str | None = None
    keys: tuple[str, ...] = ()
    bins: tuple[float, ...] = (1.0, 6.0, 11.0, 21.0)
    offset: float = 1.0

    def __post_init__(self) -> None:
        _require(self.offset > 0, "offset", self.offset, "above 0")
        _require(len(self.bins) > 0, "bins", self.bins, "one number or more")
        _require(list(self.bins) == sorted(set(self.bins)), "bins", self.bins, "rising numbers")
        _require(self.bins[0] > 0, "bins", self.bins, "numbers above 0")


SUV_COLUMNS = ("suv_max", "suv_mean", "suv_peak")
RESPONSES = ("CR", "PR", "SD", "PD")

JOINED = Table(
    name="joined",
    row="a density of a patient (or of a lesion's tissue) beside its uptake",
    columns=_columns("""
        patient_id          | str   | as in both tables
        lesion_id           | str   | lesion whose tissue it is; empty where the unit is the patient
        sample_id           | str   | samples of the density, separated by '; '
        variable            | str   | marker or ratio of markers, and region
        density             | float | per mm², mean over the patient's samples; a ratio has no unit
        density_low         | float | lower end of its interval: of the fields, or the smallest sample
        density_high        | float | upper end of its interval: of the fields, or the largest sample
        n_samples           | int   | samples of the density
        n_fields            | int   | fields of the density
        timepoint           | str   | scan
        suv_column          | str   | suv_max, suv_mean or suv_peak
        suv_lesions_mean    | float | mean of it over the patient's lesions
        suv_lesions_max     | float | largest of the patient's lesions
        suv_lesions_min     | float | smallest of the patient's lesions
        n_lesions           | int   | lesions of the uptake
        response            | str   | best response, if given
    """),
)

CORRELATIONS = Table(
    name="correlations",
    row="a test",
    columns=_columns("""
        family                  | str   | tests that are adjusted together
        role                    | str   | primary or sensitivity
        x                       | str   | marker or ratio of markers, and region
        y                       | str   | what it is correlated with
        unit                    | str   | what a point is: patient or lesion
        n                       | int   | points
        n_patients              | int   | patients
        n_lesions               | int   | lesions behind the uptake
        n_samples               | int   | samples behind the density
        p_smallest              | float | smallest two-sided P that these points could have given in any order
        p_smallest_adjusted     | float | the same after adjustment, every test of the family at its smallest
        rho_needed              | float | smallest absolute rho with P below alpha; empty: none
        rho_needed_adjusted     | float | the same with P below alpha / tests in the family; empty: none
        power_rho_05            | float | chance to find a true rho of 0.5, unadjusted
        power_rho_07            | float | chance to find a true rho of 0.7, unadjusted
        power_adjusted_rho_05   | float | chance to find a true rho of 0.5 with P below alpha / tests
        power_adjusted_rho_07   | float | chance to find a true rho of 0.7 with P below alpha / tests
        could_be_significant    | str   | yes, only unadjusted, or no
        rho                     | float | Spearman's rank correlation
        p                       | float | two-sided permutation P
        p_method                | str   | which permutations
        p_adjusted              | float | P adjusted for the family
        adjustment              | str   | holm, bh or none
        n_tests                 | int   | tests of the family that could be computed
        p_t                     | float | P by Student's t, as SPSS gives it, for comparison
        rho_low                 | float | 95 % interval by Bonett and Wright, lower end
        rho_high                | float | 95 % interval by Bonett and Wright, upper end
        rho_low_bca             | float | 95 % BCa bootstrap interval over patients, lower end
        rho_high_bca            | float | 95 % BCa bootstrap interval over patients, upper end
        tau_b                   | float | Kendall's tau-b, if asked for
        p_tau_b                 | float | its two-sided permutation P
        note                    | str   | why something is missing
    """),
)

SUMMARY = Table(
    name="summary",
    row="a quantity",
    columns=_columns("""
        what        | str   | density, ratio, uptake of lesions, uptake of patients, healthy tissue
        variable    | str   | its name
        timepoint   | str   | scan, for uptake
        counted     | str   | what n counts: patients, samples, lesions
        n           | int   | values
        median      | float | median
        q1          | float | lower quartile
        q3          | float | upper quartile
        mean        | float | mean
        sd          | float | standard deviation (n - 1)
        min         | float | smallest
        max         | float | largest
        shapiro_w   | float | Shapiro-Wilk statistic; empty below 3 values
        shapiro_p   | float | its P
    """),
)

SERIAL = Table(
    name="serial",
    row="a comparison of two scans",
    columns=_columns("""
        suv_column          | str   | suv_max, suv_mean or suv_peak
        unit                | str   | lesion, or patient: mean or maximum over the lesions of both scans
        n                   | int   | pairs
        n_patients          | int   | patients
        n_zero              | int   | pairs without a difference
        median_before       | float | median at the first scan
        q1_before           | float | lower quartile
        q3_before           | float | upper quartile
        median_after        | float | median at the second scan
        q1_after            | float | lower quartile
        q3_after            | float | upper quartile
        shift               | float | Hodges-Lehmann shift, after minus before
        shift_low           | float | 95 % interval of the shift, lower end; empty below 6 pairs
        shift_high          | float | 95 % interval of the shift, upper end; empty below 6 pairs
        p_smallest          | float | smallest two-sided P that these pairs could have given
        p                   | float | exact two-sided Wilcoxon signed-rank P
        p_by_patient        | float | the same statistic, signs changed patient by patient; for lesions
        shapiro_w           | float | Shapiro-Wilk statistic of the differences; empty below 3
        shapiro_p           | float | its P
        note                | str   | why something is missing
    """),
)

RESPONSE = Table(
    name="response",
    row="a quantity against response",
    columns=_columns("""
        variable            | str   | density or uptake
        n_responders        | int   | patients with CR or PR
        n_others            | int   | patients with SD or PD
        median_responders   | float | median of the responders
        median_others       | float | median of the others
        shift               | float | Hodges-Lehmann difference, responders minus others
        p_smallest          | float | smallest two-sided Mann-Whitney P at these numbers
        p                   | float | exact two-sided Mann-Whitney P
        p_adjusted          | float | P adjusted over this table
        n_cr                | int   | patients with CR
        n_pr                | int   | patients with PR
        n_sd                | int   | patients with SD
        n_pd                | int   | patients with PD
        p_trend_smallest    | float | smallest two-sided Jonckheere-Terpstra P at these numbers
        trend               | float | Kendall's tau-b with response; above 0: higher in better response
        p_trend             | float | two-sided permutation Jonckheere-Terpstra P
        p_trend_adjusted    | float | P adjusted over this table
        note                | str   | why something is missing
    """),
)

UNMATCHED = Table(
    name="unmatched",
    row="something of the inputs that takes no part in a correlation, or a value that could not be had",
    columns=_columns("""
        table       | str   | scores, suv or joined
        patient_id  | str   | patient
        item        | str   | sample, lesion or density
        reason      | str   | why
    """),
)

AGREEMENT_PAIRS = Table(
    name="pairs",
    row="a thing that both rated",
    columns=_columns("""
        key | str   | its name, the parts separated by ' · '
        a   | float | value of the first
        b   | float | value of the second
    """),
)

AGREEMENT = Table(
    name="agreement",
    row="a measure of agreement",
    columns=_columns("""
        measure     | str   | what
        value       | float | estimate
        low         | float | 95 % interval, lower end
        high        | float | 95 % interval, upper end
        meaning     | str   | what it says, and its source
    """),
)
