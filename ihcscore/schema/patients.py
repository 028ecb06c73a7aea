"""The table of a study's patients: settings and what comes out."""

from __future__ import annotations

from dataclasses import dataclass

from ihcscore.schema.table import InputColumn, InputTable, Kind, Need, Table, columns


@dataclass(frozen=True, kw_only=True)
class PatientsSettings:
    """What is asked of a table of patients.

    Attributes
    ----------
    by : str or None
        Column by whose values the patients are shown apart, beside all of them.
    mean : bool
        Mean ± SD instead of median (Q1-Q3, range).
    numbers, categories : tuple of str
        Columns that are numbers, or categories, whatever they look like.
    leave_out : tuple of str
        Columns that are not shown.
    """

    by: str | None = None
    mean: bool = False
    numbers: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


PATIENTS = InputTable(
    name="patients",
    command="table1",
    row="a patient",
    columns=(
        InputColumn(
            name="patient_id",
            meant=("patient", "subject", "subject_id", "case", "case_id", "id"),
            kind=Kind.ID,
            need=Need.FILLED,
            meaning="patient; every other column is described",
        ),
    ),
    keys=("patient_id",),
    remedy="name it with `rename` new=old",
)

TABLE_1 = Table(
    name="table1",
    row="a cell of the table of patients",
    columns=columns("""
        variable    | str   | column of the patients' table
        level       | str   | value that is counted; empty for a number
        group       | str   | all, or a value of the column that parts the patients
        statistic   | str   | median, mean, count or missing
        n           | int   | patients: with a value, or with this level, or without a value
        of          | int   | patients that it is a share of: those with a value; for missing all
        percent     | float | share of them, %
        median      | float | median
        q1          | float | lower quartile
        q3          | float | upper quartile
        min         | float | smallest
        max         | float | largest
        mean        | float | mean
        sd          | float | standard deviation (n - 1)
        text        | str   | the cell as it is printed
    """),
)
