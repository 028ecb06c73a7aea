"""What a file of fields says of how they were drawn, so that fields given back unmoved are known again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.field import Field
from ihcscore.schema import FieldSettings, Front, RegionSettings, RegionSource, Sampling

MARK = "ihcscore"
"""Member of a collection of features that holds the mark."""

# Programs that write GeoJSON may round to this many digits; a field that was moved by hand moves farther.
_DECIMALS = 2
# Rounding moves a side by 0.01 px in hundreds; another µm per pixel is farther off.
_AREA_TOLERANCE = 1e-3


@dataclass(frozen=True, kw_only=True)
class DrawnMark:
    """How the fields of a file were drawn.

    Attributes
    ----------
    slide_identity : str
        Of the slide that they were drawn on.
    region_source : RegionSource
        Who said where the tumour is.
    fields : FieldSettings
        Sampling and seed among them.
    regions : RegionSettings
    squares_sha256 : str
        Of the squares with their names and regions, see :func:`squares_sha256`.
    """

    slide_identity: str
    region_source: RegionSource
    fields: FieldSettings
    regions: RegionSettings
    squares_sha256: str

    def as_json(self) -> dict[str, Any]:
        """The mark as it stands in a file, flat."""
        return {
            "slide_identity": self.slide_identity,
            "region_source": str(self.region_source),
            **{name: str(v) if isinstance(v, Sampling) else v for name, v in asdict(self.fields).items()},
            **{name: str(v) if isinstance(v, Front) else v for name, v in asdict(self.regions).items()},
            "squares_sha256": self.squares_sha256,
        }

    @classmethod
    def from_json(cls, said: Any) -> Self | None:
        """The mark of a file; None where what stands there is no whole one."""
        try:
            return cls(
                slide_identity=str(said["slide_identity"]),
                region_source=RegionSource(said["region_source"]),
                fields=FieldSettings(
                    n_fields=int(said["n_fields"]),
                    field_area_mm2=float(said["field_area_mm2"]),
                    min_tissue_fraction=float(said["min_tissue_fraction"]),
                    sampling=Sampling(said["sampling"]),
                    seed=int(said["seed"]),
                ),
                regions=RegionSettings(margin_um=float(said["margin_um"]), front=Front(said["front"])),
                squares_sha256=str(said["squares_sha256"]),
            )
        except (KeyError, TypeError, ValueError):  # a setting out of range is a ValueError too
            return None

    def fits(self, fields: Sequence[Field], corners_xy_px: Sequence[NDArray[np.float64]]) -> bool:
        """Whether these are the very fields that were drawn: none moved, renamed, added or left out.

        Parameters
        ----------
        fields : sequence of Field
            One of another area in mm² was drawn at another µm per pixel.
        corners_xy_px : sequence of ndarray, shape (n, 2)
            Of each, as they stand in the file.
        """
        area = self.fields.field_area_mm2
        same_area = all(math.isclose(one.area_mm2, area, rel_tol=_AREA_TOLERANCE) for one in fields)
        return same_area and squares_sha256(fields, corners_xy_px) == self.squares_sha256


def squares_sha256(fields: Sequence[Field], corners_xy_px: Sequence[NDArray[np.float64]]) -> str:
    """SHA-256 of names, regions and corners (level-0 pixels, two decimals), in whatever order they come.

    Parameters are those of :meth:`DrawnMark.fits`; a ring may repeat its first corner.
    """
    lines = []
    for one, corners in zip(fields, corners_xy_px, strict=True):
        rounded = np.round(corners, _DECIMALS) + 0.0  # no minus zero
        places = " ".join(sorted({f"{x:.{_DECIMALS}f},{y:.{_DECIMALS}f}" for x, y in rounded}))
        lines.append(f"{one.field_id}\t{one.region}\t{places}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
