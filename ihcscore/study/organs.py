"""Uptake of organs before and during treatment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ihcscore import output
from ihcscore.errors import TableError, parameter
from ihcscore.output.progress import Progress, silent
from ihcscore.pet.table import UptakeTable, read_uptake
from ihcscore.schema import ORGAN_VALUES, ORGANS, BiodistributionSettings, Note, NoteKind, texts
from ihcscore.sheet import folded
from ihcscore.statistics import adjust, hodges_lehmann, quartiles, shapiro_wilk, signed_rank
from ihcscore.study.journal import write_figures, write_results


@dataclass(frozen=True, kw_only=True)
class Organs:
    """What follows from the uptake of organs.

    Attributes
    ----------
    organs, by_patient : DataFrame
        As in ``organs.csv`` and ``organ_values.csv``.
    notes : list of Note
        What a reader must know.
    """

    organs: pd.DataFrame = field(repr=False)
    by_patient: pd.DataFrame = field(repr=False)
    notes: list[Note]

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def compare_organs(
    lesions: str | Path,
    *,
    out: str | Path,
    settings: BiodistributionSettings | None = None,
    rename: Mapping[str, str] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Organs:
    """Compare the uptake of each organ before and during treatment, and write tables, a figure and a page.

    Parameters
    ----------
    lesions : str or Path
        Table of uptake, CSV or XLSX; its rows of healthy tissue are taken.
    out : str or Path
        Gets organs.csv, organ_values.csv, the figure, report.html, results.md and run.json.
    settings : BiodistributionSettings, optional
    rename : mapping of str to str, optional
        New name of a column to its name in the file.
    overwrite : bool
        Replace a run that the folder already holds.
    progress : callable, optional

    Raises
    ------
    IhcscoreError
        If the table cannot be used, a scan is not in it, or the folder cannot be written.
    """
    settings = settings or BiodistributionSettings()
    with output.OutputFolder(out, overwrite=overwrite) as folder:
        progress("reading the table", 0.0)
        found = organ_tables(read_uptake(lesions, suv=settings.suv, rename=rename), settings)
        for rows, schema in ((found.organs, ORGANS), (found.by_patient, ORGAN_VALUES)):
            output.write_table(folder.new_file(f"{schema.name}.csv"), rows, schema)
        content = {
            "inputs": output.describe_inputs({"lesions": lesions}),
            "parameters": output.as_plain(settings) | {"map": dict(rename or {})},
            "warnings": found.warnings,
        }
        record = output.make_record("biodistribution", content, packages=output.STUDY_PACKAGES)
        progress("drawing", 0.3)
        _write_page(folder, found, record, settings)
        output.write_record(folder, record)
        progress("done", 1.0)
    return found


def organ_tables(suv: UptakeTable, settings: BiodistributionSettings) -> Organs:
    """The tables of organs.

    Parameters
    ----------
    suv : UptakeTable
        Read with the column of the settings.
    settings : BiodistributionSettings

    Raises
    ------
    TableError
        If no row is of healthy tissue, or a scan is not in the table.
    """
    rows, told = _scans_as_asked(suv, settings)
    values, more = _by_patient(suv.name, rows, settings)
    organs = pd.DataFrame(
        [_compare(str(organ), own, settings) for organ, own in values.groupby("organ", sort=True)]
    )
    for name in ("p", "p_smallest"):
        organs[f"{name}_adjusted"] = adjust(organs[name].to_numpy(float), settings.adjust)
    organs["adjustment"] = str(settings.adjust)
    organs["n_tests"] = int(organs["p"].notna().sum())
    organs = organs.sort_values(["median_before", "organ"], ascending=[False, True]).reset_index(drop=True)
    notes = [Note(kind=NoteKind.STUDY, text=text) for text in (*told, *more)]
    return Organs(organs=organs[ORGANS.names], by_patient=values, notes=[*suv.warnings, *notes])


def _scans_as_asked(suv: UptakeTable, settings: BiodistributionSettings) -> tuple[pd.DataFrame, list[str]]:
    """Rows of healthy tissue at the scans that were asked for, and which scans take no part."""
    healthy = suv.rows[~suv.rows["is_lesion"] & suv.rows["suv"].notna()]
    if healthy.empty:
        raise TableError(
            f"{suv.name}: no row with a {settings.suv} is of healthy tissue; name the organ in "
            "the column tissue"
        )
    asked = {folded(name): name for name in (settings.before, *settings.after)}
    rows = healthy.assign(timepoint=[asked.get(folded(name), name) for name in healthy["timepoint"]])
    there = sorted(set(rows["timepoint"]))
    for name, option in ((settings.before, "before"), *((one, "after") for one in settings.after)):
        if name not in there:
            raise TableError(
                f"{suv.name}: no organ has a scan '{name}' (it has {', '.join(there)}); "
                f"give {parameter(option)}"
            )
    left = [name for name in there if name not in asked.values()]
    told = [
        f"{suv.name}: these scans take no part: {', '.join(left)}; give --after more than once to pool scans"
    ]
    return rows[rows["timepoint"].isin(asked.values())], told if left else []


def _by_patient(
    name: str, rows: pd.DataFrame, settings: BiodistributionSettings
) -> tuple[pd.DataFrame, list[str]]:
    """A row an organ and patient, both sides averaged; of several later scans the one first asked for."""
    rank = {scan: at for at, scan in enumerate(settings.after)}
    later = rows[rows["timepoint"].isin(settings.after)]
    scans = later.groupby("patient_id")["timepoint"].agg(
        lambda names: sorted(set(names), key=rank.__getitem__)
    )
    told = [
        f"{name}: {patient} has {len(own)} scans during treatment ({', '.join(own)}); {own[0]} is taken"
        for patient, own in scans.items()
        if len(own) > 1
    ]
    chosen = {patient: own[0] for patient, own in scans.items()}
    later = later[later["timepoint"] == later["patient_id"].map(chosen)]
    before = rows[rows["timepoint"] == settings.before]
    keys = ["tissue", "patient_id"]
    first, second = (
        part.groupby(keys)["suv"].agg(["mean", "size"]).add_suffix(f"_{when}")
        for part, when in ((before, "before"), (later, "after"))
    )
    both = first.join(second, how="outer").reset_index()
    counts = both[["size_before", "size_after"]].fillna(0).astype(int)
    values = pd.DataFrame(
        {
            "organ": both["tissue"],
            "patient_id": both["patient_id"],
            "before": both["mean_before"],
            "after": both["mean_after"],
            "change_pct": 100 * (both["mean_after"] / both["mean_before"].where(both["mean_before"] > 0) - 1),
            "n_before": counts["size_before"],
            "n_after": counts["size_after"],
            "scan_after": both["patient_id"].map(chosen).where(both["mean_after"].notna(), "").fillna(""),
        }
    )
    uneven = values[
        (values["n_before"] > 0) & (values["n_after"] > 0) & (values["n_before"] != values["n_after"])
    ]
    told += [
        f"{name}: {row['organ']} of {row['patient_id']} has {row['n_before']} volumes before and "
        f"{row['n_after']} during treatment: was one side not measured?"
        for row in uneven.to_dict("records")
    ]
    return values[ORGAN_VALUES.names], told


def _compare(organ: str, values: pd.DataFrame, settings: BiodistributionSettings) -> dict[str, object]:
    """An organ's row, but for what depends on the other organs."""
    pairs = values[values["before"].notna() & values["after"].notna()]
    before, after = pairs["before"].to_numpy(float), pairs["after"].to_numpy(float)
    test = signed_rank(after - before)
    shift, (low, high) = hodges_lehmann(after - before)
    w, p_normal = shapiro_wilk(after - before)
    middle = [float(np.median(side)) if len(side) else math.nan for side in (before, after)]
    row: dict[str, object] = {"organ": organ, "quartiles": str(settings.quartiles)}
    for when in ("before", "after"):
        known = values[when].dropna().to_numpy(float)
        q1, median, q3 = quartiles(known, settings.quartiles)
        row |= {f"n_{when}": len(known), f"median_{when}": median, f"q1_{when}": q1, f"q3_{when}": q3}
    notes = ["no test: no pair differs" if len(pairs) else "no test: no pairs"] if math.isnan(test.p) else []
    if math.isnan(low):
        notes.append(f"interval not estimable: {len(pairs)} pairs, fewer than 6")
    return row | {
        "n_pairs": len(pairs),
        "n_zero": test.n_zero,
        "pairs_median_before": middle[0],
        "pairs_median_after": middle[1],
        "change_of_medians_pct": 100 * (middle[1] / middle[0] - 1) if middle[0] > 0 else math.nan,
        "median_change_pct": float(pairs["change_pct"].median()),
        "shift": shift,
        "shift_low": low,
        "shift_high": high,
        "p_smallest": test.p_smallest,
        "p": test.p,
        "p_asymptotic": test.p_asymptotic,
        "shapiro_w": w,
        "shapiro_p": p_normal,
        "note": "; ".join(notes),
    }


def _write_page(
    folder: output.OutputFolder, found: Organs, record: dict[str, Any], settings: BiodistributionSettings
) -> None:
    # Matplotlib and Jinja2 are loaded by those who draw and write pages with them.
    from ihcscore.report.biodistribution import BiodistributionPage, organ_figure, results
    from ihcscore.report.page import html_of

    drawn = [organ_figure(found.organs, settings)]
    write_figures(folder, drawn)
    page = BiodistributionPage(
        record=record, settings=settings, organs=found.organs, warnings=found.warnings, figures=drawn
    )
    folder.add_file(html_of(page), "report.html")
    write_results(folder, results(page))
