"""What a study asks: pairs of quantities, each with its points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from ihcscore.errors import TableError
from ihcscore.schema import CorrelationSettings, Lesions, Quantity, Role, Unit, Uptake, Variable

# Column of the joined table that holds an uptake.
UPTAKE_COLUMNS = {
    Lesions.MEAN: "lesions_mean",
    Lesions.HIGHEST: "lesions_max",
    Lesions.OWN: "lesions_mean",
}
_DENSITY_AS_X = {"density": "x", "density_low": "x_low", "density_high": "x_high"}
_UPTAKE_RANGE_AS_Y = {"lesions_min": "y_low", "lesions_max": "y_high"}
_POINT = ["patient_id", "x", "y", "n_lesions", "n_samples", "x_low", "x_high", "y_low", "y_high", "lesion_id"]


@dataclass(frozen=True, kw_only=True)
class Question:
    """Two quantities that are to be correlated.

    Attributes
    ----------
    family : str
        Tests of one family are adjusted together.
    role : Role
    x : Variable
    y : Variable or Uptake
    points : DataFrame
        Columns patient_id, x, y, n_lesions, n_samples; a row a patient or a lesion. To be drawn also
        lesion_id and the ends x_low, x_high, y_low, y_high of the intervals, NaN where there is none.
    """

    family: str
    role: Role
    x: Variable
    y: Quantity
    points: pd.DataFrame = field(repr=False)


def questions(joined: pd.DataFrame, settings: CorrelationSettings) -> list[Question]:
    """All questions of a study, family by family.

    Parameters
    ----------
    joined : DataFrame
        Densities beside uptake; its column variable holds variables.
    settings : CorrelationSettings

    Raises
    ------
    TableError
        If no patient has both of two densities.
    """
    if settings.y is not None:
        return [_two_densities(joined, settings)]
    return [
        Question(
            family=family, role=role, x=variable, y=uptake, points=_against_uptake(joined, variable, uptake)
        )
        for family, role, uptake in _families(settings)
        for variable in joined["variable"].unique()
    ]


def _families(settings: CorrelationSettings) -> Iterator[tuple[str, Role, Uptake]]:
    """Name, role and uptake of each family of tests."""
    measure = settings.measure.name
    scan = f"{measure} at {settings.timepoint}"
    if settings.point is Unit.LESION:
        yield f"lesions, {scan}", Role.PRIMARY, Uptake(suv=measure, lesions=Lesions.OWN)
        return
    mean, highest = (Uptake(suv=measure, lesions=which) for which in (Lesions.MEAN, Lesions.HIGHEST))
    yield f"mean of the patient's lesions, {scan}", Role.PRIMARY, mean
    yield f"highest of the patient's lesions, {scan}", Role.SENSITIVITY, highest


def _against_uptake(joined: pd.DataFrame, variable: Variable, uptake: Uptake) -> pd.DataFrame:
    rows = joined[joined["variable"] == variable]
    points = rows.rename(columns=_DENSITY_AS_X).assign(
        y=rows[UPTAKE_COLUMNS[uptake.lesions]],
        **{end: rows[column] for column, end in _UPTAKE_RANGE_AS_Y.items()},
    )
    return points[_POINT].reset_index(drop=True)


def _two_densities(joined: pd.DataFrame, settings: CorrelationSettings) -> Question:
    """Two densities of the same patients."""
    by_text = {variable.asked: variable for variable in joined["variable"].unique()}
    first, second = (by_text[variable.asked] for variable in settings.asked)
    columns = ["patient_id", "density", "density_low", "density_high", "n_samples"]
    x, y = (joined.loc[joined["variable"] == variable, columns] for variable in (first, second))
    both = x.merge(y, on="patient_id", how="inner", suffixes=("_x", "_y"), validate="one_to_one")
    if both.empty:
        raise TableError(f"no patient has both {first.name} and {second.name}")
    points = pd.DataFrame(
        {
            "patient_id": both["patient_id"],
            **{axis: both[f"density_{axis}"] for axis in ("x", "y")},
            "n_lesions": 0,
            "n_samples": both[["n_samples_x", "n_samples_y"]].max(axis=1),
            **{
                f"{axis}_{end}": both[f"density_{end}_{axis}"]
                for axis in ("x", "y")
                for end in ("low", "high")
            },
            "lesion_id": "",
        }
    )
    return Question(family="two densities", role=Role.PRIMARY, x=first, y=second, points=points)
