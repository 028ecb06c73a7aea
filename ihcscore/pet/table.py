"""Read and check the table of lesion uptake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import RESPONSES, SUV_COLUMNS, UPTAKE, Note, NoteKind
from ihcscore.sheet import (
    CheckedTable,
    UnreadColumn,
    check_table,
    first_double,
    place,
    read_sheet,
    refuse_empty,
)

_LESION = {"lesion", "tumour", "tumor", "metastasis"}
# Beyond these something else than SUV was written: the highest lesion uptakes stay well below 100 g/ml.
_HIGHEST_SUV, _SPREAD = 150.0, 100.0
_METHODS = {"software": "software", "voi_method": "methods to draw the volume of interest"}


@dataclass(frozen=True, kw_only=True)
class UptakeTable:
    """A checked table of uptake.

    Attributes
    ----------
    rows : DataFrame
        The columns of :data:`ihcscore.schema.UPTAKE`, `is_lesion` and `suv` (the chosen column); a row a
        lesion (or healthy tissue) and scan. SUV columns that the file lacks are left out.
    name : str
        File name.
    warnings : list of Note
        What a reader must know.
    links : bool
        Whether the file has a column that says which lesion the tissue came from.
    unread : list of UnreadColumn
        Columns that nobody reads.
    """

    rows: pd.DataFrame = field(repr=False)
    name: str
    warnings: list[Note]
    links: bool
    unread: list[UnreadColumn]


def read_uptake(
    path: str | Path, *, suv: str = "suv_max", rename: Mapping[str, str] | None = None
) -> UptakeTable:
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
    UptakeTable

    Raises
    ------
    TableError
        If a column is missing, an id is empty, a number is text or negative, units are mixed, a lesion
        occurs twice in one scan with different values, or a patient has two responses.
    """
    table = check_table(read_sheet(path, rename), UPTAKE.asking(suv))
    table.require_number(suv, remedy="choose another with --suv")
    rows = table.rows.drop(columns=[name for name in SUV_COLUMNS if name not in table.given])
    rows["is_lesion"] = _is_lesion(table)
    rows["tissue"] = rows["tissue"].where(~rows["is_lesion"], "lesion")
    rows["suv"] = rows[suv]
    refuse_empty(table.name, rows.loc[rows["is_lesion"], "lesion_id"])
    found = [text for name in SUV_COLUMNS if name in rows for text in _check_units(table.name, rows[name])]
    rows["response"], more = _responses(table)
    found += more
    _refuse_doubles(table.name, rows)
    found += _order_of_columns(table.name, rows) + _mixtures(table.name, rows)
    return UptakeTable(
        rows=rows.reset_index(drop=True),
        name=table.name,
        warnings=[*table.notes, *(Note(kind=NoteKind.TABLE, text=text) for text in found)],
        links=not table.given.isdisjoint(("sample_id", "biopsied")),
        unread=table.unread,
    )


def _is_lesion(table: CheckedTable) -> pd.Series[bool]:
    if "tissue" not in table.given:
        return pd.Series(True, index=table.rows.index)
    return table.rows["tissue"].str.lower().isin(_LESION)


def _check_units(name: str, values: pd.Series[float]) -> list[str]:
    """Refuse a column in which units are mixed; told if it goes high."""
    median, largest = float(values.median()), float(values.max())
    # Refused rather than warned of: one lesion in Bq/ml would be the highest rank of every correlation.
    if largest > _HIGHEST_SUV and largest > _SPREAD * median:
        raise TableError(
            f"{place(name, [values.idxmax()])}: {values.name} is {largest:g} where the median is {median:g}; "
            "the units seem mixed: give SUV (g/ml) in every row"
        )
    if largest > _HIGHEST_SUV:
        return [f"{name}: {values.name} goes up to {largest:g}, which is much for an SUV: check the unit"]
    return []


def _responses(table: CheckedTable) -> tuple[pd.Series[str], list[str]]:
    """Best response of each row's patient, empty where there is none."""
    response, patients = table.rows["response"], table.rows["patient_id"]
    if "response" not in table.given:
        return response, []
    by_patient = response[response != ""].groupby(patients).agg(lambda said: sorted(set(said)))
    for patient, found in by_patient.items():
        if len(found) > 1:
            raise TableError(
                f"{table.name}: patient {patient} has the responses {' and '.join(found)}; give the best"
            )
    n_without = patients.nunique() - len(by_patient)
    told = [f"{table.name}: {n_without} patients have no response ({', '.join(RESPONSES)})"] * bool(n_without)
    one = {patient: found[0] for patient, found in by_patient.items()}
    return patients.map(one).fillna(""), told


def _refuse_doubles(name: str, rows: pd.DataFrame) -> None:
    same = first_double(rows, UPTAKE.keys)
    if len(same):
        first = same.iloc[0]
        what = f"lesion {first['lesion_id']}" if first["lesion_id"] else first["tissue"]
        raise TableError(
            f"{place(name, same.index)}: {what} of patient {first['patient_id']} occurs {len(same)} times at "
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
    for column, what in _METHODS.items():
        found = sorted(set(table[column]) - {""})
        if len(found) > 1:
            notes.append(f"{name}: several {what} ({', '.join(found)}): SUVs may not be comparable")
        elif found and (table[column] == "").any():
            notes.append(f"{name}: {column} is given for some rows only")
    return notes
