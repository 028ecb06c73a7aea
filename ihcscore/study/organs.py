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
from ihcscore.errors import TableError
from ihcscore.output.progress import Progress, silent
from ihcscore.pet.table import UptakeTable, read_uptake
from ihcscore.schema import ORGAN_VALUES, ORGANS, BiodistributionSettings, Note, NoteKind, texts
from ihcscore.statistics import adjust, hodges_lehmann, quartiles, shapiro_wilk, signed_rank
from ihcscore.study.sides import AFTER, BEFORE, two_sides
from ihcscore.study.written import study_record, write_page, write_tables


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
        write_tables(folder, [(found.organs, ORGANS), (found.by_patient, ORGAN_VALUES)])
        record = study_record(
            "biodistribution", {"lesions": lesions}, settings=settings, rename=rename, warnings=found.warnings
        )
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
    rows, told = two_sides(
        _healthy(suv, settings), name=suv.name, what="organ", before=settings.before, after=settings.after
    )
    values, more = _by_patient(suv.name, rows)
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


def _healthy(suv: UptakeTable, settings: BiodistributionSettings) -> pd.DataFrame:
    """Rows of healthy tissue with a value."""
    healthy = suv.rows[~suv.rows["is_lesion"] & suv.rows["suv"].notna()]
    if healthy.empty:
        raise TableError(
            f"{suv.name}: no row with a {settings.suv} is of healthy tissue; name the organ in "
            "the column tissue"
        )
    return healthy


def _by_patient(name: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """A row an organ and patient, both sides averaged, and whose volumes differ in number."""
    keys = ["tissue", "patient_id"]
    first, second = (
        rows[rows["side"] == side].groupby(keys)["suv"].agg(["mean", "size"]).add_suffix(f"_{side}")
        for side in (BEFORE, AFTER)
    )
    both = first.join(second, how="outer").reset_index()
    scans = rows[rows["side"] == AFTER].groupby("patient_id")["timepoint"].first()
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
            "scan_after": both["patient_id"].map(scans).where(both["mean_after"].notna(), "").fillna(""),
        }
    )
    uneven = values[
        (values["n_before"] > 0) & (values["n_after"] > 0) & (values["n_before"] != values["n_after"])
    ]
    told = [
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
    page = BiodistributionPage(
        record=record, settings=settings, organs=found.organs, warnings=found.warnings, figures=drawn
    )
    write_page(folder, html_of(page), results(page), drawn)
