"""Scores to one density a patient or a sample, and ratios of markers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

COLUMNS = ["patient_id", "sample_id", "variable", "marker", "region", "density", "density_low",
           "density_high", "n_samples", "n_fields"]  # fmt: skip
BETWEEN_SAMPLES = "; "


def variable_name(marker: str, region: str) -> str:
    """What a density is called in tables and pictures."""
    return f"{marker} · {region}"


def sample_densities(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a sample, marker and region, sorted; rows without a density are left out.

    Parameters
    ----------
    scores : DataFrame
        Columns patient_id, sample_id, marker, region, density, density_low, density_high, n_fields; one
        row a combination of the first four.
    """
    table = scores[scores["density"].notna()].rename(columns={"n_scored": "n_fields"})
    table["variable"] = [
        variable_name(marker, region) for marker, region in zip(table["marker"], table["region"], strict=True)
    ]
    table["n_samples"] = 1
    return _sorted(table)


def patient_densities(scores: pd.DataFrame) -> pd.DataFrame:
    """A row a patient, marker and region: the mean of the patient's samples, each counted once.

    The interval is that of the fields where the patient has one sample, else the smallest and largest
    sample. Parameters as for :func:`sample_densities`.
    """
    samples = sample_densities(scores)
    rows = []
    for (patient, marker, region), group in samples.groupby(["patient_id", "marker", "region"], sort=True):
        one = len(group) == 1
        rows.append(
            {
                "patient_id": patient,
                "sample_id": BETWEEN_SAMPLES.join(group["sample_id"]),
                "variable": group["variable"].iloc[0],
                "marker": marker,
                "region": region,
                "density": group["density"].mean(),
                "density_low": group["density_low"].iloc[0] if one else group["density"].min(),
                "density_high": group["density_high"].iloc[0] if one else group["density"].max(),
                "n_samples": len(group),
                "n_fields": group["n_fields"].sum(min_count=1),
            }
        )
    return _sorted(pd.DataFrame(rows, columns=COLUMNS))


def add_ratios(
    densities: pd.DataFrame, ratios: Sequence[tuple[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Densities with the ratios of two markers after them, region by region.

    A ratio is that of the two densities of the table, so of the patient's means where it holds patients.

    Parameters
    ----------
    densities : DataFrame
        From :func:`patient_densities` or :func:`sample_densities`.
    ratios : sequence of (str, str)
        Markers, numerator first; a ratio whose markers the table lacks is passed over.

    Returns
    -------
    table : DataFrame
        The densities, then the ratios, which have no interval.
    undefined : DataFrame
        Columns patient_id, item, reason: ratios with 0 below the line, which are never infinite.
    """
    parts, undefined = [densities], []
    for numerator, denominator in dict.fromkeys(ratios):
        above, below = (densities[densities["marker"] == name] for name in (numerator, denominator))
        if above.empty or below.empty:
            continue
        table, left_out = _ratio(above, below, f"{numerator}/{denominator}")
        parts.append(table)
        undefined.append(left_out)
    empty = pd.DataFrame(columns=["patient_id", "item", "reason"])
    undefined = [part for part in undefined if len(part)]
    return (
        pd.concat([part for part in parts if len(part)] or [densities], ignore_index=True),
        pd.concat(undefined, ignore_index=True) if undefined else empty,
    )


def _ratio(above: pd.DataFrame, below: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One ratio, and what has none: a marker is lacking, or 0 stands below the line."""
    keys = ["patient_id", "sample_id", "region"]
    both = above.merge(
        below, on=keys, how="outer", suffixes=("", "_below"), validate="one_to_one", indicator="found"
    )
    both["variable"] = [variable_name(name, region) for region in both["region"]]
    both["marker"] = name
    alone, zero = both["found"] != "both", both["density_below"] == 0
    reasons = [
        "ratio not estimable: not both markers on the same samples"
        if one
        else "ratio not estimable: divided by 0"
        for one in alone[alone | zero]
    ]
    left_out = both.loc[alone | zero, ["patient_id", "variable"]].rename(columns={"variable": "item"})
    both = both[~(alone | zero)].assign(density_low=np.nan, density_high=np.nan)
    both["density"] = both["density"] / both["density_below"]
    both["n_fields"] = both[["n_fields", "n_fields_below"]].min(axis=1)
    return _sorted(both), left_out.assign(reason=reasons)


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """In an order of the content's own, so that the order of the input is of no account."""
    order = table.sort_values(["marker", "region", "patient_id", "sample_id"], kind="stable")
    return order[COLUMNS].reset_index(drop=True)
