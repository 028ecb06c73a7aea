"""What a reader of a study must know beside the numbers: who is in it, who isn't, and why."""

from __future__ import annotations

import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import UNMATCHED, CorrelationSettings, Note, NoteKind, Unit
from ihcscore.sheet import bare
from ihcscore.study.join import lesions_at, link_lesions
from ihcscore.study.scans import about_other_scans, other_scans
from ihcscore.study.scores import ScoreTable

_SHOWN = 4


def unmatched(
    joined: pd.DataFrame,
    scores: ScoreTable,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    undefined: pd.DataFrame,
    settings: CorrelationSettings,
) -> pd.DataFrame:
    """All that takes no part, on both sides; nothing is dropped in silence."""
    rows: list[tuple[str, str, str, str]] = []
    for row in scores.rows[scores.rows["density"].isna()].to_dict("records"):
        item = " · ".join(part for part in (row["sample_id"], row["marker"], row["region"]) if part)
        rows.append(("scores", row["patient_id"], item, row["missing"]))
    if suv is not None:
        if settings.y is None:
            rows += _patients(scores, suv, lesions, settings)
            rows += _lesion_links(joined, scores, suv, lesions, settings)
        rows += _no_value(suv, settings) + _one_scan(suv, settings) + _other_scans(suv, settings)
    left_out = zip(undefined["patient_id"], undefined["variable"], undefined["reason"], strict=True)
    rows += [("joined", patient, variable.name, reason) for patient, variable, reason in left_out]
    table = pd.DataFrame(rows, columns=UNMATCHED.names).drop_duplicates()
    return table.sort_values(UNMATCHED.names, kind="stable").reset_index(drop=True)


def _patients(
    scores: ScoreTable, suv: UptakeTable, lesions: pd.DataFrame, settings: CorrelationSettings
) -> list[tuple[str, str, str, str]]:
    """Patients of one table that the other lacks, or who have no lesion at the scan."""
    with_scores, with_suv = set(scores.rows["patient_id"]), set(suv.rows["patient_id"])
    rows = []
    for patient in sorted(with_scores):
        if patient not in with_suv:
            rows.append(("scores", patient, "", f"not in {suv.name}{_like(patient, with_suv)}"))
        elif patient not in set(lesions["patient_id"]):
            rows.append(
                (
                    "scores",
                    patient,
                    "",
                    f"no lesion with {settings.suv} at {settings.timepoint} in {suv.name}",
                )
            )
    rows += [
        ("suv", patient, "", f"not in {scores.name}{_like(patient, with_scores)}")
        for patient in sorted(with_suv - with_scores)
    ]
    return rows


def _like(name: str, others: set[str]) -> str:
    """A hint at an id that differs in capitals, blanks, dashes or zeros only."""
    like = sorted(other for other in others if bare(other) == bare(name))
    return f", which has '{like[0]}': ids must be the same text" if like else ""


def _about_ids(scores: ScoreTable, suv: UptakeTable) -> list[str]:
    """Patients and samples that have no partner but for the spelling of their ids."""
    found = []
    patients, theirs = set(scores.rows["patient_id"]), set(suv.rows["patient_id"])
    found.append(("patients", patients - theirs, theirs - patients))
    samples, linked = set(scores.rows["sample_id"]), set(suv.rows["sample_id"]) - {""}
    found.append(("samples", samples - linked, linked - samples))
    told = []
    for what, own, others in found:
        near = [f"'{name}'{hint}" for name in sorted(own) if (hint := _like(name, others))]
        if near:
            shown = "; ".join(near[:_SHOWN]) + (f"; {len(near) - _SHOWN} more" if len(near) > _SHOWN else "")
            told.append(f"{len(near)} {what} of {scores.name} are not in {suv.name} as they stand: {shown}")
    return told


def _no_value(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    empty = suv.rows[suv.rows["is_lesion"] & suv.rows["suv"].isna()]
    return [
        ("suv", row["patient_id"], row["lesion_id"], f"no {settings.suv} at {row['timepoint']}")
        for row in empty.to_dict("records")
    ]


def _one_scan(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    """Lesions that only one of two scans has; none where there was no second scan at all."""
    first, second = (_lesion_keys(suv, name) for name in (settings.timepoint, settings.on_treatment))
    if not (first and second):
        return []
    reason = "lesion not compared before and after: no value at {}"
    return [
        ("suv", patient, lesion, reason.format(absent))
        for alone, absent in ((first - second, settings.on_treatment), (second - first, settings.timepoint))
        for patient, lesion in sorted(alone)
    ]


def _other_scans(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    return [
        ("suv", row["patient_id"], row["lesion_id"], f"scan '{row['timepoint']}' takes no part")
        for row in other_scans(suv, settings).to_dict("records")
    ]


def _lesion_keys(suv: UptakeTable, timepoint: str) -> set[tuple[str, str]]:
    found = lesions_at(suv.rows, timepoint)
    return set(zip(found["patient_id"], found["lesion_id"], strict=True))


def _lesion_links(
    joined: pd.DataFrame,
    scores: ScoreTable,
    suv: UptakeTable,
    lesions: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[tuple[str, str, str, str]]:
    """Samples that the SUV table names and the scores lack; and, by lesion, who has no partner."""
    known = set(zip(scores.rows["patient_id"], scores.rows["sample_id"], strict=True))
    named = suv.rows[suv.rows["sample_id"] != ""]
    rows = [
        (
            "suv",
            patient,
            sample,
            f"sample not in {scores.name}{_like(sample, {own for whose, own in known if whose == patient})}",
        )
        for patient, sample in sorted(set(zip(named["patient_id"], named["sample_id"], strict=True)) - known)
    ]
    if settings.unit is Unit.LESION:
        linked = set(zip(joined["patient_id"], joined["lesion_id"], strict=True))
        used = set(zip(joined["patient_id"], joined["sample_id"], strict=True))
        keys = zip(lesions["patient_id"], lesions["lesion_id"], strict=True)
        rows += [("suv", *key, "no tissue of this lesion was scored") for key in keys if key not in linked]
        rows += [("scores", *key, "sample not linked to a lesion") for key in sorted(known - used)]
    return rows


def nothing_joined(
    densities: pd.DataFrame, lesions: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> TableError:
    """The error of an empty join, with ids of both sides."""
    ours, theirs = sorted(set(densities["patient_id"])), sorted(set(lesions["patient_id"]))
    if settings.unit is Unit.LESION and set(ours) & set(theirs):
        return TableError(
            f"{suv.name if suv else 'SUV table'}: no lesion is linked to a sample that was scored; give a "
            f"column sample_id or biopsied, or {parameter('unit')} patient"
        )
    return TableError(
        f"no patient is in both tables: the scores have {_some(ours)}, the SUV table has {_some(theirs)} at "
        f"{settings.timepoint}; ids must be the same text"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"


def what_to_know(
    joined: pd.DataFrame,
    scores: ScoreTable,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[Note]:
    """All that a reader must know: of the tables, of the tissue, of the times, of repeated samples."""
    read = [*scores.warnings, *(suv.warnings if suv is not None else [])]
    said = []
    if suv is not None:
        said += about_other_scans(suv, settings)
    if suv is not None and settings.y is None:
        said += _about_ids(scores, suv)
        said += _about_links(joined, lesions, suv, scores, settings)
        said += _about_times(joined, suv, scores, settings)
    said += _about_repeats(joined, settings)
    return read + [Note(kind=NoteKind.STUDY, text=text) for text in said]


def _about_links(
    joined: pd.DataFrame,
    lesions: pd.DataFrame,
    suv: UptakeTable,
    scores: ScoreTable,
    settings: CorrelationSettings,
) -> list[str]:
    """Whether the tissue is that of the lesions that were imaged."""
    if settings.unit is Unit.LESION:
        return []
    n = joined["patient_id"].nunique()
    if not suv.links:
        return [
            "the SUV table does not say which lesion the tissue came from (columns sample_id or biopsied): "
            "archival tissue is usually not the lesion that was imaged"
        ]
    linked = link_lesions(lesions, scores.rows)
    n_linked = len(set(linked["patient_id"]) & set(joined["patient_id"]))
    if n_linked == n:
        return []
    return [
        f"for {n - n_linked} of {n} patients the tissue is not known to come from a lesion that was imaged"
    ]


def _about_times(
    joined: pd.DataFrame, suv: UptakeTable, scores: ScoreTable, settings: CorrelationSettings
) -> list[str]:
    """How long lies between biopsy and scan, where dates are given."""
    patients = set(joined["patient_id"])
    at = suv.rows[(suv.rows["timepoint"] == settings.timepoint) & suv.rows["patient_id"].isin(patients)]
    scan = at.groupby("patient_id")["scan_date"].min()
    biopsy = scores.rows.groupby("patient_id")["biopsy_date"].min()
    own = suv.rows.groupby("patient_id")["biopsy_date"].min()
    days = (scan - biopsy.combine_first(own).reindex(scan.index)).dropna().dt.days
    if days.empty:
        return ["the time between biopsy and scan is not known (columns scan_date and biopsy_date)"]
    notes = [
        f"between biopsy and scan lie {days.median():.0f} days in the median ({days.min():.0f} to "
        f"{days.max():.0f}; known for {len(days)} of {len(patients)} patients)"
    ]
    if (days < 0).any():
        notes.append(f"in {int((days < 0).sum())} patients the biopsy came after the scan")
    return notes


def _about_repeats(joined: pd.DataFrame, settings: CorrelationSettings) -> list[str]:
    """That patients with several samples count once."""
    if settings.unit is Unit.LESION:
        return []
    several = joined.loc[joined["n_samples"] > 1, "patient_id"].nunique()
    return [f"{several} patients have several samples: their mean was taken"] if several else []


def flow(
    joined: pd.DataFrame,
    scores: ScoreTable,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[tuple[str, list[tuple[str, int]]]]:
    """Numbers from slides and lesions to pairs, side by side."""
    sides = [("Tissue", _tissue_flow(scores))]
    if suv is not None:
        sides.append(("PET", _lesion_flow(suv, lesions, settings)))
    samples = {
        (patient, sample)
        for patient, own in zip(joined["patient_id"], joined["samples"], strict=True)
        for sample in own
    }
    both = [("patients in the analysis", joined["patient_id"].nunique()), ("their samples", len(samples))]
    if suv is not None and settings.y is None:
        label = "lesions linked to tissue" if settings.unit is Unit.LESION else "their lesions"
        once = joined.drop_duplicates(["patient_id", "lesion_id"])
        both.append((label, int(once["n_lesions"].sum())))
    return [*sides, ("Both", both)]


def _tissue_flow(scores: ScoreTable) -> list[tuple[str, int]]:
    has = scores.rows[scores.rows["density"].notna()]
    slides = [("slides", scores.n_slides)] if scores.n_slides is not None else []
    return [
        *slides,
        ("samples in the scores", len(scores.rows[["patient_id", "sample_id"]].drop_duplicates())),
        ("samples with a density", len(has[["patient_id", "sample_id"]].drop_duplicates())),
        ("patients with a density", has["patient_id"].nunique()),
    ]


def _lesion_flow(
    suv: UptakeTable, lesions: pd.DataFrame, settings: CorrelationSettings
) -> list[tuple[str, int]]:
    found = suv.rows[suv.rows["is_lesion"]]
    return [
        ("lesions in the SUV table", len(found[["patient_id", "lesion_id"]].drop_duplicates())),
        (f"lesions at {settings.timepoint}", int((found["timepoint"] == settings.timepoint).sum())),
        (f"lesions with {settings.suv}", len(lesions)),
        ("patients with lesions", lesions["patient_id"].nunique()),
    ]
