"""A field: a square of a slide with its name and what is known of it before it is counted."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from ihcscore.geometry.square import Square
from ihcscore.schema.names import RegionName


@dataclass(frozen=True, kw_only=True)
class Field:
    """A square of a slide that is to be scored.

    Attributes
    ----------
    field_id : str
        Its name on the slide, as in ``fields.csv``.
    region : RegionName
        What it stands for.
    square : Square
        Level-0 pixels.
    area_mm2 : float
    tissue_fraction : float
        Share of it that is tissue, 0 to 1.
    registration_error_um : float or None
        Estimated error of its place where it was carried over from another slide.
    unplaced : str
        Why it cannot be scored on this slide; empty where it can.
    """

    field_id: str
    region: RegionName
    square: Square
    area_mm2: float
    tissue_fraction: float
    registration_error_um: float | None = None
    unplaced: str = ""

    @property
    def side_um(self) -> float:
        """Side of the square."""
        return 1000 * math.sqrt(self.area_mm2)

    @classmethod
    def from_row(cls, row: Mapping[Hashable, Any]) -> Self:
        """The field of a row of the field table."""
        said = row["registration_error_um"]
        error_um = math.nan if said is None else float(said)
        return cls(
            field_id=str(row["field_id"]),
            region=RegionName(row["region"]),
            square=square_of(row),
            area_mm2=float(row["area_mm2"]),
            tissue_fraction=float(row["tissue_fraction"]),
            registration_error_um=None if math.isnan(error_um) else error_um,
        )

    def as_row(self) -> dict[str, object]:
        """Its columns in the field table."""
        square = self.square
        return {
            "region": str(self.region),
            "field_id": self.field_id,
            "x_px": square.x_px,
            "y_px": square.y_px,
            "side_px": square.side_px,
            "side_um": self.side_um,
            "angle_deg": square.angle_deg,
            "registration_error_um": self.registration_error_um,
            "area_mm2": self.area_mm2,
            "tissue_fraction": self.tissue_fraction,
        }


def square_of(row: Mapping[Hashable, Any]) -> Square:
    """The square of a row of a field table: the one place where its four columns are taken apart."""
    x, y, side, angle = (float(row[name]) for name in ("x_px", "y_px", "side_px", "angle_deg"))
    return Square(x_px=x, y_px=y, side_px=side, angle_deg=angle)


@dataclass(frozen=True, kw_only=True)
class FieldQuality:
    """What a field's own pixels say of it.

    Attributes
    ----------
    focus : float
        Ratio of fine to coarse detail, 0 (nothing sharp) to about 0.6.
    fold_fraction, pen_fraction : float
        Share of the field that is folded, and under ink, 0 to 1.
    """

    focus: float
    fold_fraction: float
    pen_fraction: float
