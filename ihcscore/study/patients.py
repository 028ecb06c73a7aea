"""A study's patients in a table: numbers and categories, each with what lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ihcscore import output
from ihcscore.errors import TableError, parameter
from ihcscore.schema import (
    PATIENTS,
    TABLE_1,
    InputColumn,
    InputTable,
    Kind,
    Note,
    NoteKind,
    PatientsSettings,
    texts,
)
from ihcscore.sheet import Sheet, check_table, first_double, folded, place, read_sheet
from ihcscore.statistics import describe
from ihcscore.study.written import study_record, write_page, write_tables

ALL = "all"
"""The group of all patients."""
_EMPTY = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–", "unknown", "#n/a"})
# So few different whole numbers are codes rather than measures (sex 0 or 1, ECOG 0 to 2): told.
_MOST_CODES = 3
_PATIENT = "patient_id"


@dataclass(frozen=True, kw_only=True)
class Patients:
    """A table of patients.

    Attributes
    ----------
    table : DataFrame
        As in ``table1.csv``.
    markdown : str
        The table as Markdown.
    notes : list of Note
    """

    table: pd.DataFrame = field(repr=False)
    markdown: str
    notes: list[Note]

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def describe_patients(
    patients: str | Path,
    *,
    out: str | Path,
    settings: PatientsSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
) -> Patients:
    """Describe the patients of a study, and write the table and a page.

    Parameters
    ----------
    patients : str or Path
        CSV or XLSX with patient_id; every other column is described.
    out : str or Path
        Gets table1.csv, results.md, report.html and run.json.
    settings : PatientsSettings, optional
    rename : mapping of str to str, optional
        New name of a column to its name in the file.
    overwrite : bool
        Replace a run that the folder already holds.

    Raises
    ------
    IhcscoreError
        If the table cannot be used or the folder cannot be written.
    """
    settings = settings or PatientsSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        found = patients_table(patients, settings, rename=rename)
        write_tables(folder, [(found.table, TABLE_1)])
        record = study_record(
            "table1", {"patients": patients}, settings=settings, rename=rename, warnings=found.warnings
        )
        _write_page(folder, found, record, settings)
        output.write_record(folder, record)
    return found


def patients_table(
    path: str | Path, settings: PatientsSettings, *, rename: Mapping[str, str] | None = None
) -> Patients:
    """The table of patients.

    Raises
    ------
    TableError
        If a patient is there twice, or a column that is asked for is not there or holds no numbers.
    """
    sheet = read_sheet(path, rename)
    declared = _declared(sheet, settings)
    table = check_table(sheet, declared)
    rows = table.rows
    same = first_double(rows, (_PATIENT,))
    if len(same):
        raise TableError(
            f"{place(table.name, same.index)}: patient {same[_PATIENT].iloc[0]} is there {len(same)} times; "
            "keep one row a patient"
        )
    numbers = {column.name for column in declared.columns if column.is_number}
    groups = _groups(rows, settings)
    shown = [one.name for one in declared.columns if one.name not in (_PATIENT, settings.by)]
    shown = [name for name in shown if name not in settings.leave_out]
    found = []
    for name in shown:
        describe_column = _number if name in numbers else _category
        for group, members in groups.items():
            found += describe_column(name, group, rows.loc[members, name], rows[name], settings)
    told = _like_codes(table.name, rows, shown, numbers - set(settings.numbers))
    notes = [*table.notes, *(Note(kind=NoteKind.TABLE, text=text) for text in told)]
    cells = pd.DataFrame(found, columns=TABLE_1.names)
    sizes = {group: len(members) for group, members in groups.items()}
    return Patients(table=cells, markdown=_markdown(cells, sizes), notes=notes)


def _declared(sheet: Sheet, settings: PatientsSettings) -> InputTable:
    """The table with every column of the file: numbers where all that is there are numbers."""
    titles = [str(title) for title in sheet.rows.columns]
    asked = (*settings.numbers, *settings.categories, *settings.leave_out)
    for option, names in (("by", (settings.by,) if settings.by else ()), ("leave_out", asked)):
        for name in names:
            if name not in titles:
                there = f"(it has {', '.join(titles)})"
                raise TableError(f"{sheet.name}: no column {name} {there}; name one for {parameter(option)}")
    patient = {_PATIENT, *(t for t in titles if folded(t) == folded(_PATIENT))}
    columns = [
        InputColumn(
            name=title,
            kind=Kind.NUMBER if _is_number(sheet.rows[title], title, settings) else Kind.NAME,
            meaning="described",
        )
        for title in titles
        if title not in patient
    ]
    return PATIENTS.with_columns(*columns)


def _is_number(text: pd.Series[str], title: str, settings: PatientsSettings) -> bool:
    if title in settings.numbers:
        return True
    if title in settings.categories or title == settings.by:
        return False
    filled = text[~text.str.lower().isin(_EMPTY)]
    plain = filled.str.fullmatch(r"[+\-−]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
    return len(filled) > 0 and bool(plain.all())


def _groups(rows: pd.DataFrame, settings: PatientsSettings) -> dict[str, pd.Index]:
    """All patients, and those of each value of the column that parts them; empty cells are of no group."""
    groups = {ALL: rows.index}
    if settings.by is not None:
        for value in _levels(rows[settings.by]):
            name = f"{settings.by}: {value}" if value == ALL else value
            groups[name] = rows.index[rows[settings.by] == value]
    return groups


def _levels(text: pd.Series[str]) -> list[str]:
    """The values of a column, empty ones apart; numbers in their order, else as they first come."""
    filled = list(dict.fromkeys(text[~text.str.lower().isin(_EMPTY)]))
    values = pd.to_numeric(pd.Series(filled, dtype=object), errors="coerce")
    return filled if values.isna().any() else [filled[at] for at in np.argsort(values.to_numpy(float))]


def _number(
    name: str, group: str, own: pd.Series[float], everyone: pd.Series[float], settings: PatientsSettings
) -> list[dict[str, object]]:
    known = own.dropna()
    row: dict[str, object] = {
        "variable": name,
        "level": "",
        "group": group,
        "n": len(known),
        "of": len(known),
    }
    row |= {"statistic": "mean" if settings.mean else "median", "percent": np.nan}
    numbers = describe(np.asarray(known, np.float64))
    row |= {key: numbers[key] for key in ("median", "q1", "q3", "min", "max", "mean", "sd")}
    row["text"] = _in_words(numbers, _decimals(everyone), settings)
    return [row, *_missing(name, group, int(own.isna().sum()), len(own), bool(everyone.isna().any()))]


def _in_words(numbers: Mapping[str, float], decimals: int, settings: PatientsSettings) -> str:
    # Rounded where everything that a reader sees is; loaded with pages.
    from ihcscore.report.numbers import DASH, decimal

    if not numbers["n"]:
        return DASH

    def said(key: str, more: int = 0) -> str:
        text = decimal(numbers[key], decimals + more)
        return text.rstrip("0").rstrip(".") if more and "." in text and not settings.mean else text

    if settings.mean:
        return said("mean", 1) if np.isnan(numbers["sd"]) else f"{said('mean', 1)} ± {said('sd', 1)}"
    return f"{said('median', 1)} ({said('q1', 2)} to {said('q3', 2)}, range {said('min')} to {said('max')})"


def _decimals(values: pd.Series[float]) -> int:
    """Decimals that a column is written with, 3 at most."""
    known = values.dropna().to_numpy(float)
    return next((n for n in range(3) if np.allclose(known, known.round(n), rtol=0, atol=1e-9)), 3)


def _category(
    name: str, group: str, own: pd.Series[str], everyone: pd.Series[str], settings: PatientsSettings
) -> list[dict[str, object]]:
    del settings  # counts are counts either way
    missing = own.str.lower().isin(_EMPTY)
    known = own[~missing]
    found = []
    for level in _levels(everyone):
        n = int((known == level).sum())
        found.append(_count(name, level, group, "count", n, len(known)))
    any_missing = bool(everyone.str.lower().isin(_EMPTY).any())
    return found + _missing(name, group, int(missing.sum()), len(own), any_missing)


def _missing(name: str, group: str, n: int, of: int, any_missing: bool) -> list[dict[str, object]]:
    return [_count(name, "Missing", group, "missing", n, of)] if any_missing else []


def _count(name: str, level: str, group: str, statistic: str, n: int, of: int) -> dict[str, object]:
    share = n / of if of else np.nan
    text = f"{n} ({100 * share:.0f} %)" if of and statistic == "count" else str(n)
    empty = dict.fromkeys(("median", "q1", "q3", "min", "max", "mean", "sd"), np.nan)
    who = {"variable": name, "level": level, "group": group, "statistic": statistic}
    return who | {"n": n, "of": of, "percent": 100 * share, "text": text} | empty


def _like_codes(name: str, rows: pd.DataFrame, shown: list[str], numbers: set[str]) -> list[str]:
    """Columns of numbers that may be codes."""
    codes = [
        one
        for one in shown
        if one in numbers and rows[one].nunique() <= _MOST_CODES < len(rows) and _decimals(rows[one]) == 0
    ]
    return [
        f"{name}: {one} has {rows[one].nunique()} different whole numbers and is described as a number; "
        f"if they are codes, give --categories {one}"
        for one in codes
    ]


def _markdown(cells: pd.DataFrame, sizes: Mapping[str, int]) -> str:
    """The table as Markdown, a row a variable or level."""
    lines = [
        "| " + " | ".join(["", *(f"{group} (n = {n})" for group, n in sizes.items())]) + " |",
        "| " + " | ".join(["---"] * (len(sizes) + 1)) + " |",
    ]
    for variable, own in cells.groupby("variable", sort=False):
        if own["level"].iloc[0] and own["statistic"].iloc[0] != "mean":
            lines.append(f"| {variable!s}, n (%) |" + " |" * len(sizes))
        for level, row in own.groupby("level", sort=False):
            texts_by_group = row.set_index("group")["text"]
            label = f"\u2003{level!s}" if level else str(variable)
            lines.append("| " + " | ".join([label, *(texts_by_group[group] for group in sizes)]) + " |")
    return "\n".join(lines)


def _write_page(
    folder: output.OutputFolder, found: Patients, record: dict[str, Any], settings: PatientsSettings
) -> None:
    # Jinja2 is loaded by those who write pages with it.
    from ihcscore.report.page import html_of
    from ihcscore.report.patients import PatientsPage, results

    page = PatientsPage(record=record, settings=settings, table=found.table, warnings=found.warnings)
    write_page(folder, html_of(page), results(found.markdown, settings))
