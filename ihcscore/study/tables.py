"""Scores and uptake to the tables of a study; nothing here touches a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from ihcscore.errors import IhcscoreError, TableError, parameter
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import (
    BOTH_REGIONS,
    JOINED,
    LESION_POINTS,
    PATIENT_DENSITIES,
    Change,
    CorrelationSettings,
    Lesions,
    Note,
    Quantity,
    Unit,
    Uptake,
    When,
    texts,
)
from ihcscore.sheet import folded
from ihcscore.statistics.summary import quartiles
from ihcscore.study.densities import COLUMNS, measure, of_matched_fields, spread_by_patient
from ihcscore.study.join import join_lesions, join_patients, lesions_at, link_lesions, patient_uptake
from ihcscore.study.notes import flow, nothing_joined, unmatched, what_to_know
from ihcscore.study.questions import UPTAKE_COLUMNS, Question, questions
from ihcscore.study.response import compare_responses
from ihcscore.study.results import correlate_all
from ihcscore.study.scans import as_asked, compare_scans, pair_scans, percent_changes
from ihcscore.study.scores import ScoreTable
from ihcscore.study.summary import scans_described, summarise

ByResponse = tuple[str, Quantity, pd.DataFrame]
UPTAKE_FAMILY, TISSUE_FAMILY = "uptake", "tissue"


@dataclass(frozen=True, kw_only=True)
class Study:
    """The tables of a study.

    Attributes
    ----------
    joined, correlations, summary, serial, response, unmatched : DataFrame
        As the schema says; joined and correlations have no rows without scores, serial and response where
        the table of lesions does not allow them.
    questions : list of Question
        What each row of the correlations asks, with its points.
    scans : DataFrame
        Lesions with both scans: patient_id, lesion_id, before, after.
    lesions : DataFrame
        Lesions at each scan with the scan's quartiles, as the schema says.
    by_patient : DataFrame
        Mean and SD of each patient's markers in the regions that take part, as the schema says.
    by_response : list of (str, Quantity, DataFrame)
        What is held against response: its family, what it is, and columns patient_id, value, response.
    flow : list of (str, list of (str, int))
        Numbers from slides and lesions to pairs: for each side its steps.
    regions_left_out : list of str
        Regions of the scores that are described and take part in no test.
    notes : list of Note
        What a reader must know.
    settings : CorrelationSettings
        Those of the study, with regions as the scores spell them.
    """

    joined: pd.DataFrame = field(repr=False)
    correlations: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)
    serial: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    questions: list[Question] = field(repr=False)
    scans: pd.DataFrame = field(repr=False)
    lesions: pd.DataFrame = field(repr=False)
    by_patient: pd.DataFrame = field(repr=False)
    by_response: list[ByResponse] = field(repr=False)
    flow: list[tuple[str, list[tuple[str, int]]]]
    regions_left_out: list[str]
    notes: list[Note]
    settings: CorrelationSettings

    @property
    def warnings(self) -> list[str]:
        """The notes' sentences."""
        return texts(self.notes)


def study_tables(scores: ScoreTable | None, suv: UptakeTable | None, settings: CorrelationSettings) -> Study:
    """Join, correlate, compare and summarise.

    Parameters
    ----------
    scores : ScoreTable or None
        Read with the columns of the settings; None where lesions alone are studied.
    suv : UptakeTable or None
        None only where two densities are correlated.
    settings : CorrelationSettings

    Raises
    ------
    IhcscoreError
        If nothing can be joined, or a scan, density or region that was asked for is not there.
    """
    _check_question(scores, suv, settings)
    suv = suv and as_asked(suv, settings)
    lesions = _lesions(suv, settings)
    tissue = None if scores is None else _tissue(scores, settings)
    joined = _no_tissue() if tissue is None else _join(tissue, lesions, suv, settings)
    asked = [] if tissue is None else questions(joined, settings)
    scans = pair_scans(suv.rows) if suv is not None else pd.DataFrame()
    densities = _NO_DENSITIES if tissue is None else tissue.densities
    described = _NO_DENSITIES if tissue is None else tissue.described
    responses = _by_response(densities, lesions, scans, suv, settings)
    undefined = None if tissue is None else tissue.undefined
    scores = None if tissue is None else tissue.scores
    return Study(
        joined=joined.assign(variable=[one.name for one in joined["variable"]])[JOINED.names],
        correlations=correlate_all(asked, settings),
        summary=summarise(described, suv, settings),
        serial=compare_scans(scans, settings),
        response=compare_responses(
            [(family, quantity.name, table) for family, quantity, table in responses], settings
        ),
        unmatched=unmatched(joined, scores, suv, lesions, undefined, settings),
        questions=asked,
        scans=scans,
        lesions=_drawn_lesions(suv, settings),
        by_patient=_NO_PATIENTS if tissue is None else spread_by_patient(tissue.spread),
        by_response=responses,
        flow=flow(joined, scores, suv, lesions, scans, settings),
        regions_left_out=sorted(set(described["region"]) - set(densities["region"])),
        notes=what_to_know(joined, scores, suv, lesions, settings),
        settings=settings if tissue is None else tissue.settings,
    )


@dataclass(frozen=True, kw_only=True)
class _Tissue:
    """What the scores give: those that take part, their densities, and all that are described."""

    scores: ScoreTable
    densities: pd.DataFrame
    chosen: pd.DataFrame
    described: pd.DataFrame
    undefined: pd.DataFrame
    settings: CorrelationSettings

    @property
    def spread(self) -> pd.DataFrame:
        """Rows of the scores whose marker and region take part."""
        keys = pd.MultiIndex.from_frame(self.chosen[["marker", "region"]])
        rows = self.scores.rows
        return rows[pd.MultiIndex.from_frame(rows[["marker", "region"]]).isin(keys)]


_NO_DENSITIES = pd.DataFrame(columns=COLUMNS)
_NO_PATIENTS = pd.DataFrame(columns=PATIENT_DENSITIES.names)


def _tissue(scores: ScoreTable, settings: CorrelationSettings) -> _Tissue:
    settings = _regions_as_there(scores, settings)
    regions = _regions(scores, settings)
    everything, undefined = measure(scores.rows, settings)
    densities, undefined = (_taking_part(table, regions, settings) for table in (everything, undefined))
    own = _chosen(densities, settings)
    chosen, more = of_matched_fields(own, settings.asked)
    return _Tissue(
        scores=_only(scores, set(own["region"]) | regions),
        densities=densities,
        chosen=chosen,
        described=own if settings.asked or settings.regions else everything,
        undefined=pd.concat([undefined, more], ignore_index=True) if len(more) else undefined,
        settings=settings,
    )


def _no_tissue() -> pd.DataFrame:
    """The joined table where there are no scores."""
    return pd.DataFrame(columns=[*JOINED.names, "samples"])


def _drawn_lesions(suv: UptakeTable | None, settings: CorrelationSettings) -> pd.DataFrame:
    """Each lesion with a value at each scan, the scans in their order."""
    empty = pd.DataFrame(columns=LESION_POINTS.names)
    if suv is None:
        return empty
    parts = []
    for name, rows in scans_described(suv.rows, settings).items():
        own = rows[rows["is_lesion"] & rows["suv"].notna()].rename(columns={"suv": "value"})
        q1, median, q3 = quartiles(own["value"].to_numpy(float), settings.quartiles)
        own = own.sort_values(["patient_id", "lesion_id"], kind="stable")
        parts.append(own.assign(timepoint=name, q1=q1, median=median, q3=q3)[LESION_POINTS.names])
    return pd.concat([part for part in parts if len(part)] or [empty], ignore_index=True)


def _check_question(
    scores: ScoreTable | None, suv: UptakeTable | None, settings: CorrelationSettings
) -> None:
    if suv is None and settings.y is None:
        raise IhcscoreError("no table of lesions; give one, or two densities with --x and --y")
    if scores is None:
        if settings.asked or settings.regions:
            raise IhcscoreError("densities are asked for, but there are no scores; give them")
        return
    if settings.y is not None and settings.point is Unit.LESION:
        raise IhcscoreError(
            f"{parameter('point')} is lesion, but two densities are correlated by patient; leave it out"
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
    found = lesions_at(suv.rows, When.BEFORE)
    everything = pd.concat([suv.rows, suv.excluded], ignore_index=True)
    if not everything["is_lesion"].any():
        said = suv.rows["tissue"].value_counts()
        words = ", ".join(f"{word} ({n} rows)" for word, n in said.items())
        raise TableError(
            f"{suv.name}: no row is a lesion by the column tissue, which says {words}; write lesion there, "
            "or the organ's name for healthy tissue"
        )
    if found.empty:
        there = ", ".join(sorted(set(everything["timepoint"])))
        n_excluded = int((suv.excluded["timepoint"] == settings.timepoint).sum())
        excluded = f", and {n_excluded} rows there are excluded" if n_excluded else ""
        raise TableError(
            f"{suv.name}: no lesion has a {settings.measure.name} at timepoint '{settings.timepoint}' (it "
            f"has {there}{excluded}); give another {parameter('timepoint')}"
        )
    return found


def _join(
    tissue: _Tissue, lesions: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> pd.DataFrame:
    """The joined table, and for each row whether there is an uptake."""
    densities = tissue.chosen
    if settings.y is not None:
        uptake = patient_uptake(lesions)
        joined = densities.merge(uptake, on="patient_id", how="left", validate="many_to_one")
        joined["lesion_id"] = ""
    elif settings.point is Unit.LESION:
        joined = join_lesions(densities, link_lesions(lesions, tissue.scores.rows))
    else:
        joined = join_patients(densities, patient_uptake(lesions))
    if joined.empty:
        raise nothing_joined(densities, lesions, suv, settings)
    joined["timepoint"], joined["measure"] = settings.timepoint, settings.measure.column
    response = {} if suv is None else _responses(suv)
    joined["response"] = [response.get(patient, "") for patient in joined["patient_id"]]
    for column in ("n_lesions", "n_samples", "n_scored"):
        joined[column] = joined[column].astype("Int64")
    return joined


def _responses(suv: UptakeTable) -> dict[str, str]:
    """Best response of each patient, of excluded lesions too: it is the patient's."""
    rows = pd.concat([suv.excluded, suv.rows], ignore_index=True)
    return dict(zip(rows["patient_id"], rows["response"], strict=True))


def _by_response(
    densities: pd.DataFrame,
    lesions: pd.DataFrame,
    scans: pd.DataFrame,
    suv: UptakeTable | None,
    settings: CorrelationSettings,
) -> list[ByResponse]:
    """Uptake, its change, and densities of the patients with a response; none below two responses."""
    if suv is None or settings.point is not Unit.PATIENT:
        return []
    response = _responses(suv)
    if len(set(response.values()) - {""}) < 2:
        return []
    found = [(UPTAKE_FAMILY, *one) for one in (*_uptakes(lesions, settings), *_changes(scans, settings))]
    for variable in densities["variable"].unique():
        rows = densities[densities["variable"] == variable].rename(columns={"density": "value"})
        found.append((TISSUE_FAMILY, variable, rows))
    known = [
        (family, quantity, rows.assign(response=[response.get(one, "") for one in rows["patient_id"]]))
        for family, quantity, rows in found
    ]
    columns = ["patient_id", "value", "response"]
    return [
        (family, quantity, rows.loc[rows["response"] != "", columns].dropna().reset_index(drop=True))
        for family, quantity, rows in known
    ]


def _uptakes(lesions: pd.DataFrame, settings: CorrelationSettings) -> Iterator[tuple[Quantity, pd.DataFrame]]:
    """Mean and highest of each patient's lesions before treatment."""
    uptake = patient_uptake(lesions)
    for which in (Lesions.MEAN, Lesions.HIGHEST):
        quantity = Uptake(suv=settings.measure.name, lesions=which)
        yield quantity, uptake.rename(columns={UPTAKE_COLUMNS[which]: "value"})


def _changes(scans: pd.DataFrame, settings: CorrelationSettings) -> Iterator[tuple[Quantity, pd.DataFrame]]:
    """How each patient's mean over the lesions of both scans changed: the difference, and in percent."""
    if scans.empty:
        return
    means = scans.groupby("patient_id", sort=True)[["before", "after"]].mean().reset_index()
    before, after = means["before"].to_numpy(float), means["after"].to_numpy(float)
    for percent, values in ((False, after - before), (True, percent_changes(before, after))):
        yield Change(suv=settings.measure.name, percent=percent), means.assign(value=values)
