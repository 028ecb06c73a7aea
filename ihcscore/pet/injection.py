"""When the dose was injected, from a date and time, a time alone or both, and whether that can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from ihcscore.errors import PetError
from ihcscore.pet.clock import Stamp, nearest

DATE_TIME, TIME = "RadiopharmaceuticalStartDateTime (0018,1078)", "RadiopharmaceuticalStartTime (0018,1072)"
_ASK = "give injected_at"
_SAME = timedelta(seconds=1)
_ZONE_STEP_MIN = 15  # time zones differ by multiples of it
_DAY = timedelta(days=1)
_MOST_HALF_LIVES = 10
_DATES_MAY_DIFFER_S, _TIME_ALONE_S = 5.5 * 3600, 5 * 3600  # longest half-lives for which a clock will do
_LONGEST_OVERNIGHT = timedelta(hours=12)


class InjectionAfterScanError(PetError):
    """The header has the injection after the scan: what the scanner made of it is wrong too."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """When the dose was injected.

    Attributes
    ----------
    at : datetime
        On the scan's own clock and calendar.
    source : str
        Tag or parameter.
    notes : tuple of str
    """

    at: datetime
    source: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScanStart:
    """The first acquisition, which the injection must precede.

    Attributes
    ----------
    at : datetime
    dated : bool
        Whether the header has its date.
    zone_min : int or None
        Offset of the scanner's clock from UTC, where the header has it.
    """

    at: datetime
    dated: bool = True
    zone_min: int | None = None


def find_injection(
    date_time: Stamp | None,
    time_alone: Stamp | None,
    scan: ScanStart,
    *,
    half_life_s: float,
    name: str,
    given: Stamp | None = None,
) -> Injection:
    """The injection on the scan's calendar.

    Parameters
    ----------
    date_time, time_alone : Stamp or None
        What the header has in its two tags.
    scan : ScanStart
    half_life_s : float
    name : str
        What an error calls the series.
    given : Stamp, optional
        What stands in place of the header's.

    Raises
    ------
    PetError
        If there is none, the two tags contradict each other, or it does not fit the scan.
    """
    notes: list[str] = []
    if given is not None:
        stamp, source = given, "injected_at"
    elif date_time is not None or time_alone is not None:
        stamp, source, notes = _one_of_two(date_time or Stamp(), time_alone or Stamp(), scan, name)
    else:
        raise PetError(f"{name}: no time of injection ({DATE_TIME}, {TIME}); {_ASK}")
    if stamp.moment is not None and scan.dated:
        at, more = _dated(stamp.moment, scan.at, half_life_s, name)
    elif stamp.at is not None:
        at, more = _by_clock(stamp.at, scan.at, half_life_s, name)
    else:
        raise PetError(f"{name}: {source} has a date without a time; {_ASK}")
    return Injection(at=at, source=source, notes=(*notes, *more))


def _one_of_two(
    date_time: Stamp, time_alone: Stamp, scan: ScanStart, name: str
) -> tuple[Stamp, str, list[str]]:
    """What both tags say together; the times of a series are local, an offset says nothing else."""
    moment = date_time.moment
    if moment is None:
        return Stamp(day=date_time.day, at=time_alone.at), TIME, []
    if time_alone.at is None:
        other_zone = (
            None not in (date_time.offset_min, scan.zone_min) and date_time.offset_min != scan.zone_min
        )
        if not other_zone:
            return date_time, DATE_TIME, []
        local = moment + timedelta(minutes=(scan.zone_min or 0) - (date_time.offset_min or 0))
        note = "the time of injection was written in another time zone than the scan's and is converted"
        return Stamp(day=local.date(), at=local.time()), DATE_TIME, [note]
    local = nearest(time_alone.at, moment)
    apart = local - moment
    if abs(apart) <= _SAME:
        return date_time, DATE_TIME, []
    minutes = apart / timedelta(minutes=1)
    if (
        date_time.offset_min is not None
        and abs(minutes - _ZONE_STEP_MIN * round(minutes / _ZONE_STEP_MIN)) < 1 / 60
    ):
        note = f"{DATE_TIME} is in another time zone, {minutes:+.0f} min off {TIME}, which counts"
        return Stamp(day=local.date(), at=local.time()), TIME, [note]
    raise PetError(
        f"{name}: the injection is at {moment:%H:%M:%S} by {DATE_TIME} and at "
        f"{local:%H:%M:%S} by {TIME}; {_ASK}"
    )


def _dated(at: datetime, scan: datetime, half_life_s: float, name: str) -> tuple[datetime, list[str]]:
    since = scan - at
    longest = timedelta(seconds=_MOST_HALF_LIVES * half_life_s)
    if timedelta(0) <= since <= longest:
        return at, []
    if -_DAY < since < timedelta(0):
        raise InjectionAfterScanError(
            f"{name}: the injection at {at:%H:%M:%S} is after the scan at {scan:%H:%M:%S}; {_ASK}"
        )
    by_clock = since % _DAY
    if half_life_s < _DATES_MAY_DIFFER_S and by_clock < longest:
        note = (
            f"the dates of injection and scan are {abs(since).days} days apart, as after unequal "
            "de-identification: their times of day count"
        )
        return scan - by_clock, [note]
    raise PetError(
        f"{name}: injection and scan are {abs(since) / _DAY:.1f} days apart, more than {_MOST_HALF_LIVES} "
        f"half-lives; {_ASK} with its date, or half_life_s"
    )


def _by_clock(of_day: time, scan: datetime, half_life_s: float, name: str) -> tuple[datetime, list[str]]:
    """A time of day alone: the last one before the scan."""
    if half_life_s > _TIME_ALONE_S:
        raise PetError(
            f"{name}: the injection, or the scan, has a time without a date, which does not "
            "do for a half-life "
            f"of {half_life_s / 3600:.1f} h; {_ASK} with its date"
        )
    same_day = datetime.combine(scan.date(), of_day)
    if same_day <= scan:
        if scan - same_day > timedelta(seconds=_MOST_HALF_LIVES * half_life_s):
            raise PetError(
                f"{name}: the injection at {of_day:%H:%M:%S} is more than {_MOST_HALF_LIVES} "
                "half-lives before "
                f"the scan at {scan:%H:%M:%S}; {_ASK} or half_life_s"
            )
        return same_day, []
    day_before = same_day - _DAY
    if scan - day_before > min(timedelta(seconds=_MOST_HALF_LIVES * half_life_s), _LONGEST_OVERNIGHT):
        raise InjectionAfterScanError(
            f"{name}: the injection at {of_day:%H:%M:%S} is after the scan at {scan:%H:%M:%S}; {_ASK}"
        )
    return day_before, [
        "the injection has no date and a later time of day than the scan: it was the day before"
    ]
