"""Names in a table: which columns are meant, and cells that are one name in several spellings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import InputColumn, InputTable, Kind, Note, NoteKind
from ihcscore.sheet.sheet import Sheet
from ihcscore.sheet.spelling import bare_title, folded, unpadded

_LIKE = 0.8  # share of letters that two names have in common, as difflib counts it
_SHOWN = 5
_PATIENT = "patient_id"


@dataclass(frozen=True, kw_only=True)
class UnreadColumn:
    """A column that nobody reads.

    Attributes
    ----------
    name : str
    like : str or None
        The column that it may be meant for, if one of those that lack has nearly its name or its meaning.
    """

    name: str
    like: str | None


def found_columns(sheet: Sheet, table: InputTable) -> tuple[dict[str, str | None], list[Note]]:
    """The name in the file of every column of a table, None where it lacks, and those not spelled alike.

    A column is found by its own name, else by the first alias that is there, else by a name that differs in
    capitals, blanks, dashes and signs only.

    Raises
    ------
    TableError
        If two columns may be meant alike.
    """
    found = {column.name: _own(sheet, column) for column in table.columns}
    taken = {title for title in found.values() if title is not None}
    for column in table.columns:
        if found[column.name] is None:
            found[column.name] = title = _spelled_nearly(sheet, column, taken)
            taken |= {title} if title is not None else set()
    loose = [
        f"'{title}' for {name}"
        for name, title in found.items()
        if title is not None and title not in (name, *_aliases(table, name))
    ]
    text = f"{sheet.name}: columns were taken by names that are spelled nearly so: {', '.join(loose)}"
    return found, [Note(kind=NoteKind.TABLE, text=text)] if loose else []


def _aliases(table: InputTable, name: str) -> tuple[str, ...]:
    return next(column.aliases for column in table.columns if column.name == name)


def _own(sheet: Sheet, column: InputColumn) -> str | None:
    return next((name for name in (column.name, *column.aliases) if name in sheet.rows.columns), None)


def _spelled_nearly(sheet: Sheet, column: InputColumn, taken: set[str]) -> str | None:
    names = {bare_title(name) for name in (column.name, *column.aliases)} - {""}
    like = [title for title in sheet.rows.columns if bare_title(title) in names and title not in taken]
    if len(like) > 1 and not sheet.rows[like].eq(sheet.rows[like[0]], axis=0).all(axis=None):
        raise TableError(f"{sheet.name}: {' and '.join(like)} may both be {column.name}; rename one")
    return like[0] if like else None


def unread_columns(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> list[UnreadColumn]:
    """Columns that nobody reads, each with the one that lacks of nearly its name or meaning."""
    left = [str(name) for name in sheet.rows.columns if name not in {*found.values(), *table.passed_over}]
    absent = {
        bare_title(name): column.name
        for column in table.columns
        if found[column.name] is None
        for name in (column.name, *column.aliases, *column.meant)
    }
    like = [difflib.get_close_matches(bare_title(name), absent, n=1, cutoff=_LIKE) for name in left]
    return [
        UnreadColumn(name=name, like=absent[near[0]] if near else None)
        for name, near in zip(left, like, strict=True)
    ]


def about_unread(name: str, unread: Iterable[UnreadColumn]) -> list[Note]:
    """All columns that nobody reads, once."""
    shown = [f"{one.name} (meant for {one.like}?)" if one.like else one.name for one in unread]
    if not shown:
        return []
    return [Note(kind=NoteKind.TABLE, text=f"{name}: columns that are not used: {', '.join(shown)}")]


def one_spelling(
    sheet: Sheet, table: InputTable, found: dict[str, str | None]
) -> tuple[dict[str, pd.Series[str]], list[Note]]:
    """Columns of names, by their title, with one spelling for each name; and what was brought together."""
    columns, notes = {}, []
    for column in table.columns:
        title = found[column.name]
        if column.kind is not Kind.NAME or title is None:
            continue
        text = sheet.rows[title]
        spellings = _spellings(text, column.choices)
        columns[title] = text.map(spellings)
        changed = text[text != columns[title]]
        counts = changed.value_counts(sort=False)
        said = [
            f"'{spelled}' ({n} row{'s' if n > 1 else ''}) as '{spellings[spelled]}'"
            for spelled, n in zip(counts.index.astype(str), counts, strict=True)
        ]
        if said:
            shown = ", ".join(said[:_SHOWN]) + (" and more" if len(said) > _SHOWN else "")
            notes.append(Note(kind=NoteKind.TABLE, text=f"{sheet.name}: {column.name} was read {shown}"))
    return columns, notes


def _spellings(text: pd.Series[str], known: tuple[str, ...]) -> dict[str, str]:
    """For each spelling the one that stands for its name: a known one, else the most frequent."""
    counts = text.value_counts(sort=False)
    order = sorted(counts.index, key=lambda spelled: -int(counts[spelled]))  # stable: the first comes first
    chosen = {folded(name): name for name in known}
    for spelled in order:
        chosen.setdefault(folded(spelled), spelled)
    return {spelled: chosen[folded(spelled)] for spelled in counts.index}


def near_ids(sheet: Sheet, table: InputTable, found: dict[str, str | None]) -> list[Note]:
    """Ids of one table that differ in what readers overlook; they are never taken for one."""
    patient = found.get(_PATIENT)
    notes = []
    for column in table.columns:
        title = found[column.name]
        if column.kind is not Kind.ID or title is None:
            continue
        whose = sheet.rows[patient] if patient is not None and title != patient else ""
        ids = pd.DataFrame({"whose": whose, "id": sheet.rows[title]}).drop_duplicates()
        ids = ids[ids["id"] != ""]
        near = ids["id"].groupby([ids["whose"], ids["id"].map(unpadded)], sort=False).agg(list)
        pairs = [f"{' and '.join(map(repr, names))}" for names in near if len(names) > 1]
        if pairs:
            shown = "; ".join(pairs[:_SHOWN]) + (
                f"; {len(pairs) - _SHOWN} more" if len(pairs) > _SHOWN else ""
            )
            text = (
                f"{sheet.name}: {column.name} {shown} differ only in capitals, blanks, dashes, accents or "
                "zeros and count as different; write them alike if they are one"
            )
            notes.append(Note(kind=NoteKind.TABLE, text=text))
    return notes
