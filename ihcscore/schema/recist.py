"""Response by RECIST 1.1: settings, the table of diameters, and the tables that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ihcscore.schema.settings import require_in
from ihcscore.schema.table import InputColumn, InputTable, Kind, Need, Range, Table, columns

_DAYS = Range(low=0, high=3650)
_DIAMETER_MM = Range(low=0, high=1000)
_PLAUSIBLE_MM = Range(low=0, high=400)


class LesionRole(StrEnum):
    """What a lesion is to RECIST."""

    TARGET = "target"
    NON_TARGET = "non-target"
    NEW = "new"


class LesionState(StrEnum):
    """What is said of a lesion that has no diameter."""

    ABSENT = "absent"
    PRESENT = "present"
    PROGRESSED = "progressed"
    TOO_SMALL = "too small"
    NOT_EVALUATED = "not evaluated"


class RecistCode(StrEnum):
    """Responses of RECIST 1.1, best first, but for the last: of one visit, and the best of a patient."""

    CR = "CR"
    PR = "PR"
    SD = "SD"
    NON_CR_NON_PD = "non-CR/non-PD"
    PD = "PD"
    NE = "NE"


IRECIST_CODES = ("iCR", "iPR", "iSD", "iUPD", "iCPD")
"""Responses of iRECIST (Seymour et al. 2017, doi 10.1016/S1470-2045(17)30074-8): read and listed."""


@dataclass(frozen=True, kw_only=True)
class RecistSettings:
    """How best responses follow from visits.

    Attributes
    ----------
    confirm : bool
        CR and PR count as best response only if a visit 28 days later or more confirms them. For trials that
        are not randomised and have response as their endpoint.
    min_sd_days : int
        Days from the baseline visit before which a stable disease is no best response.
    """

    confirm: bool = False
    min_sd_days: int = 42

    def __post_init__(self) -> None:
        require_in(_DAYS, "min_sd_days", self.min_sd_days)


DIAMETERS = InputTable(
    name="diameters",
    command="recist",
    row="a lesion at a visit",
    columns=(
        InputColumn(
            name="patient_id",
            meant=("patient", "subject", "subject_id", "case", "case_id", "id"),
            kind=Kind.ID,
            need=Need.FILLED,
            meaning="patient, the same text in all tables",
        ),
        InputColumn(
            name="lesion_id",
            meant=("lesion", "lesion_number", "roi"),
            kind=Kind.ID,
            need=Need.FILLED,
            meaning="lesion, the same text at all visits",
        ),
        InputColumn(
            name="day",
            meant=("days", "study_day", "visit_day"),
            kind=Kind.WHOLE,
            unit="d",
            need=Need.FILLED,
            meaning="day of the visit, 0 or below before treatment; lesions of one visit have one day",
        ),
        InputColumn(
            name="role",
            meant=("type", "kind", "category", "lesion_type"),
            kind=Kind.NAME,
            choices=tuple(LesionRole),
            need=Need.FILLED,
            meaning="target, non-target or new",
        ),
        InputColumn(
            name="organ",
            meant=("site", "location", "tissue"),
            kind=Kind.NAME,
            meaning="organ, to count the targets of each",
        ),
        InputColumn(
            name="node",
            meant=("lymph_node", "is_node", "nodal"),
            kind=Kind.YES_NO,
            meaning="whether it is a lymph node, whose short axis is measured",
        ),
        InputColumn(
            name="diameter_mm",
            meant=("diameter", "size", "size_mm", "longest_diameter", "ld_mm"),
            kind=Kind.NUMBER,
            unit="mm",
            range=_DIAMETER_MM,
            plausible=_PLAUSIBLE_MM,
            meaning="longest diameter, of a node the short axis; empty where state says what was seen",
        ),
        InputColumn(
            name="state",
            meant=("status", "finding"),
            kind=Kind.NAME,
            choices=tuple(LesionState),
            meaning="absent, present, progressed, too small or not evaluated, where there is no diameter",
        ),
        InputColumn(
            name="irecist",
            meant=("irecist_response", "irecist_code"),
            kind=Kind.CHOICE,
            choices=IRECIST_CODES,
            meaning="the visit's response by iRECIST, in any of its rows; listed beside RECIST's",
        ),
    ),
    keys=("patient_id", "lesion_id", "day"),
    remedy="name them with `rename` new=old",
)

VISITS = Table(
    name="visits",
    row="a visit of a patient",
    columns=columns("""
        patient_id                  | str   | patient
        day                         | int   | day of the visit
        is_baseline                 | str   | yes for the visit that others are held against
        n_targets                   | int   | target lesions at baseline
        n_measured                  | int   | of these, how many were measured at this visit
        sum_mm                      | float | sum of the targets' diameters; empty where one was not measured
        nadir_mm                    | float | smallest sum before this visit, baseline included
        change_from_baseline_pct    | float | sum against that at baseline, %
        change_from_nadir_pct       | float | sum against the nadir, %; empty where the nadir is 0
        change_from_nadir_mm        | float | the same in mm
        target                      | str   | response of the targets: CR, PR, SD, PD, NE; empty if none
        non_target                  | str   | of the others: CR, non-CR/non-PD, PD, NE; empty if none
        new_lesion                  | str   | yes from the first new lesion on
        overall                     | str   | response of the visit
        irecist                     | str   | as the table says it
        note                        | str   | what decided, where it is not plain
    """),
)

BEST_RESPONSE = Table(
    name="response",
    row="a patient",
    columns=columns("""
        patient_id          | str   | patient
        best                | str   | best response: CR, PR, SD, PD, non-CR/non-PD, or NE for not evaluable
        day                 | int   | first day of it
        evaluable           | str   | yes where best is not NE
        best_change_pct     | float | smallest sum up to progression against baseline, %
        day_of_progression  | int   | first day with PD
        n_targets           | int   | target lesions
        n_visits            | int   | visits after baseline
        baseline_mm         | float | sum at baseline
        irecist             | str   | codes of iRECIST by day
        note                | str   | why the best response is this one, where it is not plain
    """),
)

BEST_RESPONSES = Table(
    name="best_responses",
    row="a best response, or several together",
    columns=columns("""
        response                | str   | CR, PR, SD, non-CR/non-PD, PD; CR or PR; CR, PR or SD; NE
        n                       | int   | patients
        n_evaluable             | int   | patients whose response could be evaluated
        percent_of_evaluable    | float | share of these, %; empty for NE
        percent_low             | float | 95 % interval by Clopper and Pearson, lower end
        percent_high            | float | 95 % interval by Clopper and Pearson, upper end
    """),
)
