"""Activity in plasma: settings, the table of samples, and the tables that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ihcscore.schema.names import Adjustment
from ihcscore.schema.settings import require, require_in
from ihcscore.schema.table import InputColumn, InputTable, Kind, Need, Range, Table, columns

_HALF_LIFE_MIN = Range(low=0.1, high=1e6)
_NOT_NEGATIVE = Range(low=0)
_ABOVE_0 = Range(low=0, open_low=True)
# Plasma holds less than the body's mean soon after injection and seldom more than ten times it.
_PLAUSIBLE_SUV = Range(low=1e-3, high=150)

FLUORINE_18_MIN = 109.77
"""Half-life of fluorine-18 in minutes: 6586.2 s, as scanners write it."""


class AucRule(StrEnum):
    """How the area between two samples is taken."""

    LINEAR = "linear"
    LOG_DOWN = "log-down"


class CurveFit(StrEnum):
    """What the squares of a fitted curve are summed of."""

    LOG = "log"
    LINEAR = "linear"


class PlasmaQuantity(StrEnum):
    """What is followed over time."""

    SUV = "suv"
    INTACT = "intact_pct"
    PARENT = "parent_suv"


@dataclass(frozen=True, kw_only=True)
class PlasmaSettings:
    """What is asked of plasma samples.

    Attributes
    ----------
    before : str
        Name of the scan before treatment.
    after : tuple of str
        Names of scans during treatment; of several a patient may have one.
    half_life_min : float
        Half-life of the nuclide in minutes, for activities that are not yet corrected for decay. That of
        fluorine-18 unless given.
    auc : AucRule
        Area between samples: linear, or log-down, logarithmic where the curve falls.
    fit : CurveFit
        How the bi-exponential curve is fitted: to logarithms (equal relative errors), or to values as R's
        SSbiexp does (equal absolute errors).
    adjust : Adjustment
        How P values are adjusted over the minutes of a quantity.
    alpha : float
        A P value below this is called significant.
    """

    before: str = "baseline"
    after: tuple[str, ...] = ("on_treatment",)
    half_life_min: float = FLUORINE_18_MIN
    auc: AucRule = AucRule.LINEAR
    fit: CurveFit = CurveFit.LOG
    adjust: Adjustment = Adjustment.HOLM
    alpha: float = 0.05

    def __post_init__(self) -> None:
        require_in(_HALF_LIFE_MIN, "half_life_min", self.half_life_min)
        require(0 < self.alpha < 1, "alpha", self.alpha, "between 0 and 1")
        require(len(self.after) > 0, "after", "empty", "the name of a scan")
        require(self.before not in self.after, "after", self.before, "another scan than before")


def _number(name: str, unit: str, meaning: str, expected: Range = _NOT_NEGATIVE) -> InputColumn:
    return InputColumn(name=name, kind=Kind.NUMBER, unit=unit, range=expected, meaning=meaning)


SAMPLES = InputTable(
    name="samples",
    command="plasma",
    row="a plasma sample",
    columns=(
        InputColumn(
            name="patient_id",
            meant=("patient", "subject", "subject_id", "case", "case_id", "id"),
            kind=Kind.ID,
            need=Need.FILLED,
            meaning="patient, the same text in all tables",
        ),
        InputColumn(
            name="timepoint",
            meant=("scan", "session"),
            kind=Kind.NAME,
            need=Need.FILLED,
            meaning="scan, as `--before` and `--after` name it",
        ),
        InputColumn(
            name="minute",
            meant=("time", "time_min", "min", "minutes", "t"),
            kind=Kind.NUMBER,
            unit="min",
            range=_NOT_NEGATIVE,
            plausible=Range(low=0, high=600),
            need=Need.FILLED,
            meaning="true minute of the sample after the start of the injection",
        ),
        InputColumn(
            name="nominal_minute",
            kind=Kind.NUMBER,
            unit="min",
            range=_NOT_NEGATIVE,
            meaning="minute under which samples of all patients stand together; without it near ones do",
        ),
        InputColumn(
            name="suv",
            kind=Kind.NUMBER,
            unit="g/ml",
            range=_NOT_NEGATIVE,
            plausible=_PLAUSIBLE_SUV,
            meaning="SUV of the sample; else it follows from the next columns",
        ),
        InputColumn(
            name="kbq_per_ml",
            kind=Kind.NUMBER,
            unit="kBq/ml",
            range=_NOT_NEGATIVE,
            meaning="activity concentration",
        ),
        InputColumn(
            name="decay_corrected",
            kind=Kind.YES_NO,
            need=Need.FILLED_IF_THERE,
            meaning="whether kbq_per_ml is corrected for decay to the injection (not to the scan's start)",
        ),
        _number("counts", "", "counts of the sample in the well counter (not a rate)"),
        _number("count_s", "s", "duration of the count", _ABOVE_0),
        _number("background_cps", "1/s", "background rate; empty counts as 0, which is told"),
        _number("volume_ml", "ml", "volume of the sample", _ABOVE_0),
        _number("cps_per_bq", "1/(s Bq)", "efficiency of the counter", _ABOVE_0),
        _number("counted_at_min", "min", "start of the count after the injection"),
        InputColumn(
            name="weight_kg",
            kind=Kind.NUMBER,
            unit="kg",
            range=_ABOVE_0,
            plausible=Range(low=20, high=300),
            meaning="body weight",
        ),
        InputColumn(
            name="injected_mbq",
            kind=Kind.NUMBER,
            unit="MBq",
            range=_ABOVE_0,
            plausible=Range(low=5, high=2000),
            meaning="injected activity",
        ),
        InputColumn(
            name="intact_pct",
            kind=Kind.NUMBER,
            unit="%",
            range=Range(low=0, high=100),
            meaning="share of the activity that is intact tracer; else it follows from the next two",
        ),
        _number("precipitate", "", "activity of the precipitate (TCA), in any unit"),
        _number("supernatant", "", "activity of the supernatant, in the same unit"),
        InputColumn(
            name="material",
            meant=("matrix", "fluid"),
            kind=Kind.NAME,
            choices=("plasma", "whole blood"),
            meaning="plasma unless it says otherwise; samples of whole blood are left out and told",
        ),
    ),
    keys=("patient_id", "timepoint", "minute", "material"),
    remedy="name them with `rename` new=old",
)

CURVES = Table(
    name="curves",
    row="a sample",
    columns=columns("""
        patient_id      | str   | patient
        timepoint       | str   | scan
        minute          | float | true minute after the start of the injection
        nominal_minute  | float | minute under which it stands with those of other patients
        kbq_per_ml      | float | activity concentration, corrected for decay to the injection, if known
        suv             | float | SUV, g/ml
        intact_pct      | float | intact tracer, % of the activity
        parent_suv      | float | SUV of the intact tracer, g/ml
        source          | str   | what the SUV follows from: suv, kbq_per_ml or counts
    """),
)

PLASMA_TIMES = Table(
    name="times",
    row="a quantity at a minute of a scan",
    columns=columns("""
        quantity    | str   | suv, intact_pct or parent_suv
        timepoint   | str   | scan
        minute      | float | nominal minute
        n           | int   | patients
        mean        | float | mean
        sd          | float | standard deviation (n - 1)
        median      | float | median
        q1          | float | lower quartile
        q3          | float | upper quartile
    """),
)

PLASMA_TESTS = Table(
    name="comparison",
    row="a paired comparison of the two scans",
    columns=columns("""
        quantity            | str   | suv, intact_pct or parent_suv
        what                | str   | AUC with its minutes, or the minute
        role                | str   | primary: the AUC of SUV; else secondary
        minute              | float | nominal minute; empty for an AUC
        n                   | int   | patients with both
        n_zero              | int   | of these without a difference
        median_before       | float | median of the pairs at the first scan
        median_after        | float | median of the pairs at the second
        median_change_pct   | float | median of each patient's change, %
        shift               | float | Hodges-Lehmann shift, after minus before
        shift_low           | float | 95 % interval of the shift, lower end; empty below 6 pairs
        shift_high          | float | 95 % interval of the shift, upper end; empty below 6 pairs
        ratio               | float | geometric mean of after / before
        ratio_low           | float | its 95 % interval by Student's t on the logarithm, lower end
        ratio_high          | float | its 95 % interval, upper end
        p_smallest          | float | smallest two-sided P that so many pairs could have given
        p                   | float | exact two-sided Wilcoxon signed-rank P
        p_asymptotic        | float | asymptotic P, as SPSS prints it, for comparison
        p_t                 | float | P of the paired t test
        p_adjusted          | float | P adjusted over the minutes of the quantity; of an AUC the P itself
        note                | str   | why something is missing
    """),
)

PLASMA_PATIENTS = Table(
    name="patients",
    row="a quantity of a patient at a scan",
    columns=columns("""
        patient_id              | str   | patient
        timepoint               | str   | scan
        quantity                | str   | suv or parent_suv
        n_samples               | int   | samples
        first_minute            | float | true minute of the first
        last_minute             | float | true minute of the last
        auc                     | float | area over these minutes alone, g/ml min; empty without both ends
        n_interpolated          | int   | samples between that lack, and were interpolated
        half_life_slope_min     | float | half-life by the slope of the logarithm over the last three samples
        slope_minutes           | str   | their minutes
        a1                      | float | first amplitude of the bi-exponential curve, g/ml
        a2                      | float | second amplitude, g/ml
        half_life_1_min         | float | its first half-life; empty unless identifiable
        half_life_1_low_min     | float | 95 % interval, lower end
        half_life_1_high_min    | float | 95 % interval, upper end
        half_life_2_min         | float | its second half-life; empty unless identifiable
        half_life_2_low_min     | float | 95 % interval, lower end
        half_life_2_high_min    | float | 95 % interval, upper end
        aicc_1                  | float | AICc of one exponential
        aicc_2                  | float | AICc of two
        note                    | str   | why something is missing
    """),
)
