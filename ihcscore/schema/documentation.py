"""The tables as a page of the documentation."""

from __future__ import annotations

from ihcscore.schema import (
    biodistribution,
    counting,
    mapping,
    patients,
    pet,
    plasma,
    recist,
    reviewing,
    study,
)
from ihcscore.schema.pet_in import SCAN_MANIFEST, SPHERES, VOLUME_NAMES
from ihcscore.schema.table import InputColumn, InputTable, Kind, Range, Table
from ihcscore.schema.tables_in import MANIFEST, POINTS, RATERS, SCORES_IN, UPTAKE

_GIVEN = (
    MANIFEST,
    SCORES_IN,
    UPTAKE,
    RATERS,
    POINTS,
    SCAN_MANIFEST,
    SPHERES,
    VOLUME_NAMES,
    plasma.SAMPLES,
    recist.DIAMETERS,
    patients.PATIENTS,
)

_COMMANDS: dict[str, tuple[Table, ...]] = {
    "run": (counting.SCORES, counting.FIELDS, counting.SLIDE_CELLS),
    "map": (mapping.MAP, mapping.PROFILE, mapping.MAP_FIELDS, mapping.SPATIAL, mapping.MAP_CELLS),
    "fields": (counting.PLANNED_FIELDS,),
    "count": (counting.IMAGE_COUNTS, counting.IMAGE_CELLS),
    "register": (counting.CARRIED_POINTS,),
    "cohort": (
        counting.COHORT_SCORES,
        counting.COHORT_FIELDS,
        counting.SAMPLE_SUMMARY,
        counting.MARKER_SUMMARY,
    ),
    "suv": (pet.LESIONS, pet.SCANS),
    "correlate": (
        study.JOINED,
        study.CORRELATIONS,
        study.SUMMARY,
        study.SERIAL,
        study.RESPONSE,
        study.UNMATCHED,
        study.PATIENT_DENSITIES,
        study.LESION_POINTS,
    ),
    "biodistribution": (biodistribution.ORGANS, biodistribution.ORGAN_VALUES),
    "plasma": (plasma.CURVES, plasma.PLASMA_TIMES, plasma.PLASMA_TESTS, plasma.PLASMA_PATIENTS),
    "recist": (recist.VISITS, recist.BEST_RESPONSE, recist.BEST_RESPONSES),
    "review": (reviewing.CORRECTIONS,),
    "table1": (patients.TABLE_1,),
    "agree": (study.AGREEMENT, study.AGREEMENT_PAIRS),
    "demo": (counting.DEMO, counting.DEMO_FIT, counting.DEMO_PLACES),
}

_HEAD = """\
# The tables

## Tables that you give

CSV in UTF-8 with commas, semicolons or tabs (a first line `sep=;` is obeyed), or XLSX, of which the first
sheet that is shown is read. All of them are read alike, as text first: `007` stays `007`. Cells are trimmed,
empty rows are passed over, and so is a first column without a name that numbers the rows. A title above the
names of the columns is passed over and told.

- Numbers have a decimal point or a decimal comma and no unit; blanks, apostrophes, or the other sign may part
  thousands. `6.962` is 6.962 or 6962 by the column's other cells (`0.962` and `6.9` have a point, `6.962,5` a
  comma), else by the file's other columns, which is told; else it is refused. Where commas part the cells, a
  column whose every number has three decimals has points.
- Columns are found by their name, or by one that differs in capitals, blanks and dashes only. Others that
  nobody reads are listed, each with the one that it may be meant for.
- A *name* is one in all spellings that differ in capitals, blanks, dashes, accents, or as tumor and tumour,
  center and centre do; it is told. An *id* never is: two that differ so are pointed at.
- Yes is `yes`, `y`, `true`, `1`, `x`, `ja` or `j`; no is `no`, `n`, `false`, `0`, `nein` or an empty cell, in
  any case of letters. Choices too are read in any case. Days are written 2020-01-31.
- An empty number, day or choice may also say `NA`, `n/a`, `nan`, `null`, `none`, `-` or `–`; `#N/A` is
  missing too, and told. Other errors of a spreadsheet, and formulas that were never computed, are refused.
- Of a workbook, sheets beside the one that is read, hidden rows and hidden columns are told; several visible
  sheets with the same columns are refused. A cell merged downwards counts in every row that it covers.
- A row that repeats another in full counts once, and it is told. Two rows that name the same thing
  (*key*) and differ are refused.
- Whatever is refused is named by file, row and column; rows are counted as a spreadsheet does, from 1.
"""

_HEAD_OUT = """
## Tables that come out

Every table is CSV in UTF-8 with one header row, one row a thing, units in the names of the columns, and
numbers that are not rounded.

Coordinates are level-0 pixels from the corner of the scanned area (OpenSlide's bounds), as QuPath shows
them: x right, y down. Cells have their centres where pixel centres are whole numbers, as image libraries
do; the edges of fields, and everything in GeoJSON, where pixel corners are whole numbers, as QuPath does. A
cell at `x_px` 99.5 therefore lies on the edge at 100.

A field is a square that may be turned about its own centre, clockwise as seen on the slide. `x_px`, `y_px`
and `side_px` are those of the square before the turn: its centre is at `x_px` + `side_px` / 2, `y_px` +
`side_px` / 2 whatever `angle_deg` is. Drawn fields have `angle_deg` 0.
"""


def tables_page() -> str:
    """Every table with its columns, as Markdown; ``make tables`` writes it to ``docs/tables.md``."""
    parts = [_HEAD, *(_given(table) for table in _GIVEN), _HEAD_OUT]
    for command, tables in _COMMANDS.items():
        for table in tables:
            parts.append(f"\n## `{table.name}.csv` of `ihcscore {command}`: {table.row} in each row\n\n")
            parts.append("| column | type | meaning |\n| --- | --- | --- |\n")
            parts += [f"| `{one.name}` | {one.dtype} | {one.meaning} |\n" for one in table.columns]
    return "".join(parts)


def _given(table: InputTable) -> str:
    """A table that a person gives, column by column."""
    columns = {column.name: column for column in table.columns}
    if table.asked is not None:
        columns[table.asked.name] = table.asked
    parts = [f"\n### `{table.name}` for `ihcscore {table.command}`: each row {table.row}\n\n"]
    if table.keys:
        parts.append(f"Key: {', '.join(f'`{key}`' for key in table.keys)}.\n\n")
    parts.append("| column | also | type | unit | range | needed | meaning |\n")
    parts.append("| --- | --- | --- | --- | --- | --- | --- |\n")
    parts += [f"| {' | '.join(_cells(column))} |\n" for column in columns.values()]
    return "".join(parts)


def _cells(column: InputColumn) -> tuple[str, ...]:
    name = f"`{column.name}`" if column.name else "any other"
    aliases = ", ".join(f"`{alias}`" for alias in column.aliases)
    return name, aliases, column.kind, column.unit, _range(column), column.need, column.meaning


def _range(column: InputColumn) -> str:
    """What cells may say, in words."""
    if column.kind is Kind.CHOICE:
        return ", ".join((*column.choices, *column.none))
    if column.plausible != Range():
        return f"{column.plausible}, else told"
    return str(column.range) if column.range != Range() else ""
