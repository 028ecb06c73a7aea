"""To which time a scanner corrected decay, found by what the header's times say of each other.

DICOM calls it the start of the series (DecayCorrection START, PS3.3 C.8.9.1), but no tag holds it for
certain: a series time may be copied, a frame's reference time may be its start or its average. Every
candidate is computed, and one is chosen that another confirms; where they contradict each other, none is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError

_AGREE_S = 60.0  # candidates that name the same moment
_SLICES_AGREE_S, _DECAY_AGREES_S = 2.0, 5.0  # one moment from all slices
_START_S = 1.5  # a frame's reference time earlier than its average by more is the frame's start


class Candidate(StrEnum):
    """What a reference time can be taken from."""

    GIVEN = "reference_time"
    STATED = "DecayCorrectionDateTime (0018,9701)"
    SIEMENS = "Siemens decay correction time (0071,xx22)"
    GE = "GE scan time (0009,xx0D)"
    SERIES = "SeriesTime (0008,0031)"
    ACQUISITION = "first AcquisitionTime (0008,0032)"
    BACK_COMPUTED = "AcquisitionTime and FrameReferenceTime (0054,1300)"
    DECAY_FACTOR = "DecayFactor (0054,1321)"


_SAID_OUTRIGHT = (Candidate.GIVEN, Candidate.STATED, Candidate.SIEMENS, Candidate.GE)


@dataclass(frozen=True, kw_only=True)
class Times:
    """The times of a series, in seconds after one moment of its own.

    Attributes
    ----------
    acquired_s : (n,) array of float or None
        Acquisition time of each slice.
    frame_reference_s : (n,) array of float or None
        Frame reference time of each slice, which counts from the wanted moment.
    duration_s : (n,) array of float or None
        Duration of each slice's frame.
    decay_factor : (n,) array of float or None
        What the scanner multiplied each slice by.
    series_s : float or None
        Series time.
    said_s : dict of Candidate to float
        Times that the header, or a person, gives outright.
    from_start : bool
        Whether the maker's frame reference times are starts of frames (GE).
    """

    acquired_s: NDArray[np.float64] | None = None
    frame_reference_s: NDArray[np.float64] | None = None
    duration_s: NDArray[np.float64] | None = None
    decay_factor: NDArray[np.float64] | None = None
    series_s: float | None = None
    said_s: dict[Candidate, float] = field(default_factory=dict)
    from_start: bool = False


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The time to which decay was corrected.

    Attributes
    ----------
    at_s : float
        In seconds after the series' own moment.
    source : Candidate
        What it was taken from.
    spread_s : float
        Range over the slices where it follows from each of them; else 0.
    candidates_s : dict of Candidate to float
        All that could be had.
    """

    at_s: float
    source: Candidate
    spread_s: float
    candidates_s: dict[Candidate, float]

    def contradictions(self) -> list[tuple[Candidate, float]]:
        """Candidates more than a minute from the chosen one, with the seconds by which they are later.

        The first acquisition is no contradiction by itself: a series may begin before its frames do.
        """
        away = ((name, at - self.at_s) for name, at in self.candidates_s.items())
        return [(name, by) for name, by in away if abs(by) > _AGREE_S]


def average_time_s(duration_s: NDArray[np.float64], decay_per_s: float) -> NDArray[np.float64]:
    """When in a frame activity equals the frame's mean: ln(λT / (1 - e^-λT)) / λ.

    Parameters
    ----------
    duration_s : (n,) array of float
        Duration T of each frame, above 0.
    decay_per_s : float
        Decay constant λ, ln 2 over the half-life.

    Returns
    -------
    (n,) array of float
        Seconds after the frame's start, a little below T/2.
    """
    x = decay_per_s * duration_s
    return np.asarray(np.log(x / -np.expm1(-x)) / decay_per_s)


def find_reference(times: Times, half_life_s: float, name: str) -> Reference:
    """Choose the time to which a scanner corrected decay.

    Parameters
    ----------
    times : Times
    half_life_s : float
    name : str
        What an error calls the series.

    Raises
    ------
    PetError
        If the candidates contradict each other, or there is none.
    """
    decay_per_s = math.log(2) / half_life_s
    found: dict[Candidate, float] = dict(times.said_s)
    spread: dict[Candidate, float] = {}
    if times.series_s is not None:
        found[Candidate.SERIES] = times.series_s
    if times.acquired_s is not None:
        found[Candidate.ACQUISITION] = float(times.acquired_s.min())
    for candidate, per_slice, tolerance in (
        (Candidate.BACK_COMPUTED, _back_computed(times, decay_per_s), _SLICES_AGREE_S),
        (Candidate.DECAY_FACTOR, _by_decay_factor(times, decay_per_s), _DECAY_AGREES_S),
    ):
        if per_slice is not None and np.ptp(per_slice) <= tolerance:
            found[candidate], spread[candidate] = float(per_slice.mean()), float(np.ptp(per_slice))
    source = _choose(found, name)
    return Reference(at_s=found[source], source=source, spread_s=spread.get(source, 0.0), candidates_s=found)


def _back_computed(times: Times, decay_per_s: float) -> NDArray[np.float64] | None:
    """What each slice's acquisition time less its frame reference time says."""
    acquired, reference, duration = times.acquired_s, times.frame_reference_s, times.duration_s
    if acquired is None or reference is None or duration is None or not (duration > 0).all():
        return None
    at_once = np.ptp(acquired) == 0 and np.ptp(reference) > _SLICES_AGREE_S
    from_series = times.series_s is not None and bool((abs(acquired - times.series_s) <= _AGREE_S).all())
    if at_once or (from_series and bool((reference > duration + _START_S).all())):
        return acquired  # it is the scan's, not the frame's
    average = average_time_s(duration, decay_per_s)
    if times.from_start or bool((reference < average - _START_S).any()):
        return acquired - reference
    return acquired + average - reference


def _by_decay_factor(times: Times, decay_per_s: float) -> NDArray[np.float64] | None:
    """What each slice's decay factor says; a factor of 1 everywhere says nothing."""
    acquired, factor, duration = times.acquired_s, times.decay_factor, times.duration_s
    if acquired is None or factor is None or duration is None or not (duration > 0).all():
        return None
    if not (factor >= 1).all() or not (factor > 1).any():
        return None
    return np.asarray(acquired + average_time_s(duration, decay_per_s) - np.log(factor) / decay_per_s)


def _choose(found: dict[Candidate, float], name: str) -> Candidate:
    for candidate in _SAID_OUTRIGHT:
        if candidate in found:
            return candidate
    series, first = found.get(Candidate.SERIES), found.get(Candidate.ACQUISITION)
    evidence = [one for one in (Candidate.DECAY_FACTOR, Candidate.BACK_COMPUTED) if one in found]
    if series is not None and any(abs(series - found[one]) <= _AGREE_S for one in evidence):
        return Candidate.SERIES
    is_late = series is not None and first is not None and series > first
    if series is not None and first is not None and not evidence and not is_late:
        return Candidate.SERIES
    if evidence and (series is None or is_late):
        if abs(found[evidence[0]] - found[evidence[-1]]) <= _AGREE_S:
            return evidence[0]
        raise PetError(_contradiction(found, evidence[0], evidence[-1], name))
    if first is not None and is_late:
        return Candidate.ACQUISITION
    if series is not None and evidence:
        raise PetError(_contradiction(found, Candidate.SERIES, evidence[0], name))
    raise PetError(
        f"{name}: nothing says to which time decay was corrected (SeriesTime (0008,0031) and frame times "
        "are missing); give reference_time"
    )


def _contradiction(found: dict[Candidate, float], one: Candidate, other: Candidate, name: str) -> str:
    return (
        f"{name}: the time to which decay was corrected is {clock(found[one])} by {one} and "
        f"{clock(found[other])} by {other}; give reference_time"
    )


def clock(seconds: float) -> str:
    """A time of day as 09:30:00, from seconds after a midnight."""
    whole = round(seconds) % 86400
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
