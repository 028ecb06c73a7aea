"""Weight, height, dose and half-life: from the header or given, in the right unit or refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields

from ihcscore.errors import PetError
from ihcscore.pet.body import Sex
from ihcscore.pet.clock import Stamp
from ihcscore.pet.header import Header

_GRAMS, _CENTIMETRES, _MEGABECQUEREL = 1000.0, 3.0, 5000.0  # above, above, below: another unit was written
_WEIGHT_KG, _HEIGHT_M, _DOSE_MBQ = (20.0, 300.0), (0.5, 2.5), (1.0, 20_000.0)
_HALF_LIFE_AGREES = 0.01
# Seconds; Laboratoire National Henri Becquerel, Table of radionuclides (nucleide.org), rounded.
_HALF_LIVES_S = {
    ("11", "c", "carbon"): 1221.8,
    ("13", "n", "nitrogen"): 598.0,
    ("15", "o", "oxygen"): 122.2,
    ("18", "f", "fluorine"): 6584.0,
    ("64", "cu", "copper"): 45_724.0,
    ("68", "ga", "gallium"): 4062.6,
    ("82", "rb", "rubidium"): 75.5,
    ("89", "zr", "zirconium"): 282_280.0,
    ("124", "i", "iodine"): 360_800.0,
}
# Of PS3.16 CID 4020, where the code's meaning is missing or in another language.
_CODES = {"C-111A1": "18F", "77004003": "18F", "C-131A3": "68Ga", "C-168A4": "89Zr", "C-105A1": "11C"}


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What stands in place of the header; None where it doesn't.

    Attributes
    ----------
    weight_kg, height_m : float or None
    sex : Sex or None
    injected_mbq : float or None
        Activity in the syringe before injection, at the time of injection.
    injected_at : Stamp or None
    residual_mbq : float or None
        Activity left in the syringe, at `residual_at`.
    residual_at : Stamp or None
        None: at the time of injection.
    reference_time : Stamp or None
        To which the scanner corrected decay, where DecayCorrection is START.
    half_life_s : float or None
    """

    weight_kg: float | None = None
    height_m: float | None = None
    sex: Sex | None = None
    injected_mbq: float | None = None
    injected_at: Stamp | None = None
    residual_mbq: float | None = None
    residual_at: Stamp | None = None
    reference_time: Stamp | None = None
    half_life_s: float | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Those that are given."""
        return tuple(one.name for one in fields(self) if getattr(self, one.name) is not None)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A number and where it comes from: a tag, or the parameter that stands in its place."""

    value: float
    source: str
    notes: tuple[str, ...] = field(default=())


def weight_kg(header: Header, given: Overrides, name: str) -> Quantity:
    """Body weight.

    Raises
    ------
    PetError
        If it is missing or not above 0.
    """
    value, source = _given_or(given.weight_kg, "weight_kg", header.weight, "PatientWeight (0010,1030)")
    if not value:
        raise PetError(f"{name}: no {source}; give weight_kg")
    _above_zero(value, source, "weight_kg", name)
    notes: list[str] = []
    if value > _GRAMS and given.weight_kg is None:
        notes.append(f"{source} is {value:g}, taken as grams")
        value /= 1000
    if not _WEIGHT_KG[0] <= value <= _WEIGHT_KG[1]:
        notes.append(f"a weight of {value:g} kg is outside {_WEIGHT_KG[0]:g} to {_WEIGHT_KG[1]:g}: check it")
    return Quantity(value=value, source=source, notes=tuple(notes))


def height_m(header: Header, given: Overrides, name: str) -> Quantity:
    """Body height.

    Raises
    ------
    PetError
        If it is missing or not above 0.
    """
    value, source = _given_or(given.height_m, "height_m", header.height, "PatientSize (0010,1020)")
    if not value:
        raise PetError(f"{name}: no {source}; give height_m")
    _above_zero(value, source, "height_m", name)
    notes: list[str] = []
    if value > _CENTIMETRES:
        notes.append(f"{source} is {value:g}, taken as centimetres")
        value /= 100
    if not _HEIGHT_M[0] <= value <= _HEIGHT_M[1]:
        raise PetError(
            f"{name}: {source} is {value:g} m, expected {_HEIGHT_M[0]} to {_HEIGHT_M[1]}; give height_m"
        )
    return Quantity(value=value, source=source, notes=tuple(notes))


def sex_of(header: Header, given: Overrides, name: str) -> Sex:
    """Sex, for lean and ideal masses.

    Raises
    ------
    PetError
        If it is none of M, F and O.
    """
    if given.sex is not None:
        return given.sex
    if header.sex not in set(Sex):
        raise PetError(f"{name}: no PatientSex (0010,0040) of M, F or O; give sex")
    return Sex(header.sex)


def dose_mbq(header: Header, given: Overrides, name: str) -> Quantity:
    """Injected activity in MBq, before what stayed in the syringe is taken off.

    Raises
    ------
    PetError
        If it is missing, or outside 1 to 20 000 MBq in either unit.
    """
    tag = "RadionuclideTotalDose (0018,1074)"
    notes: list[str] = []
    if given.injected_mbq is not None:
        value, source = given.injected_mbq, "injected_mbq"
    else:
        if not header.dose:
            raise PetError(f"{name}: no {tag}; give injected_mbq")
        value, source = header.dose, tag
        if value < _MEGABECQUEREL:
            notes.append(f"{tag} is {value:g}, taken as MBq")
        else:
            value /= 1e6
    if not _DOSE_MBQ[0] <= value <= _DOSE_MBQ[1]:
        raise PetError(
            f"{name}: {source} is {value:g} MBq, expected {_DOSE_MBQ[0]:g} to "
            f"{_DOSE_MBQ[1]:g}; give injected_mbq"
        )
    return Quantity(value=value, source=source, notes=tuple(notes))


def half_life_s(header: Header, given: Overrides, name: str) -> Quantity:
    """Half-life in seconds, held against the nuclide where that is coded.

    Raises
    ------
    PetError
        If it is missing or not above 0.
    """
    tag = "RadionuclideHalfLife (0018,1075)"
    value, source = _given_or(given.half_life_s, "half_life_s", header.half_life_s, tag)
    if not value:
        raise PetError(f"{name}: no {tag}; give half_life_s")
    _above_zero(value, source, "half_life_s", name)
    known = known_half_life_s(header.nuclide)
    if known is None or abs(value / known - 1) <= _HALF_LIFE_AGREES:
        return Quantity(value=value, source=source)
    note = f"{source} is {value:g} s, that of the coded nuclide {known:g} s: one of them is wrong"
    return Quantity(value=value, source=source, notes=(note,))


def known_half_life_s(nuclide: str) -> float | None:
    """The half-life of a nuclide as headers name it: ``^18^Fluorine``, ``F-18``, ``18F``."""
    words = {word.lower() for word in re.findall(r"[A-Za-z]+|\d+", _CODES.get(nuclide, nuclide))}
    found = [life for (mass, *names), life in _HALF_LIVES_S.items() if mass in words and words & set(names)]
    return found[0] if found else None


def _given_or(given: float | None, parameter: str, value: float | None, tag: str) -> tuple[float | None, str]:
    return (given, parameter) if given is not None else (value, tag)


def _above_zero(value: float, source: str, parameter: str, name: str) -> None:
    if not value > 0:
        raise PetError(f"{name}: {source} is {value:g}, expected above 0; give {parameter}")
