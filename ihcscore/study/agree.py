"""Two tables of counts or densities of the same things: how far they agree."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ihcscore import output
from ihcscore.errors import TableError, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.schema import (
    AGREEMENT,
    AGREEMENT_PAIRS,
    RATERS,
    UNMATCHED,
    AgreementSettings,
    Kind,
    Note,
    NoteKind,
    rated,
    texts,
)
from ihcscore.sheet import Sheet, bare, check_table, first_double, folded, place, read_sheet
from ihcscore.statistics import agreement
from ihcscore.study.written import study_record, write_tables

_FEWEST, _FEW = 3, 20
_BETWEEN = " · "
_SHOWN = 3
_COUNT_CLASSES = (1.0, 6.0, 11.0, 21.0)
_DENSITY = re.compile(r"per_?mm|densit", re.IGNORECASE)

Thing = tuple[str, ...]
"""What was rated: the cells that name it."""


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """What one rater said.

    Attributes
    ----------
    name : str
        File name.
    numbers : dict of tuple of str to float
        The number of each thing, NaN where it has none.
    notes : list of Note
    """

    name: str
    numbers: dict[Thing, float] = field(repr=False)
    notes: list[Note]


@dataclass(frozen=True, kw_only=True)
class AgreementResult:
    """What comparing two raters gives.

    Attributes
    ----------
    measures, pairs, unmatched : DataFrame
        As in ``agreement.csv``, ``pairs.csv`` and ``unmatched.csv``.
    warnings : list of str
    """

    measures: pd.DataFrame = field(repr=False)
    pairs: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    warnings: list[str]


def agree_tables(
    a: str | Path,
    b: str | Path,
    *,
    out: str | Path,
    settings: AgreementSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> AgreementResult:
    """Compare two raters of the same things, and write tables, a figure and a page.

    Parameters
    ----------
    a, b : str or Path
        CSV or XLSX with columns that name the thing (image, or slide, marker, region and field_id) and
        one that holds a count or density.
    out : str or Path
        Gets agreement.csv, pairs.csv, unmatched.csv, a figure, report.html and run.json.
    settings : AgreementSettings, optional
    rename : mapping of str to str, optional
        New name of a column to its name in the file, in whichever of the two has it.
    overwrite : bool
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If a table cannot be used, fewer than three things are in both, or the folder cannot be written.
    """
    settings = settings or AgreementSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        progress("reading the tables", 0.0)
        sheets = _read_both(a, b, rename or {})
        keys, value = _columns(sheets, settings)
        first, second = (_rate(sheet, keys, value) for sheet in sheets)
        second, matched = _spelled_like(first, second, keys)
        pairs, unmatched = _pair(first, second)
        settings = _with_classes(settings, value, pairs)
        progress("comparing", 0.3)
        found = agreement.agree(pairs["a"].to_numpy(float), pairs["b"].to_numpy(float), settings)
        measures = measures_table(found, settings)
        said = [*matched, *_alone(unmatched, first, second), *_what_to_know(pairs, settings)]
        said += _about_kappa(found, settings, value)
        warnings = texts([*first.notes, *second.notes, *said])
        result = AgreementResult(measures=measures, pairs=pairs, unmatched=unmatched, warnings=warnings)
        record = study_record(
            "agree", {"a": a, "b": b}, settings=settings, rename=rename, warnings=warnings,
            keys=keys, value_column=value, n_pairs=len(pairs),
        )  # fmt: skip
        _write(folder, result, found, record, settings)
        progress("done", 1.0)
    return result


def _read_both(a: str | Path, b: str | Path, rename: Mapping[str, str]) -> tuple[Sheet, Sheet]:
    plain = read_sheet(a), read_sheet(b)
    for new, old in rename.items():
        if not any(old in sheet.rows for sheet in plain):
            raise TableError(f"no column {old} in either table for {parameter('rename')} {new}={old}")
    first, second = (
        read_sheet(path, {new: old for new, old in rename.items() if old in sheet.rows})
        for path, sheet in zip((a, b), plain, strict=True)
    )
    return first, second


def _columns(sheets: tuple[Sheet, Sheet], settings: AgreementSettings) -> tuple[tuple[str, ...], str]:
    """The columns that name a thing, and the one that holds the number."""
    both = [column for column in sheets[0].rows.columns if column in sheets[1].rows.columns]
    if settings.keys:
        for sheet in sheets:
            sheet.require(settings.keys, option=RATERS.remedy)
    keys = settings.keys or tuple(name for name in RATERS.keys if name in both)
    if not keys:
        raise TableError(
            f"the tables share no column that names a thing ({', '.join(RATERS.keys)}); "
            f"give {parameter('keys')}"
        )
    if settings.value is not None:
        for sheet in sheets:
            sheet.require(
                (settings.value,),
                option=f"give {parameter('value')} with a column that both have, or {parameter('rename')}",
            )
        return keys, settings.value
    left = [column for column in both if column not in keys]
    if len(left) != 1:
        there = ", ".join(left) or "none"
        raise TableError(
            f"which column holds the numbers? both tables have: {there}; give {parameter('value')}"
        )
    return keys, left[0]


def _rate(sheet: Sheet, keys: tuple[str, ...], value: str) -> Ratings:
    """The numbers of one rater."""
    table = check_table(sheet, rated(keys, value))
    same = first_double(table.rows, keys)
    if len(same):
        raise TableError(
            f"{place(table.name, same.index)}: '{_text(tuple(same[list(keys)].iloc[0]))}' occurs more than "
            f"once; name the things with {parameter('keys')}"
        )
    things = table.rows[list(keys)].itertuples(index=False, name=None)
    numbers = dict(zip(things, map(float, table.rows[value]), strict=True))
    return Ratings(name=table.name, numbers=numbers, notes=table.notes)


def _text(thing: Thing) -> str:
    """A thing's name as people read it."""
    return _BETWEEN.join(thing)


def _spelled_like(first: Ratings, second: Ratings, keys: tuple[str, ...]) -> tuple[Ratings, list[Note]]:
    """The second with its names (regions, markers) spelled as the first has them; ids stay as they are."""
    kinds = {column.name: column.kind for column in RATERS.columns}
    spelled: dict[int, dict[str, str]] = {}
    told = []
    for at, key in enumerate(keys):
        if kinds.get(key) is not Kind.NAME:
            continue
        known = {folded(name): name for name in sorted({thing[at] for thing in first.numbers})}
        own = sorted({thing[at] for thing in second.numbers})
        spelled[at] = {name: known.get(folded(name), name) for name in own}
        for name, there in spelled[at].items():
            if name != there:
                n = sum(thing[at] == name for thing in second.numbers)
                told.append(
                    f"{key}: '{name}' of {second.name} ({n} things) was matched with '{there}' of "
                    f"{first.name}"
                )
    numbers = {
        tuple(spelled[at][part] if at in spelled else part for at, part in enumerate(thing)): value
        for thing, value in second.numbers.items()
    }
    return replace(second, numbers=numbers), [Note(kind=NoteKind.TABLE, text=text) for text in told]


def _pair(first: Ratings, second: Ratings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Things with both numbers, sorted by name; and all others with the reason."""
    pairs: list[tuple[str, float, float]] = []
    alone = []
    near = _near(set(first.numbers), set(second.numbers))
    for thing in sorted({**first.numbers, **second.numbers}, key=_text):
        a, b = first.numbers.get(thing), second.numbers.get(thing)
        if b is None:
            alone.append((first.name, "", _text(thing), f"not in {second.name}{_which_has(near, thing)}"))
        elif a is None:
            alone.append((second.name, "", _text(thing), f"not in {first.name}{_which_has(near, thing)}"))
        elif math.isnan(a) or math.isnan(b):
            alone.append((first.name if math.isnan(a) else second.name, "", _text(thing), "no number"))
        else:
            pairs.append((_text(thing), a, b))
    if len(pairs) < _FEWEST:
        raise TableError(
            f"{len(pairs)} things are in both tables, 3 or more are needed: {first.name} has "
            f"'{_text(next(iter(first.numbers)))}', {second.name} has '{_text(next(iter(second.numbers)))}'; "
            "names must be the same text"
        )
    return (
        pd.DataFrame(pairs, columns=AGREEMENT_PAIRS.names),
        pd.DataFrame(alone, columns=UNMATCHED.names),
    )


def _near(first: set[Thing], second: set[Thing]) -> dict[Thing, Thing]:
    """Things of one table that the other has in nearly the same letters, both ways."""
    found: dict[Thing, Thing] = {}
    for own, others in ((first - second, second - first), (second - first, first - second)):
        by_bare = {tuple(map(bare, thing)): thing for thing in sorted(others, reverse=True)}
        found |= {thing: by_bare[key] for thing in own if (key := tuple(map(bare, thing))) in by_bare}
    return found


def _which_has(near: Mapping[Thing, Thing], thing: Thing) -> str:
    return f", which has '{_text(near[thing])}': names must be the same text" if thing in near else ""


def _alone(unmatched: pd.DataFrame, first: Ratings, second: Ratings) -> list[Note]:
    """How many things of each table take no part, the first of them by name."""
    told = []
    for own in (first, second):
        rows = unmatched[(unmatched["table"] == own.name) & unmatched["reason"].str.startswith("not in")]
        if rows.empty:
            continue
        rows = rows.sort_values(
            "reason", key=lambda reason: ~reason.str.contains(", which has"), kind="stable"
        )
        shown = "; ".join(f"'{row['item']}' {row['reason']}" for row in rows[:_SHOWN].to_dict("records"))
        more = f"; {len(rows) - _SHOWN} more stand in unmatched.csv" if len(rows) > _SHOWN else ""
        told.append(f"{len(rows)} of {len(own.numbers)} things of {own.name} have no partner: {shown}{more}")
    empty = int((unmatched["reason"] == "no number").sum())
    if empty:
        told.append(f"{empty} things have no number in one of the tables and take no part")
    return [Note(kind=NoteKind.TABLE, text=text) for text in told]


def _with_classes(settings: AgreementSettings, value: str, pairs: pd.DataFrame) -> AgreementSettings:
    """The settings with the classes of counts where none are given; densities have none of their own."""
    numbers = pairs[["a", "b"]].to_numpy(float)
    if settings.bins or _DENSITY.search(value) or (numbers != numbers.round()).any():
        return settings
    return replace(settings, bins=_COUNT_CLASSES)


def _about_kappa(found: agreement.Agreement, settings: AgreementSettings, value: str) -> list[Note]:
    """Why there is no kappa, or no interval of it."""
    kappa = found.kappa
    if not settings.bins:
        text = (
            f"weighted kappa needs classes, and {value} holds densities, not counts: give --bins, the lower "
            "ends of the classes beside 0"
        )
    elif math.isnan(kappa.value):
        text = (
            "weighted kappa says nothing: one of the raters has everything in one class; give --bins that "
            "part the values"
        )
    elif math.isnan(kappa.low):
        same = int(found.classes.trace()) == int(found.classes.sum())
        why = ", as both raters agree on every class" if same else ""
        text = f"weighted kappa has no interval: its variance is not above 0{why}"
    else:
        return []
    return [Note(kind=NoteKind.STUDY, text=text)]


def _what_to_know(pairs: pd.DataFrame, settings: AgreementSettings) -> list[Note]:
    said = []
    if len(pairs) < _FEW:
        said.append(f"{len(pairs)} things are few: the limits of agreement are uncertain themselves")
    n_zero = int((pairs[["a", "b"]] == 0).any(axis=1).sum())
    if n_zero:
        said.append(
            f"{n_zero} of {len(pairs)} things have a 0: {settings.offset:g} was added to all values before "
            "the logarithm, and the ratios of small values depend on that"
        )
    return [Note(kind=NoteKind.STUDY, text=text) for text in said]


def measures_table(found: agreement.Agreement, settings: AgreementSettings) -> pd.DataFrame:
    """All measures with their intervals and meanings: the table of agreement."""
    limits = found.differences
    added = f", {limits.offset:g} added to each value" if limits.offset else ""
    edges = ", ".join(f"{edge:g}" for edge in settings.bins)
    classes = f"classes from 0, {edges}" if edges else "no classes were given"
    rows = [
        ("ICC(A,1)", found.absolute, "absolute agreement of single ratings (McGraw and Wong 1996)"),
        (
            "ICC(C,1)",
            found.consistency,
            "consistency of single ratings, a constant difference forgiven (McGraw and Wong 1996)",
        ),
        ("ratio A/B", limits.ratio, f"geometric mean (Bland and Altman 1999, logarithm{added})"),
        ("lower limit of A/B", limits.lower, "2.5 % of the ratios lie below"),
        ("upper limit of A/B", limits.upper, "2.5 % of the ratios lie above"),
        ("weighted kappa", found.kappa, f"quadratic weights; {classes}"),
        ("slope", found.slope, "of B on A, Passing and Bablok 1983; 1 where they agree"),
        ("intercept", found.intercept, "of B on A, Passing and Bablok 1983; 0 where they agree"),
    ]
    return pd.DataFrame(
        [(name, one.value, one.low, one.high, meaning) for name, one, meaning in rows],
        columns=AGREEMENT.names,
    )


def _write(
    folder: output.OutputFolder,
    result: AgreementResult,
    found: agreement.Agreement,
    record: dict[str, Any],
    settings: AgreementSettings,
) -> None:
    # Matplotlib and Jinja2 are loaded by those who draw and write pages with them.
    from ihcscore.report import figures
    from ihcscore.report.page import html_of
    from ihcscore.report.study import AgreementPage

    tables = (result.measures, AGREEMENT), (result.pairs, AGREEMENT_PAIRS), (result.unmatched, UNMATCHED)
    write_tables(folder, tables)
    limits = found.differences
    picture = figures.agreement(
        result.pairs,
        names=("A", "B"),
        line=(found.slope.value, found.intercept.value),
        limits=[one.value for one in (limits.lower, limits.ratio, limits.upper)],
        offset=limits.offset,
    )
    for kind, content in picture.items():
        folder.add_file(content, "figures", f"agreement.{kind}")
    page = AgreementPage(
        record=record,
        measures=result.measures,
        classes=found.classes.tolist(),
        class_names=_class_names(settings.bins),
        unmatched=result.unmatched,
        warnings=result.warnings,
        figure=picture["svg"],
    )
    folder.add_file(html_of(page), "report.html")
    output.write_record(folder, record)


def _class_names(bins: tuple[float, ...]) -> list[str]:
    if not bins:
        return []
    edges = (0.0, *bins)
    return [f"{low:g} to <{high:g}" for low, high in zip(edges, bins, strict=False)] + [
        f"{bins[-1]:g} and more"
    ]
