"""CSV and XLSX as people's programs leave them: what is read, what is told, what is refused."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from ihcscore.errors import TableError
from ihcscore.schema import InputColumn, InputTable, Kind, Need, texts
from ihcscore.sheet import check_table, folded, nearest, read_sheet

TABLE = InputTable(
    name="drawn",
    command="test",
    row="a lesion",
    columns=(
        InputColumn(name="patient_id", meant=("subject",), kind=Kind.ID, need=Need.FILLED, meaning="whose"),
        InputColumn(name="scan", kind=Kind.NAME, choices=("Both",), meaning="which"),
        InputColumn(name="suv", kind=Kind.NUMBER, need=Need.COLUMN, meaning="how much"),
    ),
    keys=("patient_id", "scan"),
    remedy="look again",
)
ROWS = "patient_id,scan,suv\n007,baseline,1.5\n008,baseline,2.5\n"


def of(folder: Path, content: str | bytes):
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return check_table(read_sheet(path), TABLE)


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        "sep=;\n" + ROWS.replace(",", ";"),
        '"sep=,"\r\n' + ROWS,
        "SEP=\t\n" + ROWS.replace(",", "\t"),
        "sep=;\n" + ROWS,  # says what is not so
        "\ufeff" + ROWS,
        ROWS.encode("utf-16"),
        ROWS.replace("007", '="007"'),
    ],
)
def test_one_table_in_several_programs_csv(tmp_path, content):
    table = of(tmp_path, content)
    assert table.rows["patient_id"].tolist() == ["007", "008"]
    assert table.rows["suv"].tolist() == [1.5, 2.5]
    assert table.rows.index.tolist() == [2, 3]
    assert table.notes == []


@pytest.mark.parametrize("above", ["Table S2. All lesions,,\n", "Table S2. All lesions\n\n", ",,Uptake\n"])
def test_a_title_is_passed_over_and_told(tmp_path, above):
    table = of(tmp_path, above + ROWS)
    first = 2 + above.count("\n")
    assert table.rows.index.tolist() == [first, first + 1]
    assert f"the names of the columns are in row {first - 1}; what stands above ('" in texts(table.notes)[0]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            ROWS + "009,baseline,2,5\n",
            "row 4: has 4 fields where 3 columns have names",
        ),
        ("patient_id,scan,\n7,b,1\n", "row 2: has 3 fields where 2 columns have names"),
        (ROWS.replace("008", "M\u00fcller").encode("cp1252"), "row 3: is not text in UTF-8"),
        ("patient_id,,suv\n7,b,1\n", "column 2 has no name in the first row"),
        ("", "is empty"),
        ("patient_id,scan,suv\n", "has no rows"),
        (ROWS + '009,"baseline,2\n', "quotes that are not closed"),
        (ROWS.replace("patient_id", "Subject"), "no column patient_id .*is it Subject for patient_id"),
        ("patient_id,PATIENT ID,suv\n7,8,1\n", None),
        ("Suv,SUV,patient_id\n1,2,7\n", "Suv and SUV may both be suv; rename one"),
        ("suv,suv,patient_id\n1,2,7\n", "two columns are called suv and differ"),
        ("patient_id,suv\n#REF!,2\n", "row 2: patient_id is '#REF!'"),
        ("patient_id,suv\n7,=B3*2\n", "suv is '=B3.2'.*save it once"),
    ],
)
def test_what_is_refused_says_what_to_do(tmp_path, content, says):
    if says is None:
        assert "columns that are not used: PATIENT ID" in texts(of(tmp_path, content).notes)[0]
        return
    with pytest.raises(TableError, match=says):
        of(tmp_path, content)


def test_columns_and_names_in_near_spellings_are_taken_and_told(tmp_path):
    rows = "Patient-ID,SCAN,suv\n1,baseline,1\n2,Baseline,2\n3,base_line,3\n4,both,4\n5,baseline,5\n"
    table = of(tmp_path, rows)
    assert table.rows["scan"].tolist() == ["baseline", "baseline", "base_line", "Both", "baseline"]
    assert texts(table.notes) == [
        "t.csv: columns were taken by names that are spelled nearly so: 'Patient-ID' for patient_id, 'SCAN' "
        "for scan",
        "t.csv: scan was read 'Baseline' (1 row) as 'baseline', 'both' (1 row) as 'Both'",
    ]


def test_ids_in_near_spellings_are_never_one(tmp_path):
    table = of(tmp_path, "patient_id,suv\nP-1,1\nP 1,2\nJose\u0301,3\nJos\u00e9,4\nP\u20111,5\n")
    assert table.rows["patient_id"].nunique() == 5
    (text,) = texts(table.notes)
    assert "'P-1' and 'P 1' and 'P\u20111'" in text
    assert "count as different" in text


def test_rows_that_differ_in_spelling_alone_count_once(tmp_path):
    table = of(tmp_path, "patient_id,scan,suv\n1,baseline,1\n1,Baseline,1\n")
    assert len(table.rows) == 1
    assert "repeat another in full" in texts(table.notes)[-1]


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Tumor center", "tumour  Centre", True),
        ("on-treatment", "On_treatment", True),
        ("week 1\u20132", "week 1-2", True),
        ("week 1-2", "week 12", False),
        ("M\u00fcller", "Mu\u0308ller", True),
        ("liver\u200b", "Liver\u00a0", True),
        ("oesophagus", "Esophagus", True),
        ("CD4", "CD8", False),
    ],
)
def test_what_readers_take_for_one_name(a, b, same):
    assert (folded(a) == folded(b)) is same


def test_the_nearest_name():
    assert nearest("P01", ("P-1", "P2")) == "P-1"
    assert nearest("basline", ("on_treatment", "baseline")) == "baseline"
    assert nearest("week 6", ("on_treatment", "baseline")) is None


# Workbooks.


def book_of(folder: Path, *sheets: tuple[str, list[list[object]]]):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return book, folder / "t.xlsx"


def checked(book, path: Path):
    book.save(path)
    return check_table(read_sheet(path), TABLE)


DATA: list[list[object]] = [
    ["patient_id", "scan", "suv"],
    ["007", "baseline", 6.962],
    ["008", "baseline", 522],
]


def test_a_workbooks_own_numbers_are_no_matter_of_signs(tmp_path):
    table = checked(*book_of(tmp_path, ("one", DATA)))
    assert table.rows["suv"].tolist() == [6.962, 522]
    assert table.notes == []
    text = [*DATA[:2], ["008", "baseline", "1.522"]]
    with pytest.raises(TableError, match=r"row 3: suv is '1\.522'; a point before three digits"):
        checked(*book_of(tmp_path, ("one", text)))


def test_a_hidden_sheet_is_never_read(tmp_path):
    book, path = book_of(tmp_path, ("old", [DATA[0], ["9", "b", 1]]), ("final", DATA))
    book["old"].sheet_state = "hidden"
    book.active = 1
    table = checked(book, path)
    assert table.rows["patient_id"].tolist() == ["007", "008"]
    assert texts(table.notes) == ["t.xlsx: the sheet 'final' was read; not read: 'old' (hidden)"]


def test_a_table_on_two_sheets_is_refused_and_a_legend_is_told(tmp_path):
    with pytest.raises(TableError, match="the sheets 'one', 'two' hold tables with the same columns"):
        checked(*book_of(tmp_path, ("one", DATA), ("two", DATA)))
    table = checked(*book_of(tmp_path, ("one", DATA), ("legend", [["suv", "how much"]])))
    assert texts(table.notes) == ["t.xlsx: the sheet 'one' was read; not read: 'legend'"]
    with pytest.raises(TableError, match="its sheet 'data' was not read"):
        checked(*book_of(tmp_path, ("notes", [["who", "what"], ["me", "all"]]), ("data", DATA)))


def test_hidden_rows_and_columns_are_told(tmp_path):
    book, path = book_of(tmp_path, ("one", DATA))
    book["one"].row_dimensions[3].hidden = True
    book["one"].column_dimensions["B"].hidden = True
    told = texts(checked(book, path).notes)
    assert "1 rows are hidden, by a filter or by hand (row 3), and were read all the same" in told[0]
    assert told[1] == "t.xlsx: hidden columns were read all the same: scan"


def test_errors_and_formulas_without_a_value_are_refused(tmp_path):
    for cell, says in (("#REF!", "row 2: suv is '#REF!'"), ("=A1*2", "row 2: suv is '=A1.2'.*save it once")):
        with pytest.raises(TableError, match=says):
            checked(*book_of(tmp_path, ("one", [DATA[0], ["7", "b", cell]])))


def test_merged_cells_percentages_and_dates_for_ids(tmp_path):
    from datetime import datetime

    book, path = book_of(tmp_path, ("one", [DATA[0], ["7", "b", 1], [None, "c", 2]]))
    book["one"].merge_cells("A2:A3")
    table = checked(book, path)
    assert table.rows["patient_id"].tolist() == ["7", "7"]
    assert "merged cells (A2:A3) count as filled" in texts(table.notes)[0]
    book, path = book_of(tmp_path, ("one", [DATA[0], ["7", "b", 0.35]]))
    book["one"]["C2"].number_format = "0%"
    with pytest.raises(TableError, match="suv is '35%', expected a number"):
        checked(book, path)
    table = checked(*book_of(tmp_path, ("one", [DATA[0], [datetime(2024, 12, 3), "b", 1]])))
    assert "patient_id holds dates" in texts(table.notes)[0]
