"""What the header of a PET series says, slice by slice, before anything is made of it.

Attributes: PS3.3 C.8.9.1 (PET series), C.8.9.2 (PET isotope) and C.8.9.4 (PET image).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.clock import NO_DATE, Stamp, nearest, parse_date, parse_stamp, parse_time
from ihcscore.pet.elements import Elements, describe
from ihcscore.pet.grid import one_of
from ihcscore.pet.reference import Candidate

_Parsed = TypeVar("_Parsed")
_RADIOPHARMACEUTICAL = "RadiopharmaceuticalInformationSequence"
_GE, _SIEMENS, _PHILIPS = "GEMS_PETD_01", "SIEMENS MED PT", "Philips PET Private Group"
_OTHER_DAY = timedelta(hours=12)


class Units(StrEnum):
    """Units (0054,1001) that SUV follows from."""

    BQML = "BQML"
    CNTS = "CNTS"
    GML = "GML"
    CM2ML = "CM2ML"


class DecayCorrection(StrEnum):
    """DecayCorrection (0054,1102)."""

    NONE = "NONE"
    START = "START"
    ADMIN = "ADMIN"


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a series says of itself, slices in the order of the grid.

    Attributes
    ----------
    units : Units
    suv_type : str
        SUVType (0054,1006), empty where missing.
    decay_correction : DecayCorrection or None
    corrections : frozenset of str
        CorrectedImage (0028,0051).
    weight, height, dose, half_life_s : float or None
        As written; units are not yet what DICOM wants.
    sex : str
    nuclide : str
        Its code's meaning, empty where missing.
    injection_date_time, injection_time : Stamp or None
    injection_stop : Stamp or None
    zone_min : int or None
        Offset of the header's clock from UTC.
    acquired : tuple of datetime or None
        Acquisition of each slice.
    dated : bool
        Whether acquisitions have a date.
    series_at : datetime or None
        Series time, if it is within twelve hours of the first acquisition.
    said : dict of Candidate to datetime
        Reference times that the header gives outright.
    frame_reference_s, duration_s, decay_factor : (n,) array of float or None
    slope : (n,) array of float
    philips_suv, philips_activity : (n,) array of float or None
        Philips' own factors to SUV and to Bq/ml; None where missing or 0.
    is_ge : bool
    manufacturer, model, reconstruction : str
    notes : tuple of str
    """

    units: Units
    suv_type: str
    decay_correction: DecayCorrection | None
    corrections: frozenset[str]
    weight: float | None
    height: float | None
    dose: float | None
    half_life_s: float | None
    sex: str
    nuclide: str
    injection_date_time: Stamp | None = None
    injection_time: Stamp | None = None
    injection_stop: Stamp | None = None
    zone_min: int | None = None
    acquired: tuple[datetime, ...] | None = field(default=None, repr=False)
    dated: bool = True
    series_at: datetime | None = field(default=None, repr=False)
    said: dict[Candidate, datetime] = field(default_factory=dict, repr=False)
    frame_reference_s: NDArray[np.float64] | None = field(default=None, repr=False)
    duration_s: NDArray[np.float64] | None = field(default=None, repr=False)
    decay_factor: NDArray[np.float64] | None = field(default=None, repr=False)
    slope: NDArray[np.float64] = field(repr=False)
    philips_suv: NDArray[np.float64] | None = field(default=None, repr=False)
    philips_activity: NDArray[np.float64] | None = field(default=None, repr=False)
    is_ge: bool = False
    manufacturer: str = ""
    model: str = ""
    reconstruction: str = ""
    notes: tuple[str, ...] = ()


def read_header(slices: Sequence[Elements], name: str) -> Header:
    """The header of a series.

    Parameters
    ----------
    slices : sequence of Elements
        In the order of the grid.
    name : str
        What an error calls the series.

    Raises
    ------
    PetError
        If a value is no number or time, slices contradict each other, or the series is none that a
        static uptake can be had from.
    """
    _check_kind(slices, name)
    radio = [_radiopharmaceutical(one, name) for one in slices]
    maker = slices[0].text("Manufacturer")
    acquired, dated = _acquired(slices, name)
    series_at, notes = _series_time(slices, acquired, name)
    zone = one_of([one.text("TimezoneOffsetFromUTC") for one in slices], "TimezoneOffsetFromUTC", name)
    return Header(
        units=_units(slices, name),
        suv_type=one_of([one.label("SUVType") for one in slices], "SUVType", name),
        decay_correction=_decay_correction(slices, name),
        corrections=frozenset(
            one_of([one.texts("CorrectedImage") for one in slices], "CorrectedImage", name)
        ),
        weight=_one_number(slices, "PatientWeight", name),
        height=_one_number(slices, "PatientSize", name),
        sex=one_of([one.text("PatientSex") for one in slices], "PatientSex", name),
        dose=_one_number(radio, "RadionuclideTotalDose", name),
        half_life_s=_one_number(radio, "RadionuclideHalfLife", name),
        nuclide=_nuclide(radio[0]),
        injection_date_time=_stamp(radio, "RadiopharmaceuticalStartDateTime", name),
        injection_time=_time(radio, "RadiopharmaceuticalStartTime", name),
        injection_stop=_time(radio, "RadiopharmaceuticalStopTime", name),
        zone_min=parse_stamp("20000101" + zone, describe("TimezoneOffsetFromUTC")).offset_min
        if zone
        else None,
        acquired=acquired,
        dated=dated,
        series_at=series_at,
        said=_said_outright(slices, maker, acquired, name),
        frame_reference_s=_milliseconds(slices, "FrameReferenceTime", name),
        duration_s=_milliseconds(slices, "ActualFrameDuration", name),
        decay_factor=_array([one.number("DecayFactor") for one in slices], "DecayFactor", name),
        slope=_slopes(slices, name),
        philips_suv=_philips(slices, maker, 0x00, name),
        philips_activity=_philips(slices, maker, 0x09, name),
        is_ge=maker.upper().startswith("GE"),
        manufacturer=slices[0].label("Manufacturer"),
        model=slices[0].label("ManufacturerModelName"),
        reconstruction=slices[0].label("ReconstructionMethod"),
        notes=tuple(notes),
    )


def _check_kind(slices: Sequence[Elements], name: str) -> None:
    """Refuse what is not one static, whole series without writing in its pixels."""
    kinds = {word.upper() for one in slices for word in one.texts("SeriesType")}
    if kinds & {"GATED", "DYNAMIC", "REPROJECTION"}:
        found = " and ".join(sorted(kinds & {"GATED", "DYNAMIC", "REPROJECTION"}))
        raise PetError(
            f"{name}: {describe('SeriesType')} is {found}, expected STATIC or WHOLEBODY; give that series"
        )
    if any((one.integer("NumberOfFrames") or 1) > 1 for one in slices) or any(
        (one.integer("NumberOfTimeSlices") or 1) > 1 for one in slices
    ):
        raise PetError(f"{name}: has several frames in time or in a file; give one static series")
    wanted = max((one.integer("NumberOfSlices") or 0) for one in slices)
    if wanted > len(slices):
        raise PetError(
            f"{name}: has {len(slices)} slices, {describe('NumberOfSlices')} says {wanted}: "
            "slices are missing; "
            "give the whole series"
        )
    if any(one.text("BurnedInAnnotation").upper() == "YES" for one in slices):
        raise PetError(
            f"{name}: {describe('BurnedInAnnotation')} says that there is writing in the "
            "pixels, which may name "
            "the patient; give a series without"
        )


def _radiopharmaceutical(one: Elements, name: str) -> Elements:
    found = one.items(_RADIOPHARMACEUTICAL)
    if len(found) > 1:
        raise PetError(f"{name}: {describe(_RADIOPHARMACEUTICAL)} has {len(found)} injections, expected one")
    if found:
        return found[0]
    from pydicom import Dataset

    return Elements(Dataset(), name)


def _units(slices: Sequence[Elements], name: str) -> Units:
    text = one_of([one.label("Units") for one in slices], "Units", name)
    if text not in set(Units):
        raise PetError(
            f"{name}: {describe('Units')} is {text or 'empty'}, expected {', '.join(Units)}; "
            "SUV cannot be had "
            "from it, give another series"
        )
    return Units(text)


def _decay_correction(slices: Sequence[Elements], name: str) -> DecayCorrection | None:
    text = one_of([one.text("DecayCorrection") for one in slices], "DecayCorrection", name)
    if text and text not in set(DecayCorrection):
        raise PetError(
            f"{name}: {describe('DecayCorrection')} is none of {', '.join(DecayCorrection)}; export it again"
        )
    return DecayCorrection(text) if text else None


def _one_number(slices: Sequence[Elements], keyword: str, name: str) -> float | None:
    return one_of([one.number(keyword) for one in slices], keyword, name)


def _array(values: Sequence[float | None], what: str, name: str) -> NDArray[np.float64] | None:
    """Numbers of all slices; None where no slice has one."""
    there = [value for value in values if value is not None]
    if not there:
        return None
    if len(there) < len(values):
        raise PetError(
            f"{name}: {_described(what)} is missing in {len(values) - len(there)} of {len(values)} slices; "
            "export it again"
        )
    return np.array(there)


def _described(what: str) -> str:
    return what if "(" in what else describe(what)


def _milliseconds(slices: Sequence[Elements], keyword: str, name: str) -> NDArray[np.float64] | None:
    found = _array([one.number(keyword) for one in slices], keyword, name)
    if found is not None and (found < 0).any():
        raise PetError(f"{name}: {describe(keyword)} is {found.min():g}, expected 0 or more; export it again")
    return None if found is None else found / 1000


def _slopes(slices: Sequence[Elements], name: str) -> NDArray[np.float64]:
    slopes = _array([one.number("RescaleSlope") for one in slices], "RescaleSlope", name)
    if slopes is None or not (slopes > 0).all():
        raise PetError(f"{name}: {describe('RescaleSlope')} is missing or not above 0; export it again")
    intercepts = [one.number("RescaleIntercept") or 0.0 for one in slices]
    if any(intercepts):
        raise PetError(
            f"{name}: {describe('RescaleIntercept')} is {next(filter(None, intercepts)):g}, "
            "expected 0 in a PET "
            "series; export it again"
        )
    return slopes


def _philips(slices: Sequence[Elements], maker: str, element: int, name: str) -> NDArray[np.float64] | None:
    """Philips' own factor of each slice; 0 is how it writes none."""
    stripped = maker.upper().startswith("PHILIPS")
    values = [one.private_number(0x7053, _PHILIPS, element, stripped=stripped) for one in slices]
    factors = _array(values, f"(7053,xx{element:02X})", name)
    if factors is None or not factors.any():
        return None
    if not (factors > 0).all():
        raise PetError(f"{name}: (7053,xx{element:02X}) is not above 0 in every slice; export it again")
    return factors


def _nuclide(radio: Elements) -> str:
    codes = radio.items("RadionuclideCodeSequence")
    return codes[0].label("CodeMeaning") or codes[0].label("CodeValue") if codes else ""


def _parsed(
    slices: Sequence[Elements], keyword: str, name: str, parse: Callable[[str, str], _Parsed]
) -> list[_Parsed] | None:
    """A time of each slice; None where no slice has one, refused where some have none."""
    texts = [one.text(keyword) for one in slices]
    if not any(texts):
        return None
    wrong = 0
    found: list[_Parsed] = []
    why: PetError | None = None
    for text in texts:
        try:
            found.append(parse(text, describe(keyword)))
        except PetError as error:
            wrong, why = wrong + 1, error
    if why is not None:
        raise PetError(f"{name}: {why} ({wrong} of {len(texts)} slices); export it again") from why
    return found


def _stamp(slices: Sequence[Elements], keyword: str, name: str) -> Stamp | None:
    found = _parsed(slices, keyword, name, parse_stamp)
    return None if found is None else one_of(found, keyword, name)


def _time(slices: Sequence[Elements], keyword: str, name: str) -> Stamp | None:
    found = _parsed(slices, keyword, name, parse_time)
    return None if found is None else Stamp(at=one_of(found, keyword, name))


def _acquired(slices: Sequence[Elements], name: str) -> tuple[tuple[datetime, ...] | None, bool]:
    """When each slice was acquired, and whether the header has the day."""
    times = _parsed(slices, "AcquisitionTime", name, parse_time)
    days = _parsed(slices, "AcquisitionDate", name, parse_date)
    if times is None:
        both = _parsed(slices, "AcquisitionDateTime", name, parse_stamp)
        moments = [stamp.moment for stamp in both or ()]
        if not moments or None in moments:
            return None, False
        return tuple(moment for moment in moments if moment is not None), True
    if days is not None:
        return tuple(datetime.combine(day, at) for day, at in zip(days, times, strict=True)), True
    series_days = _parsed(slices, "SeriesDate", name, parse_date)
    series_times = _parsed(slices, "SeriesTime", name, parse_time)
    start = datetime.combine(series_days[0] if series_days else NO_DATE, (series_times or times)[0])
    return tuple(nearest(at, start) for at in times), series_days is not None


def _series_time(
    slices: Sequence[Elements], acquired: tuple[datetime, ...] | None, name: str
) -> tuple[datetime | None, list[str]]:
    """The series time on the calendar of the acquisitions; none if it is of another day."""
    days = _parsed(slices, "SeriesDate", name, parse_date)
    times = _parsed(slices, "SeriesTime", name, parse_time)
    if times is None:
        return None, []
    at = one_of(times, "SeriesTime", name)
    if acquired is None:
        return (datetime.combine(one_of(days, "SeriesDate", name), at) if days else None), []
    first = min(acquired)
    if days is None:
        return nearest(at, first), []
    moment = datetime.combine(one_of(days, "SeriesDate", name), at)
    if abs(moment - first) > _OTHER_DAY:
        return None, ["the series is dated another day than its acquisitions: its time does not count"]
    return moment, []


def _said_outright(
    slices: Sequence[Elements], maker: str, acquired: tuple[datetime, ...] | None, name: str
) -> dict[Candidate, datetime]:
    """Times of decay correction that the header gives; an unlike date is left out of account.

    Private times keep their date where a header was de-identified, so only their time of day is taken.
    """
    upper = maker.upper()
    wanted = {
        Candidate.STATED: [one.text("DecayCorrectionDateTime") for one in slices],
        Candidate.SIEMENS: [
            one.private_text(0x0071, _SIEMENS, 0x22, stripped=upper.startswith(("SIEMENS", "CPS")))
            for one in slices
        ],
        Candidate.GE: [
            one.private_text(0x0009, _GE, 0x0D, stripped=upper.startswith("GE")) for one in slices
        ],
    }
    found: dict[Candidate, datetime] = {}
    for candidate, texts in wanted.items():
        if not any(texts):
            continue
        if len(set(texts)) > 1:
            raise PetError(
                f"{name}: {candidate} has {len(set(texts))} values over the slices; give reference_time"
            )
        moment = parse_stamp(texts[0], f"{name}: {candidate}").moment
        if moment is not None:
            found[candidate] = moment if acquired is None else nearest(moment.time(), min(acquired))
    return found
