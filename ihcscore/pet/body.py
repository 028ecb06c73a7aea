"""Masses and surfaces of the body that uptake is normalised to."""

from __future__ import annotations

from enum import StrEnum

from ihcscore.errors import PetError


class Sex(StrEnum):
    """PatientSex (0010,0040)."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"


class Mass(StrEnum):
    """A mass in place of body weight, as SUVType (0054,1006) names it."""

    LBM_MORGAN = "LBM"
    LBM_JAMES = "LBMJAMES128"
    LBM_JANMAHASATIAN = "LBMJANMA"
    IDEAL = "IBW"


def mass_kg(kind: Mass, *, weight_kg: float, height_m: float, sex: Sex) -> float:
    """A lean or ideal body mass.

    Janmahasatian et al. 2005 (doi 10.2165/00003088-200544100-00004), which EANM's guideline 2.0 takes;
    James 1976 with 128; Morgan's 120 for what DICOM calls LBM (PS3.3 C.8.9.1); ideal body weight after
    Sugawara et al. 1999. For sex O the mean of both, as in IBSI's reference objects.

    Raises
    ------
    PetError
        If the mass is not above 0 for so short or heavy a body.
    """
    if sex is Sex.OTHER:
        both = (mass_kg(kind, weight_kg=weight_kg, height_m=height_m, sex=s) for s in (Sex.MALE, Sex.FEMALE))
        return sum(both) / 2
    male = sex is Sex.MALE
    height_cm = 100 * height_m
    square = (weight_kg / height_cm) ** 2
    bmi = weight_kg / height_m**2
    if kind is Mass.LBM_JANMAHASATIAN:
        mass = 9270 * weight_kg / ((6680 + 216 * bmi) if male else (8780 + 244 * bmi))
    elif kind is Mass.IDEAL:
        mass = 48 + 1.06 * (height_cm - 152) if male else 45.5 + 0.91 * (height_cm - 152)
    elif male:
        mass = 1.10 * weight_kg - (120 if kind is Mass.LBM_MORGAN else 128) * square
    else:
        mass = 1.07 * weight_kg - 148 * square
    if not mass > 0:
        raise PetError(f"{kind} is {mass:.3g} kg at {weight_kg:g} kg and {height_m:g} m; check height_m")
    return mass


def surface_m2(*, weight_kg: float, height_m: float) -> float:
    """Body surface in m², 0.007184 w^0.425 h^0.725, h in cm (Du Bois and Du Bois 1916)."""
    return float(0.007184 * weight_kg**0.425 * (100 * height_m) ** 0.725)
