"""The table of lesions to one uptake a lesion and a patient."""

from __future__ import annotations

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import When

UPTAKE = ["patient_id", "lesions_mean", "lesions_max", "lesions_min", "n_lesions"]


def lesions_at(suv: pd.DataFrame, when: When) -> pd.DataFrame:
    """Lesions with an uptake before or during treatment, sorted; healthy tissue is never among them.

    Parameters
    ----------
    suv : DataFrame
        Columns patient_id, lesion_id, when, is_lesion, suv, sample_id, biopsied.
    when : When
    """
    chosen = suv[suv["is_lesion"] & (suv["when"] == when) & suv["suv"].notna()]
    return chosen.sort_values(["patient_id", "lesion_id"], kind="stable").reset_index(drop=True)


def patient_uptake(lesions: pd.DataFrame) -> pd.DataFrame:
    """A row a patient: mean, largest and smallest of the patient's lesions, and their number."""
    uptake = lesions.groupby("patient_id", sort=True)["suv"].agg(["mean", "max", "min", "size"])
    return uptake.reset_index().set_axis(UPTAKE, axis=1)


def link_lesions(lesions: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """Lesions whose own tissue was scored, each with its sample.

    Parameters
    ----------
    lesions : DataFrame
        From :func:`lesions_at`.
    samples : DataFrame
        Columns patient_id and sample_id: what was scored.

    Returns
    -------
    DataFrame
        The linked lesions; a lesion that is only marked as biopsied gets the patient's one sample.

    Raises
    ------
    TableError
        If a sample would come from two lesions, or a biopsied lesion of a patient with several samples
        does not say which is its own.
    """
    known = samples[["patient_id", "sample_id"]].drop_duplicates().sort_values(["patient_id", "sample_id"])
    by_patient = known.groupby("patient_id")["sample_id"].agg(list).to_dict()
    linked = lesions.copy()
    for at, row in zip(linked.index, linked.to_dict("records"), strict=True):
        own = by_patient.get(row["patient_id"], [])
        if row["sample_id"] == "" and row["biopsied"] and len(own) > 1:
            raise TableError(
                f"table of lesions: lesion {row['lesion_id']} of patient {row['patient_id']} is biopsied, "
                f"but the patient has {len(own)} samples ({', '.join(own)}); say which in a column sample_id"
            )
        if row["sample_id"] == "" and row["biopsied"] and own:
            linked.loc[at, "sample_id"] = own[0]
    pairs = list(zip(known["patient_id"], known["sample_id"], strict=True))
    has_tissue = [p in set(pairs) for p in zip(linked["patient_id"], linked["sample_id"], strict=True)]
    linked = linked[has_tissue].reset_index(drop=True)
    twice = linked[linked.duplicated(["patient_id", "sample_id"], keep=False)]
    if len(twice):
        first = twice.iloc[0]
        lesions_of = twice[
            (twice["patient_id"] == first["patient_id"]) & (twice["sample_id"] == first["sample_id"])
        ]["lesion_id"]
        raise TableError(
            f"table of lesions: sample {first['sample_id']} of patient {first['patient_id']} is linked to "
            f"lesions {', '.join(lesions_of)}; a sample comes from one"
        )
    return linked


def join_patients(densities: pd.DataFrame, uptake: pd.DataFrame) -> pd.DataFrame:
    """Densities of the patients that both tables have; never more rows than densities."""
    return densities.merge(uptake, on="patient_id", how="inner", validate="many_to_one").assign(lesion_id="")


def join_lesions(densities: pd.DataFrame, linked: pd.DataFrame) -> pd.DataFrame:
    """Densities of samples beside the uptake of the lesion they come from."""
    lesions = linked[["patient_id", "sample_id", "lesion_id", "suv"]]
    joined = densities.merge(lesions, on=["patient_id", "sample_id"], how="inner", validate="many_to_one")
    for name in ("lesions_mean", "lesions_max", "lesions_min"):
        joined[name] = joined["suv"]
    return joined.drop(columns="suv").assign(n_lesions=1)
