"""The table of diameters to patients with their lesions and visits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import DIAMETERS, LesionRole, LesionState, Note, NoteKind
from ihcscore.sheet import CheckedTable, check_table, first_double, place, read_sheet
from ihcscore.study.recist.rules import (
    LEAST_NODE_MM,
    LEAST_TARGET_MM,
    MOST_AN_ORGAN,
    MOST_TARGETS,
    Patient,
    Seen,
    Visit,
)

_NEAR_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class DiameterTable:
    """A checked table of diameters.

    Attributes
    ----------
    name : str
        File name.
    patients : dict of str to Patient
        In the order of their ids.
    irecist : dict of str to dict of int to str
        Codes of iRECIST by patient and day.
    notes : list of Note
        What a reader must know.
    """

    name: str
    patients: dict[str, Patient] = field(repr=False)
    irecist: dict[str, dict[int, str]]
    notes: list[Note]


def read_diameters(path: str | Path, *, rename: Mapping[str, str] | None = None) -> DiameterTable:
    """Read a table of diameters, CSV or XLSX.

    Parameters
    ----------
    path : str or Path
    rename : mapping of str to str, optional
        New name of a column to its name in the file.

    Raises
    ------
    TableError
        If a column is missing, a lesion has two roles or is there twice at a visit, a role or state is none
        that RECIST knows, or a target has no diameter at baseline.
    """
    table = check_table(read_sheet(path, rename), DIAMETERS)
    rows = table.rows
    _check_words(table)
    same = first_double(rows, DIAMETERS.keys)
    if len(same):
        first = same.iloc[0]
        raise TableError(
            f"{place(table.name, same.index)}: lesion {first['lesion_id']} of patient {first['patient_id']} "
            f"is there {len(same)} times on day {first['day']:g}; keep one"
        )
    _check_lesions(table)
    rows = rows.assign(day=rows["day"].astype(int)).sort_values(["patient_id", "day", "lesion_id"])
    told: list[str] = []
    patients = {}
    for patient, own in rows.groupby("patient_id", sort=True):
        patients[str(patient)], more = _patient(table.name, str(patient), own)
        told += more
    irecist, more = _codes(table.name, rows)
    notes = [Note(kind=NoteKind.TABLE, text=text) for text in (*told, *more)]
    return DiameterTable(name=table.name, patients=patients, irecist=irecist, notes=[*table.notes, *notes])


def _check_words(table: CheckedTable) -> None:
    """Refuse roles and states that are none, and cells that contradict each other."""
    rows = table.rows
    for column, words in (("role", list(LesionRole)), ("state", ["", *LesionState])):
        wrong = rows[~rows[column].isin(words)]
        if len(wrong):
            raise TableError(
                f"{place(table.name, wrong.index[:1])}: {column} is '{wrong[column].iloc[0]}', expected one "
                f"of {', '.join(filter(None, words))}"
            )
    there = rows["diameter_mm"].notna()
    odd = rows[
        (there & (rows["state"] == LesionState.NOT_EVALUATED))
        | ((rows["diameter_mm"] > 0) & (rows["state"] == LesionState.ABSENT))
    ]
    if len(odd):
        raise TableError(
            f"{place(table.name, odd.index[:1])}: state is {odd['state'].iloc[0]} and diameter_mm is "
            f"{odd['diameter_mm'].iloc[0]:g}; keep the one that is right"
        )
    bare = rows[~there & (rows["role"] == LesionRole.TARGET) & (rows["state"] == LesionState.PROGRESSED)]
    if len(bare):
        raise TableError(
            f"{place(table.name, bare.index[:1])}: target {bare['lesion_id'].iloc[0]} is progressed without "
            "a diameter; targets are measured: give diameter_mm"
        )


def _check_lesions(table: CheckedTable) -> None:
    """Refuse lesions with two roles, or that are a node in some rows."""
    for (patient, lesion), own in table.rows.groupby(["patient_id", "lesion_id"], sort=False):
        for column, what in (("role", "role"), ("node", "node")):
            said = own[column].unique()
            if len(said) > 1:
                shown = " and ".join(
                    ("yes" if one else "no") if column == "node" else str(one) for one in said[:2]
                )
                raise TableError(
                    f"{place(table.name, own.index)}: {what} of lesion {lesion} of patient {patient} is "
                    f"{shown}; give the same in all its rows"
                )


def _patient(name: str, patient: str, rows: pd.DataFrame) -> tuple[Patient, list[str]]:
    """A patient's lesions and visits; baseline are the last rows on day 0 or before, else the first day."""
    at_or_before = rows[rows["day"] <= 0]
    day = int(at_or_before["day"].max()) if len(at_or_before) else int(rows["day"].min())
    before = rows[rows["day"] <= day]
    if not (before["role"] != LesionRole.NEW).any():
        raise TableError(
            f"{name}: patient {patient} has no target and no other lesion at baseline (day {day}); RECIST "
            "needs one"
        )
    first = before.drop_duplicates("lesion_id", keep="last")
    told = []
    if len(first) < len(before):
        told.append(
            f"{name}: {patient} has lesions that were measured more than once up to day {day}; the last "
            "counts"
        )
    lesions = {
        LesionRole(str(role)): dict(zip(own["lesion_id"], own["node"].astype(bool), strict=True))
        for role, own in first.groupby("role")
    }
    targets = lesions.get(LesionRole.TARGET, {})
    baseline = Visit(day=day, seen=_seen(first))
    _refuse_unmeasured(name, patient, targets, baseline)
    _refuse_later_lesions(name, patient, rows[rows["day"] > day], lesions)
    told += _about_targets(name, patient, first[first["role"] == LesionRole.TARGET])
    visits = [_visit(int(str(at)), own) for at, own in rows[rows["day"] > day].groupby("day", sort=True)]
    told += _near_visits(name, patient, visits, targets)
    found = Patient(
        targets=targets, non_targets=lesions.get(LesionRole.NON_TARGET, {}), baseline=baseline, visits=visits
    )
    return found, told


def _visit(day: int, rows: pd.DataFrame) -> Visit:
    new = rows[rows["role"] == LesionRole.NEW]
    there = ~new["state"].isin((LesionState.ABSENT, LesionState.NOT_EVALUATED)) & ~(new["diameter_mm"] == 0)
    return Visit(day=day, seen=_seen(rows[rows["role"] != LesionRole.NEW]), new=bool(there.any()))


def _seen(rows: pd.DataFrame) -> dict[str, Seen]:
    return {
        lesion: Seen(
            diameter_mm=None if pd.isna(diameter) else float(diameter),
            state=LesionState(state) if state else None,
        )
        for lesion, diameter, state in zip(rows["lesion_id"], rows["diameter_mm"], rows["state"], strict=True)
    }


def _refuse_unmeasured(name: str, patient: str, targets: Mapping[str, bool], baseline: Visit) -> None:
    for lesion in targets:
        if not (baseline.seen[lesion].diameter_mm or 0) > 0:
            raise TableError(
                f"{name}: target {lesion} of patient {patient} has no diameter above 0 at baseline (day "
                f"{baseline.day}); give it, or make the lesion a non-target"
            )


def _refuse_later_lesions(
    name: str, patient: str, rows: pd.DataFrame, lesions: Mapping[str, Mapping[str, bool]]
) -> None:
    """Refuse targets and other lesions that baseline does not have."""
    for role in (LesionRole.TARGET, LesionRole.NON_TARGET):
        later = rows[(rows["role"] == role) & ~rows["lesion_id"].isin(list(lesions.get(role, {})))]
        if len(later):
            raise TableError(
                f"{place(name, later.index[:1])}: {role} {later['lesion_id'].iloc[0]} of patient {patient} "
                "is not there at baseline; is its role new?"
            )


def _about_targets(name: str, patient: str, targets: pd.DataFrame) -> list[str]:
    """Targets that are more, or smaller, than RECIST allows."""
    told = []
    if len(targets) > MOST_TARGETS:
        told.append(f"{len(targets)} targets, RECIST 1.1 allows {MOST_TARGETS}")
    organs = targets.loc[targets["organ"] != "", "organ"].value_counts()
    told += [
        f"{n} targets in {organ}, RECIST 1.1 allows {MOST_AN_ORGAN} an organ"
        for organ, n in organs.items()
        if n > MOST_AN_ORGAN
    ]
    for node, least, what in ((False, LEAST_TARGET_MM, ""), (True, LEAST_NODE_MM, "of a node ")):
        small = targets[(targets["node"] == node) & (targets["diameter_mm"] < least)]
        told += [
            f"target {lesion} has {diameter:g} mm at baseline, RECIST 1.1 asks {what}for {least:g} or more"
            for lesion, diameter in zip(small["lesion_id"], small["diameter_mm"], strict=True)
        ]
    return [f"{name}: {patient}: {text}; it counts all the same" for text in told]


def _near_visits(name: str, patient: str, visits: list[Visit], targets: Mapping[str, bool]) -> Iterator[str]:
    """Days close together that measure different targets: one assessment, perhaps."""
    for a, b in itertools.pairwise(visits):
        own = [
            {lesion for lesion in targets if visit.seen.get(lesion, Seen()).size_mm is not None}
            for visit in (a, b)
        ]
        if b.day - a.day <= _NEAR_DAYS and own[0] and own[1] and own[0] != own[1]:
            yield (
                f"{name}: {patient}: days {a.day} and {b.day} measure different targets; if they are one "
                "assessment, give both the same day"
            )


def _codes(name: str, rows: pd.DataFrame) -> tuple[dict[str, dict[int, str]], list[str]]:
    """IRECIST's codes by patient and day; one a visit."""
    said = rows[rows["irecist"] != ""]
    found: dict[str, dict[int, str]] = {}
    for (patient, day), own in said.groupby(["patient_id", "day"], sort=True):
        codes = own["irecist"].unique()
        if len(codes) > 1:
            raise TableError(
                f"{place(name, own.index)}: irecist of patient {patient} on day {day} is {codes[0]} and "
                f"{codes[1]}; give one"
            )
        found.setdefault(str(patient), {})[int(str(day))] = str(codes[0])
    if not found:
        return {}, []
    counts = said.drop_duplicates(["patient_id", "day"])["irecist"].value_counts().sort_index()
    shown = ", ".join(f"{code} at {n} visits" for code, n in counts.items())
    return found, [
        f"{name}: iRECIST is listed as given ({shown}); best responses here are by RECIST 1.1 alone"
    ]
