"""What a reader of a study must know beside the numbers: who is in it, who isn't, and why."""

from __future__ import annotations

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import UNMATCHED, CorrelationSettings, Unit
from ihcscore.study.join import lesions_at, link_lesions
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
        rows += _no_value(suv, settings) + _one_scan(suv, settings)
    rows += [
        ("joined", row["patient_id"], row["item"], row["reason"]) for row in undefined.to_dict("records")
    ]
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


def _like(patient: str, others: set[str]) -> str:
    """A hint at an id that differs in capitals, blanks or leading zeros only."""

    def bare(name: str) -> str:
        return "".join(filter(str.isalnum, name.casefold())).lstrip("0")

    like = sorted(other for other in others if bare(other) == bare(patient))
    return f", which has '{like[0]}': ids must be the same text" if like else ""


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
        ("suv", patient, sample, f"sample not in {scores.name}")
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
            "column sample_id or biopsied, or --unit patient"
        )
    return TableError(
        f"no patient is in both tables: the scores have {_some(ours)}, the SUV table has {_some(theirs)} at "
        f"{settings.timepoint}; ids must be the same text"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"


def about_links(
    joined: pd.DataFrame,
    lesions: pd.DataFrame,
    suv: UptakeTable,
    scores: ScoreTable,
    settings: CorrelationSettings,
) -> list[str]:
    """Whether the tissue is that of the lesions that were imaged."""
    if settings.unit is Unit.LESION or settings.y is not None:
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


def about_times(
    joined: pd.DataFrame, suv: UptakeTable, scores: ScoreTable, settings: CorrelationSettings
) -> list[str]:
    """How long lies between biopsy and scan, where dates are given."""
    if settings.y is not None:
        return []
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


def about_repeats(joined: pd.DataFrame, settings: CorrelationSettings) -> list[str]:
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
    has = scores.rows[scores.rows["density"].notna()]
    tissue = [("slides", scores.n_slides)] if scores.n_slides is not None else []
    tissue += [
        ("samples in the scores", len(scores.rows[["patient_id", "sample_id"]].drop_duplicates())),
        ("samples with a density", len(has[["patient_id", "sample_id"]].drop_duplicates())),
        ("patients with a density", has["patient_id"].nunique()),
    ]
    sides = [("Tissue", tissue)]
    if suv is not None:
        found = suv.rows[suv.rows["is_lesion"]]
        at = found[found["timepoint"] == settings.timepoint]
        all_lesions = len(found[["patient_id", "lesion_id"]].drop_duplicates())
        sides.append(
            (
                "PET",
                [
                    ("lesions in the SUV table", all_lesions),
                    (f"lesions at {settings.timepoint}", len(at)),
                    (f"lesions with {settings.suv}", len(lesions)),
                    ("patients with lesions", lesions["patient_id"].nunique()),
                ],
            )
        )
    lesion_unit = settings.unit is Unit.LESION
    together = [("patients in the analysis", joined["patient_id"].nunique())]
    samples = {
        (p, s)
        for p, ids in zip(joined["patient_id"], joined["sample_id"], strict=True)
        for s in ids.split("; ")
    }
    together.append(("their samples", len(samples)))
    if suv is not None and settings.y is None:
        by_patient = joined.drop_duplicates(["patient_id", "lesion_id"])
        together.append(
            (
                "lesions linked to tissue" if lesion_unit else "their lesions",
                int(by_patient["n_lesions"].sum()),
            )
        )
    sides.append(("Both", together))
    return sides
