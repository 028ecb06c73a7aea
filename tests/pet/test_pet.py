import contextlib

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore import synthetic
from ihcscore.errors import IhcscoreError, TableError
from ihcscore.pet.table import read_uptake
from ihcscore.schema import texts
from ihcscore.sheet import read_sheet

HEADER = "patient_id,lesion_id,timepoint,suv_max"


def write(folder, *lines, name="suv.csv", header=HEADER):
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_ids_stay_text_and_are_trimmed(tmp_path):
    table = read_uptake(write(tmp_path, " 007 ,L1, baseline ,1.9", "7,L1,baseline,2"))
    assert table.rows["patient_id"].tolist() == ["007", "7"]
    assert table.rows["timepoint"].tolist() == ["baseline", "baseline"]
    assert table.rows["suv"].tolist() == [1.9, 2.0]
    assert table.rows["is_lesion"].all()
    assert not table.links


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark(tmp_path, delimiter):
    path = tmp_path / "suv.csv"
    text = f"{HEADER}\nP1,L1,baseline,1.9\n".replace(",", delimiter)
    path.write_text("\ufeff" + text, encoding="utf-8")
    assert read_uptake(path).rows["suv"].tolist() == [1.9]


def test_xlsx_is_read_as_text(tmp_path):
    path = tmp_path / "suv.xlsx"
    frame = pd.DataFrame(
        {
            "patient_id": ["007", "008"],
            "lesion_id": [1, 2],
            "timepoint": "baseline",
            "suv_max": [1.9, 2.0],
            "scan_date": pd.to_datetime(["2020-01-31", "2020-02-01"]),
        }
    )
    frame.to_excel(path, index=False)
    table = read_uptake(path)
    assert table.rows["patient_id"].tolist() == ["007", "008"]
    assert table.rows["lesion_id"].tolist() == ["1", "2"]
    assert table.rows["scan_date"][0] == pd.Timestamp("2020-01-31")
    assert texts(table.warnings) == [
        "suv.xlsx: lesion_id holds numbers, not text: a leading zero is lost there"
    ]


def test_columns_by_other_names(tmp_path):
    path = write(tmp_path, "P1,L1,pre,1.9", header="Subject,lesion_id,timepoint,SUVmax")
    table = read_uptake(path, rename={"patient_id": "Subject", "suv_max": "SUVmax"})
    assert table.rows["patient_id"].tolist() == ["P1"]
    with pytest.raises(TableError, match=r"suv.csv: no column Patient for rename patient_id=Patient"):
        read_uptake(path, rename={"patient_id": "Patient"})
    with pytest.raises(TableError, match="has a column timepoint already"):
        read_uptake(path, rename={"timepoint": "Subject"})


def test_decimal_commas_are_told(tmp_path):
    path = tmp_path / "suv.csv"
    path.write_text("patient_id;lesion_id;timepoint;suv_max\nP1;L1;baseline;1,9\nP1;L2;baseline;2\n")
    table = read_uptake(path)
    assert table.rows["suv"].tolist() == [1.9, 2.0]
    assert texts(table.warnings) == ["suv.csv: 1 decimal commas in suv_max were read as decimal points"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["P1,L1,baseline,high"], "row 2: suv_max is 'high', expected a number"),
        (["P1,L1,baseline,1.9 g/ml"], "row 2: suv_max is '1.9 g/ml'.*without units"),
        (["P1,L1,baseline,inf"], "row 2: suv_max is 'inf'"),
        (["P1,L1,baseline,-1"], "row 2: suv_max is -1, expected 0 or more"),
        (
            ["P1,L1,baseline,1.9", "P1,L1,baseline,2.0"],
            "rows 2 and 3: lesion L1 of patient P1 occurs 2 times",
        ),
        (['P1,L1,baseline,"1,9"', "P1,L2,baseline,2.0"], "decimal commas .* and points"),
        (['P1,L1,baseline,"1,900"'], "may part thousands or decimals"),
        (["P1,L1,baseline,1,9"], "row 2: has 5 fields where 4 columns have names"),
        ([",L1,baseline,1.9"], "row 2: patient_id is empty"),
        (["P1,,baseline,1.9"], "row 2: lesion_id is empty"),
        (["P1,L1,,1.9"], "row 2: timepoint is empty"),
        (["P1,L1,baseline,"], "suv_max has no number"),
        (["P1,L1,baseline,1.9", "P1,L2,baseline,2.1", "P1,L3,baseline,14000"], "row 4.*units seem mixed"),
        ([], "has no rows"),
    ],
)
def test_what_cannot_be_right_is_refused(tmp_path, lines, message):
    with pytest.raises(TableError, match=message):
        read_uptake(write(tmp_path, *lines))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("response", "better", "response is 'better', expected CR, PR, SD, PD"),
        ("tissue", "", "tissue is empty"),
        ("biopsied", "maybe", "biopsied is 'maybe', expected yes or no"),
        ("scan_date", "03/04/2020", "expected a date as 2020-01-31"),
        ("weight_kg", "heavy", "weight_kg is 'heavy'"),
    ],
)
def test_other_columns_are_checked(tmp_path, column, value, message):
    path = write(tmp_path, f"P1,L1,baseline,1.9,{value}", header=f"{HEADER},{column}")
    with pytest.raises(TableError, match=message):
        read_uptake(path)


def test_missing_columns_are_named_with_the_way_out(tmp_path):
    path = write(tmp_path, "P1,L1,1.9", header="patient_id,lesion_id,suv_max")
    with pytest.raises(TableError, match=r"no column timepoint .*rename new=old"):
        read_uptake(path)
    with pytest.raises(TableError, match="no column suv_peak"):
        read_uptake(write(tmp_path, "P1,L1,baseline,1.9"), suv="suv_peak")


def test_units_that_are_said_to_differ_are_refused(tmp_path):
    path = write(
        tmp_path, "P1,L1,baseline,1.9,g/ml", "P1,L2,baseline,1.9,kBq/ml", header=f"{HEADER},suv_unit"
    )
    with pytest.raises(TableError, match="suv_unit is g/ml and kBq/ml"):
        read_uptake(path)


def test_two_responses_of_a_patient_are_refused_and_none_is_told(tmp_path):
    header = f"{HEADER},response"
    with pytest.raises(TableError, match="patient P1 has the responses PD and SD"):
        read_uptake(write(tmp_path, "P1,L1,baseline,1,SD", "P1,L2,baseline,1,PD", header=header))
    table = read_uptake(
        write(tmp_path, "P1,L1,baseline,1,SD", "P1,L2,baseline,1,", "P2,L1,baseline,1,NE", header=header)
    )
    assert table.rows["response"].tolist() == ["SD", "SD", ""]
    assert texts(table.warnings) == ["suv.csv: 1 patients have no response (CR, PR, SD, PD)"]


def test_rows_that_repeat_another_count_once(tmp_path):
    table = read_uptake(write(tmp_path, "P1,L1,baseline,1.9", "P1,L1,baseline,1.9"))
    assert len(table.rows) == 1
    assert texts(table.warnings) == ["suv.csv: 1 rows repeat another in full and count once (row 3)"]


def test_a_column_twice_must_say_the_same(tmp_path):
    assert len(read_uptake(write(tmp_path, "P1,L1,baseline,1,1", header=f"{HEADER},suv_max")).rows) == 1
    with pytest.raises(TableError, match="two columns are called suv_max and differ"):
        read_uptake(write(tmp_path, "P1,L1,baseline,1,2", header=f"{HEADER},suv_max"))


def test_ways_of_measuring_that_differ_are_told(tmp_path):
    header = f"{HEADER},suv_mean,software,voi_method,weight_kg,injected_mbq"
    lines = ["P1,L1,baseline,1.9,2.5,A,50 %,80,185", "P1,L2,baseline,1.9,1.0,B,,80000,5000"]
    told = " | ".join(texts(read_uptake(write(tmp_path, *lines, header=header)).warnings))
    for part in ("several software (A, B)", "voi_method is given for some rows only", "weight_kg is 80000",
                 "injected_mbq is 5000", "suv_mean is above suv_max in 1 rows"):  # fmt: skip
        assert part in told


def test_healthy_tissue_needs_no_lesion(tmp_path):
    lines = ["P1,L1,baseline,1.9,Lesion", "P1,,baseline,2.9,liver", "P1,,baseline,3.9,spleen"]
    rows = read_uptake(write(tmp_path, *lines, header=f"{HEADER},tissue")).rows
    assert rows["is_lesion"].tolist() == [True, False, False]
    assert rows["tissue"].tolist() == ["lesion", "liver", "spleen"]


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        read_uptake(tmp_path / "none.csv")
    (tmp_path / "old.xls").write_bytes(b"x")
    with pytest.raises(TableError, match="save it as one of them"):
        read_uptake(tmp_path / "old.xls")
    (tmp_path / "bad.xlsx").write_bytes(b"x")
    with pytest.raises(TableError, match="cannot be read as XLSX"):
        read_uptake(tmp_path / "bad.xlsx")
    (tmp_path / "latin.csv").write_bytes("patient_id\nMüller\n".encode("cp1252"))
    with pytest.raises(TableError, match="UTF-8"):
        read_sheet(tmp_path / "latin.csv")
    (tmp_path / "empty.csv").write_bytes(b"")
    with pytest.raises(TableError, match="is empty"):
        read_sheet(tmp_path / "empty.csv")


def test_missing_numbers_have_many_names(tmp_path):
    lines = [f"P1,L{at},baseline,{cell}" for at, cell in enumerate(("1", "NA", "n/a", "-", "2"))]
    table = read_uptake(write(tmp_path, *lines))
    assert table.rows["suv"].notna().tolist() == [True, False, False, False, True]
    assert table.warnings == []


@given(st.text(max_size=80))
@settings(max_examples=80, deadline=None)
def test_any_text_is_a_table_or_an_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "suv.csv"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(IhcscoreError):
        read_uptake(path)


PATIENTS = [f"{i:03d}" for i in range(15)]


class TestDrawnTable:
    def draw(self, rho, seed=1):
        return synthetic.draw_suv_table(PATIENTS, density=[float(i) for i in range(15)], rho=rho, seed=seed)

    @pytest.mark.parametrize("rho", [-0.5, 0.0, 0.7])
    def test_it_has_the_correlation_that_was_planted(self, rho):
        drawn = self.draw(rho)
        at = drawn[(drawn["timepoint"] == "baseline") & (drawn["tissue"] == "lesion")]
        means = at.groupby("patient_id")["suv_max"].mean()
        assert means.rank().corr(pd.Series(range(15), PATIENTS).rank()) == pytest.approx(rho, abs=0.02)

    def test_it_reads_without_a_warning(self, tmp_path):
        self.draw(0.7).to_csv(tmp_path / "suv.csv", index=False)
        table = read_uptake(tmp_path / "suv.csv")
        assert texts(table.warnings) == []
        lesions = table.rows[table.rows["is_lesion"] & (table.rows["timepoint"] == "baseline")]
        assert set(lesions.groupby("patient_id").size()) <= {1, 2, 3, 4, 5}
        assert lesions["suv"].median() == pytest.approx(1.9, abs=0.25)

    def test_one_seed_one_table(self):
        assert self.draw(0.7).equals(self.draw(0.7))
        assert not self.draw(0.7).equals(self.draw(0.7, seed=2))

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="rho is 2"):
            self.draw(2)
        with pytest.raises(ValueError, match="expected as many"):
            synthetic.draw_suv_table(["a", "b", "c"], density=[1.0], rho=0, seed=0)
