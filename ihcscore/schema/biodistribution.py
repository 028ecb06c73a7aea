"""Uptake of organs before and during treatment: settings and tables."""

from __future__ import annotations

from dataclasses import dataclass

from ihcscore.schema.names import Adjustment, Quartiles
from ihcscore.schema.settings import require
from ihcscore.schema.study import SUV_COLUMNS
from ihcscore.schema.table import Table, columns


@dataclass(frozen=True, kw_only=True)
class BiodistributionSettings:
    """What is asked of the uptake of organs.

    Attributes
    ----------
    suv : str
        Column of the table: suv_mean, suv_max or suv_peak.
    before : str
        Name of the scan before treatment.
    after : tuple of str
        Names of scans during treatment; of several a patient may have one.
    adjust : Adjustment
        How P values are adjusted over the organs.
    quartiles : Quartiles
        How quartiles are taken: linear (type 7), or as SPSS does (type 6).
    alpha : float
        A P value below this is called significant.
    """

    suv: str = "suv_mean"
    before: str = "baseline"
    after: tuple[str, ...] = ("on_treatment",)
    adjust: Adjustment = Adjustment.HOLM
    quartiles: Quartiles = Quartiles.LINEAR
    alpha: float = 0.05

    def __post_init__(self) -> None:
        require(self.suv in SUV_COLUMNS, "suv", self.suv, f"one of {', '.join(SUV_COLUMNS)}")
        require(0 < self.alpha < 1, "alpha", self.alpha, "between 0 and 1")
        require(len(self.after) > 0, "after", "empty", "the name of a scan")
        require(self.before not in self.after, "after", self.before, "another scan than before")


ORGANS = Table(
    name="organs",
    row="an organ",
    columns=columns("""
        organ                   | str   | organ
        n_before                | int   | patients at the first scan
        median_before           | float | median of all patients at the first scan
        q1_before               | float | lower quartile
        q3_before               | float | upper quartile
        n_after                 | int   | patients at the second scan
        median_after            | float | median of all patients at the second scan
        q1_after                | float | lower quartile
        q3_after                | float | upper quartile
        quartiles               | str   | how quartiles are taken
        n_pairs                 | int   | patients with both
        n_zero                  | int   | pairs without a difference
        pairs_median_before     | float | median of the pairs at the first scan
        pairs_median_after      | float | median of the pairs at the second scan
        change_of_medians_pct   | float | change of the pairs' medians, %
        median_change_pct       | float | median of each patient's change, %
        shift                   | float | Hodges-Lehmann shift, after minus before
        shift_low               | float | 95 % interval of the shift, lower end; empty below 6 pairs
        shift_high              | float | 95 % interval of the shift, upper end; empty below 6 pairs
        p_smallest              | float | smallest two-sided P that so many pairs could have given
        p_smallest_adjusted     | float | the same after adjustment, every organ at its smallest
        p                       | float | exact two-sided Wilcoxon signed-rank P
        p_asymptotic            | float | asymptotic P, as SPSS prints it, for comparison
        p_adjusted              | float | P adjusted over the organs
        adjustment              | str   | holm, bh or none
        n_tests                 | int   | organs that could be tested
        shapiro_w               | float | Shapiro-Wilk statistic of the differences; empty below 3
        shapiro_p               | float | its P
        note                    | str   | why something is missing
    """),
)

ORGAN_VALUES = Table(
    name="organ_values",
    row="an organ of a patient",
    columns=columns("""
        organ       | str   | organ
        patient_id  | str   | patient
        before      | float | uptake at the first scan, mean of both sides
        after       | float | uptake at the second scan
        change_pct  | float | change, %
        n_before    | int   | volumes at the first scan: 2 where both sides were measured
        n_after     | int   | volumes at the second scan
        scan_after  | str   | name of the second scan
    """),
)
