"""The tables as a page of the documentation."""

from __future__ import annotations

from ihcscore.schema import counting, pet, study
from ihcscore.schema.table import Table

_COMMANDS: dict[str, tuple[Table, ...]] = {
    "run": (counting.SCORES, counting.FIELDS, counting.SLIDE_CELLS),
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
    ),
    "agree": (study.AGREEMENT, study.AGREEMENT_PAIRS),
    "demo": (counting.DEMO, counting.DEMO_FIT, counting.DEMO_PLACES),
}

_HEAD = """\
# The tables

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
    """Every table with its columns, as Markdown; ``make docs`` writes it to ``docs/tables.md``."""
    parts = [_HEAD]
    for command, tables in _COMMANDS.items():
        for table in tables:
            parts.append(f"\n## `{table.name}.csv` of `ihcscore {command}`: {table.row} in each row\n\n")
            parts.append("| column | type | meaning |\n| --- | --- | --- |\n")
            parts += [f"| `{one.name}` | {one.dtype} | {one.meaning} |\n" for one in table.columns]
    return "".join(parts)
