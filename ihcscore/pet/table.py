"""Read and check the table of lesion uptake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.pet.names import LESION, ORGANS, REFERENCES, SIDES, both_said, names_lesion
from ihcscore.schema import (
    RESPONSES,
    SUV_COLUMNS,
    UPTAKE,
    InputColumn,
    InputTable,
    Kind,
    Need,
    Note,
    NoteKind,
)
from ihcscore.sheet import (
    MISSING,
    NO,
    YES,
    CheckedTable,
    check_table,
    first_double,
    place,
    read_sheet,
    refuse_empty,
)

# Beyond these something else than SUV was written: the highest lesion uptakes stay well below 100 g/ml.
_HIGHEST_SUV, _SPREAD = 150.0, 100.0
_METHODS = {"software": "software", "voi_method": "methods to draw the volume of interest"}


@dataclass(frozen=True, kw_only=True)
class UptakeTable:
    """A checked table of uptake.

    Attributes
    ----------
    rows : DataFrame
        The columns of :data:`ihcscore.schema.UPTAKE`, `is_lesion` and `suv` (the chosen column, whatever it
        is); a row a lesion (or healthy tissue) and scan. SUV columns that the file lacks are left out, and
        so are excluded rows.
    excluded : DataFrame
        The rows that take no part, with the same columns; `excluded` says why.
    name : str
        File name.
    warnings : list of Note
        What a reader must know.
    links : bool
        Whether the file has a column that says which lesion the tissue came from.
    """

    rows: pd.DataFrame = field(repr=False)
    excluded: pd.DataFrame = field(repr=False)
    name: str
    warnings: list[Note]
    links: bool


def read_uptake(
    path: str | Path,
    *,
    suv: str = "suv_max",
    covariate: str | None = None,
    rename: Mapping[str, str] | None = None,
) -> UptakeTable:
    """Read a table of uptake, CSV or XLSX.

    Parameters
    ----------
    path : str or Path
    suv : str
        The column that will be analysed: suv_max, suv_mean or suv_peak.
    covariate : str, optional
        Any column of numbers that will be analysed in its place.
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
    declared = UPTAKE.asking(suv) if covariate is None else _with_covariate(covariate)
    table = check_table(read_sheet(path, rename), declared)
    option = "suv" if covariate is None else "covariate"
    table.require_number(covariate or suv, remedy=f"choose another with {parameter(option)}")
    rows = table.rows.drop(columns=[name for name in SUV_COLUMNS if name not in table.given])
    rows["is_lesion"], found = _lesions(table)
    rows["tissue"] = rows["tissue"].where(~rows["is_lesion"], LESION)
    rows["suv"] = rows[covariate or suv]
    refuse_empty(table.name, rows.loc[rows["is_lesion"], "lesion_id"])
    for name in SUV_COLUMNS:
        if name in rows:
            _refuse_mixed_units(table.name, rows[name])
    rows["response"], more = _responses(table)
    found += more
    _refuse_doubles(table.name, rows)
    rows["excluded"] = _why_excluded(rows["excluded"])
    out = rows["excluded"] != ""
    found += _order_of_columns(table.name, rows[~out]) + _mixtures(table.name, rows[~out])
    return UptakeTable(
        rows=rows[~out].reset_index(drop=True),
        excluded=rows[out].reset_index(drop=True),
        name=table.name,
        warnings=[*table.notes, *(Note(kind=NoteKind.TABLE, text=text) for text in found)],
        links=not table.given.isdisjoint(("sample_id", "biopsied")),
    )


def _with_covariate(column: str) -> InputTable:
    """The table of uptake with a column of one's own.

    Raises
    ------
    TableError
        If it is a column that holds no numbers.
    """
    known = {one.name: one for one in UPTAKE.columns}.get(column)
    if known is not None and not known.is_number:
        raise TableError(f"{column} holds no numbers; choose another with {parameter('covariate')}")
    own = known or InputColumn(name=column, kind=Kind.NUMBER, meaning="what is analysed")
    return replace(UPTAKE.with_columns(replace(own, need=Need.COLUMN)), asked=None)


def _why_excluded(said: pd.Series[str]) -> pd.Series[str]:
    """Why each row takes no part; empty where it does, and where a person wrote no."""
    words = said.str.strip()
    kept = words.str.lower().isin((*NO, *MISSING))
    bare_yes = words.str.lower().isin(YES)
    return words.mask(kept, "").mask(bare_yes, "no reason given")


def _lesions(table: CheckedTable) -> tuple[pd.Series[bool], list[str]]:
    """Which rows are lesions, and which words were taken for one or for healthy tissue.

    Nothing is told of a table that says lesion, or a known organ with no id but its side, as `suv` does.
    """
    tissue = table.rows["tissue"]
    if "tissue" not in table.given:
        return pd.Series(True, index=tissue.index), []
    said = {word: names_lesion(word) for word in tissue.unique()}
    for row, word in tissue.items():
        if said[word] is None:
            raise both_said(table.name, int(str(row)), word)
    sides = table.rows["lesion_id"].str.lower().isin(("", *SIDES))
    plain = (tissue == LESION) | (tissue.str.lower().isin((*ORGANS, *REFERENCES)) & sides)
    if plain.all():
        return tissue.map(said).astype(bool), []
    counts = tissue.value_counts(sort=False)
    told = []
    for is_lesion, what in ((True, "lesions"), (False, "healthy tissue")):
        words = [word for word in counts.index if said[word] == is_lesion]
        if words and words != [LESION]:
            shown = ", ".join(f"{word} ({n} row{'s' if n > 1 else ''})" for word, n in counts[words].items())
            told.append(f"{table.name}: taken for {what} by the column tissue: {shown}")
    return tissue.map(said).astype(bool), told


def _refuse_mixed_units(name: str, values: pd.Series[float]) -> None:
    """Refuse a column in which units are mixed."""
    median, largest = float(values.median()), float(values.max())
    # Refused rather than warned of: one lesion in Bq/ml would be the highest rank of every correlation.
    if largest > _HIGHEST_SUV and largest > _SPREAD * median:
        raise TableError(
            f"{place(name, [values.idxmax()])}: {values.name} is {largest:g} where the median is {median:g}; "
            "the units seem mixed: give SUV (g/ml) in every row"
        )


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
