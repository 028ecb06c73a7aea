"""What a file of fields says of how they were drawn, so that fields given back unmoved are known again."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.field import Field
from ihcscore.schema import FieldSettings, Front, RegionSettings, RegionSource, Sampling

MARK = "ihcscore"
"""Member of a collection of features that holds the mark."""

# In the metadata of each feature, beside the mark: the hash of its own square, and the names of all fields.
_OWN, _NAMES = "square_sha256", "drawn_fields"
_SHORT = 16
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
    squares : mapping of str to str
        The same of each square alone, by the field's name, so that a changed one can be named; empty where
        the file doesn't say.
    """

    slide_identity: str
    region_source: RegionSource
    fields: FieldSettings
    regions: RegionSettings
    squares_sha256: str
    squares: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        fields: Sequence[Field],
        *,
        slide_identity: str,
        region_source: RegionSource,
        settings: FieldSettings,
        regions: RegionSettings,
    ) -> Self:
        """The mark of fields that were drawn."""
        corners = [one.square.corners_xy_px for one in fields]
        return cls(
            slide_identity=slide_identity,
            region_source=region_source,
            fields=settings,
            regions=regions,
            squares_sha256=squares_sha256(fields, corners),
            squares=_each(fields, corners),
        )

    def as_json(self) -> dict[str, Any]:
        """The mark as it stands in a file, flat."""
        return {
            "slide_identity": self.slide_identity,
            "region_source": str(self.region_source),
            **{name: str(v) if isinstance(v, Sampling) else v for name, v in asdict(self.fields).items()},
            **{name: str(v) if isinstance(v, Front) else v for name, v in asdict(self.regions).items()},
            "squares_sha256": self.squares_sha256,
            "squares": dict(self.squares),
        }

    def as_metadata(self, field_id: str) -> dict[str, str]:
        """What a feature carries of the mark, as text: programs drop what stands beside the features."""
        said = {name: value for name, value in self.as_json().items() if name != "squares"}
        return {
            MARK: json.dumps(said),
            _OWN: self.squares.get(field_id, ""),
            _NAMES: json.dumps(list(self.squares)),
        }

    @classmethod
    def from_metadata(cls, said: Sequence[Any]) -> Self | None:
        """The mark of features, from the metadata of each; None where none holds a whole one."""
        squares: dict[str, str] = {}
        found = None
        for one in said:
            try:
                mark = cls.from_json(json.loads(one[MARK]))
                squares |= {str(name): "" for name in json.loads(one[_NAMES]) if name not in squares}
                squares |= {str(one["field"]): str(one[_OWN])}
            except (KeyError, TypeError, ValueError):
                continue
            found = mark or found
        return None if found is None else replace(found, squares=squares)

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
                squares={str(name): str(sha) for name, sha in dict(said.get("squares", {})).items()},
            )
        except (
            AttributeError,
            KeyError,
            TypeError,
            ValueError,
        ):  # settings out of range too
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

    def changed(self, fields: Sequence[Field], corners_xy_px: Sequence[NDArray[np.float64]]) -> str:
        """Which fields were moved, added or left out since, for a sentence; parameters as of :meth:`fits`."""
        now = _each(fields, corners_xy_px)
        if not self.squares:
            return ""
        parts = {
            "moved or of another region": [
                name for name in now if self.squares.get(name, now[name]) not in (now[name], "")
            ],
            "new or renamed": [name for name in now if name not in self.squares],
            "left out": [name for name in self.squares if name not in now],
        }
        return "; ".join(f"{', '.join(names)} {what}" for what, names in parts.items() if names)


def squares_sha256(fields: Sequence[Field], corners_xy_px: Sequence[NDArray[np.float64]]) -> str:
    """SHA-256 of names, regions and corners (level-0 pixels, two decimals), in whatever order they come.

    Parameters are those of :meth:`DrawnMark.fits`; a ring may repeat its first corner.
    """
    lines = [_line(one, corners) for one, corners in zip(fields, corners_xy_px, strict=True)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _each(fields: Sequence[Field], corners_xy_px: Sequence[NDArray[np.float64]]) -> dict[str, str]:
    """The start of the same hash of each field alone, by its name."""
    return {
        one.field_id: hashlib.sha256(_line(one, corners).encode()).hexdigest()[:_SHORT]
        for one, corners in zip(fields, corners_xy_px, strict=True)
    }


def _line(one: Field, corners_xy_px: NDArray[np.float64]) -> str:
    """Name, region and rounded corners of a field as text, the corners in whatever order they come."""
    rounded = np.round(corners_xy_px, _DECIMALS) + 0.0  # no minus zero
    places = " ".join(sorted({f"{x:.{_DECIMALS}f},{y:.{_DECIMALS}f}" for x, y in rounded}))
    return f"{one.field_id}\t{one.region}\t{places}"
