"""Settings and tables of a study: densities against uptake, one rater against another."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ihcscore.schema.names import Adjustment, Quartiles, Unit
from ihcscore.schema.settings import SEED, SettingError, require, require_in
from ihcscore.schema.table import Range, Table, columns
from ihcscore.schema.variables import Measure, Variable, parse_variable

_N_RANDOM = Range(low=100, high=10_000_000)
_OFFSET = Range(low=0, open_low=True, high=1e6)
_BIN = Range(low=0, open_low=True, high=1e9)

ON_TREATMENT = "on_treatment"
"""Name of the scan during treatment where none is named."""

SUV_COLUMNS = ("suv_max", "suv_mean", "suv_peak")

RESPONSES = ("CR", "PR", "SD", "PD")


@dataclass(frozen=True, kw_only=True)
class CorrelationSettings:
    """What is asked of a study of densities and uptake.

    Attributes
    ----------
    suv : str
        Column of the table of lesions: suv_max, suv_mean or suv_peak.
    covariate : str or None
        Column of the table of lesions that is studied in place of an SUV: any number of a lesion.
    name : str or None
        What the covariate is called on pages, axes and in sentences.
    unit : str or None
        Unit of the covariate, as Gy.
    density : str
        Column of the scores that is analysed where none is named; the mean over fields is the paper's
        number, which for fields of one size is the same as that of all fields together.
    point : Unit
        What a point is: a patient, or a lesion whose own tissue was scored.
    timepoint : str
        Name of the scan that is correlated: the one before treatment.
    on_treatment : tuple of str
        Names of the scans during treatment, which it is compared with. Several are pooled, one a patient: the
        first of these names that the patient has. Empty: the scan called on_treatment, if there is one.
    quartiles : Quartiles
        How quartiles are taken: linear (type 7, R and numpy) or spss (type 6).
    adjust : Adjustment
        How P values are adjusted for several tests. Holm (1979), Benjamini and Hochberg (1995,
        doi 10.1111/j.2517-6161.1995.tb02031.x), or none.
    ratios : tuple of (str, str)
        Markers whose densities are divided, numerator first, region by region.
    x, y : str or None
        ``MARKER:REGION`` or ``MARKER.COLUMN:REGION``, for any column of the scores that holds numbers. x
        alone correlates that density with SUV, x and y two densities.
    regions : tuple of str
        Regions that are asked after; empty: each region by itself, without both together.
    kendall : bool
        Also Kendall's tau-b.
    alpha : float
        A P value below this is called significant.
    n_resamples, n_bootstrap, n_simulated : int
        Random permutations of a test (from 10 units on), bootstrap samples of an interval, simulated
        studies for a power.
    seed : int
        Seed of permutations, bootstrap and simulated studies.
    """

    suv: str = "suv_max"
    covariate: str | None = None
    name: str | None = None
    unit: str | None = None
    density: str = "positive_per_mm2"
    point: Unit = Unit.PATIENT
    timepoint: str = "baseline"
    on_treatment: tuple[str, ...] = ()
    quartiles: Quartiles = Quartiles.LINEAR
    adjust: Adjustment = Adjustment.HOLM
    ratios: tuple[tuple[str, str], ...] = (("CD25", "CD3"), ("CD8", "CD4"))
    x: str | None = None
    y: str | None = None
    regions: tuple[str, ...] = ()
    kendall: bool = False
    alpha: float = 0.05
    n_resamples: int = 100_000
    n_bootstrap: int = 10_000
    n_simulated: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        require(self.suv in SUV_COLUMNS, "suv", self.suv, f"one of {', '.join(SUV_COLUMNS)}")
        require(0 < self.alpha < 1, "alpha", self.alpha, "between 0 and 1")
        for name in ("n_resamples", "n_bootstrap", "n_simulated"):
            require_in(_N_RANDOM, name, getattr(self, name))
        require_in(SEED, "seed", self.seed)
        require(self.y is None or self.x is not None, "x", self.x, "a marker:region where y is given")
        require(self.timepoint not in self.during, "on_treatment", self.timepoint, "another scan")
        for option in ("name", "unit"):
            alone = self.covariate is None and getattr(self, option) is not None
            require(not alone, option, getattr(self, option), "to be given with covariate")
        _ = self.asked  # refuses what is no variable

    @property
    def measure(self) -> Measure:
        """What is studied of the lesions."""
        if self.covariate is None:
            return Measure(column=self.suv, name=self.suv)
        name = self.name or self.covariate
        return Measure(column=self.covariate, name=name, unit=self.unit or "", is_suv=False)

    @property
    def during(self) -> tuple[str, ...]:
        """Names of the scans during treatment."""
        return self.on_treatment or (ON_TREATMENT,)

    @property
    def during_name(self) -> str:
        """What they are called together: week 2, week 4 or week 6."""
        *first, last = self.during
        return f"{', '.join(first)} or {last}" if first else last

    @property
    def asked(self) -> tuple[Variable, ...]:
        """The variables of x and y; none where all are asked after."""
        found = []
        for name, text in (("x", self.x), ("y", self.y)):
            if text is None:
                continue
            try:
                variable = parse_variable(text)
            except ValueError as error:
                raise SettingError(name, f"is {error}") from None
            found.append(replace(variable, column=None) if variable.column == self.density else variable)
        return tuple(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the scores that the study reads; the first is that of all it does not name."""
        named = [variable.column or self.density for variable in self.asked]
        return tuple(dict.fromkeys(named or [self.density]))


@dataclass(frozen=True, kw_only=True)
class AgreementSettings:
    """What is asked of two raters.

    Attributes
    ----------
    value : str or None
        Column that holds the numbers. None: the only one that both tables have beside the key.
    keys : tuple of str
        Columns that name the thing that was rated; empty: all columns of text that both tables have.
    bins : tuple of float
        Lower ends of the classes for the weighted kappa, beside 0; empty: for counts 1, 6, 11 and 21, which
        makes the classes 0, 1-5, 6-10, 11-20 and more; for densities there are none, and no kappa.
    offset : float
        Added to all values before the logarithm if any is 0, in the unit of the values.
    """

    value: str | None = None
    keys: tuple[str, ...] = ()
    bins: tuple[float, ...] = ()
    offset: float = 1.0

    def __post_init__(self) -> None:
        require_in(_OFFSET, "offset", self.offset)
        require(list(self.bins) == sorted(set(self.bins)), "bins", self.bins, "rising numbers")
        for number in self.bins:
            require_in(_BIN, "bins", number)


JOINED = Table(
    name="joined",
    row="a density of a patient (or of a lesion's tissue) beside its uptake",
    columns=columns("""
        patient_id          | str   | as in both tables
        lesion_id           | str   | lesion whose tissue it is; empty where the unit is the patient
        sample_id           | str   | samples of the density, separated by '; '
        variable            | str   | marker or ratio of markers, and region
        density             | float | per mm², mean over the patient's samples; a ratio has no unit
        density_low         | float | lower end of its interval: of the fields, or the smallest sample
        density_high        | float | upper end of its interval: of the fields, or the largest sample
        n_samples           | int   | samples of the density
        n_scored            | int   | fields of the density; of a ratio those that were scored on both markers
        matched             | bool  | of a ratio, or of two markers against each other: from the same fields
        timepoint           | str   | scan
        measure             | str   | column of the table of lesions: suv_max, or the covariate
        lesions_mean        | float | mean of it over the patient's lesions
        lesions_max         | float | largest of the patient's lesions
        lesions_min         | float | smallest of the patient's lesions
        n_lesions           | int   | lesions of the uptake
        response            | str   | best response, if given
    """),
)

CORRELATIONS = Table(
    name="correlations",
    row="a test",
    columns=columns("""
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
    columns=columns("""
        what        | str   | density, ratio, uptake of lesions, uptake of patients, healthy tissue
        variable    | str   | its name
        timepoint   | str   | scan, for uptake
        counted     | str   | what n counts: patients, samples, lesions
        n           | int   | values
        n_patients  | int   | patients of the values
        median      | float | median
        q1          | float | lower quartile
        q3          | float | upper quartile
        quartiles   | str   | how they are taken: linear (type 7) or spss (type 6)
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
    columns=columns("""
        measure             | str   | column of the table of lesions: suv_max, or the covariate
        before              | str   | first scan
        after               | str   | second scan; of pooled ones all names
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
        quartiles           | str   | how they are taken: linear (type 7) or spss (type 6)
        shift               | float | Hodges-Lehmann shift, after minus before
        shift_low           | float | 95 % interval of the shift, lower end; empty below 6 pairs
        shift_high          | float | 95 % interval of the shift, upper end; empty below 6 pairs
        change_of_medians_pct   | float | (median after - median before) / median before, in percent
        median_change_pct       | float | median of each pair's change in percent; the two differ
        median_change_low_pct   | float | 95 % interval of that median by the sign test, lower end
        median_change_high_pct  | float | the same, upper end; empty below 6 pairs
        p_smallest          | float | smallest two-sided P that these pairs could have given
        p                   | float | exact two-sided Wilcoxon signed-rank P
        p_asymptotic        | float | the P that SPSS prints: normal distribution, zeros dropped; to compare
        p_by_patient        | float | the same statistic, signs changed patient by patient; for lesions
        shapiro_w           | float | Shapiro-Wilk statistic of the differences; empty below 3
        shapiro_p           | float | its P
        note                | str   | why something is missing
    """),
)

RESPONSE = Table(
    name="response",
    row="a quantity against response",
    columns=columns("""
        family              | str   | tests that are adjusted together: uptake, or tissue
        variable            | str   | density, uptake or change of uptake
        n_responders        | int   | patients with CR or PR
        n_others            | int   | patients with SD or PD
        median_responders   | float | median of the responders
        median_others       | float | median of the others
        shift               | float | Hodges-Lehmann difference, responders minus others
        shift_low           | float | 95 % interval of it, lower end; empty where the groups are too small
        shift_high          | float | 95 % interval of it, upper end
        p_smallest          | float | smallest two-sided Mann-Whitney P that these could have given
        p_smallest_adjusted | float | the same after adjustment, every test of the family at its smallest
        p                   | float | two-sided Mann-Whitney P
        p_asymptotic        | float | the P that SPSS prints: normal distribution; to compare
        p_method            | str   | exact, of all choices of patients; or random, how many and by what seed
        p_adjusted          | float | P adjusted over the family
        n_cr                | int   | patients with CR
        n_pr                | int   | patients with PR
        n_sd                | int   | patients with SD
        n_pd                | int   | patients with PD
        p_trend_smallest    | float | smallest two-sided Jonckheere-Terpstra P that these could have given
        trend               | float | Kendall's tau-b with response; above 0: higher in better response
        p_trend             | float | two-sided permutation Jonckheere-Terpstra P
        p_trend_method      | str   | which permutations
        p_trend_adjusted    | float | P adjusted over the family
        note                | str   | why something is missing
    """),
)

PATIENT_DENSITIES = Table(
    name="patient_densities",
    row="a bar of the figure: a marker and region of a patient",
    columns=columns("""
        region      | str   | region
        marker      | str   | marker
        patient_id  | str   | patient
        mean        | float | positive cells per mm², mean over the patient's samples
        sd          | float | standard deviation; empty where there is one value
        sd_of       | str   | what it is between: fields of the one sample, or samples
        n           | int   | those fields or samples
    """),
)

LESION_POINTS = Table(
    name="lesion_points",
    row="a point of the figure: a lesion in a scan",
    columns=columns("""
        timepoint   | str   | scan; pooled ones together, then each by itself
        patient_id  | str   | patient
        lesion_id   | str   | lesion
        value       | float | SUV, or the covariate
        q1          | float | lower quartile of the scan's lesions
        median      | float | their median
        q3          | float | upper quartile
    """),
)

UNMATCHED = Table(
    name="unmatched",
    row="something of the inputs that takes no part in a correlation, or a value that could not be had",
    columns=columns("""
        table       | str   | scores, lesions or joined; of raters the file
        patient_id  | str   | patient
        item        | str   | sample, lesion, density, or thing that was rated
        reason      | str   | why
    """),
)

AGREEMENT_PAIRS = Table(
    name="pairs",
    row="a thing that both rated",
    columns=columns("""
        key | str   | its name, the parts separated by ' · '
        a   | float | value of the first
        b   | float | value of the second
    """),
)

AGREEMENT = Table(
    name="agreement",
    row="a measure of agreement",
    columns=columns("""
        measure     | str   | what
        value       | float | estimate
        low         | float | 95 % interval, lower end
        high        | float | 95 % interval, upper end
        meaning     | str   | what it says, and its source
    """),
)
