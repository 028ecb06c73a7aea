from pathlib import Path

import pytest

from ihcscore import schema
from ihcscore.schema import FieldSettings, RegionSettings


def test_field_side_is_the_root_of_its_area():
    # 0.13 mm² is a square of 360.555 µm
    assert FieldSettings().side_um == pytest.approx(360.555, abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_fields": 0},
        {"field_area_mm2": 0.0},
        {"field_area_mm2": float("nan")},
        {"min_tissue_fraction": 1.2},
        {"seed": -1},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        FieldSettings(**wrong)


def test_margin_must_be_positive():
    with pytest.raises(ValueError, match="margin_um"):
        RegionSettings(margin_um=-1)


@pytest.mark.parametrize(
    "table",
    [value for value in vars(schema).values() if isinstance(value, schema.Table)],
    ids=lambda table: table.name,
)
def test_tables_name_each_column_once_with_type_and_meaning(table):
    assert len(set(table.names)) == len(table.names)
    for column in table.columns:
        assert column.dtype in ("str", "int", "float", "bool")
        assert column.meaning


@pytest.mark.parametrize(
    "table",
    [value for value in vars(schema).values() if isinstance(value, schema.InputTable)],
    ids=lambda table: table.name,
)
def test_given_tables_name_each_column_once_with_its_meaning(table):
    names = [name for column in table.columns for name in (column.name, *column.aliases)]
    assert len(set(names)) == len(names)
    assert set(table.keys) <= set(names)
    for column in table.columns:
        assert column.meaning
        if column.kind is not schema.Kind.NAME:  # known names of an open set
            assert (column.kind is schema.Kind.CHOICE) == bool(column.choices)
        assert column.is_number or column.range == column.plausible == schema.Range()


def test_ranges_in_words():
    assert [str(one) for one in (
        schema.Range(), schema.Range(low=0), schema.Range(low=0, open_low=True), schema.Range(high=1),
        schema.Range(low=5, high=2000),
    )] == ["any", "0 or more", "above 0", "1 or less", "5 to 2000"]  # fmt: skip
    assert 0 in schema.Range(low=0)
    assert 0 not in schema.Range(low=0, open_low=True)
    assert 1.5 not in schema.Range(low=0, high=1)


def test_documentation_is_up_to_date():
    written = (Path(__file__).parents[1] / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == schema.tables_page(), "call make docs"


def test_documentation_names_every_table():
    page = schema.tables_page()
    tables = [value for value in vars(schema).values() if isinstance(value, schema.Table)]
    assert len(tables) > 20
    for table in tables:
        assert f"## `{table.name}.csv` of" in page


def test_documentation_names_every_given_table():
    page = schema.tables_page()
    tables = [value for value in vars(schema).values() if isinstance(value, schema.InputTable)]
    assert len(tables) == 11
    for table in tables:
        assert f"### `{table.name}` for `ihcscore {table.command}`" in page
        for column in table.columns:
            assert f"| `{column.name}` |" in page
