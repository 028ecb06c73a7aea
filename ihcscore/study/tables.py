"""Scores and uptake to the tables of a study; nothing here touches a file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ihcscore.errors import IhcscoreError, TableError, parameter
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import (
    BOTH_REGIONS,
    JOINED,
    CorrelationSettings,
    Lesions,
    Note,
    Quantity,
    Unit,
    Uptake,
    texts,
)
from ihcscore.sheet import folded
from ihcscore.study.densities import measure
from ihcscore.study.join import join_lesions, join_patients, lesions_at, link_lesions, patient_uptake
from ihcscore.study.notes import flow, nothing_joined, unmatched, what_to_know
from ihcscore.study.questions import UPTAKE_COLUMNS, Question, questions
from ihcscore.study.response import compare_responses
from ihcscore.study.results import correlate_all
from ihcscore.study.scans import as_asked, compare_scans, pair_scans
from ihcscore.study.scores import ScoreTable
from ihcscore.study.summary import summarise


@dataclass(frozen=True, kw_only=True)
class Study:
    """The tables of a study.

    Attributes
    ----------
    joined, correlations, summary, serial, response, unmatched : DataFrame
        As the schema says; serial and response have no rows where the SUV table does not allow them.
    questions : list of Question
        What each row of the correlations asks, with its points.
    scans : DataFrame
        Lesions with both scans: patient_id, lesion_id, before, after.
    by_response : list of (Variable or Uptake, DataFrame)
        What is held against response, each with columns patient_id, value, response.
    flow : list of (str, list of (str, int))
        Numbers from slides and lesions to pairs: for each side its steps.
    regions_left_out : list of str
        Regions of the scores that are described and take part in no test.
    notes : list of Note
        What a reader must know.
    """

    joined: pd.DataFrame = field(repr=False)
    correlations: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)
    serial: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    questions: list[Question] = field(repr=False)
    scans: pd.DataFrame = field(repr=False)
    by_response: list[tuple[Quantity, pd.DataFrame]] = field(repr=False)
    flow: list[tuple[str, list[tuple[str, int]]]]
    regions_left_out: list[str]
    notes: list[Note]

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def study_tables(scores: ScoreTable, suv: UptakeTable | None, settings: CorrelationSettings) -> Study:
    """Join, correlate, compare and summarise.

    Parameters
    ----------
    scores : ScoreTable
        Read with the columns of the settings.
    suv : UptakeTable or None
        None only where two densities are correlated.
    settings : CorrelationSettings

    Raises
    ------
    IhcscoreError
        If nothing can be joined, or a scan, density or region that was asked for is not there.
    """
    _check_question(suv, settings)
    suv = suv and as_asked(suv, settings)
    settings = _regions_as_there(scores, settings)
    regions = _regions(scores, settings)
    everything, undefined = measure(scores.rows, settings)
    densities, undefined = (_taking_part(table, regions, settings) for table in (everything, undefined))
    chosen = _chosen(densities, settings)
    described = chosen if settings.asked or settings.regions else everything
    scores = _only(scores, set(chosen["region"]) | regions)
    lesions = _lesions(suv, settings)
    joined = _join(chosen, lesions, suv, scores, settings)
    asked = questions(joined, settings)
    responses = _by_response(densities, lesions, suv, settings)
    scans = pair_scans(suv.rows, settings) if suv is not None else pd.DataFrame()
    return Study(
        joined=joined.assign(variable=[one.name for one in joined["variable"]])[JOINED.names],
        correlations=correlate_all(asked, settings),
        summary=summarise(described, suv, settings),
        serial=compare_scans(scans, settings),
        response=compare_responses([(quantity.name, table) for quantity, table in responses], settings),
        unmatched=unmatched(joined, scores, suv, lesions, undefined, settings),
        questions=asked,
        scans=scans,
        by_response=responses,
        flow=flow(joined, scores, suv, lesions, settings),
        regions_left_out=sorted(set(described["region"]) - set(densities["region"])),
        notes=what_to_know(joined, scores, suv, lesions, settings),
    )


def _check_question(suv: UptakeTable | None, settings: CorrelationSettings) -> None:
    if suv is None and settings.y is None:
        raise IhcscoreError("no SUV table; give one, or two densities with --x and --y")
    if settings.y is not None and settings.unit is Unit.LESION:
        raise IhcscoreError(
            f"{parameter('unit')} is lesion, but two densities are correlated by patient; leave it out"
        )
    if len(set(settings.asked)) < len(settings.asked):
        raise IhcscoreError(f"--x and --y are both {settings.x}; give two densities")


def _regions_as_there(scores: ScoreTable, settings: CorrelationSettings) -> CorrelationSettings:
    """The settings with the regions that are asked for spelled as the scores have them."""
    there = {folded(name): name for name in scores.rows["region"].unique()}
    return replace(settings, regions=tuple(there.get(folded(name), name) for name in settings.regions))


def _regions(scores: ScoreTable, settings: CorrelationSettings) -> set[str]:
    """Regions that take part: those asked for, else each by itself.

    Both regions together are the same cells again: they would double the family of tests.
    """
    there = set(scores.rows["region"]) - {""}
    absent = sorted(set(settings.regions) - there)
    if absent:
        raise IhcscoreError(f"no region '{absent[0]}' in {scores.name}; there are {', '.join(sorted(there))}")
    return set(settings.regions) or there - {BOTH_REGIONS} or there


def _taking_part(table: pd.DataFrame, regions: set[str], settings: CorrelationSettings) -> pd.DataFrame:
    """Rows of the variables of these regions, and of those that x and y name."""
    asked = {variable.asked for variable in settings.asked}
    kept = [one.region in regions or one.asked in asked for one in table["variable"]]
    return table[np.array(kept, bool)].reset_index(drop=True)


def _chosen(densities: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    """The densities that were asked for, all if none was."""
    if not settings.asked:
        return densities
    there = {variable.asked for variable in densities["variable"]}
    asked = [variable.asked for variable in settings.asked]
    for one in asked:
        if one not in there:
            raise IhcscoreError(f"no density '{one}'; there are {', '.join(sorted(there))}")
    return densities[[one.asked in asked for one in densities["variable"]]].reset_index(drop=True)


def _only(scores: ScoreTable, regions: set[str]) -> ScoreTable:
    """The scores of these regions, and the samples that gave nothing."""
    kept = scores.rows["region"].isin(regions | {""})
    return replace(scores, rows=scores.rows[kept].reset_index(drop=True))


def _lesions(suv: UptakeTable | None, settings: CorrelationSettings) -> pd.DataFrame:
    if suv is None:
        return pd.DataFrame(columns=["patient_id", "lesion_id", "suv", "sample_id", "biopsied"])
    found = lesions_at(suv.rows, settings.timepoint)
    if not suv.rows["is_lesion"].any():
        said = suv.rows["tissue"].value_counts()
        words = ", ".join(f"{word} ({n} rows)" for word, n in said.items())
        raise TableError(
            f"{suv.name}: no row is a lesion by the column tissue, which says {words}; write lesion there, "
            "or the organ's name for healthy tissue"
        )
    if found.empty:
        there = ", ".join(sorted(set(suv.rows["timepoint"])))
        raise TableError(
            f"{suv.name}: no lesion has a {settings.suv} at timepoint '{settings.timepoint}' (it has "
            f"{there}); give another {parameter('timepoint')}"
        )
    return found


def _join(
    densities: pd.DataFrame,
    lesions: pd.DataFrame,
    suv: UptakeTable | None,
    scores: ScoreTable,
    settings: CorrelationSettings,
) -> pd.DataFrame:
    """The joined table, and for each row whether there is an uptake."""
    if settings.y is not None:
        uptake = patient_uptake(lesions)
        joined = densities.merge(uptake, on="patient_id", how="left", validate="many_to_one")
        joined["lesion_id"] = ""
    elif settings.unit is Unit.LESION:
        joined = join_lesions(densities, link_lesions(lesions, scores.rows))
    else:
        joined = join_patients(densities, patient_uptake(lesions))
    if joined.empty:
        raise nothing_joined(densities, lesions, suv, settings)
    joined["timepoint"], joined["suv_column"] = settings.timepoint, settings.suv
    response = {} if suv is None else dict(zip(suv.rows["patient_id"], suv.rows["response"], strict=True))
    joined["response"] = [response.get(patient, "") for patient in joined["patient_id"]]
    for column in ("n_lesions", "n_samples", "n_scored"):
        joined[column] = joined[column].astype("Int64")
    return joined


def _by_response(
    densities: pd.DataFrame, lesions: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> list[tuple[Quantity, pd.DataFrame]]:
    """Uptake and densities of the patients with a response; none where fewer than two responses occur."""
    if suv is None or settings.unit is not Unit.PATIENT:
        return []
    response = dict(zip(suv.rows["patient_id"], suv.rows["response"], strict=True))
    if len(set(response.values()) - {""}) < 2:
        return []
    uptake = patient_uptake(lesions)
    found: list[tuple[Quantity, pd.DataFrame]] = [
        (Uptake(suv=settings.suv, lesions=which), uptake.rename(columns={UPTAKE_COLUMNS[which]: "value"}))
        for which in (Lesions.MEAN, Lesions.HIGHEST)
    ]
    for variable in densities["variable"].unique():
        rows = densities[densities["variable"] == variable].rename(columns={"density": "value"})
        found.append((variable, rows))
    known = [
        (quantity, rows.assign(response=[response.get(patient, "") for patient in rows["patient_id"]]))
        for quantity, rows in found
    ]
    columns = ["patient_id", "value", "response"]
    return [
        (quantity, rows.loc[rows["response"] != "", columns].reset_index(drop=True))
        for quantity, rows in known
    ]
