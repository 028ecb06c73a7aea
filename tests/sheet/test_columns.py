"""The one checker of tables that people give: alike for all of them, and every message says where."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore.cohort.manifest import read_manifest
from ihcscore.errors import TableError
from ihcscore.pet.table import read_uptake
from ihcscore.schema import InputColumn, InputTable, Kind, Need, Range, rated, texts
from ihcscore.serial.register import read_points
from ihcscore.sheet import Sheet, check_table, first_double, place, read_sheet
from ihcscore.study.scores import read_scores

DRAWN = InputTable(
    name="drawn",
    command="test",
    row="a thing",
    columns=(
        InputColumn(name="thing", kind=Kind.ID, need=Need.FILLED, meaning="its name"),
        InputColumn(name="part", need=Need.FILLED_IF_THERE, meaning="its part"),
        InputColumn(name="mass_g", kind=Kind.NUMBER, range=Range(low=0, open_low=True),
                    plausible=Range(low=1, high=9), meaning="its mass"),
        InputColumn(name="n_legs", aliases=("legs", "n"), kind=Kind.WHOLE, range=Range(low=0, high=8),
                    meaning="its legs"),
        InputColumn(name="alive", kind=Kind.YES_NO, meaning="whether it lives"),
        InputColumn(name="born", kind=Kind.DATE, meaning="its day"),
        InputColumn(name="size", kind=Kind.CHOICE, choices=("S", "L"), none=("?",), meaning="its size"),
    ),
    asked=InputColumn(name="", kind=Kind.NUMBER, need=Need.COLUMN, meaning="what is asked for"),
    keys=("thing", "part"),
    remedy="look again",
    passed_over=frozenset({"made_by"}),
)  # fmt: skip


def sheet(*rows: dict[str, str], numbers: tuple[str, ...] = ()) -> Sheet:
    table = pd.DataFrame(rows, index=pd.RangeIndex(2, len(rows) + 2)).fillna("")
    return Sheet(name="drawn.csv", rows=table, numbers=frozenset((2, title) for title in numbers))


def test_every_column_is_there_and_typed():
    table = check_table(sheet({"thing": "007"}, {"thing": "7", "mass_g": "1,5", "alive": "Ja"}), DRAWN)
    rows = table.rows
    assert list(rows.columns) == DRAWN.names
    assert rows["thing"].tolist() == ["007", "7"]
    assert rows["mass_g"].isna().tolist() == [True, False]
    assert rows["mass_g"][3] == 1.5
    assert rows["alive"].tolist() == [False, True]
    assert rows["born"].isna().all()
    assert rows["part"].tolist() == ["", ""]
    assert table.given == {"thing", "mass_g", "alive"}
    assert texts(table.notes) == [
        "drawn.csv: thing '007' and '7' differ only in capitals, blanks, dashes, accents or zeros and count "
        "as different; write them alike if they are one",
        "drawn.csv: 1 decimal commas in mass_g were read as decimal points",
    ]


def test_an_alias_is_read_where_the_name_is_not_there():
    read = [
        check_table(sheet({"thing": "a"} | legs), DRAWN).rows["n_legs"][2]
        for legs in ({"n": "2"}, {"n": "2", "legs": "3"}, {"n": "2", "legs": "3", "n_legs": "4"})
    ]
    assert read == [2, 3, 4]


def test_columns_that_nobody_reads_and_what_they_resemble():
    given_columns = {"thing": "a", "mas (g)": "2", "bron": "2020-01-01", "made_by": "me", "colour": "red"}
    table = check_table(sheet(given_columns), DRAWN)
    assert [(column.name, column.like) for column in table.unread] == [
        ("mas (g)", "mass_g"), ("bron", None), ("colour", None)
    ]  # fmt: skip
    assert texts(table.notes) == [
        "drawn.csv: columns that are not used: mas (g) (meant for mass_g?), bron, colour"
    ]


def test_a_repeated_row_counts_once_where_rows_have_a_key():
    rows = [{"thing": "a", "mass_g": "2"}, {"thing": "a", "mass_g": "2"}, {"thing": "a", "mass_g": "3"}]
    table = check_table(sheet(*rows), DRAWN)
    assert table.rows.index.tolist() == [2, 4]
    assert texts(table.notes) == ["drawn.csv: 1 rows repeat another in full and count once (row 3)"]
    assert place("drawn.csv", first_double(table.rows, DRAWN.keys).index) == "drawn.csv, rows 2 and 4"


def test_ids_that_a_workbook_holds_as_numbers_and_odd_numbers_are_told():
    table = check_table(sheet({"thing": "7", "mass_g": "12"}, numbers=("thing", "mass_g")), DRAWN)
    assert texts(table.notes) == [
        "drawn.csv: thing holds numbers, not text: a leading zero is lost there",
        "drawn.csv, row 2: mass_g is 12, expected 1 to 9: mixed units?",
    ]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        ({"thing": ""}, "drawn.csv, row 3: thing is empty; give one"),
        ({"part": ""}, "drawn.csv, row 3: part is empty; give one"),
        ({"mass_g": "0"}, "drawn.csv, row 3: mass_g is 0, expected above 0"),
        (
            {"mass_g": "x"},
            "drawn.csv, row 3: mass_g is 'x', expected a number; write numbers without units",
        ),
        ({"n_legs": "9"}, "drawn.csv, row 3: n_legs is 9, expected 0 to 8"),
        ({"legs": "2.5"}, "drawn.csv, row 3: n_legs is 2.5, expected a whole number"),
        ({"alive": "barely"}, "drawn.csv, row 3: alive is 'barely', expected yes or no"),
        ({"born": "03/04/2020"}, "drawn.csv, row 3: born is '03/04/2020', expected a date as 2020-01-31"),
        ({"size": "M"}, "drawn.csv, row 3: size is 'M', expected S, L or nothing"),
    ],
)
def test_what_cannot_be_right_is_said_with_its_row(cells, says):
    good = {"thing": "a", "part": "b"}
    with pytest.raises(TableError) as raised:
        check_table(sheet(good, {"thing": "c", "part": "d"} | cells), DRAWN)
    assert str(raised.value) == says


def test_a_column_that_lacks_is_said_with_what_there_is():
    with pytest.raises(TableError, match=r"^drawn.csv: no column thing \(it has part\); look again$"):
        check_table(sheet({"part": "a"}), DRAWN)
    with pytest.raises(TableError, match="no column height"):
        check_table(sheet({"thing": "a"}), DRAWN.asking("height"))
    with pytest.raises(TableError, match="height has no number; take another"):
        check_table(sheet({"thing": "a", "height": "-"}), DRAWN.asking("height")).require_number(
            "height", remedy="take another"
        )


def test_many_rows_are_named_by_the_first():
    assert place("a.csv", [4]) == "a.csv, row 4"
    assert place("a.csv", [2, 3, 5]) == "a.csv, rows 2, 3 and 5"
    assert place("a.csv", range(2, 10)) == "a.csv, rows 2, 3, 4, 5, 6 and 3 more"


def test_a_first_column_that_numbers_the_rows_is_passed_over(tmp_path: Path):
    path = tmp_path / "points.csv"
    path.write_text(",X,Y\n1,10,20\n2,30,40\n")
    assert read_points(path).tolist() == [[10, 20], [30, 40]]
    path.write_text(",X,Y\na,10,20\n")
    with pytest.raises(TableError, match="column 1 has no name in the first row"):
        read_points(path)


def test_a_point_given_twice_is_carried_twice(tmp_path: Path):
    (tmp_path / "points.csv").write_text("X,Y\n1,2\n1,2\n")
    assert len(read_points(tmp_path / "points.csv")) == 2


# How each table is read: its columns, the ones under test replaced, and what comes out.


def manifest_of(path: Path, reference: str = "", mpp_um: str = "1") -> tuple[object, ...]:
    write(path, patient_id=["p", "p"], sample_id=["s", "s"], slide=["a", "b"], marker=["CD3", "CD8"],
          reference=["", reference], mpp_um=["", mpp_um])  # fmt: skip
    (sample,) = read_manifest(path).samples
    entry = next(entry for entry in sample.slides if entry.marker == "CD8")
    return entry.mpp_um, sample.reference is entry


def uptake_of(path: Path, suv: str = "1", biopsied: str = "", day: str = "") -> tuple[object, ...]:
    write(path, patient_id=["p", "p"], lesion_id=["1", "2"], timepoint=["t", "t"], suv_max=["", suv],
          biopsied=["", biopsied], scan_date=["", day])  # fmt: skip
    row = read_uptake(path).rows.iloc[1]
    return row["suv"], bool(row["biopsied"]), row["scan_date"]


def scores_of(path: Path, density: str = "1", day: str = "") -> tuple[object, ...]:
    write(path, patient_id=["p", "p"], sample_id=["s", "t"], marker=["CD3", "CD3"], region=["r", "r"],
          mean_per_mm2=["", density], biopsy_date=["", day])  # fmt: skip
    row = read_scores(path, columns=["mean_per_mm2"]).rows.iloc[1]
    return row["density"], row["biopsy_date"]


def rating_of(path: Path, value: str) -> object:
    write(path, image=["a", "b"], count=["", value])
    return check_table(read_sheet(path), rated(("image",), "count")).rows["count"].iloc[1]


def point_of(path: Path, x: str) -> object:
    write(path, X=[x], Y=["1"])
    return read_points(path)[0, 0]


def write(path: Path, **columns: list[str]) -> None:
    pd.DataFrame(columns).to_csv(path, sep=";", index=False)


def outcomes(path: Path, *read) -> set[object]:
    """What several readers make of a spelling; one where they agree."""
    found: set[object] = set()
    for one in read:
        try:
            found.add(one(path))
        except TableError as error:
            found.add("refused" if f"{path.name}, row " in str(error) else str(error))
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("alike") / "table.csv"


NUMBERS = st.one_of(
    st.floats(1e-3, 1e6).map(lambda value: f"{value:.6f}"),
    st.floats(1e-3, 1e6).map(lambda value: f"{value:.4f}".replace(".", ",")),
    st.floats(1e-3, 1e6).map(lambda value: f"{value:.3e}"),
    st.integers(1, 10**9).map(str),
    st.sampled_from(["+2", "0x10", "1_000", "inf", "3 mm", "1,5.2", "½", "1e400", "1,2,3"]),
    st.text("0123456789,.e+ ", min_size=1, max_size=8).filter(lambda text: text.strip(" 0,.e+")),
).filter(lambda text: not re.fullmatch(r"\s*[+-]?[1-9]\d{0,2}[.,]\d{3}\s*", text))  # by what can be meant


@given(text=NUMBERS)
@settings(max_examples=60, deadline=None)
def test_all_tables_read_numbers_alike(path, text):
    read = outcomes(
        path,
        lambda path: manifest_of(path, mpp_um=text)[0],
        lambda path: uptake_of(path, suv=text)[0],
        lambda path: scores_of(path, density=text)[0],
        lambda path: rating_of(path, text),
        lambda path: point_of(path, text),
    )
    assert len(read) == 1, (text, read)


@given(
    text=st.one_of(
        st.sampled_from(["yes", "y", "true", "1", "x", "ja", "j", "no", "n", "false", "0", "nein"]),
        st.text("yjnaexot10", max_size=5),
    )
)
@settings(max_examples=40, deadline=None)
def test_all_tables_read_yes_and_no_alike(path, text):
    for spelled in (text, text.upper(), f" {text} "):
        read = outcomes(
            path,
            lambda path, spelled=spelled: manifest_of(path, reference=spelled)[1],
            lambda path, spelled=spelled: uptake_of(path, biopsied=spelled)[1],
        )
        assert len(read) == 1, (spelled, read)


@given(
    text=st.one_of(
        st.dates(date(1900, 1, 1), date(2100, 1, 1)).map(str),
        st.dates().map(lambda day: day.strftime("%d/%m/%Y")),
        st.dates().map(lambda day: day.strftime("%Y%m%d")),
        st.text("0123456789-", min_size=1, max_size=10).filter(lambda text: text != "-"),
    )
)
@settings(max_examples=40, deadline=None)
def test_all_tables_read_days_alike(path, text):
    read = outcomes(
        path, lambda path: uptake_of(path, day=text)[2], lambda path: scores_of(path, day=text)[1]
    )
    assert len(read) == 1, (text, read)
