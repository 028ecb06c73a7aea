"""Two tables of counts or densities of the same things: how far they agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import ihcscore
from ihcscore import output
from ihcscore.errors import TableError, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.output.record import STUDY_PACKAGES
from ihcscore.schema import AGREEMENT, AGREEMENT_PAIRS, UNMATCHED, AgreementSettings
from ihcscore.sheet.read import Sheet, numbers, read_sheet
from ihcscore.statistics import agreement
from ihcscore.study.correlate import describe_inputs

# Columns that name a thing, as the program writes them; those that both tables have are the key.
_NAMES = ("patient_id", "sample_id", "slide", "image", "marker", "region", "field_id")
_FEWEST, _FEW = 3, 20


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
        (first, notes_a), (second, notes_b) = (_values(sheet, keys, value) for sheet in sheets)
        pairs, unmatched = _pair(first, second, sheets)
        progress("comparing", 0.3)
        measures = agreement.agree(pairs["a"].to_numpy(float), pairs["b"].to_numpy(float), settings)
        warnings = [*notes_a, *notes_b, *_what_to_know(pairs, settings)]
        result = AgreementResult(measures=measures, pairs=pairs, unmatched=unmatched, warnings=warnings)
        record = {
            "ihcscore": ihcscore.__version__,
            "command": "agree",
            "inputs": describe_inputs({"a": a, "b": b}),
            "parameters": asdict(settings) | {"map": dict(rename or {})},
            "keys": list(keys),
            "value_column": value,
            "n_pairs": len(pairs),
            "warnings": warnings,
            "packages": output.package_versions(STUDY_PACKAGES),
        }
        _write(folder, result, record, settings)
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
            sheet.require(settings.keys, option=f"give {parameter('keys')} with columns that both have")
    keys = settings.keys or tuple(name for name in _NAMES if name in both)
    if not keys:
        raise TableError(
            f"the tables share no column that names a thing ({', '.join(_NAMES)}); give {parameter('keys')}"
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


def _values(sheet: Sheet, keys: tuple[str, ...], value: str) -> tuple[pd.Series[float], list[str]]:
    """The numbers by name; things without a number stay as NaN."""
    for key in keys:
        empty = sheet.rows[key] == ""
        if empty.any():
            raise TableError(f"{sheet.name}, row {sheet.rows.index[empty][0]}: {key} is empty; give one")
    found, notes = numbers(sheet, value)
    if (found < 0).any():
        row = found.index[found < 0][0]
        raise TableError(f"{sheet.name}, row {row}: {value} is {found[row]:g}, expected 0 or more")
    names = sheet.rows[list(keys)].agg(" · ".join, axis=1)
    twice = names[names.duplicated(keep=False)]
    if len(twice):
        where = " and ".join(map(str, twice.index[twice == twice.iloc[0]][:2]))
        raise TableError(
            f"{sheet.name}, rows {where}: '{twice.iloc[0]}' occurs more than once; "
            f"name the things with {parameter('keys')}"
        )
    return found.set_axis(names), notes


def _pair(
    first: pd.Series[float], second: pd.Series[float], sheets: tuple[Sheet, Sheet]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Things with both numbers, sorted by name; and all others with the reason."""
    table = pd.DataFrame({"a": first, "b": second}).sort_index(kind="stable")
    in_a, in_b = table.index.isin(first.index), table.index.isin(second.index)
    pairs = table.dropna().rename_axis("key").reset_index()
    rows = []
    for key, row, a_has, b_has in zip(table.index, table.itertuples(index=False), in_a, in_b, strict=True):
        if not b_has:
            rows.append((sheets[0].name, "", key, f"not in {sheets[1].name}"))
        elif not a_has:
            rows.append((sheets[1].name, "", key, f"not in {sheets[0].name}"))
        elif np.isnan(row).any():
            rows.append((sheets[0 if np.isnan(row[0]) else 1].name, "", key, "no number"))
    if len(pairs) < _FEWEST:
        raise TableError(
            f"{len(pairs)} things are in both tables, 3 or more are needed: {sheets[0].name} has "
            f"'{first.index[0]}', {sheets[1].name} has '{second.index[0]}'; names must be the same text"
        )
    return pairs[AGREEMENT_PAIRS.names], pd.DataFrame(rows, columns=UNMATCHED.names)


def _what_to_know(pairs: pd.DataFrame, settings: AgreementSettings) -> list[str]:
    notes = []
    if len(pairs) < _FEW:
        notes.append(f"{len(pairs)} things are few: the limits of agreement are uncertain themselves")
    n_zero = int((pairs[["a", "b"]] == 0).any(axis=1).sum())
    if n_zero:
        notes.append(
            f"{n_zero} of {len(pairs)} things have a 0: {settings.offset:g} was added to all values before "
            "the "
            "logarithm, and the ratios of small values depend on that"
        )
    return notes


def _write(
    folder: output.OutputFolder, result: AgreementResult, record: dict[str, Any], settings: AgreementSettings
) -> None:
    # Matplotlib is loaded by those who draw with it.
    from ihcscore.report import figures
    from ihcscore.report import study as pages

    output.write_table(folder.new_file("agreement.csv"), result.measures, AGREEMENT)
    output.write_table(folder.new_file("pairs.csv"), result.pairs, AGREEMENT_PAIRS)
    output.write_table(folder.new_file("unmatched.csv"), result.unmatched, UNMATCHED)
    value = dict(zip(result.measures["measure"], result.measures["value"], strict=True))
    a, b = (result.pairs[name].to_numpy(float) for name in ("a", "b"))
    picture = figures.agreement(
        result.pairs,
        names=("A", "B"),
        line=(value["slope"], value["intercept"]),
        limits=[value[name] for name in ("lower limit of A/B", "ratio A/B", "upper limit of A/B")],
        offset=agreement.log_differences(a, b, offset=settings.offset).offset,
    )
    for kind, content in picture.items():
        folder.new_file("figures", f"agreement.{kind}").write_bytes(content)
    _, classes = agreement.weighted_kappa(a, b, settings.bins)
    page = pages.AgreementPage(
        record=record,
        measures=result.measures,
        classes=classes.tolist(),
        class_names=_class_names(settings.bins),
        unmatched=result.unmatched,
        warnings=result.warnings,
        figure=picture["svg"],
    )
    pages.write_agreement_page(folder.new_file("report.html"), page)
    output.write_json(folder.new_file("run.json"), record | {"files": folder.files()})


def _class_names(bins: tuple[float, ...]) -> list[str]:
    edges = (0.0, *bins)
    return [f"{low:g} to <{high:g}" for low, high in zip(edges, bins, strict=False)] + [
        f"{bins[-1]:g} and more"
    ]
