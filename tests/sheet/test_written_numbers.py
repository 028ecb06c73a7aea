"""Which sign is decimal: by the column, by the file, or refused; and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ihcscore.errors import TableError
from ihcscore.schema import InputColumn, InputTable, Kind, Need, Range, texts
from ihcscore.sheet import CheckedTable, check_table, read_sheet

TABLE = InputTable(
    name="drawn",
    command="test",
    row="a thing",
    columns=(
        InputColumn(name="thing", need=Need.FILLED, meaning="its name"),
        InputColumn(name="density", kind=Kind.NUMBER, range=Range(low=0), meaning="thousands may be meant"),
        InputColumn(name="suv", kind=Kind.NUMBER, range=Range(low=0), plausible=Range(low=0, high=150),
                    meaning="no thousands"),
        InputColumn(name="day", kind=Kind.DATE, meaning="a day"),
    ),
    remedy="look again",
)  # fmt: skip


def read(folder: Path, delimiter: str = ";", **columns: list[str]) -> CheckedTable:
    n = len(next(iter(columns.values())))
    rows = [("thing", *columns), *zip([f"t{i}" for i in range(n)], *columns.values(), strict=True)]
    path = folder / "t.csv"
    quoted = [[f'"{cell}"' if delimiter in cell else cell for cell in row] for row in rows]
    path.write_text("".join(f"{delimiter.join(row)}\n" for row in quoted), encoding="utf-8")
    return check_table(read_sheet(path), TABLE)


@pytest.mark.parametrize(
    ("cells", "delimiter", "values"),
    [
        (["0.250", "1.234"], ";", [0.25, 1.234]),  # 0.250 cannot have thousands
        (["1.234", "2.345"], ",", [1.234, 2.345]),  # commas part the cells, all have three decimals
        (["6.962,5", "1.001"], ";", [6962.5, 1001]),
        (["6,962.5", "1,001"], ",", [6962.5, 1001]),
        (["1.234.567", "6.962"], ";", [1234567, 6962]),
        (["6 962", "522", "6\u00a0962", "6\u202f962", "6\u2009962,5"], ";", [6962, 522, 6962, 6962, 6962.5]),
        (["6'962", "6’962.5"], ";", [6962, 6962.5]),
        (["1,95", "1,900"], ";", [1.95, 1.9]),
        (["6.962", "12.5"], ";", [6.962, 12.5]),
        (["1e3", "5.", ".5", "+2"], ";", [1000, 5, 0.5, 2]),
    ],
)
def test_the_column_says_which_sign_is_decimal(tmp_path, cells, delimiter, values):
    assert read(tmp_path, delimiter, density=cells).rows["density"].tolist() == values


@pytest.mark.parametrize(
    ("cells", "delimiter"),
    [
        (["6.962", "522"], ";"),
        (["6.962", "522"], ","),
        (["6.962", "1.001"], ";"),  # all thousands, or all with three decimals
        (["1,900", "2,100"], ";"),
        (["1,900", "522"], ","),
        (["1.900", "1,900"], ";"),
    ],
)
def test_what_nothing_decides_is_refused_with_its_row(tmp_path, cells, delimiter):
    with pytest.raises(
        TableError, match=r"t.csv, row 2: density is '.*may part thousands or decimals; write "
    ):
        read(tmp_path, delimiter, density=cells)


def test_an_uptake_of_thousands_is_none(tmp_path):
    assert read(tmp_path, suv=["3.281", "2.145"]).rows["suv"].tolist() == [3.281, 2.145]
    with pytest.raises(TableError, match="may part thousands"):
        read(tmp_path, suv=["3.281", "2"])


def test_the_files_other_columns_decide_and_it_is_told(tmp_path):
    table = read(tmp_path, density=["6.962", "522"], suv=["3,28", "2,1"])
    assert table.rows["density"].tolist() == [6962, 522]
    assert (
        "t.csv: 1 numbers of density have parted thousands: '6.962' was read as 6962, as the decimal sign of "
        "suv says"
    ) in texts(table.notes)
    table = read(tmp_path, density=["6.962", "522"], nobody_reads_it=["3.28", "2.1"])
    assert table.rows["density"].tolist() == [6.962, 522]
    assert any("could be read in two ways: '6.962' was read as 6.962" in text for text in texts(table.notes))


@pytest.mark.parametrize(
    "cell", ["3.28 g/ml", "35 %", "<5", "1,5.2", "0x10", "1_000", "12 34", "0 123", "inf"]
)
def test_what_is_no_number_is_refused(tmp_path, cell):
    with pytest.raises(TableError, match=r"t.csv, row 2: density is '.*', expected a number"):
        read(tmp_path, density=[cell])


def test_both_decimal_signs_are_refused(tmp_path):
    with pytest.raises(TableError, match=r"decimal commas \(row 2: 1,5\) and points \(row 3: 2.5\)"):
        read(tmp_path, density=["1,5", "2.5"])


def test_days_and_numbers_that_a_spreadsheet_turned_into_each_other(tmp_path):
    with pytest.raises(TableError, match="seems a spreadsheet's day number"):
        read(tmp_path, day=["43861"])
    with pytest.raises(TableError, match="the spreadsheet took it for a day"):
        read(tmp_path, density=["2024-12-01"])


def test_a_value_that_was_not_found_is_missing_and_others_are_refused(tmp_path):
    table = read(tmp_path, density=["#N/A", "5"])
    assert table.rows["density"].isna().tolist() == [True, False]
    assert texts(table.notes) == ["t.csv, row 2: density is #N/A and counts as missing"]
    for cell in ("#REF!", "#DIV/0!", "#BEZUG!", "#NAME?"):
        with pytest.raises(TableError, match=r"row 3: density is '#.*could not compute it"):
            read(tmp_path, density=["5", cell])
