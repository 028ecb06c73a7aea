"""From the rescaled value of a voxel to its SUV by body weight, and how that follows from the header.

SUV = C · w / D with C in Bq/ml, w in g and D in Bq, both activities at one moment (Boellaard et al. 2015,
doi 10.1007/s00259-014-2961-x; units and decay correction: DICOM PS3.3 C.8.9.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet import patient
from ihcscore.pet.body import Mass, Sex, mass_kg, surface_m2
from ihcscore.pet.clock import NO_DATE, nearest
from ihcscore.pet.header import DecayCorrection, Header, Units
from ihcscore.pet.injection import Injection, InjectionAfterScanError, ScanStart, find_injection
from ihcscore.pet.patient import Overrides, Quantity
from ihcscore.pet.reference import Candidate, Reference, Times, clock, find_reference
from ihcscore.schema.pet import SuvKind

_PHILIPS_AGREE = 0.01
_LONG_INJECTION_S = 60.0
_MOST_HALF_LIVES = 10


class Rule(StrEnum):
    """The formula of the factor; w weight, D net dose at injection, λ decay constant, T frame."""

    ADMIN = "w / D"
    START = "w / (D · exp(-λ (t_reference - t_injection)))"
    FRAMES = "w / D · λT / (1 - exp(-λT)) · exp(λ (t_acquisition - t_injection))"
    PHILIPS_SUV = "SUV scale factor of Philips (7053,xx00)"
    IS_SUV = "1"
    MASS = "w / mass"
    SURFACE = "1000 w / (10⁴ surface)"


_OF_SCANNER = (Rule.PHILIPS_SUV, Rule.IS_SUV, Rule.MASS, Rule.SURFACE)


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """How the factor of a series follows, and from what.

    Attributes
    ----------
    factor : (n,) array of float
        Of each slice, from rescaled value to SUV by body weight (g/ml).
    rule : Rule
    by_activity : bool
        Whether counts were first made Bq/ml by Philips' activity factor (7053,xx09).
    units : Units
    suv_type : str
    decay_correction : DecayCorrection or None
    weight_kg, height_m, dose_mbq, half_life_s : Quantity or None
        None where it is neither there nor needed. The dose is the net one at the injection.
    sex : Sex or None
    injection : Injection or None
    reference : Reference or None
        Where decay was corrected to the start.
    reference_min : float or None
        From the injection to that time.
    uptake_min : float or None
        From the injection to the first acquisition.
    overrides : tuple of str
        Parameters that stand in place of the header.
    notes : tuple of str
    """

    factor: NDArray[np.float64] = field(repr=False)
    rule: Rule
    by_activity: bool = False
    units: Units
    suv_type: str = ""
    decay_correction: DecayCorrection | None = None
    weight_kg: Quantity | None = None
    height_m: Quantity | None = None
    dose_mbq: Quantity | None = None
    half_life_s: Quantity | None = None
    sex: Sex | None = None
    injection: Injection | None = field(default=None, repr=False)
    reference: Reference | None = None
    reference_min: float | None = None
    uptake_min: float | None = None
    overrides: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def derive_factor(header: Header, given: Overrides, name: str) -> Derivation:
    """The factor of a series.

    Parameters
    ----------
    header : Header
    given : Overrides
        What stands in place of the header.
    name : str
        What an error calls the series.

    Raises
    ------
    PetError
        If the header lacks what is needed, or contradicts itself or what is given.
    """
    _check_corrections(header, name)
    if header.units in (Units.GML, Units.CM2ML) or (
        header.units is Units.CNTS and header.philips_suv is not None
    ):
        return _of_scanner(header, given, name)
    if header.units is Units.CNTS and header.philips_activity is None:
        raise PetError(
            f"{name}: Units (0054,1001) is CNTS without Philips' factors (7053,xx00) or "
            "(7053,xx09); SUV cannot "
            "be had from it, give another series"
        )
    found = _from_activity(header, given, name)
    if header.units is Units.CNTS and header.philips_activity is not None:
        return replace(found, factor=found.factor * header.philips_activity, by_activity=True)
    return replace(found, notes=(*found.notes, *_philips_witness(header, found.factor)))


def suv_from_bw(found: Derivation, header: Header, given: Overrides, kind: SuvKind, name: str) -> float:
    """What SUV by body weight is multiplied by to be of another kind.

    Raises
    ------
    PetError
        If weight, height or sex is missing.
    """
    if kind is SuvKind.BW:
        return 1.0
    weight = patient.weight_kg(header, given, name).value
    height = patient.height_m(header, given, name).value
    if kind is SuvKind.BSA:
        return 1e4 * surface_m2(weight_kg=weight, height_m=height) / (1000 * weight)
    sex = patient.sex_of(header, given, name)
    return mass_kg(Mass.LBM_JANMAHASATIAN, weight_kg=weight, height_m=height, sex=sex) / weight


def _check_corrections(header: Header, name: str) -> None:
    said = "CorrectedImage (0028,0051)"
    if "ATTN" not in header.corrections:
        raise PetError(f"{name}: {said} lacks ATTN: not corrected for attenuation; give the series that is")
    correction = header.decay_correction
    corrected = "DECY" in header.corrections
    if correction in (DecayCorrection.START, DecayCorrection.ADMIN) and not corrected:
        raise PetError(
            f"{name}: DecayCorrection (0054,1102) is {correction}, but {said} lacks DECY; export it again"
        )
    if correction is DecayCorrection.NONE and corrected:
        raise PetError(f"{name}: DecayCorrection (0054,1102) is NONE, but {said} has DECY; export it again")


def _of_scanner(header: Header, given: Overrides, name: str) -> Derivation:
    """The scanner's own SUV: nothing that it already holds can be changed any more."""
    _refuse_changes(header, given, name)
    weight, more = _if_there(lambda: patient.weight_kg(header, given, name))
    dose, doses = _if_there(lambda: patient.dose_mbq(header, given, name))
    half_life, lives = _if_there(lambda: patient.half_life_s(header, given, name))
    ones = np.ones(len(header.slope))
    found = Derivation(
        factor=ones, rule=Rule.IS_SUV, units=header.units, suv_type=header.suv_type,
        decay_correction=header.decay_correction, weight_kg=weight, dose_mbq=dose, half_life_s=half_life,
        overrides=given.names,
    )  # fmt: skip
    if header.units is Units.CNTS and header.philips_suv is not None:
        found = replace(found, factor=header.philips_suv, rule=Rule.PHILIPS_SUV)
    elif header.units is Units.CM2ML or header.suv_type not in ("", "BW"):
        found = _by_body(found, header, given, name)
    notes = (*header.notes, *more, *doses, *lives, *_long_injection(header))
    if half_life is not None:
        found, times = _with_uptake(found, header, given, half_life.value, name)
        notes += times
    return replace(found, notes=(*notes, *_philips_of_suv(header, given, name)))


def _refuse_changes(header: Header, given: Overrides, name: str) -> None:
    held = {
        "weight_kg": header.weight, "injected_mbq": header.dose, "half_life_s": header.half_life_s,
        "injected_at": header.injection_date_time or header.injection_time,
    }  # fmt: skip
    philips = header.units is Units.CNTS
    for parameter in given.names:
        no_use = parameter in ("residual_mbq", "residual_at", "reference_time")
        if no_use or held.get(parameter) or (philips and parameter in held):
            raise PetError(
                f"{name}: the scanner made SUV itself ({header.units}), with its own weight, "
                "dose and times, so "
                f"{parameter} cannot be changed any more; take it out"
            )


def _by_body(found: Derivation, header: Header, given: Overrides, name: str) -> Derivation:
    """SUV by lean mass, ideal mass or surface made SUV by weight."""
    expected = ("", "BSA") if header.units is Units.CM2ML else tuple(Mass)
    if header.suv_type not in expected:
        raise PetError(
            f"{name}: SUVType (0054,1006) is {header.suv_type} with Units {header.units}, expected "
            f"{', '.join(filter(None, expected))}; export it again"
        )
    weight, height = patient.weight_kg(header, given, name), patient.height_m(header, given, name)
    if header.units is Units.CM2ML:
        factor = 1000 * weight.value / (1e4 * surface_m2(weight_kg=weight.value, height_m=height.value))
        found = replace(found, rule=Rule.SURFACE)
    else:
        sex = patient.sex_of(header, given, name)
        mass = mass_kg(Mass(header.suv_type), weight_kg=weight.value, height_m=height.value, sex=sex)
        factor = weight.value / mass
        found = replace(found, rule=Rule.MASS, sex=sex)
    return replace(found, factor=found.factor * factor, weight_kg=weight, height_m=height)


def _from_activity(header: Header, given: Overrides, name: str) -> Derivation:
    """The factor of Bq/ml."""
    correction = header.decay_correction
    if correction is None:
        raise PetError(f"{name}: no DecayCorrection (0054,1102); export it again")
    _refuse_useless(correction, header, given, name)
    weight, dose = patient.weight_kg(header, given, name), patient.dose_mbq(header, given, name)
    half_life = patient.half_life_s(header, given, name)
    found = Derivation(
        factor=np.ones(len(header.slope)), rule=Rule.ADMIN, units=header.units, suv_type=header.suv_type,
        decay_correction=correction, weight_kg=weight, half_life_s=half_life, overrides=given.names,
        notes=(*header.notes, *weight.notes, *dose.notes, *half_life.notes, *_long_injection(header)),
    )  # fmt: skip
    if correction is DecayCorrection.ADMIN:
        found, times = _with_uptake(found, header, given, half_life.value, name)
    else:
        injection = _injection(header, given, half_life.value, name)
        found, times = _decay(found, header, injection, given, name)
    dose = _net_dose(dose, found.injection, given, half_life.value, name)
    return replace(
        found,
        factor=found.factor * 1000 * weight.value / (1e6 * dose.value),
        dose_mbq=dose,
        uptake_min=_uptake_min(header, found.injection),
        notes=(*found.notes, *times),
    )


def _refuse_useless(correction: DecayCorrection, header: Header, given: Overrides, name: str) -> None:
    """Refuse what is given but cannot change anything any more."""
    if given.reference_time is not None and correction is not DecayCorrection.START:
        raise PetError(
            f"{name}: DecayCorrection (0054,1102) is {correction}, so reference_time has no use; take it out"
        )
    has_own = header.injection_date_time is not None or header.injection_time is not None
    if given.injected_at is not None and correction is DecayCorrection.ADMIN and has_own:
        raise PetError(
            f"{name}: the scanner corrected decay to its own time of injection (ADMIN), so "
            "injected_at cannot "
            "be changed any more; take it out"
        )


def _decay(
    found: Derivation, header: Header, injection: Injection, given: Overrides, name: str
) -> tuple[Derivation, tuple[str, ...]]:
    """What brings activity to the time of injection, where the scanner did not."""
    half_life_s = found.half_life_s.value if found.half_life_s else math.nan
    decay_per_s = math.log(2) / half_life_s
    if found.decay_correction is DecayCorrection.NONE:
        by_frame = _uncorrected(header, injection, decay_per_s, name)
        return replace(found, rule=Rule.FRAMES, factor=by_frame, injection=injection), injection.notes
    reference = _reference(header, given, half_life_s, name)
    since_s = reference.at_s - _seconds(injection.at, _midnight(header))
    if abs(since_s) > _MOST_HALF_LIVES * half_life_s:
        raise PetError(
            f"{name}: decay was corrected to a time {since_s / 3600:.1f} h after the injection, more than "
            f"{_MOST_HALF_LIVES} half-lives; give reference_time or injected_at"
        )
    found = replace(
        found, rule=Rule.START, reference=reference, injection=injection, reference_min=since_s / 60,
        factor=found.factor * math.exp(decay_per_s * since_s),
    )  # fmt: skip
    return found, (*injection.notes, *_contradictions(reference, since_s))


def _uncorrected(header: Header, injection: Injection, decay_per_s: float, name: str) -> NDArray[np.float64]:
    """What brings frames that were not corrected for decay to the time of injection."""
    duration = header.duration_s
    if duration is None or not (duration > 0).all() or header.acquired is None:
        missing = (
            "AcquisitionTime (0008,0032)" if header.acquired is None else "ActualFrameDuration (0018,1242)"
        )
        raise PetError(
            f"{name}: decay was not corrected, and {missing} is missing or 0, without which it cannot be; "
            "export it again"
        )
    x = decay_per_s * duration
    since = np.array([(at - injection.at).total_seconds() for at in header.acquired])
    return np.asarray(x / -np.expm1(-x) * np.exp(decay_per_s * since))


def _first(header: Header) -> datetime | None:
    return min(header.acquired) if header.acquired else header.series_at


def _midnight(header: Header) -> datetime:
    first = _first(header)
    return datetime.combine(first.date() if first else NO_DATE, time())


def _seconds(at: datetime, midnight: datetime) -> float:
    return (at - midnight).total_seconds()


def _injection(header: Header, given: Overrides, half_life_s: float, name: str) -> Injection:
    first = _first(header)
    if first is None:
        raise PetError(
            f"{name}: no AcquisitionTime (0008,0032) and no SeriesTime (0008,0031); export it again"
        )
    dated = header.dated if header.acquired else True
    return find_injection(
        header.injection_date_time, header.injection_time,
        ScanStart(at=first, dated=dated, zone_min=header.zone_min),
        half_life_s=half_life_s, name=name, given=given.injected_at,
    )  # fmt: skip


def _with_uptake(
    found: Derivation, header: Header, given: Overrides, half_life_s: float, name: str
) -> tuple[Derivation, tuple[str, ...]]:
    """The injection where only the uptake time needs it."""
    try:
        injection = _injection(header, given, half_life_s, name)
    except InjectionAfterScanError:
        raise
    except PetError as error:
        reason = str(error).removeprefix(f"{name}: ").partition("; give")[0]
        return found, (f"the uptake time is not known: {reason}",)
    return replace(found, injection=injection, uptake_min=_uptake_min(header, injection)), injection.notes


def _uptake_min(header: Header, injection: Injection | None) -> float | None:
    first = _first(header)
    return None if first is None or injection is None else (first - injection.at).total_seconds() / 60


def _net_dose(
    dose: Quantity, injection: Injection | None, given: Overrides, half_life_s: float, name: str
) -> Quantity:
    """What was injected less what stayed in the syringe, at the time of injection."""
    residual = given.residual_mbq
    if residual is None:
        if given.residual_at is not None:
            raise PetError(f"{name}: residual_at is given without residual_mbq; give both")
        return dose
    later_s = 0.0
    if given.residual_at is not None and given.residual_at.at is not None:
        if injection is None:
            raise PetError(f"{name}: residual_at has no use without a time of injection; give injected_at")
        at = given.residual_at.moment or nearest(given.residual_at.at, injection.at)
        later_s = (at - injection.at).total_seconds()
    if abs(later_s) > 10 * half_life_s:
        raise PetError(f"{name}: residual_at is more than 10 half-lives from the injection; check its date")
    net = dose.value - residual * 2 ** (later_s / half_life_s)
    if residual < 0 or not net > 0:
        raise PetError(f"{name}: residual_mbq is {residual:g} of {dose.value:g} MBq; check both")
    return Quantity(value=net, source=f"{dose.source} less residual_mbq", notes=dose.notes)


def _reference(header: Header, given: Overrides, half_life_s: float, name: str) -> Reference:
    midnight = _midnight(header)
    said = {candidate: _seconds(at, midnight) for candidate, at in header.said.items()}
    if given.reference_time is not None and given.reference_time.at is not None:
        at = given.reference_time.moment
        if at is None or not header.dated:
            at = nearest(given.reference_time.at, _first(header) or midnight)
        said[Candidate.GIVEN] = _seconds(at, midnight)
    times = Times(
        acquired_s=None if header.acquired is None else np.array(
            [_seconds(at, midnight) for at in header.acquired]
        ),
        frame_reference_s=header.frame_reference_s,
        duration_s=header.duration_s,
        decay_factor=header.decay_factor,
        series_s=None if header.series_at is None else _seconds(header.series_at, midnight),
        said_s=said,
        from_start=header.is_ge,
    )  # fmt: skip
    return find_reference(times, half_life_s, name)


def _contradictions(reference: Reference, since_s: float) -> list[str]:
    notes = [
        f"decay was corrected to {clock(reference.at_s)} by {reference.source}; "
        f"{candidate} says {clock(reference.candidates_s[candidate])}, {by / 60:+.1f} min"
        for candidate, by in reference.contradictions()
    ]
    if since_s < 0:
        notes.append(
            f"decay was corrected to a time {-since_s / 60:.1f} min before the injection: check both"
        )
    return notes


def _philips_witness(header: Header, factor: NDArray[np.float64]) -> list[str]:
    """Philips' two private factors say together what the factor of Bq/ml must be."""
    if header.philips_suv is None or header.philips_activity is None:
        return []
    ratio = float(np.median(header.philips_suv / (header.philips_activity * factor)))
    if abs(ratio - 1) <= _PHILIPS_AGREE:
        return []
    return [
        f"the factor is {100 * (1 / ratio - 1):+.1f} % off what Philips' own factors say: "
        "check weight, dose, times"
    ]


def _philips_of_suv(header: Header, given: Overrides, name: str) -> list[str]:
    """The same where Philips' SUV factor was taken."""
    if header.units is not Units.CNTS or header.philips_activity is None:
        return []
    try:
        return _philips_witness(header, _from_activity(header, given, name).factor)
    except PetError:
        return []


def _long_injection(header: Header) -> list[str]:
    start = header.injection_time or header.injection_date_time
    if start is None or start.at is None or header.injection_stop is None or header.injection_stop.at is None:
        return []
    day = datetime.combine(NO_DATE, start.at)
    lasted = (nearest(header.injection_stop.at, day) - day).total_seconds()
    if lasted < _LONG_INJECTION_S:
        return []
    return [f"the injection lasted {lasted / 60:.0f} min; its start counts"]


def _if_there(read: Callable[[], Quantity]) -> tuple[Quantity | None, tuple[str, ...]]:
    """A quantity that only the tables want."""
    try:
        found = read()
    except PetError:
        return None, ()
    return found, found.notes
