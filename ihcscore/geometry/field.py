"""A field: a square of a slide with its name and what is known of it before it is counted."""

from __future__ import annotations

import math
from dataclasses import dataclass

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
