"""Numbers as people read them; the only place where they are rounded."""

from __future__ import annotations

import math
import re

import pandas as pd

DASH = "–"
"""What stands where there is no number."""
MINUS = "\N{MINUS SIGN}"


def format_density(value: float | None) -> str:
    """A density in whole cells per mm² from 10 up, one decimal below; a dash where there is none."""
    if value is None or pd.isna(value):
        return DASH
    return f"{value:.0f}" if value >= 9.95 or value == 0 else f"{value:.1f}"


def format_range(low: float | None, high: float | None) -> str:
    """Two densities as a range; a dash where there is none."""
    if low is None or high is None or pd.isna(low) or pd.isna(high):
        return DASH
    return f"{format_density(low)} to {format_density(high)}"


def format_percent(fraction: float | None) -> str:
    """A share in whole percent; below 10 % it keeps a decimal."""
    if fraction is None or pd.isna(fraction):
        return DASH
    return f"{100 * fraction:.1f} %" if 0 < fraction < 0.0995 else f"{100 * fraction:.0f} %"


def format_number(value: float | None) -> str:
    """Four significant digits without needless noughts or an exponent; a dash where there is none."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return DASH
    text = significant(value, 4)
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_count(n: int) -> str:
    """A whole number, its thousands apart."""
    return f"{n:,}".replace(",", " ")


def format_value(value: float | None) -> str:
    """Three significant digits, whole numbers from 100 up, with a real minus."""
    if value is None or pd.isna(value) or not math.isfinite(value):
        return DASH
    return significant(value, 3, most_decimals=4)


def significant(value: float, digits: int, *, most_decimals: int = 15) -> str:
    """So many significant digits, without an exponent, with a real minus; what every number here is made of.

    The digits are those of the rounded number: -0.09999999999999987 is -0.100 as -0.1 is, 9.996 is 10.0.
    """
    if value == 0:
        return "0"
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])
    return decimal(value, min(max(digits - 1 - exponent, 0), most_decimals))


def decimal(value: float, decimals: int) -> str:
    """So many decimals, with a real minus; nought has none."""
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text.replace("-", MINUS)


def format_p(p: float | None) -> str:
    """A P value with three decimals, four next to 0.05; never 0."""
    if p is None or pd.isna(p):
        return DASH
    if p < 0.001:
        return "<0.001"
    if p >= 0.9995:
        return "1"
    return f"{p:.4f}" if 0.0495 <= p < 0.0505 else f"{p:.3f}"


def equals_p(p: float | None) -> str:
    """A P value in a sentence: 'P = 0.083' or 'P < 0.001'; 'P –' where there is none."""
    if p is None or pd.isna(p):
        return f"P {DASH}"
    return "P < 0.001" if p < 0.001 else f"P = {format_p(p)}"


def format_rho(rho: float | None, decimals: int = 2) -> str:
    """A correlation with two decimals and a real minus."""
    if rho is None or pd.isna(rho):
        return DASH
    return decimal(rho, decimals)


def format_interval(low: float, high: float) -> str:
    """An interval of a correlation, or that there is none."""
    return "not estimable" if pd.isna(low) else f"{format_rho(low)} to {format_rho(high)}"


def format_span(values: pd.Series[float], decimals: int = 0, *, percent: bool = False) -> str:
    """The smallest and the largest of some numbers, once where they read the same."""
    values = values.dropna()
    if values.empty:
        return "none"
    scale, unit = (100, " %") if percent else (1, "")
    low, high = (decimal(scale * value, decimals) for value in (values.min(), values.max()))
    return f"{low}{unit}" if low == high else f"{low} to {high}{unit}"


def format_fixed(value: float | None, digits: int = 2) -> str:
    """So many decimals; a dash where there is no number."""
    return DASH if value is None or pd.isna(value) else decimal(value, digits)


def spoken(name: str) -> str:
    """A column or a value as people write it: ``suv_max`` is SUVmax, ``on_treatment`` is on treatment."""
    said = re.sub(
        r"\bsuv_?(max|mean|peak)(?![a-z])",
        lambda found: f"SUV{found[1].lower()}",
        name,
        flags=re.IGNORECASE,
    )
    return said.replace("_", " ")
