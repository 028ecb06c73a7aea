"""What a study holds against each other: densities of the tissue, and uptake of the lesions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

# MARKER[/MARKER][.COLUMN]:REGION. What follows the last point is a column where it is a word.
_ASKED = re.compile(
    r"(?P<marker>[^:/]+?)(?:/(?P<over>[^:]+?))?(?:\.(?P<column>[^\W\d]\w*))?\s*:\s*(?P<region>.*\S)"
)


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A number that the scores give for each sample.

    Attributes
    ----------
    marker : str
    region : str
    over : str or None
        The marker that it is divided by, where it is a ratio.
    column : str or None
        Column of the scores; None: the one that the study takes (``CorrelationSettings.density``).
    """

    marker: str
    region: str
    over: str | None = None
    column: str | None = None

    @property
    def markers(self) -> str:
        """The marker, or both markers of a ratio."""
        return self.marker if self.over is None else f"{self.marker}/{self.over}"

    @property
    def parts(self) -> tuple[str, ...]:
        """What the name consists of: markers, region, and a column of its own."""
        return (self.markers, self.region) + (() if self.column is None else (self.column,))

    @property
    def name(self) -> str:
        """What it is called in tables and pictures."""
        return " · ".join(self.parts)

    @property
    def asked(self) -> str:
        """How a user asks for it."""
        return f"{self.markers}{'' if self.column is None else f'.{self.column}'}:{self.region}"


def parse_variable(text: str) -> Variable:
    """The variable of a ``MARKER[/MARKER][.COLUMN]:REGION``.

    Raises
    ------
    ValueError
        If a part is missing.
    """
    found = _ASKED.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"'{text}': expected MARKER:REGION or MARKER.COLUMN:REGION")
    return Variable(**{name: part and part.strip() for name, part in found.groupdict().items()})


class Lesions(StrEnum):
    """Which lesions of a patient an uptake is of; the value is its name in tables."""

    MEAN = "mean of lesions"
    HIGHEST = "highest lesion"
    OWN = "of the lesion"


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """An uptake that densities are held against.

    Attributes
    ----------
    suv : str
        Column of the uptake table.
    lesions : Lesions
        The patient's lesions that it is of; OWN: the lesion that is the point itself.
    """

    suv: str
    lesions: Lesions

    @property
    def parts(self) -> tuple[str, ...]:
        """What the name consists of."""
        if self.lesions is Lesions.OWN:
            return (f"{self.suv} {self.lesions}",)
        return (self.suv, str(self.lesions))

    @property
    def name(self) -> str:
        """What it is called in tables and pictures."""
        return ", ".join(self.parts)


Quantity = Variable | Uptake
