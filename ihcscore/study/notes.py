"""What a reader of a study must know beside the numbers: who is in it, who isn't, and why."""

from __future__ import annotations

import pandas as pd

from ihcscore.errors import TableError, parameter
from ihcscore.pet.table import UptakeTable
from ihcscore.schema import UNMATCHED, CorrelationSettings, Note, NoteKind, Unit, When
from ihcscore.sheet import bare
from ihcscore.study.join import lesions_at, link_lesions
from ihcscore.study.scans import about_order, about_other_scans, other_scans
from ihcscore.study.scores import ScoreTable

_SHOWN = 4
_NO_TISSUE = "no tissue of this lesion was scored"


def unmatched(
    joined: pd.DataFrame,
    scores: ScoreTable | None,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    undefined: pd.DataFrame | None,
    settings: CorrelationSettings,
) -> pd.DataFrame:
    """All that takes no part, on both sides; nothing is dropped in silence."""
    rows: list[tuple[str, str, str, str]] = []
    if scores is not None:
        for row in scores.rows[scores.rows["density"].isna()].to_dict("records"):
            item = " · ".join(part for part in (row["sample_id"], row["marker"], row["region"]) if part)
            rows.append(("scores", row["patient_id"], item, row["missing"]))
    if suv is not None:
        if settings.y is None and scores is not None:
            rows += _patients(scores, suv, lesions, settings)
            rows += _lesion_links(joined, scores, suv, lesions, settings)
        rows += _excluded(suv) + _no_value(suv, settings) + _one_scan(suv, settings)
        rows += _other_scans(suv, settings)
    if undefined is not None:
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
                    f"no lesion with {settings.measure.name} at {settings.timepoint} in {suv.name}",
                )
            )
    rows += [
        ("lesions", patient, "", f"not in {scores.name}{_like(patient, with_scores)}")
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


def _excluded(suv: UptakeTable) -> list[tuple[str, str, str, str]]:
    return [
        (
            "lesions",
            row["patient_id"],
            row["lesion_id"] if row["is_lesion"] else f"{row['tissue']} {row['lesion_id']}".strip(),
            f"excluded at {row['timepoint']}: {row['excluded']}",
        )
        for row in suv.excluded.to_dict("records")
    ]


def _no_value(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    empty = suv.rows[suv.rows["is_lesion"] & suv.rows["suv"].isna()]
    return [
        ("lesions", row["patient_id"], row["lesion_id"], f"no {settings.measure.name} at {row['timepoint']}")
        for row in empty.to_dict("records")
    ]


def _one_scan(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    """Lesions that only one of two scans has; none where there was no second scan at all."""
    first, second = (_lesion_keys(suv, when) for when in (When.BEFORE, When.DURING))
    if not (first and second):
        return []
    reason = "lesion not compared before and after: no value at {}"
    return [
        ("lesions", patient, lesion, reason.format(absent))
        for alone, absent in ((first - second, settings.during_name), (second - first, settings.timepoint))
        for patient, lesion in sorted(alone)
    ]


def _other_scans(suv: UptakeTable, settings: CorrelationSettings) -> list[tuple[str, str, str, str]]:
    reason = "scan '{}' takes no part"
    pooled = f"{reason}: another of the pooled scans was taken for this patient"
    return [
        (
            "lesions",
            row["patient_id"],
            row["lesion_id"],
            (pooled if row["timepoint"] in settings.during else reason).format(row["timepoint"]),
        )
        for row in other_scans(suv).to_dict("records")
    ]


def _lesion_keys(suv: UptakeTable, when: When) -> set[tuple[str, str]]:
    found = lesions_at(suv.rows, when)
    return set(zip(found["patient_id"], found["lesion_id"], strict=True))


def _lesion_links(
    joined: pd.DataFrame,
    scores: ScoreTable,
    suv: UptakeTable,
    lesions: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[tuple[str, str, str, str]]:
    """Samples that the table of lesions names and the scores lack; and, by lesion, who has no partner."""
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
    if settings.point is Unit.LESION:
        linked = set(zip(joined["patient_id"], joined["lesion_id"], strict=True))
        used = set(zip(joined["patient_id"], joined["sample_id"], strict=True))
        keys = zip(lesions["patient_id"], lesions["lesion_id"], strict=True)
        rows += [("lesions", *key, _NO_TISSUE) for key in keys if key not in linked]
        rows += [("scores", *key, "sample not linked to a lesion") for key in sorted(known - used)]
    return rows


def nothing_joined(
    densities: pd.DataFrame, lesions: pd.DataFrame, suv: UptakeTable | None, settings: CorrelationSettings
) -> TableError:
    """The error of an empty join, with ids of both sides."""
    ours, theirs = sorted(set(densities["patient_id"])), sorted(set(lesions["patient_id"]))
    if settings.point is Unit.LESION and set(ours) & set(theirs):
        return TableError(
            f"{suv.name if suv else 'table of lesions'}: no lesion is linked to a sample that was scored; "
            f"give a column sample_id or biopsied, or {parameter('point')} patient"
        )
    return TableError(
        f"no patient is in both tables: the scores have {_some(ours)}, the table of lesions has "
        f"{_some(theirs)} at {settings.timepoint}; ids must be the same text"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown or "none"


def what_to_know(
    joined: pd.DataFrame,
    scores: ScoreTable | None,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[Note]:
    """All that a reader must know: of the tables, of the tissue, of the times, of repeated samples."""
    read = [note for table in (scores, suv) if table is not None for note in table.warnings]
    said = []
    if suv is not None:
        said += about_other_scans(suv, settings) + about_order(suv, settings)
    if scores is None:
        return read + [Note(kind=NoteKind.STUDY, text=text) for text in said]
    if suv is not None and settings.y is None:
        said += _about_ids(scores, suv)
        said += _about_links(joined, lesions, suv, scores, settings)
        said += _about_times(joined, suv, scores)
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
    if settings.point is Unit.LESION:
        return []
    n = joined["patient_id"].nunique()
    if not suv.links:
        return [
            "the table of lesions does not say which lesion the tissue came from (columns sample_id or "
            "biopsied): archival tissue is usually not the lesion that was imaged"
        ]
    linked = link_lesions(lesions, scores.rows)
    n_linked = len(set(linked["patient_id"]) & set(joined["patient_id"]))
    if n_linked == n:
        return []
    return [
        f"for {n - n_linked} of {n} patients the tissue is not known to come from a lesion that was imaged"
    ]


def _about_times(joined: pd.DataFrame, suv: UptakeTable, scores: ScoreTable) -> list[str]:
    """How long lies between biopsy and scan, where dates are given."""
    patients = set(joined["patient_id"])
    at = suv.rows[(suv.rows["when"] == When.BEFORE) & suv.rows["patient_id"].isin(patients)]
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
    if settings.point is Unit.LESION:
        return []
    several = joined.loc[joined["n_samples"] > 1, "patient_id"].nunique()
    return [f"{several} patients have several samples: their mean was taken"] if several else []


def flow(
    joined: pd.DataFrame,
    scores: ScoreTable | None,
    suv: UptakeTable | None,
    lesions: pd.DataFrame,
    scans: pd.DataFrame,
    settings: CorrelationSettings,
) -> list[tuple[str, list[tuple[str, int]]]]:
    """Numbers from slides and lesions to pairs, side by side."""
    sides = [] if scores is None else [("Tissue", _tissue_flow(scores))]
    if suv is not None:
        sides.append(("Lesions", _lesion_flow(suv, lesions, settings)))
        sides += _scan_flow(suv, scans, settings)
    if scores is None:
        return sides
    samples = {
        (patient, sample)
        for patient, own in zip(joined["patient_id"], joined["samples"], strict=True)
        for sample in own
    }
    both = [("patients in the analysis", joined["patient_id"].nunique()), ("their samples", len(samples))]
    if suv is not None and settings.y is None:
        label = "lesions linked to tissue" if settings.point is Unit.LESION else "their lesions"
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
    """From the table to the lesions before treatment, with what was excluded and why."""
    keys = ["patient_id", "lesion_id"]
    everything = pd.concat([suv.rows, suv.excluded], ignore_index=True)
    found, out = (table[table["is_lesion"]] for table in (everything, suv.excluded))
    at = found[found["timepoint"] == settings.timepoint]
    gone = out[out["timepoint"] == settings.timepoint]
    return [
        ("patients in the table", everything["patient_id"].nunique()),
        ("lesions in the table", len(found[keys].drop_duplicates())),
        (f"lesions at {settings.timepoint}", len(at[keys].drop_duplicates())),
        *(
            (f"excluded: {why}", int((gone["excluded"] == why).sum()))
            for why in sorted(set(gone["excluded"]))
        ),
        (f"lesions with {settings.measure.name}", len(lesions)),
        ("patients with them", lesions["patient_id"].nunique()),
    ]


def _excluded_steps(rows: pd.DataFrame) -> list[tuple[str, int]]:
    """A step for each reason, with its lesions."""
    reasons = rows["excluded"].value_counts().sort_index()
    return [(f"excluded: {why}", int(n)) for why, n in reasons.items()]


def _scan_flow(
    suv: UptakeTable, scans: pd.DataFrame, settings: CorrelationSettings
) -> list[tuple[str, list[tuple[str, int]]]]:
    """The scans, and what two of them have in common; nothing where there is one alone."""
    rows = suv.rows
    during = lesions_at(rows, When.DURING)
    if during.empty:
        return []
    out = suv.excluded[suv.excluded["is_lesion"] & suv.excluded["timepoint"].isin(settings.during)]
    n_scans = len(rows.loc[rows["when"] != When.NEITHER, ["patient_id", "timepoint"]].drop_duplicates())
    steps = [
        ("scans of these time points", n_scans),
        *_excluded_steps(out),
        (f"lesions at {settings.during_name}", len(during)),
        ("lesions at both", len(scans)),
        ("patients with both", scans["patient_id"].nunique()),
    ]
    return [("Two scans", steps)]
