"""Settings of counting: regions, fields, runs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from ihcscore.schema.names import Front, Sampling


def require(holds: bool, name: str, got: object, expected: str) -> None:
    """Refuse a setting that is out of range, by ``ValueError``."""
    if not holds:
        raise ValueError(f"{name} is {got}, expected {expected}")


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
        require(self.margin_um > 0, "margin_um", self.margin_um, "above 0")


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
        require(self.n_per_region >= 1, "n_per_region", self.n_per_region, "1 or more")
        require(self.area_mm2 > 0, "area_mm2", self.area_mm2, "above 0")
        share = self.min_tissue_fraction
        require(0 <= share <= 1, "min_tissue_fraction", share, "0 to 1")
        require(self.seed >= 0, "seed", self.seed, "0 or more")

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
        require(most > 0, "max_registration_error_um", most, "above 0")
