"""Settings and tables of uptake measured in the scan."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ihcscore.schema.settings import SettingError, require, require_in
from ihcscore.schema.table import Range, Table, columns

_PERCENT = Range(low=0, open_low=True, high=100)
_SUV = Range(low=0, open_low=True, high=1000)


class SuvKind(StrEnum):
    """What uptake is normalised to: body weight, lean body mass or body surface."""

    BW = "bw"
    SUL = "sul"
    BSA = "bsa"

    @property
    def unit(self) -> str:
        """The unit as tables have it."""
        return {"bw": "g/ml bw", "sul": "g/ml lbm", "bsa": "cm2/ml bsa"}[self.value]


class PeakKind(StrEnum):
    """Which voxels make the peak: whole ones (IBSI), or shares of voxels, 1.00 ml always."""

    IBSI = "ibsi"
    FRACTIONAL = "fractional"


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """What of a volume counts as metabolic tumour volume.

    Attributes
    ----------
    value : float
        Percent of the volume's SUVmax, or an SUV.
    relative : bool
        Whether it is a percentage.
    """

    value: float = 41.0
    relative: bool = True

    def __post_init__(self) -> None:
        if self.relative:
            require(self.value in _PERCENT, "threshold", f"{self.value:g}%", f"{_PERCENT}%")
        else:
            require_in(_SUV, "threshold", self.value)

    @classmethod
    def parse(cls, text: str) -> Threshold:
        """From ``41%`` or ``2.5``.

        Raises
        ------
        ValueError
            If it is neither.
        """
        number = text.strip().removesuffix("%").strip()
        try:
            value = float(number)
        except ValueError:
            raise SettingError(
                "threshold", f"is {text}, expected a percentage (41%) or an SUV (2.5)"
            ) from None
        return cls(value=value, relative=text.strip().endswith("%"))

    def __str__(self) -> str:
        return f"{self.value:g}% of SUVmax" if self.relative else f"SUV {self.value:g}"


@dataclass(frozen=True, kw_only=True)
class SuvSettings:
    """How uptake is measured.

    Attributes
    ----------
    threshold : Threshold
        41 % of SUVmax in EANM's guideline 2.0 (Boellaard et al. 2015, doi 10.1007/s00259-014-2961-x).
    peak : PeakKind
        Voxels of the peak.
    suv : SuvKind
        What uptake is normalised to.
    """

    threshold: Threshold = Threshold()
    peak: PeakKind = PeakKind.IBSI
    suv: SuvKind = SuvKind.BW


LESIONS = Table(
    name="lesions",
    row="a volume of interest at a scan",
    columns=columns("""
        patient_id      | str   | as in the manifest
        lesion_id       | str   | the volume's name, or as names.csv says; of an organ: its side, if any
        timepoint       | str   | scan, as in the manifest
        tissue          | str   | lesion, or the healthy organ's name
        suv_max         | float | highest voxel of the volume
        suv_mean        | float | mean of the volume's voxels; of spheres and organs weighted by their shares
        suv_peak        | float | highest mean of 1 ml around any voxel of the volume, not cut at its edge
        suv_unit        | str   | g/ml bw, g/ml lbm or cm2/ml bsa
        software        | str   | ihcscore and its version
        voi_method      | str   | where the volumes come from, and which peak
        weight_kg       | float | body weight behind the factor
        injected_mbq    | float | net injected activity behind the factor, at the time of injection
        suv_peak_at_max | float | mean of 1 ml around the highest voxel
        suv_sd          | float | standard deviation of the volume's voxels (n - 1)
        suv_median      | float | median of the volume's voxels
        volume_ml       | float | voxels, or shares of voxels, times the volume of one
        n_voxels        | int   | voxels whose centre lies in the volume
        peak_ml         | float | volume that the peak is the mean of
        threshold       | str   | what counts as metabolic tumour volume
        mtv_ml          | float | metabolic tumour volume; empty for organs
        suv_mean_mtv    | float | mean of it
        tlg             | float | total lesion glycolysis: the two multiplied
        uptake_min      | float | minutes from injection to the first acquisition
        note            | str   | what a reader must know
    """),
)

SCANS = Table(
    name="scans",
    row="a scan",
    columns=columns("""
        patient_id              | str   | as in the manifest
        timepoint               | str   | scan, as in the manifest
        series                  | str   | hash of the identities of its images
        factor_min              | float | smallest factor of its slices, from rescaled value to SUV by weight
        factor_max              | float | largest of them
        suv_from_bw             | float | factor from SUV by body weight to the SUV of the table
        units                   | str   | Units (0054,1001)
        suv_type                | str   | SUVType (0054,1006)
        decay_correction        | str   | DecayCorrection (0054,1102)
        reference_time_from     | str   | what the time was taken from to which the scanner corrected decay
        reference_spread_s      | float | range of that time over the slices, where it follows from them
        uptake_min              | float | minutes from injection to the first acquisition
        injected_mbq            | float | net injected activity at the time of injection
        dose_from               | str   | tag or column
        weight_kg               | float | body weight
        weight_from             | str   | tag or column
        half_life_s             | float | half-life
        half_life_from          | str   | tag or column
        nuclide                 | str   | nuclide, if coded
        manufacturer            | str   | maker of the scanner
        model                   | str   | its model
        reconstruction          | str   | reconstruction method
        voxel_x_mm              | float | between columns
        voxel_y_mm              | float | between rows
        voxel_z_mm              | float | between slices
        n_slices                | int   | slices
        frame_s                 | float | duration of a frame, median over the slices
        overrides               | str   | columns of the manifest that stand in place of the header
        notes                   | str   | what a reader must know
        error                   | str   | why the scan was refused
    """),
)
