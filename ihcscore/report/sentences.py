"""Numbers as the papers of this field put them in a sentence: results.md is made of these.

``CD25 (mean: 54, range: 1-177 counts/mm²)``, ``SUVmax 1.9 (IQR: 1.7-2.3)``, as in van de Donk et al. 2021
(doi 10.1007/s00259-021-05407-y).
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from ihcscore.report.numbers import DASH, MINUS, decimal, equals_p, format_value

COUNTS = "counts/mm²"
"""Unit of a density in a paper's sentences."""

Say = Callable[[float | None], str]
"""A number as it stands in a sentence."""


def say_suv(value: float | None) -> str:
    """An SUV with one decimal, as papers give it; two where it is below 0.1."""
    if value is None or pd.isna(value):
        return DASH
    return decimal(value, 2 if 0 < abs(value) < 0.0995 else 1)


def say_count(value: float | None) -> str:
    """A density in whole cells, as papers give it; one decimal where it would be none."""
    if value is None or pd.isna(value):
        return DASH
    return decimal(value, 1 if 0 < abs(value) < 0.95 else 0)


def say_percent(percent: float | None) -> str:
    """A change in percent with one decimal and its sign."""
    if percent is None or pd.isna(percent):
        return DASH
    text = decimal(percent, 1)
    return f"{text} %" if text.startswith(MINUS) or text == "0.0" else f"+{text} %"


def say_plain(value: float | None) -> str:
    """Any other number, three significant digits without needless noughts."""
    text = format_value(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def span(low: float, high: float, say: Say) -> str:
    """Two ends with a hyphen, ``1.7-2.3``; with "to" where a minus would be mistaken for it."""
    first, last = say(low), say(high)
    return f"{first} to {last}" if MINUS in first + last or "%" in first else f"{first}-{last}"


def median_iqr(median: float, q1: float, q3: float, *, say: Say = say_suv, unit: str = "") -> str:
    """``1.9 (IQR: 1.7-2.3)``, a unit after it."""
    return f"{say(median)} (IQR: {_with_unit(span(q1, q3, say), unit)})"


def mean_range(mean: float, low: float, high: float, *, say: Say = say_count, unit: str = COUNTS) -> str:
    """``(mean: 54, range: 1-177 counts/mm²)``."""
    return f"(mean: {say(mean)}, range: {_with_unit(span(low, high, say), unit)})"


def mean_sd(mean: float, sd: float, *, say: Say = say_count, unit: str = COUNTS) -> str:
    """``598 ± 207 counts/mm²``; without ± where one value has no SD."""
    return _with_unit(say(mean) if pd.isna(sd) else f"{say(mean)} ± {say(sd)}", unit)


def exact_and_spss(p: float, p_asymptotic: float, test: str) -> str:
    """``P = 0.0137, exact Wilcoxon; SPSS prints the asymptotic P = 0.016``."""
    if pd.isna(p):
        return f"no P by the {test} test"
    text = f"{equals_p(p)}, exact {test} test"
    if pd.isna(p_asymptotic):
        return text
    return f"{text}; the asymptotic one, as SPSS prints it, is {equals_p(p_asymptotic)}"


def number_of(n: int, one: str, many: str | None = None) -> str:
    """``1 patient``, ``41 lesions``."""
    return f"{n} {one if n == 1 else many or one + 's'}"


def listed(words: list[str], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if unit else text
