"""The rules of RECIST 1.1 (Eisenhauer et al. 2009, doi 10.1016/j.ejca.2008.10.026) for one patient.

Sections and tables in comments are those of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ihcscore.schema import LesionState, RecistCode, RecistSettings

TOO_SMALL_MM = 5.0
"""What a target counts that is too small to measure (section 4.3.2)."""
NODE_NORMAL_MM = 10.0
"""Short axis below which a node is no longer a lesion (section 4.3.1)."""
MOST_TARGETS, MOST_AN_ORGAN = 5, 2
"""Targets of a patient, and of an organ (section 3.2)."""
LEAST_TARGET_MM, LEAST_NODE_MM = 10.0, 15.0
"""Least diameter of a target at baseline, of a node by its short axis (sections 3.1.1 and 3.1.2)."""
CONFIRMED_AFTER_DAYS = 28
"""Days from a response to the visit that confirms it (section 4.6)."""

_LESS, _MORE, _MORE_MM = 0.7, 1.2, 5.0
_ROUNDING = 1e-9

_SIZES_MM = {LesionState.ABSENT: 0.0, LesionState.TOO_SMALL: TOO_SMALL_MM}
_RESPONSES = ((RecistCode.CR, (RecistCode.CR,)), (RecistCode.PR, (RecistCode.CR, RecistCode.PR)))


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of a lesion at a visit.

    Attributes
    ----------
    diameter_mm : float or None
    state : LesionState or None
    """

    diameter_mm: float | None = None
    state: LesionState | None = None

    @property
    def size_mm(self) -> float | None:
        """What a target adds to the sum; None where it was not measured."""
        if self.diameter_mm is not None:
            return self.diameter_mm
        return None if self.state is None else _SIZES_MM.get(self.state)


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A visit of a patient.

    Attributes
    ----------
    day : int
    seen : mapping of str to Seen
        By lesion.
    new : bool
        Whether a new lesion was seen at it.
    """

    day: int
    seen: Mapping[str, Seen] = field(repr=False)
    new: bool = False


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A patient's lesions and visits.

    Attributes
    ----------
    targets, non_targets : mapping of str to bool
        Lesions at baseline, and whether each is a node.
    baseline : Visit
    visits : sequence of Visit
        After it, in the order of days.
    """

    targets: Mapping[str, bool]
    non_targets: Mapping[str, bool]
    baseline: Visit
    visits: Sequence[Visit] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """A visit after baseline and what it says.

    Attributes
    ----------
    day : int
    n_measured : int
    sum_mm : float
        NaN where a target was not measured.
    nadir_mm : float
        Smallest sum before.
    target, non_target : RecistCode or None
        None where there are no such lesions.
    new : bool
        Whether there is a new lesion, at this visit or since an earlier one.
    overall : RecistCode
    note : str
    """

    day: int
    n_measured: int
    sum_mm: float
    nadir_mm: float
    target: RecistCode | None
    non_target: RecistCode | None
    new: bool
    overall: RecistCode
    note: str


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best response of a patient.

    Attributes
    ----------
    response : RecistCode
    day : int or None
        First day of it; None where it is NE.
    day_of_progression : int or None
    note : str
        Why it is this one, where that is not plain.
    """

    response: RecistCode
    day: int | None
    day_of_progression: int | None
    note: str


def baseline_sum(patient: Patient) -> float:
    """Sum of the targets at baseline in mm; NaN without targets, or where one was not measured."""
    sizes = _sizes(patient, patient.baseline)
    return math.nan if not sizes or None in sizes else math.fsum(size or 0.0 for size in sizes)


def assess(patient: Patient) -> list[Assessed]:
    """What each visit after baseline says, in order."""
    found: list[Assessed] = []
    first = baseline_sum(patient)
    nadir, new, complete = first, False, False
    for visit in patient.visits:
        new = new or visit.new
        sizes = _sizes(patient, visit)
        measured = [size for size in sizes if size is not None]
        total = math.fsum(measured) if len(measured) == len(sizes) and sizes else math.nan
        target, notes = _target_response(patient, visit, first, nadir)
        non_target = _non_target_response(patient, visit)
        if complete and _seen_again(patient, visit):
            # Table 3, footnote a: after a complete response any disease is progression.
            notes.append("disease is seen again after a complete response")
            overall = RecistCode.PD
        else:
            overall = combine(target, non_target, new=new)
        found.append(
            Assessed(
                day=visit.day, n_measured=len(measured), sum_mm=total, nadir_mm=nadir, target=target,
                non_target=non_target, new=new, overall=overall, note="; ".join(notes),
            )
        )  # fmt: skip
        complete = complete or overall is RecistCode.CR
        nadir = min(nadir, total) if not math.isnan(total) else nadir
    return found


def _sizes(patient: Patient, visit: Visit) -> list[float | None]:
    return [visit.seen.get(lesion, Seen()).size_mm for lesion in patient.targets]


def _target_response(
    patient: Patient, visit: Visit, first: float, nadir: float
) -> tuple[RecistCode | None, list[str]]:
    """Response of the targets (section 4.3.1)."""
    if not patient.targets:
        return None, []
    by_lesion = dict(zip(patient.targets, _sizes(patient, visit), strict=True))
    missing = [lesion for lesion, size in by_lesion.items() if size is None]
    total = math.fsum(size for size in by_lesion.values() if size is not None)
    progressed = total >= _MORE * nadir - _ROUNDING and total - nadir >= _MORE_MM - _ROUNDING
    if missing:
        # Section 4.4.2: not evaluable, unless what is missing could not change it.
        names = ", ".join(missing)
        if progressed:
            return RecistCode.PD, [f"{names} not measured; the others alone are progression"]
        return RecistCode.NE, [f"{names} not measured"]
    gone = all(
        (size or 0.0) < NODE_NORMAL_MM - _ROUNDING if node else size == 0
        for size, node in zip(by_lesion.values(), patient.targets.values(), strict=True)
    )
    if gone:
        nodes = "every node is below 10 mm, though the sum is not 0"
        return RecistCode.CR, [nodes] if total > 0 else []
    if progressed:
        return RecistCode.PD, []
    grown = total >= _MORE * nadir - _ROUNDING and total > nadir
    notes = ["20 % or more above the smallest sum, but less than 5 mm"] if grown and nadir > 0 else []
    return RecistCode.PR if total <= _LESS * first + _ROUNDING else RecistCode.SD, notes


def _non_target_response(patient: Patient, visit: Visit) -> RecistCode | None:
    """Response of the other lesions (section 4.3.3)."""
    if not patient.non_targets:
        return None
    states = {
        lesion: _state_of(visit.seen.get(lesion, Seen()), node=node)
        for lesion, node in patient.non_targets.items()
    }
    if LesionState.PROGRESSED in states.values():
        return RecistCode.PD
    if all(state is LesionState.ABSENT for state in states.values()):
        return RecistCode.CR
    if LesionState.PRESENT in states.values():
        return RecistCode.NON_CR_NON_PD
    return RecistCode.NE


def _state_of(seen: Seen, *, node: bool) -> LesionState:
    """A lesion that is no target, in a word; a measured one is there or not by its diameter."""
    if seen.state is LesionState.PROGRESSED:
        return LesionState.PROGRESSED
    if seen.diameter_mm is not None:
        gone = seen.diameter_mm < NODE_NORMAL_MM - _ROUNDING if node else seen.diameter_mm == 0
        return LesionState.ABSENT if gone else LesionState.PRESENT
    if seen.state is LesionState.TOO_SMALL:
        return LesionState.PRESENT
    return seen.state or LesionState.NOT_EVALUATED


def _seen_again(patient: Patient, visit: Visit) -> bool:
    """Whether a lesion that was gone is there; nodes count by the sum alone, as they always measure."""
    for lesion, node in patient.targets.items():
        size = visit.seen.get(lesion, Seen()).size_mm
        if size is not None and size > 0 and not node:
            return True
    return any(
        _state_of(visit.seen.get(lesion, Seen()), node=node) is LesionState.PRESENT and not node
        for lesion, node in patient.non_targets.items()
    )


def combine(target: RecistCode | None, non_target: RecistCode | None, *, new: bool) -> RecistCode:
    """Response of a visit from targets, other lesions and new ones (tables 1 and 2).

    Parameters
    ----------
    target, non_target : RecistCode or None
        None where there are no such lesions.
    new : bool
    """
    if new or RecistCode.PD in (target, non_target):
        return RecistCode.PD
    if target is None:
        return non_target or RecistCode.NE
    if target is RecistCode.CR:
        return RecistCode.CR if non_target in (RecistCode.CR, None) else RecistCode.PR
    return target


def best_response(visits: Sequence[Assessed], baseline_day: int, settings: RecistSettings) -> Best:
    """The best response up to progression (section 4.6 and table 3).

    Parameters
    ----------
    visits : sequence of Assessed
        After baseline, in the order of days.
    baseline_day : int
        From here on the days of a stable disease are counted.
    settings : RecistSettings
    """
    progression = next((visit for visit in visits if visit.overall is RecistCode.PD), None)
    before = list(visits[: visits.index(progression)] if progression else visits)
    day_of_progression = progression.day if progression else None
    notes: list[str] = []
    for response, enough in (
        (RecistCode.CR, (RecistCode.CR,)),
        (RecistCode.PR, (RecistCode.CR, RecistCode.PR)),
    ):
        first = next((visit for visit in before if visit.overall in enough), None)
        if first is None:
            continue
        counted = _first_confirmed(before, enough) if settings.confirm else first
        if counted is not None:
            return _best(response, counted.day, day_of_progression, notes)
        notes.append(
            f"{response} of day {first.day} was not confirmed by {CONFIRMED_AFTER_DAYS} days or more"
        )
    not_progressed = [visit for visit in before if visit.overall is not RecistCode.NE]
    lasted = [visit for visit in not_progressed if visit.day - baseline_day >= settings.min_sd_days]
    if lasted:
        words = [visit.overall for visit in lasted]
        stable = RecistCode.NON_CR_NON_PD if set(words) == {RecistCode.NON_CR_NON_PD} else RecistCode.SD
        return _best(stable, lasted[0].day, day_of_progression, notes)
    if not_progressed:
        notes.append(f"stable disease of less than {settings.min_sd_days} days from baseline counts as none")
    if progression:
        return _best(RecistCode.PD, progression.day, day_of_progression, notes)
    if not visits:
        notes.append("no visit after baseline")
    elif not not_progressed:
        notes.append("no visit could be evaluated")
    return _best(RecistCode.NE, None, None, notes)


def _best(response: RecistCode, day: int | None, progression: int | None, notes: Iterable[str]) -> Best:
    return Best(response=response, day=day, day_of_progression=progression, note="; ".join(notes))


def _first_confirmed(visits: Sequence[Assessed], enough: tuple[RecistCode, ...]) -> Assessed | None:
    """The first of the visits with a response that a later one confirms, none between them being worse."""
    for at, first in enumerate(visits):
        if first.overall not in enough:
            continue
        for later in visits[at + 1 :]:
            if later.overall is RecistCode.NE:
                continue
            if later.overall not in enough:
                break
            if later.day - first.day >= CONFIRMED_AFTER_DAYS:
                return first
    return None
