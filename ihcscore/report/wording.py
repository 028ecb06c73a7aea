"""Numbers and findings of a study in words; rounding happens here."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from ihcscore.schema import Adjustment, CorrelationSettings, Unit

MINUS = "\N{MINUS SIGN}"
_ADJUSTMENTS = {
    Adjustment.HOLM: "Holm's method",
    Adjustment.BENJAMINI_HOCHBERG: "the method of Benjamini and Hochberg",
    Adjustment.NONE: "no adjustment",
}


def format_p(p: float | None) -> str:
    """A P value with three decimals, four next to 0.05; never 0."""
    if p is None or pd.isna(p):
        return "–"
    if p < 0.001:
        return "<0.001"
    if p >= 0.9995:
        return "1"
    return f"{p:.4f}" if 0.0495 <= p < 0.0505 else f"{p:.3f}"


def equals_p(p: float) -> str:
    """A P value in a sentence: 'P = 0.083' or 'P < 0.001'."""
    return "P < 0.001" if p < 0.001 else f"P = {format_p(p)}"


def format_rho(rho: float | None, decimals: int = 2) -> str:
    """A correlation with two decimals and a real minus."""
    if rho is None or pd.isna(rho):
        return "–"
    text = f"{rho:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def format_interval(low: float, high: float) -> str:
    """An interval of a correlation, or that there is none."""
    return "not estimable" if pd.isna(low) else f"{format_rho(low)} to {format_rho(high)}"


def format_value(value: float | None) -> str:
    """Three significant digits, whole numbers from 100 up, with a real minus."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return "–"
    if abs(value) >= 99.95 or value == 0:
        return f"{value:.0f}".replace("-", MINUS)
    decimals = max(2 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{min(decimals, 4)}f}".replace("-", MINUS)


def what_could_be_found(correlations: pd.DataFrame, settings: CorrelationSettings) -> list[tuple[str, str]]:
    """What each family could have found, in words, with how grave it is: red, amber or plain."""
    return [_family_words(group, settings) for _, group in correlations.groupby("family", sort=False)]


def _family_words(group: pd.DataFrame, settings: CorrelationSettings) -> tuple[str, str]:
    tests = group[group["p_smallest"].notna()]
    name = group["family"].iloc[0]
    intro = f"{name[0].upper()}{name[1:]}: "
    if tests.empty:
        return "red", f"{intro}no correlation could be computed."
    n_tests, method = len(tests), _ADJUSTMENTS[settings.adjust]
    many = f"{n_tests} tests" if n_tests > 1 else "the one test"
    size = f"n = {_range(tests['n'])} {settings.unit}s"
    if (tests["n_patients"] < tests["n"]).any():
        size += f" in {_range(tests['n_patients'])} patients"
    smallest, smallest_adjusted = float(tests["p_smallest"].min()), float(tests["p_smallest_adjusted"].min())
    if (tests["could_be_significant"] == "no").all():
        return "red", (
            f"{intro}with {size}, no result could have been significant, whatever the tissue and the "
            "uptake. The "
            f"smallest two-sided P that {'any of ' if n_tests > 1 else ''}{many} could have given is "
            f"{format_p(smallest)}, above {settings.alpha:g}. That nothing is significant here says nothing "
            "against "
            "a correlation."
        )
    if (tests["could_be_significant"] != "yes").all():
        return "red", (
            f"{intro}with {size} and {many}, no result could have been significant after adjustment by "
            f"{method}: "
            f"the smallest attainable adjusted P is {format_p(smallest_adjusted)}, even if every test had "
            "come out "
            f"as extreme as can be (before adjustment {format_p(smallest)})."
        )
    sentences = []
    impossible = tests[tests["could_be_significant"] != "yes"]
    if len(impossible):
        sentences.append(
            f"{len(impossible)} of {many} could not have been significant whatever the data: "
            f"{'; '.join(impossible['x'])}."
        )
    sentences.append(_needed(tests, size, many, method, settings))
    weak = float(tests["power_adjusted_rho_07"].max()) < 0.8
    return "amber" if len(impossible) or weak else "plain", intro + " ".join(sentences)


def _needed(tests: pd.DataFrame, size: str, many: str, method: str, settings: CorrelationSettings) -> str:
    """How large a correlation had to be, and the chance to find one."""
    could = tests[tests["could_be_significant"] == "yes"]
    sentence = (
        f"with {size}, a single correlation would have been significant (P < {settings.alpha:g}) from |ρ| = "
        f"{_range(could['rho_needed'], 2)} on"
    )
    adjusts = settings.adjust is not Adjustment.NONE and len(tests) > 1
    if adjusts and could["rho_needed_adjusted"].notna().any():
        sentence += (
            f", after adjustment by {method} over {many} from {_range(could['rho_needed_adjusted'], 2)}"
        )
    elif adjusts:
        sentence += f"; after adjustment by {method} over {many} one alone could not have been"
    if could["power_rho_05"].isna().all():
        return f"{sentence}. The power is not given: it depends on how alike the lesions of a patient are."
    powers = [
        f"{_range(could[f'{kind}_rho_{at}'], percent=True)} if ρ was truly 0.{at[1]}"
        for kind in ("power_adjusted" if adjusts else "power",)
        for at in ("05", "07")
    ]
    return f"{sentence}. The chance to find one was {' and '.join(powers)}."


def _range(values: pd.Series[float], decimals: int = 0, *, percent: bool = False) -> str:
    values = values.dropna()
    if values.empty:
        return "none"
    scale, unit = (100, " %") if percent else (1, "")
    low, high = (f"{scale * value:.{decimals}f}" for value in (values.min(), values.max()))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def what_was_found(correlations: pd.DataFrame, settings: CorrelationSettings) -> str:
    """What came out in the primary family, in a sentence or two."""
    tests = correlations[(correlations["role"] == "primary") & correlations["rho"].notna()]
    if tests.empty:
        return "No correlation could be computed."
    found = tests[tests["p_adjusted"] < settings.alpha]
    adjusted = settings.adjust is not Adjustment.NONE and len(tests) > 1
    after = f" after adjustment by {_ADJUSTMENTS[settings.adjust]}" if adjusted else ""
    if found.empty:
        could = ", and none could have been" if (tests["could_be_significant"] != "yes").all() else ""
        strongest = tests.iloc[int(tests["rho"].abs().to_numpy().argmax())]
        return (
            f"None of {len(tests)} correlations is significant{after}{could}. The strongest is "
            f"{strongest['x']}: ρ = {format_rho(strongest['rho'])} (95 % interval "
            f"{format_interval(strongest['rho_low'], strongest['rho_high'])})."
        ).replace("None of 1 correlations is", "The correlation is not")
    kind = "adjusted " if adjusted else ""
    named = "; ".join(
        f"{row['x']} (ρ = {format_rho(row['rho'])}, {kind}{equals_p(row['p_adjusted'])})"
        for row in found.to_dict("records")
    )
    if len(tests) == 1:
        return f"The correlation is significant: {named}."
    are = "is" if len(found) == 1 else "are"
    return f"{len(found)} of {len(tests)} correlations {are} significant{after}: {named}."


def question(settings: CorrelationSettings, variables: Sequence[str]) -> str:
    """What was asked."""
    if settings.y is not None:
        return f"Do {variables[0]} and {variables[1]} go together across patients?"
    what = "the lesion's" if settings.unit is Unit.LESION else "the patient's"
    return (
        f"Does the density of immune cells in {what} tissue go with {what} {settings.suv} at "
        f"{settings.timepoint}? "
        f"One point is a {settings.unit}."
    )


def methods(correlations: pd.DataFrame, settings: CorrelationSettings, parts: dict[str, bool]) -> str:
    """A paragraph for a manuscript, with the right names of the tests.

    Parameters
    ----------
    correlations : DataFrame
    settings : CorrelationSettings
    parts : dict of str to bool
        Whether ``serial`` and ``response`` comparisons were made, and there is an ``suv`` table.
    """
    sentences = [_methods_data(settings, parts), *_methods_test(correlations, settings)]
    if parts["serial"]:
        sentences.append(
            f"Uptake at {settings.timepoint} and {settings.on_treatment} was compared by the exact Wilcoxon "
            "signed-rank test (zeros ranked after Pratt), lesion by lesion and as patient means, with the "
            "Hodges-Lehmann shift and its 95 % interval; normality of differences was examined by the "
            "Shapiro-Wilk "
            "test."
        )
    if parts["response"]:
        sentences.append(
            "Responders (CR, PR) and other patients (SD, PD) were compared by the exact Mann-Whitney test, "
            "and "
            "trends over ordered response by the permutation form of the Jonckheere-Terpstra test."
        )
    sentences.append(
        "Values are medians with interquartile ranges unless stated otherwise. P values are two-sided; "
        f"P < {settings.alpha:g} was considered significant."
    )
    return " ".join(sentences)


def _methods_data(settings: CorrelationSettings, parts: dict[str, bool]) -> str:
    density = (
        "Cell densities (positive cells per mm², mean over fields) were averaged over a patient's samples"
    )
    if settings.y is not None or not parts["suv"]:
        return f"{density}."
    if settings.unit is Unit.LESION:
        return (
            "Cell densities (positive cells per mm², mean over fields) of a sample were correlated with "
            f"{settings.suv} "
            f"at {settings.timepoint} of the lesion that the sample came from."
        )
    return (
        f"{density} and correlated with the mean {settings.suv} of the patient's lesions at "
        f"{settings.timepoint}; "
        "the highest lesion served as a sensitivity analysis."
    )


def _methods_test(correlations: pd.DataFrame, settings: CorrelationSettings) -> list[str]:
    exact = correlations["p_method"].str.startswith("all").any()
    random = correlations["p_method"].str.startswith("random").any()
    how = " and ".join(
        text
        for text, used in (
            ("over all permutations", exact),
            (
                f"over {settings.n_resamples:,} random permutations (seed {settings.seed})".replace(",", " "),
                random,
            ),
        )
        if used
    )
    kept = (
        " that kept the lesions of a patient together"
        if (correlations["n_patients"] < correlations["n"]).any()
        else ""
    )
    tests = "Spearman's rank correlation (midranks for ties) was tested by a two-sided permutation test"
    sentences = [f"{tests} {how}{kept}."]
    intervals = (
        "95 % confidence intervals are those of Bonett and Wright; bias-corrected and accelerated bootstrap "
        "intervals "
        f"({settings.n_bootstrap:,} samples of patients) are given beside them."
    ).replace(",000", " 000")
    sentences.append(intervals)
    if settings.kendall:
        sentences.append("Kendall's tau-b was tested in the same way.")
    n = int(correlations.loc[correlations["role"] == "primary", "n_tests"].max())
    if settings.adjust is not Adjustment.NONE and n > 1:
        sentences.append(
            f"P values were adjusted by {_ADJUSTMENTS[settings.adjust]} for the {n} tests of the family."
        )
    sentences.append(
        "The smallest attainable P was computed for each test, and power by simulation of bivariate normal "
        "data "
        f"({settings.n_simulated:,} studies).".replace(",000", " 000")
    )
    return sentences
