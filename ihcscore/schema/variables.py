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
class Measure:
    """What the table of lesions says of each lesion: an SUV, or a covariate of another kind.

    Attributes
    ----------
    column : str
        Its column.
    name : str
        What it is called in tables and on pages: of an SUV its column, which pages spell as people do.
    unit : str
        Empty where it has none, as SUV on pages.
    is_suv : bool
        Whether it is one.
    """

    column: str
    name: str
    unit: str = ""
    is_suv: bool = True

    @property
    def noun(self) -> str:
        """What it is called within a sentence."""
        if self.is_suv:
            return "uptake"
        # An abbreviation keeps its capitals: "SULpeak", "LET".
        return self.name if self.name[1:2].isupper() else self.name[:1].lower() + self.name[1:]


@dataclass(frozen=True, kw_only=True)
class Uptake:
    """An uptake, or another measure of lesions, that densities are held against.

    Attributes
    ----------
    suv : str
        Name of the measure: of an SUV its column.
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


@dataclass(frozen=True, kw_only=True)
class Change:
    """How a patient's mean over the lesions of both scans changed.

    Attributes
    ----------
    suv : str
        Name of the measure.
    percent : bool
        In percent of the mean before; else the difference, during minus before.
    """

    suv: str
    percent: bool

    @property
    def parts(self) -> tuple[str, ...]:
        """What the name consists of."""
        return (self.suv, str(Lesions.MEAN), "change in %" if self.percent else "change")

    @property
    def name(self) -> str:
        """What it is called in tables and pictures."""
        return ", ".join(self.parts)


Quantity = Variable | Uptake | Change
