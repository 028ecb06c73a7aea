"""Dates and times as DICOM and people write them; values that are none are refused, never read as 0.

Value representations DA, TM and DT: PS3.5 section 6.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from ihcscore.errors import PetError

_TM = re.compile(r"(\d{2}):?(?:(\d{2}):?(?:(\d{2})(\.\d{1,6})?)?)?")
_DA = re.compile(r"(\d{4})[.-]?(\d{2})[.-]?(\d{2})")
_DT = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?([+-]\d{4})?")
_GIVEN = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T])?(\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)")
NO_DATE = date(2000, 1, 1)
"""Stands where a header has times without dates."""


@dataclass(frozen=True, kw_only=True)
class Stamp:
    """A date, a time or both, and the offset from UTC that was written with them.

    Attributes
    ----------
    day : date or None
    at : time or None
    offset_min : int or None
    """

    day: date | None = None
    at: time | None = None
    offset_min: int | None = None

    @property
    def moment(self) -> datetime | None:
        """Date and time, if both are known; in local digits, whatever the offset."""
        return None if self.day is None or self.at is None else datetime.combine(self.day, self.at)


def parse_time(text: str, what: str) -> time:
    """A TM.

    Raises
    ------
    PetError
        Naming the tag, if it is no time of a day.
    """
    found = _TM.fullmatch(text)
    if found is None:
        raise PetError(f"{what} is {shown(text)}, expected a time HHMMSS")
    hour, minute, second = (int(found[at] or 0) for at in (1, 2, 3))
    microsecond = round(float(found[4] or 0) * 1e6)
    if second == 60:  # a leap second, which DICOM allows
        second, microsecond = 59, 999_999
    try:
        return time(hour, minute, second, microsecond)
    except ValueError:
        raise PetError(f"{what} is {shown(text)}, expected a time HHMMSS") from None


def parse_date(text: str, what: str) -> date:
    """A DA; also 2020-01-31.

    Raises
    ------
    PetError
        Naming the tag, if it is no date; the message does not repeat it.
    """
    found = _DA.fullmatch(text)
    try:
        return date(*(int(part) for part in found.groups())) if found else date(0, 0, 0)
    except ValueError:
        raise PetError(f"{what} is no date, expected YYYYMMDD") from None


def parse_stamp(text: str, what: str) -> Stamp:
    """A DT, which may lack its time or carry an offset from UTC.

    Raises
    ------
    PetError
        Naming the tag, if it is none; the message does not repeat it.
    """
    found = _DT.fullmatch(text)
    if found is None:
        raise PetError(f"{what} is no date and time, expected YYYYMMDDHHMMSS")
    sign = found[3]
    offset = None if sign is None else (1 if sign[0] == "+" else -1) * (int(sign[1:3]) * 60 + int(sign[3:]))
    return Stamp(
        day=parse_date(found[1], what),
        at=parse_time(found[2], what) if found[2] else None,
        offset_min=offset,
    )


def parse_given(text: str, what: str) -> Stamp:
    """What a person writes: ``2020-01-31 09:30:00`` or ``09:30``.

    Raises
    ------
    PetError
        If it is neither.
    """
    found = _GIVEN.fullmatch(text.strip())
    if found is None:
        raise PetError(f"{what} is {shown(text)}, expected a time as 09:30:00, or 2020-01-31 09:30:00")
    hour, _, rest = found[2].partition(":")
    return Stamp(
        day=parse_date(found[1], what) if found[1] else None,
        at=parse_time(f"{int(hour):02d}:{rest[:12]}", what),
    )


def nearest(at: time, to: datetime) -> datetime:
    """The moment of that time of day which lies nearest to another moment."""
    same_day = datetime.combine(to.date(), at)
    return min((same_day + timedelta(days=day) for day in (-1, 0, 1)), key=lambda one: abs(one - to))


def shown(text: str) -> str:
    """A wrong value for a message: as it is where it is short and holds no letters, else only that."""
    return f"'{text}'" if re.fullmatch(r"[0-9.:,+-]{1,20}", text) else "empty" if not text else "no number"
