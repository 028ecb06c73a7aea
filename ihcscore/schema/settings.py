"""Settings of counting: regions, fields, runs.

The command line makes its options from these classes: name, default and type from the field, the help from
the first sentence under "Attributes".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ihcscore.schema.names import Front, Sampling
from ihcscore.schema.table import Range

SLIDE_MPP_UM = Range(low=0.05, high=10)
"""µm per pixel of a brightfield scanner: 100x oil gives about 0.06, a 1.25x overview about 8. Beyond these
it is a mistake in the file (a 72 dpi default reads as 353 µm)."""

COUNTED_MPP_UM = Range(low=0.05, high=1)
"""µm per pixel at which cells can be counted: at 1 µm a lymphocyte is 7 pixels across."""

WORKERS = Range(low=1, high=256)
"""Processes on one machine."""

SEED = Range(low=0, high=2**32 - 1)
"""Seeds of random numbers."""

# Beyond these a setting is a slip of the decimal point or of the unit, not a choice.
_MARGIN_UM = Range(low=0, open_low=True, high=20_000)
_N_FIELDS = Range(low=1, high=10_000)
_FIELD_AREA_MM2 = Range(low=0.001, high=100)
_SHARE = Range(low=0, high=1)
_REGISTRATION_ERROR_UM = Range(low=0, open_low=True, high=10_000)


class SettingError(ValueError):
    """A setting that is out of range.

    Attributes
    ----------
    name : str
        The field of the settings.
    problem : str
        What is wrong with it, to be read after the name.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name, self.problem = name, problem


def require(holds: bool, name: str, got: object, expected: str) -> None:
    """Refuse a setting that is out of range, by :class:`SettingError`."""
    if not holds:
        raise SettingError(name, f"is {got}, expected {expected}")


def require_in(expected: Range, name: str, got: float) -> None:
    """Refuse a number that is out of range, or none at all (NaN), by :class:`SettingError`."""
    require(got in expected, name, got, str(expected))


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
        Sides of the outline that the invasive front takes. The centre is the same whichever.
    """

    margin_um: float = 1000.0
    front: Front = Front.BOTH

    def __post_init__(self) -> None:
        require_in(_MARGIN_UM, "margin_um", self.margin_um)


@dataclass(frozen=True, kw_only=True)
class FieldSettings:
    """How fields are drawn.

    Attributes
    ----------
    n_fields : int
        Fields in each region. 3 in van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y.
    field_area_mm2 : float
        Area of a square field in mm². 0.13 in the same study (side 360.6 µm).
    min_tissue_fraction : float
        Smallest share of a field that must be tissue, 0 to 1.
    sampling : Sampling
        How fields are chosen. ``random``: simple random sampling without overlap. ``systematic``: a
        lattice with a random start (systematic uniform random sampling), about `n_fields` fields.
        ``hotspot``: where the chromogen is densest, which measures something else than a region's
        density. ``all``: every field of a lattice without gaps.
    seed : int
        Seed of the random positions, 0 or more.
    """

    n_fields: int = 3
    field_area_mm2: float = 0.13
    min_tissue_fraction: float = 0.70
    sampling: Sampling = Sampling.RANDOM
    seed: int = 0

    def __post_init__(self) -> None:
        require_in(_N_FIELDS, "n_fields", self.n_fields)
        require_in(_FIELD_AREA_MM2, "field_area_mm2", self.field_area_mm2)
        require_in(_SHARE, "min_tissue_fraction", self.min_tissue_fraction)
        require_in(SEED, "seed", self.seed)

    @property
    def side_um(self) -> float:
        """Side of a field in µm."""
        return 1000.0 * math.sqrt(self.field_area_mm2)


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """Everything that decides a run, beside the slide, its annotation and the marker profile.

    Attributes
    ----------
    fields : FieldSettings
    regions : RegionSettings
    mpp_um : float or None
        µm per level-0 pixel, overriding the slide's.
    icc : bool
        Convert colours to sRGB where the slide has an ICC profile.
    max_registration_error_um : float
        Largest estimated error in µm at which a carried field is scored. A field that was found again on
        another slide with a larger one stays unplaced.
    force_stain : bool
        Count a slide that is refused for its stain (H&E, grey, fluorescence). It stands in every output.
    negatives : bool
        Mark negative cells on the pictures of the fields too, by small dots. They alter no number.
    numbers : bool
        Write each ringed cell's number in its field beside its ring. They alter no number in a table.
    """

    fields: FieldSettings = field(default_factory=FieldSettings)
    regions: RegionSettings = field(default_factory=RegionSettings)
    mpp_um: float | None = None
    icc: bool = True
    max_registration_error_um: float = 100.0
    force_stain: bool = False
    negatives: bool = False
    numbers: bool = False

    def __post_init__(self) -> None:
        if self.mpp_um is not None:
            require_in(SLIDE_MPP_UM, "mpp_um", self.mpp_um)
        require_in(_REGISTRATION_ERROR_UM, "max_registration_error_um", self.max_registration_error_um)
