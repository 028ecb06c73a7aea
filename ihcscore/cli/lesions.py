"""Options about scans and lesions that commands of a study share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ihcscore.errors import IhcscoreError
from ihcscore.schema import Unit

LESION_SETTINGS = ("suv", "covariate", "name", "timepoint", "adjust", "quartiles", "seed")
"""Settings that `correlate` and `uptake` offer as they are."""

OnTreatment = Annotated[
    list[str] | None,
    typer.Option(
        help="Scan during treatment; several are pooled, one a patient.  [default: on_treatment]",
        metavar="NAME",
    ),
]
After = Annotated[
    list[str] | None,
    typer.Option(help="Scan during treatment; give it again to pool scans.", metavar="NAME"),
]
UnitOfCovariate = Annotated[str | None, typer.Option(help="Unit of the covariate, as Gy.", metavar="UNIT")]


def about_lesions(on_treatment: list[str] | None, unit: str | None, *, points: bool) -> dict[str, Any]:
    """Settings from the options of `correlate` and `uptake`.

    A unit that is called patient or lesion is what a point is, which `--point` says now.

    Parameters
    ----------
    on_treatment : list of str or None
    unit : str or None
    points : bool
        Whether the command knows points.

    Raises
    ------
    IhcscoreError
        If the unit says what a point is where nothing is correlated.
    """
    found: dict[str, Any] = {"on_treatment": tuple(dict.fromkeys(on_treatment or ()))}
    if unit is None or unit not in tuple(Unit):
        return found | {"unit": unit}
    if not points:
        raise IhcscoreError(f"--unit {unit}: nothing is correlated here; leave it out")
    return found | {"point": Unit(unit)}
