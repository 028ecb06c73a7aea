"""Whether what is seen of a field is good enough for counting."""

from __future__ import annotations

from dataclasses import dataclass

from ihcscore.geometry.field import FieldQuality
from ihcscore.schema.names import Quality


@dataclass(frozen=True, kw_only=True)
class QualitySettings:
    """What a field must be like to be counted.

    Attributes
    ----------
    warn_focus, fail_focus : float
        Softer fields are warned of, and refused: lymphocytes' membranes no longer show. How focus is
        measured, and what it is on slides, stands in :mod:`ihcscore.tissue.focus`.
    warn_fold_fraction, fail_fold_fraction : float
        Share of the field that is folded: cells are counted twice or not at all there, so that 2 %
        alters a count by about as much, and 10 % by a third of the spread between fields.
    warn_pen_fraction, fail_pen_fraction : float
        Share under ink, where nothing can be counted.
    warn_tissue_fraction, fail_tissue_fraction : float
        Smaller shares of tissue; the first is what fields are drawn with.
    warn_pigment_fraction, fail_pigment_fraction : float
        Share covered by pigment. Refusing pigmented fields favours unpigmented tumour: only what is
        mostly black fails.
    """

    warn_focus: float = 0.20
    fail_focus: float = 0.15
    warn_fold_fraction: float = 0.02
    fail_fold_fraction: float = 0.10
    warn_pen_fraction: float = 0.005
    fail_pen_fraction: float = 0.05
    warn_tissue_fraction: float = 0.70
    fail_tissue_fraction: float = 0.50
    warn_pigment_fraction: float = 0.03
    fail_pigment_fraction: float = 0.50


def judge_field(
    quality: FieldQuality,
    *,
    tissue_fraction: float,
    pigment_fraction: float,
    settings: QualitySettings | None = None,
) -> tuple[Quality, str]:
    """Whether a field may be counted.

    Parameters
    ----------
    quality : FieldQuality
    tissue_fraction, pigment_fraction : float
        Share of the field that is usable tissue, and covered by pigment, 0 to 1.
    settings : QualitySettings, optional

    Returns
    -------
    qc : Quality
    reason : str
        One plain sentence; empty where it passes. Where a field fails, what only warns is left out.
    """
    s = settings or QualitySettings()
    folds, pen, pigment = quality.fold_fraction, quality.pen_fraction, pigment_fraction
    # What is said, how bad it is, and from where on it warns and fails: all grow with the badness.
    checks = [
        (f"out of focus (focus {quality.focus:.2f})", -quality.focus, -s.warn_focus, -s.fail_focus),
        (f"{folds:.0%} folded", folds, s.warn_fold_fraction, s.fail_fold_fraction),
        (f"{pen:.1%} under pen", pen, s.warn_pen_fraction, s.fail_pen_fraction),
        (
            f"only {tissue_fraction:.0%} tissue",
            -tissue_fraction,
            -s.warn_tissue_fraction,
            -s.fail_tissue_fraction,
        ),
        (f"{pigment:.0%} pigment", pigment, s.warn_pigment_fraction, s.fail_pigment_fraction),
    ]
    failed = [text for text, value, _, limit in checks if value > limit]
    warned = [text for text, value, limit, _ in checks if value > limit]
    reasons = failed or warned
    qc = Quality.FAIL if failed else Quality.WARN if warned else Quality.PASS
    return qc, f"The field is {_listed(reasons)}." if reasons else ""


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
