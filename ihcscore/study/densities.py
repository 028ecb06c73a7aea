"""Scores to one density a patient or a sample, and ratios of markers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ihcscore.schema import PATIENT_DENSITIES, CorrelationSettings, Unit, Variable

COLUMNS = ["patient_id", "sample_id", "samples", "variable", "marker", "region", "density", "density_low",
           "density_high", "n_samples", "n_scored",
           "matched_density", "n_matched", "matched"]  # fmt: skip


def measure(scores: pd.DataFrame, settings: CorrelationSettings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All densities and ratios of a study, by patient or by sample as its unit says.

    A column of the scores that only x or y names is measured for that variable alone.

    Parameters
    ----------
    scores : DataFrame
        Rows of a :class:`~ihcscore.study.scores.ScoreTable`, read with the columns of the settings.
    settings : CorrelationSettings

    Returns
    -------
    densities : DataFrame
        As :func:`sample_densities` and :func:`patient_densities` give them, the ratios last.
    undefined : DataFrame
        As :func:`add_ratios` gives it.
    """
    by_unit = sample_densities if settings.point is Unit.LESION else patient_densities
    asked = {variable.asked for variable in settings.asked}
    found = []
    for place, column in enumerate(settings.columns):
        rows = scores
        if place:  # the interval is that of the first column
            rows = scores.assign(density=scores[column])
            rows[["density_low", "density_high", "matched_density", "n_matched"]] = np.nan
        own = by_unit(rows, column=None if column == settings.density else column)
        tables = list(add_ratios(own, settings.ratios))
        if place:
            tables = [table[[one.asked in asked for one in table["variable"]]] for table in tables]
        found.append(tables)
    densities, undefined = (
        pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
        for parts in zip(*found, strict=True)
    )
    return densities, undefined


def sample_densities(scores: pd.DataFrame, *, column: str | None = None) -> pd.DataFrame:
    """A row a sample, marker and region, sorted; rows without a density are left out.

    Parameters
    ----------
    scores : DataFrame
        Columns patient_id, sample_id, marker, region, density, density_low, density_high, n_scored,
        matched_density, n_matched; one row a combination of the first four.
    column : str or None
        The column of the scores that the densities are of, where it is not the study's own.

    Returns
    -------
    DataFrame
        Columns patient_id, sample_id (its text in tables), samples (a tuple of ids), variable (a
        :class:`~ihcscore.schema.Variable`), marker, region, density, density_low, density_high,
        n_samples, n_scored, matched_density, n_matched, matched (False: the marker's own fields).
    """
    table = scores[scores["density"].notna()].copy()
    table["variable"] = pd.Series(
        [
            Variable(marker=marker, region=region, column=column)
            for marker, region in zip(table["marker"], table["region"], strict=True)
        ],
        index=table.index,
        dtype=object,
    )
    table["samples"] = [(sample,) for sample in table["sample_id"]]
    table["n_samples"] = 1
    table["matched"] = False
    return _sorted(table)


def patient_densities(scores: pd.DataFrame, *, column: str | None = None) -> pd.DataFrame:
    """A row a patient, marker and region: the mean of the patient's samples, each counted once.

    The interval is that of the fields where the patient has one sample, else the smallest and largest
    sample. Parameters and columns as for :func:`sample_densities`.
    """
    samples = sample_densities(scores, column=column)
    rows = []
    for (patient, marker, region), group in samples.groupby(["patient_id", "marker", "region"], sort=True):
        one = len(group) == 1
        rows.append(
            {
                "patient_id": patient,
                "sample_id": "; ".join(group["sample_id"]),
                "samples": tuple(group["sample_id"]),
                "variable": group["variable"].iloc[0],
                "marker": marker,
                "region": region,
                "density": group["density"].mean(),
                "density_low": group["density_low"].iloc[0] if one else group["density"].min(),
                "density_high": group["density_high"].iloc[0] if one else group["density"].max(),
                "n_samples": len(group),
                "n_scored": group["n_scored"].sum(min_count=1),
                "matched_density": group["matched_density"].mean(skipna=False),
                "n_matched": group["n_matched"].sum(min_count=1),
                "matched": False,
            }
        )
    return _sorted(pd.DataFrame(rows, columns=COLUMNS))


def spread_by_patient(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation of each patient, marker and region, as papers draw them.

    Parameters
    ----------
    scores : DataFrame
        Rows of a :class:`~ihcscore.study.scores.ScoreTable`.

    Returns
    -------
    DataFrame
        The columns of :data:`ihcscore.schema.PATIENT_DENSITIES`, sorted by region, marker and patient. The SD
        is that of the fields where the patient has one sample, else that between the samples' densities.
    """
    rows = []
    known = scores[scores["density"].notna()]
    for (region, marker, patient), own in known.groupby(["region", "marker", "patient_id"], sort=True):
        one = len(own) == 1
        rows.append(
            {
                "region": region,
                "marker": marker,
                "patient_id": patient,
                "mean": own["density"].mean(),
                "sd": own["density_sd"].iloc[0] if one else own["density"].std(ddof=1),
                "sd_of": "fields" if one else "samples",
                "n": own["n_scored"].iloc[0] if one else len(own),
            }
        )
    return pd.DataFrame(rows, columns=PATIENT_DENSITIES.names)


def add_ratios(
    densities: pd.DataFrame, ratios: Sequence[tuple[str, str]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Densities with the ratios of two markers after them, region by region.

    A ratio is that of the two densities of the table, so of the patient's means where it holds patients;
    where the scores say so, over the fields alone that were scored on all markers.

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
        Columns patient_id, variable, reason: ratios with 0 below the line, which are never infinite.
    """
    parts, undefined = [densities], []
    for numerator, denominator in dict.fromkeys(ratios):
        above, below = (densities[densities["marker"] == name] for name in (numerator, denominator))
        if above.empty or below.empty:
            continue
        table, left_out = _ratio(above, below)
        parts.append(table)
        undefined.append(left_out)
    empty = pd.DataFrame(columns=["patient_id", "variable", "reason"])
    undefined = [part for part in undefined if len(part)]
    return (
        pd.concat([part for part in parts if len(part)] or [densities], ignore_index=True),
        pd.concat(undefined, ignore_index=True) if undefined else empty,
    )


def _ratio(above: pd.DataFrame, below: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One ratio, and what has none: a marker is lacking, no field has both, or 0 stands below the line."""
    keys = ["patient_id", "sample_id", "region"]
    both = above.merge(
        below, on=keys, how="outer", suffixes=("", "_below"), validate="one_to_one", indicator="found"
    )
    numerator, denominator = above["variable"].iloc[0], below["variable"].iloc[0]
    both["variable"] = [
        replace(numerator, over=denominator.marker, region=region) for region in both["region"]
    ]
    both["marker"] = numerator.marker
    told, known = _known_matched(both), both["found"] == "both"
    for name in ("density", "density_below"):
        both[name] = both[name].mask(told, both[f"matched_{name}"])
    both["n_scored"] = both[["n_scored", "n_scored_below"]].min(axis=1).mask(told, both["n_matched"])
    both["matched"] = told
    reasons = pd.Series("", index=both.index)
    reasons = reasons.mask(both["density_below"] == 0, "ratio not estimable: divided by 0")
    no_field = told & (both[["density", "density_below"]].isna().any(axis=1))
    reasons = reasons.mask(no_field, f"ratio not estimable: {_NO_FIELD}")
    reasons = reasons.mask(~known, "ratio not estimable: not both markers on the same samples")
    out = reasons != ""
    left_out = both.loc[out, ["patient_id", "variable"]].assign(reason=reasons[out])
    both = both[~out].assign(density_low=np.nan, density_high=np.nan)
    both["density"] = both["density"] / both["density_below"]
    return _sorted(both), left_out


_NO_FIELD = "no field was scored on all markers"


def _known_matched(both: pd.DataFrame) -> pd.Series[bool]:
    """Whether the scores say of both markers which fields were scored on all."""
    return both["n_matched"].notna() & both["n_matched_below"].notna()


def of_matched_fields(
    densities: pd.DataFrame, variables: Sequence[Variable]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two markers that are held against each other, over the fields that were scored on all markers.

    Nothing changes where they lie in two regions, where one is a ratio or a column of its own, or where the
    scores do not say which fields those are.

    Parameters
    ----------
    densities : DataFrame
        As :func:`measure` gives them.
    variables : sequence of Variable
        Those of x and y.

    Returns
    -------
    densities, undefined : DataFrame
        As :func:`add_ratios` gives them.
    """
    nothing = pd.DataFrame(columns=["patient_id", "variable", "reason"])
    plain = all(variable.over is None and variable.column is None for variable in variables)
    if not plain or len({variable.region for variable in variables}) != 1 or len(variables) != 2:
        return densities, nothing
    asked = {variable.asked for variable in variables}
    own = pd.Series([one.asked in asked for one in densities["variable"]], index=densities.index)
    own &= densities["n_matched"].notna()
    without = own & densities["matched_density"].isna()
    left_out = densities.loc[without, ["patient_id", "variable"]].assign(reason=_NO_FIELD)
    found = densities.copy()
    for name, matched in (("density", "matched_density"), ("n_scored", "n_matched")):
        found[name] = found[name].mask(own, found[matched])
    found[["density_low", "density_high"]] = found[["density_low", "density_high"]].mask(own, np.nan)
    found["matched"] = own
    return found[~without].reset_index(drop=True), left_out


def _sorted(table: pd.DataFrame) -> pd.DataFrame:
    """In an order of the content's own, so that the order of the input is of no account."""
    order = table.sort_values(["marker", "region", "patient_id", "sample_id"], kind="stable")
    return order[COLUMNS].reset_index(drop=True)
