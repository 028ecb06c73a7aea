"""Scores and uptake to the tables of a study; nothing here touches a file."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ihcscore.errors import IhcscoreError, TableError
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import JOINED, CorrelationSettings, Unit, texts
from ihcscore.statistics.summary import summarise
from ihcscore.study.associations import Question, correlate_all
from ihcscore.study.densities import add_ratios, patient_densities, sample_densities, variable_name
from ihcscore.study.join import join_lesions, join_patients, lesions_at, link_lesions, patient_uptake
from ihcscore.study.notes import about_links, about_repeats, about_times, flow, nothing_joined, unmatched
from ihcscore.study.response import compare_responses
from ihcscore.study.scans import compare_scans, pair_scans
from ihcscore.study.scores import ScoreTable

_EMPTY_POINTS = ["patient_id", "x", "y", "n_lesions", "n_samples"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """The tables of a study.

    Attributes
    ----------
    joined, correlations, summary, serial, response, unmatched : DataFrame
        As the schema says; serial and response have no rows where the SUV table does not allow them.
    scans : DataFrame
        Lesions with both scans: patient_id, lesion_id, before, after.
    by_response : list of (str, DataFrame)
        What is held against response: its name, and columns patient_id, value, response.
    points : dict of str to DataFrame
        The points of each correlation, by its x and y separated by a line break: patient_id, x, y and
        the ends x_low, x_high, y_low, y_high of their intervals.
    flow : list of (str, list of (str, int))
        Numbers from slides and lesions to pairs: for each side its steps.
    warnings : list of str
    """

    joined: pd.DataFrame = field(repr=False)
    correlations: pd.DataFrame = field(repr=False)
    summary: pd.DataFrame = field(repr=False)
    serial: pd.DataFrame = field(repr=False)
    response: pd.DataFrame = field(repr=False)
    unmatched: pd.DataFrame = field(repr=False)
    scans: pd.DataFrame = field(repr=False)
    by_response: list[tuple[str, pd.DataFrame]] = field(repr=False)
    points: dict[str, pd.DataFrame] = field(repr=False)
    flow: list[tuple[str, list[tuple[str, int]]]]
    warnings: list[str]


def study_tables(scores: ScoreTable, suv: UptakeTable | None, settings: CorrelationSettings) -> Study:
    """Join, correlate, compare and summarise.

    Parameters
    ----------
    scores : ScoreTable
    suv : UptakeTable or None
        None only where two densities are correlated.
    settings : CorrelationSettings

    Raises
    ------
    IhcscoreError
        If nothing can be joined, or a scan or density that was asked for is not there.
    """
    if suv is None and settings.y is None:
        raise IhcscoreError("no SUV table; give one, or two densities with --x and --y")
    if settings.y is not None and settings.unit is Unit.LESION:
        raise IhcscoreError("--unit is lesion, but two densities are correlated by patient; leave it out")
    by_lesion = settings.unit is Unit.LESION
    densities, undefined = add_ratios(
        sample_densities(scores.rows) if by_lesion else patient_densities(scores.rows),
        settings.ratios,
    )
    chosen = _chosen(densities, settings)
    lesions = _lesions(suv, settings)
    joined = _join(chosen, lesions, suv, scores, settings)
    questions = _questions(joined, settings)
    responses = _by_response(densities, lesions, suv, settings)
    scans = pair_scans(suv.rows, settings) if suv is not None else pd.DataFrame()
    notes = texts([*scores.warnings, *(suv.warnings if suv is not None else [])])
    if suv is not None:
        notes += about_links(joined, lesions, suv, scores, settings) + about_times(
            joined, suv, scores, settings
        )
    notes += about_repeats(joined, settings)
    return Study(
        joined=joined[JOINED.names],
        correlations=correlate_all(questions, settings),
        summary=_summary(chosen, suv, settings),
        serial=compare_scans(scans, settings),
        response=compare_responses(responses, settings),
        unmatched=unmatched(joined, scores, suv, lesions, undefined, settings),
        scans=scans,
        by_response=responses,
        points={f"{question.x}\n{question.y}": question.points for question in questions},
        flow=flow(joined, scores, suv, lesions, settings),
        warnings=notes,
    )


def _chosen(densities: pd.DataFrame, settings: CorrelationSettings) -> pd.DataFrame:
    """The densities that were asked for, all if none was."""
    if settings.x is None:
        return densities
    wanted = [_variable(name, densities) for name in (settings.x, settings.y) if name is not None]
    if len(set(wanted)) < len(wanted):
        raise IhcscoreError(f"--x and --y are both {settings.x}; give two densities")
    return densities[densities["variable"].isin(wanted)].reset_index(drop=True)


def _variable(asked: str, densities: pd.DataFrame) -> str:
    """The variable of a ``marker:region``."""
    marker, _, region = (part.strip() for part in asked.partition(":"))
    name = variable_name(marker, region)
    if name not in set(densities["variable"]):
        there = densities[["marker", "region"]].drop_duplicates().agg(":".join, axis=1)
        raise IhcscoreError(f"no density '{asked}'; there are {', '.join(sorted(there))}")
    return name


def _lesions(suv: UptakeTable | None, settings: CorrelationSettings) -> pd.DataFrame:
    if suv is None:
        return pd.DataFrame(columns=["patient_id", "lesion_id", "suv", "sample_id", "biopsied"])
    found = lesions_at(suv.rows, settings.timepoint)
    if found.empty:
        there = ", ".join(sorted(set(suv.rows["timepoint"])))
        raise TableError(
            f"{suv.name}: no lesion has a {settings.suv} at timepoint '{settings.timepoint}' (it has "
            f"{there}); give another --timepoint"
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
    for column in ("n_lesions", "n_samples", "n_fields"):
        joined[column] = joined[column].astype("Int64")
    return joined


def _questions(joined: pd.DataFrame, settings: CorrelationSettings) -> list[Question]:
    if settings.y is not None:
        return [_two_densities(joined, settings)]
    scan = f"{settings.suv} at {settings.timepoint}"
    if settings.unit is Unit.LESION:
        kinds = [("primary", "suv_lesions_mean", f"{settings.suv} of the lesion", f"lesions, {scan}")]
    else:
        kinds = [
            ("primary", "suv_lesions_mean", f"{settings.suv}, mean of lesions",
             f"mean of the patient's lesions, {scan}"),
            ("sensitivity", "suv_lesions_max", f"{settings.suv}, highest lesion",
             f"highest of the patient's lesions, {scan}"),
        ]  # fmt: skip
    questions = []
    for role, column, y, family in kinds:
        for variable in joined["variable"].unique():
            rows = joined[joined["variable"] == variable]
            points = rows.rename(
                columns={"density": "x", column: "y", "density_low": "x_low", "density_high": "x_high"}
            ).assign(y_low=rows["suv_lesions_min"], y_high=rows["suv_lesions_max"])
            points = points[[*_EMPTY_POINTS, "x_low", "x_high", "y_low", "y_high", "lesion_id"]]
            questions.append(
                Question(family=family, role=role, x=str(variable), y=y, points=points.reset_index(drop=True))
            )
    return questions


def _two_densities(joined: pd.DataFrame, settings: CorrelationSettings) -> Question:
    """Two densities of the same patients."""
    names = [_variable(str(name), joined) for name in (settings.x, settings.y)]
    columns = ["patient_id", "density", "density_low", "density_high", "n_samples"]
    x, y = (joined.loc[joined["variable"] == name, columns] for name in names)
    both = x.merge(y, on="patient_id", how="inner", suffixes=("_x", "_y"), validate="one_to_one")
    if both.empty:
        raise TableError(f"no patient has both {names[0]} and {names[1]}")
    points = pd.DataFrame({"patient_id": both["patient_id"]})
    for axis in ("x", "y"):
        points[axis] = both[f"density_{axis}"]
        points[f"{axis}_low"], points[f"{axis}_high"] = (
            both[f"density_low_{axis}"],
            both[f"density_high_{axis}"],
        )
    points["n_lesions"] = 0
    points["n_samples"] = both[["n_samples_x", "n_samples_y"]].max(axis=1)
    points["lesion_id"] = ""
    return Question(family="two densities", role="primary", x=names[0], y=names[1], points=points)


def _summary(densities: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings) -> pd.DataFrame:
    """The table of the paper: densities, uptake of lesions and patients, healthy tissue."""
    by_lesion = settings.unit is Unit.LESION
    kind = np.where(densities["marker"].str.contains("/"), "ratio", "density")
    parts = [
        pd.DataFrame(
            {
                "what": kind,
                "variable": densities["variable"],
                "timepoint": "",
                "counted": "samples" if by_lesion else "patients",
                "value": densities["density"],
            }
        )
    ]
    if suv is not None:
        scans = {name: lesions_at(suv.rows, name) for name in (settings.timepoint, settings.on_treatment)}
        parts += [
            _values("uptake of lesions", settings.suv, name, "lesions", found["suv"])
            for name, found in scans.items()
        ]
        for column, label in (("suv_lesions_mean", "mean of lesions"), ("suv_lesions_max", "highest lesion")):
            parts += [
                _values(
                    "uptake of patients", f"{settings.suv}, {label}", name, "patients",
                    patient_uptake(found)[column],
                )
                for name, found in scans.items()
            ]  # fmt: skip
        parts += _healthy(suv, tuple(scans))
    return summarise(pd.concat([part for part in parts if len(part)], ignore_index=True))


def _healthy(suv: UptakeTable, scans: tuple[str, ...]) -> list[pd.DataFrame]:
    """Uptake of healthy tissue by organ: SUVmean, as the paper has it, or what the table has."""
    healthy = suv.rows[~suv.rows["is_lesion"]]
    parts = []
    for organ in sorted(set(healthy["tissue"])):
        for timepoint in scans:
            rows = healthy[(healthy["timepoint"] == timepoint) & (healthy["tissue"] == organ)]
            has_mean = "suv_mean" in rows and rows["suv_mean"].notna().any()
            column = "suv_mean" if has_mean else "suv"
            name = f"{organ}, {'suv_mean' if has_mean else 'chosen SUV'}"
            # A patient may have several volumes in one organ.
            values = rows.groupby("patient_id")[column].mean()
            parts.append(_values("healthy tissue", name, timepoint, "patients", values))
    return parts


def _values(what: str, variable: str, timepoint: str, counted: str, values: pd.Series[float]) -> pd.DataFrame:
    return pd.DataFrame(
        {"what": what, "variable": variable, "timepoint": timepoint, "counted": counted, "value": values}
    )


def _by_response(
    densities: pd.DataFrame, lesions: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> list[tuple[str, pd.DataFrame]]:
    """Uptake and densities of the patients with a response; none where fewer than two responses occur."""
    if suv is None or settings.unit is not Unit.PATIENT:
        return []
    response = dict(zip(suv.rows["patient_id"], suv.rows["response"], strict=True))
    if len(set(response.values()) - {""}) < 2:
        return []
    uptake = patient_uptake(lesions)
    named = [
        (f"{settings.suv}, mean of lesions", uptake.rename(columns={"suv_lesions_mean": "value"})),
        (f"{settings.suv}, highest lesion", uptake.rename(columns={"suv_lesions_max": "value"})),
    ]
    for variable in densities["variable"].unique():
        rows = densities[densities["variable"] == variable].rename(columns={"density": "value"})
        named.append((str(variable), rows))
    known = [
        (name, rows.assign(response=[response.get(patient, "") for patient in rows["patient_id"]]))
        for name, rows in named
    ]
    columns = ["patient_id", "value", "response"]
    return [(name, rows.loc[rows["response"] != "", columns].reset_index(drop=True)) for name, rows in known]
