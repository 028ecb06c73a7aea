"""How a factor follows and what was done, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ihcscore.pet import PetSeries, Quantity, Rule
from ihcscore.report.numbers import format_number as number
from ihcscore.schema import PeakKind, SuvKind, SuvSettings

_SUV = {
    SuvKind.BW: "body weight (SUV, g/ml)",
    SuvKind.SUL: "lean body mass after Janmahasatian (SUL, g/ml)",
    SuvKind.BSA: "body surface after Du Bois (cm²/ml)",
}
# DICOM codes name nuclides as ^18^Fluorine (PS3.16 CID 4020).
_RAISED = re.compile(r"\^(\d+m?)\^(\w+)")


def derivation(series: PetSeries) -> list[tuple[str, str]]:
    """What the factor of a series follows from: a name and a text a line, without names and dates."""
    how = series.how
    lines = [
        ("Units", " ".join(filter(None, (str(how.units), how.suv_type)))),
        ("Decay correction", str(how.decay_correction or "not said")),
        ("Factor", f"{_range(series)}: {_rule(series)}"),
    ]
    lines += [
        (label, _quantity(quantity, unit))
        for label, quantity, unit in (
            ("Weight w", how.weight_kg, "kg"),
            ("Height", how.height_m, "m"),
            ("Net dose D", how.dose_mbq, "MBq"),
            ("Half-life", how.half_life_s, "s"),
        )
        if quantity is not None
    ]
    if how.injection is not None:
        lines.append(("Injection", f"{how.injection.at:%H:%M:%S} by {how.injection.source}"))
    if how.reference is not None:
        lines += _reference(series)
    if how.uptake_min is not None:
        lines.append(("Uptake time", f"{how.uptake_min:.1f} min from injection to first acquisition"))
    if series.kind is not SuvKind.BW:
        lines.append(("Normalised to", f"{_SUV[series.kind]}: SUV by body weight × {number(series.from_bw)}"))
    if how.overrides:
        lines.append(("In place of the header", ", ".join(how.overrides)))
    return lines


def scanner(series: PetSeries) -> list[tuple[str, str]]:
    """What the scanner is and how it was used."""
    header = series.header
    n, rows, columns = series.grid.shape_zyx
    voxel = " × ".join(number(mm) for mm in series.grid.spacing_xyz_mm)
    lines = [("Scanner", " ".join(filter(None, (header.manufacturer, header.model))) or "not said")]
    if header.reconstruction:
        lines.append(("Reconstruction", header.reconstruction))
    lines.append(("Voxels", f"{columns} × {rows} × {n} of {voxel} mm"))
    if header.nuclide:
        lines.append(("Nuclide", _RAISED.sub(r"\2-\1", header.nuclide)))
    return lines


def methods(
    *,
    uptake_min: Sequence[float],
    dose_mbq: Sequence[float],
    n_scans: int,
    sources: Sequence[str],
    peak_ml: Sequence[float],
    settings: SuvSettings,
    version: str,
) -> str:
    """A paragraph for the methods of a paper."""
    whole = settings.peak is PeakKind.IBSI
    peaks = "voxels whose centres lie" if whole else "shares of voxels that lie"
    mtv = settings.threshold
    parts = [
        f"Uptake was measured in {n_scans} PET scan{'s' * (n_scans != 1)} with ihcscore "
        f"{version} on the voxels as "
        "reconstructed, without resampling.",
        "Activity concentration and net injected activity, decay-corrected to one moment, were divided and "
        f"normalised to {_SUV[settings.suv]}, after EANM's procedure guidelines 2.0.",
        f"Injected activity was {_span(sorted(dose_mbq), 'MBq')}." if dose_mbq else "",
        f"Uptake time was {_span(sorted(uptake_min), 'min')}." if uptake_min else "",
        f"Volumes of interest came from {' and '.join(sorted(set(sources)))}.",
        "SUVmax is the highest voxel of a volume, SUVmean its mean.",
        f"SUVpeak is the highest mean of the {peaks} within 6.2 mm of any voxel of the volume "
        "(PERCIST 1.0; IBSI's "
        f"global intensity peak): {' or '.join(f'{ml:.2f}' for ml in peak_ml)} ml.",
        f"Metabolic tumour volume (MTV) is the voxels of {number(mtv.value)} % of SUVmax and more (EANM 2.0),"
        if mtv.relative
        else f"Metabolic tumour volume (MTV) is the voxels of SUV {number(mtv.value)} and more,",
        "total lesion glycolysis (TLG) MTV times its SUVmean.",
    ]
    return " ".join(part for part in parts if part)


def _span(values: Sequence[float], unit: str) -> str:
    middle = values[len(values) // 2]
    if len(values) % 2 == 0:
        middle = (middle + values[len(values) // 2 - 1]) / 2
    if len(values) == 1:
        return f"{middle:.0f} {unit}"
    return f"{middle:.0f} {unit} in the median (range {values[0]:.0f} to {values[-1]:.0f})"


def _range(series: PetSeries) -> str:
    low, high = float(series.how.factor.min()), float(series.how.factor.max())
    return number(low) if high - low <= 1e-9 * high else f"{number(low)} to {number(high)} over the slices"


def _rule(series: PetSeries) -> str:
    how = series.how
    text = {
        Rule.IS_SUV: "the scanner wrote SUV by body weight",
        Rule.MASS: f"the scanner wrote SUV by another mass ({how.suv_type}); w / mass",
        Rule.SURFACE: "the scanner wrote SUV by body surface; 1000 w / (10⁴ surface)",
    }.get(how.rule, str(how.rule))
    return f"activity factor of Philips (7053,xx09) · {text}" if how.by_activity else text


def _quantity(quantity: Quantity, unit: str) -> str:
    return f"{number(quantity.value)} {unit} from {quantity.source}"


def _signed(value: float) -> str:
    """With one decimal and its sign, which no 0 has."""
    rounded = round(value, 1)
    return f"{rounded:+.1f}".replace("-", "−") if rounded else "0.0"


def _reference(series: PetSeries) -> list[tuple[str, str]]:
    reference, since_min = series.how.reference, series.how.reference_min
    if reference is None or since_min is None:
        return []
    others = ", ".join(
        f"{name} {_signed(by / 60)} min"
        for name, at_s in reference.candidates_s.items()
        if name is not reference.source
        for by in (at_s - reference.at_s,)
    )
    text = f"{since_min:.1f} min after the injection, by {reference.source}"
    if reference.spread_s > 0:
        text += f", slices within {reference.spread_s:.2g} s"
    return [("Decay corrected to", text), ("What else the header says", others or "nothing")]
