"""Read and check the table of lesion uptake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.schema import RESPONSES, SUV_COLUMNS
from ihcscore.sheet.read import MISSING, Sheet, numbers, read_sheet

REQUIRED = ("patient_id", "lesion_id", "timepoint")
_MAP = f"name them with {parameter('rename')} new=old"
_TEXTS = ("sample_id", "tissue", "software", "voi_method", "suv_unit")
_DATES = ("scan_date", "biopsy_date")
_YES, _NO = {"1", "true", "yes", "y", "x"}, {"0", "false", "no", "n", ""}
_LESION = {"lesion", "tumour", "tumor", "metastasis"}
_NOT_EVALUATED = {"NE", "NA", "N/A", ""}
# Beyond these something else than SUV was written: the highest lesion uptakes stay well below 100 g/ml.
_HIGHEST_SUV, _SPREAD = 150.0, 100.0
_PLAUSIBLE = {"weight_kg": (20.0, 300.0), "injected_mbq": (5.0, 2000.0)}


@dataclass(frozen=True, kw_only=True)
class SuvTable:
    """A checked table of uptake.

    Attributes
    ----------
    rows : DataFrame
        Columns patient_id, lesion_id, timepoint, is_lesion, tissue, suv (the chosen column), suv_mean
        where the file has it, sample_id, biopsied, response, scan_date, biopsy_date, software,
        voi_method; a row a lesion (or healthy tissue) and scan.
    name : str
        File name.
    warnings : list of str
        What a reader must know.
    links : bool
        Whether the file has a column that says which lesion the tissue came from.
    """

    rows: pd.DataFrame = field(repr=False)
    name: str
    warnings: list[str]
    links: bool


def read_suv(path: str | Path, *, suv: str = "suv_max", rename: Mapping[str, str] | None = None) -> SuvTable:
    """Read a table of uptake, CSV or XLSX.

    Parameters
    ----------
    path : str or Path
    suv : str
        The column that will be analysed: suv_max, suv_mean or suv_peak.
    rename : mapping of str to str, optional
        New name of a column to its name in the file.

    Returns
    -------
    SuvTable

    Raises
    ------
    TableError
        If a column is missing, an id is empty, a number is text or negative, units are mixed, a lesion
        occurs twice in one scan with different values, or a patient has two responses.
    """
    sheet = read_sheet(path, rename)
    sheet.require((*REQUIRED, suv), option=_MAP)
    notes = _number_ids(sheet)
    sheet, more = _without_repeats(sheet)
    notes += more
    rows = sheet.rows
    _require_text(sheet)
    table = rows[list(REQUIRED)].copy()
    for column in _TEXTS:
        table[column] = rows.get(column, "")
    table["tissue"], table["is_lesion"] = _tissue(sheet)
    table["biopsied"] = _yes_or_no(sheet, "biopsied")
    for column in dict.fromkeys((suv, *(c for c in SUV_COLUMNS if c in rows))):
        table[column], more = _suv_column(sheet, column)
        notes += more
    for column in _PLAUSIBLE:
        table[column], more = _plausible(sheet, column)
        notes += more
    for column in _DATES:
        table[column] = _dates(sheet, column)
    table["response"], more = _responses(sheet)
    table["suv"] = table[suv]
    _refuse_duplicates(sheet.name, table)
    notes += more + _order_of_columns(sheet.name, table) + _mixtures(sheet.name, table)
    links = "sample_id" in rows or "biopsied" in rows
    return SuvTable(rows=table.reset_index(drop=True), name=sheet.name, warnings=notes, links=links)


def _number_ids(sheet: Sheet) -> list[str]:
    held = [column for column in ("patient_id", "lesion_id", "sample_id") if column in sheet.number_columns]
    return [
        f"{sheet.name}: {column} holds numbers, not text: a leading zero is lost there" for column in held
    ]


def _without_repeats(sheet: Sheet) -> tuple[Sheet, list[str]]:
    """Rows that say the same in every column, once."""
    again = sheet.rows.duplicated()
    if not again.any():
        return sheet, []
    where = ", ".join(map(str, sheet.rows.index[again][:5]))
    note = f"{sheet.name}: {int(again.sum())} rows repeat another in full and count once (row {where})"
    kept = Sheet(name=sheet.name, rows=sheet.rows[~again], number_columns=sheet.number_columns)
    return kept, [note]


def _require_text(sheet: Sheet) -> None:
    healthy = pd.Series(False, index=sheet.rows.index)
    if "tissue" in sheet.rows:
        healthy = ~sheet.rows["tissue"].str.lower().isin(_LESION)
    for column in REQUIRED:
        empty = sheet.rows[column] == ""
        if column == "lesion_id":
            empty &= ~healthy
        if empty.any():
            raise TableError(f"{sheet.name}, row {sheet.rows.index[empty][0]}: {column} is empty; give one")


def _tissue(sheet: Sheet) -> tuple[pd.Series[str], pd.Series[bool]]:
    if "tissue" not in sheet.rows:
        return pd.Series("lesion", index=sheet.rows.index), pd.Series(True, index=sheet.rows.index)
    tissue = sheet.rows["tissue"]
    if (tissue == "").any():
        raise TableError(
            f"{sheet.name}, row {tissue.index[tissue == ''][0]}: tissue is empty; write lesion, or the "
            "healthy organ's name"
        )
    is_lesion = tissue.str.lower().isin(_LESION)
    return tissue.where(~is_lesion, "lesion"), is_lesion


def _yes_or_no(sheet: Sheet, column: str) -> pd.Series[bool]:
    if column not in sheet.rows:
        return pd.Series(False, index=sheet.rows.index)
    text = sheet.rows[column].str.lower()
    wrong = ~text.isin(_YES | _NO)
    if wrong.any():
        raise TableError(
            f"{sheet.name}, row {text.index[wrong][0]}: {column} is '{sheet.rows[column][wrong].iloc[0]}', "
            "expected yes or no"
        )
    return text.isin(_YES)


def _suv_column(sheet: Sheet, column: str) -> tuple[pd.Series[float], list[str]]:
    values, notes = numbers(sheet, column)
    negative = values[values < 0]
    if len(negative):
        raise TableError(
            f"{sheet.name}, row {negative.index[0]}: {column} is {negative.iloc[0]:g}, expected 0 or more"
        )
    if not values.notna().any():
        raise TableError(f"{sheet.name}: {column} has no number; choose another with {parameter('suv')}")
    median, largest = float(values.median()), float(values.max())
    # Refused rather than warned of: one lesion in Bq/ml would be the highest rank of every correlation.
    if largest > _HIGHEST_SUV and largest > _SPREAD * median:
        raise TableError(
            f"{sheet.name}, row {values.idxmax()}: {column} is {largest:g} where the median is {median:g}; "
            "the units seem mixed: give SUV (g/ml) in every row"
        )
    if largest > _HIGHEST_SUV:
        notes.append(
            f"{sheet.name}: {column} goes up to {largest:g}, which is much for an SUV: check the unit"
        )
    return values, notes


def _plausible(sheet: Sheet, column: str) -> tuple[pd.Series[float], list[str]]:
    if column not in sheet.rows:
        return pd.Series(np.nan, index=sheet.rows.index), []
    values, notes = numbers(sheet, column)
    low, high = _PLAUSIBLE[column]
    odd = values[(values < low) | (values > high)]
    if len(odd):
        notes.append(
            f"{sheet.name}, row {odd.index[0]}: {column} is {odd.iloc[0]:g}, expected {low:g} to {high:g}: "
            "mixed units?"
        )
    return values, notes


def _dates(sheet: Sheet, column: str) -> pd.Series[pd.Timestamp]:
    if column not in sheet.rows:
        return pd.Series(pd.NaT, index=sheet.rows.index)
    return parse_dates(sheet, column)


def parse_dates(sheet: Sheet, column: str) -> pd.Series[pd.Timestamp]:
    """A column of dates written 2020-01-31; empty cells as NaT.

    Raises
    ------
    TableError
        For any other way to write a date: 03/04/2020 is two days.
    """
    text = sheet.rows[column]
    filled = text[~text.str.lower().isin(MISSING)]
    days = pd.to_datetime(filled, format="%Y-%m-%d", errors="coerce")
    if days.isna().any():
        row = days.index[days.isna()][0]
        raise TableError(f"{sheet.name}, row {row}: {column} is '{text[row]}', expected a date as 2020-01-31")
    return days.reindex(text.index)


def _responses(sheet: Sheet) -> tuple[pd.Series[str], list[str]]:
    """Best response of each row's patient, empty where there is none."""
    rows = sheet.rows
    if "response" not in rows:
        return pd.Series("", index=rows.index), []
    response = rows["response"].str.upper()
    wrong = ~response.isin({*RESPONSES, *_NOT_EVALUATED})
    if wrong.any():
        raise TableError(
            f"{sheet.name}, row {rows.index[wrong][0]}: response is '{rows['response'][wrong].iloc[0]}', "
            f"expected {', '.join(RESPONSES)} or nothing (RECIST 1.1)"
        )
    known = response[response.isin(RESPONSES)]
    by_patient = known.groupby(rows["patient_id"]).agg(lambda found: sorted(set(found)))
    for patient, found in by_patient.items():
        if len(found) > 1:
            raise TableError(
                f"{sheet.name}: patient {patient} has the responses {' and '.join(found)}; give the best"
            )
    n_without = rows["patient_id"].nunique() - len(by_patient)
    notes = [f"{sheet.name}: {n_without} patients have no response (CR, PR, SD, PD)"] if n_without else []
    one = {patient: found[0] for patient, found in by_patient.items()}
    return pd.Series([one.get(patient, "") for patient in rows["patient_id"]], index=rows.index), notes


def _refuse_duplicates(name: str, table: pd.DataFrame) -> None:
    keys = ["patient_id", "tissue", "lesion_id", "timepoint"]
    twice = table[table.duplicated(keys, keep=False)]
    if len(twice):
        first = twice.iloc[0]
        same = twice[(twice[keys] == first[keys]).all(axis=1)]
        where = " and ".join(map(str, same.index))
        what = f"lesion {first['lesion_id']}" if first["lesion_id"] else first["tissue"]
        raise TableError(
            f"{name}, rows {where}: {what} of patient {first['patient_id']} occurs {len(same)} times at "
            f"{first['timepoint']}; keep one"
        )


def _order_of_columns(name: str, table: pd.DataFrame) -> list[str]:
    if "suv_max" not in table or "suv_mean" not in table:
        return []
    odd = table[table["suv_mean"] > table["suv_max"]]
    if odd.empty:
        return []
    return [f"{name}: suv_mean is above suv_max in {len(odd)} rows (row {odd.index[0]}): columns mixed up?"]


def _mixtures(name: str, table: pd.DataFrame) -> list[str]:
    """Ways of measuring that differ between rows; mixed units are refused."""
    notes = []
    units = sorted(set(table["suv_unit"]) - {""})
    if len(units) > 1:
        raise TableError(f"{name}: suv_unit is {' and '.join(units)}; give all uptake in one unit")
    for column, what in (("software", "software"), ("voi_method", "methods to draw the volume of interest")):
        found = sorted(set(table[column]) - {""})
        if len(found) > 1:
            notes.append(f"{name}: several {what} ({', '.join(found)}): SUVs may not be comparable")
        elif found and (table[column] == "").any():
            notes.append(f"{name}: {column} is given for some rows only")
    return notes
