"""Marker profiles: what counts as a positive cell, read from ``models/markers/*.toml``.

A profile file is a table of settings, each with its value, unit and source::

    name = "CD3"
    compartment = "membrane"
    chromogen = "DAB"
    finder = "network"
    description = "..."
    evidence = "measured on ..."

    [chromogen_threshold_od]
    value = 0.2
    unit = "OD"
    source = "where the number comes from"

A profile of the finder ``membrane`` has more of them in a table of its own, ``[membrane.cut_1_od_um]`` and so
on: see :class:`MembraneProfile`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

from ihcscore.errors import ProfileError
from ihcscore.schema.names import Chromogen, FinderName

COMPARTMENTS = ("membrane", "nucleus")

_TEXTS = ("name", "compartment", "chromogen", "finder", "description", "evidence")

# Unit and range of every tunable: a value outside is a slip of the decimal point, not a choice.
_RANGES: dict[str, tuple[str, float, float]] = {
    "blob_radius_um": ("um", 1.5, 10.0),
    "largest_blob_radius_um": ("um", 1.5, 6.5),
    "min_distance_um": ("um", 1.0, 10.0),
    "min_contrast": ("1", 0.001, 1.0),
    "hematoxylin_weight": ("1", 0.0, 2.0),
    "saturation": ("1", 0.5, 5.0),
    "level_low_od": ("OD", 0.1, 1.5),
    "level_high_od": ("OD", 0.1, 1.5),
    "chromogen_threshold_od": ("OD", 0.0, 1.5),
    "hematoxylin_threshold_od": ("OD", 0.02, 1.5),
    "min_sharpness_per_um": ("1/um", 0.0, 0.5),
    "ink_residual_share": ("1", 0.0, 1.0),
    "ink_min_hematoxylin": ("1", 0.0, 5.0),
    "smear_coverage": ("1", 0.0, 1.0),
    "smear_max_hematoxylin": ("1", 0.0, 5.0),
    "pigment_threshold": ("1", 0.1, 10.0),
}

# The same of the settings of a membrane.
_MEMBRANE = "membrane"
_MEMBRANE_RANGES: dict[str, tuple[str, float, float]] = {
    "nucleus_radius_um": ("um", 2.0, 10.0),
    "immune_diameter_um": ("um", 4.0, 15.0),
    "reach_um": ("um", 4.0, 30.0),
    "window_um": ("um", 1.5, 5.0),
    "cut_1_od_um": ("OD um", 0.01, 5.0),
    "cut_2_od_um": ("OD um", 0.01, 5.0),
    "cut_3_od_um": ("OD um", 0.01, 5.0),
}


@dataclass(frozen=True, kw_only=True)
class MembraneProfile:
    """How the membranes of packed cells are measured and classed.

    Attributes
    ----------
    nucleus_radius_um : float
        Radius of a tumour cell's nucleus, which the blob filter looks for.
    immune_diameter_um : float
        Diameter below which a dark nucleus is a lymphocyte's, never a tumour cell's.
    reach_um : float
        Farthest from its nucleus that a cell ends.
    window_um : float
        Half of the window across a membrane in which its chromogen is summed.
    cut_1_od_um, cut_2_od_um, cut_3_od_um : float
        Chromogen across a membrane from which a cell is 1+, 2+, 3+.
    """

    nucleus_radius_um: float
    immune_diameter_um: float
    reach_um: float
    window_um: float
    cut_1_od_um: float
    cut_2_od_um: float
    cut_3_od_um: float

    def __post_init__(self) -> None:
        for key, (unit, low, high) in _MEMBRANE_RANGES.items():
            value = getattr(self, key)
            if not low <= value <= high:
                raise ValueError(f"{_MEMBRANE}.{key} is {value} {unit}, expected {low} to {high}")
        if not self.cut_1_od_um < self.cut_2_od_um < self.cut_3_od_um:
            raise ValueError(f"{_MEMBRANE}: the cuts are {self.cuts_od_um}, expected them to rise")

    @property
    def cuts_od_um(self) -> tuple[float, float, float]:
        """The three cuts."""
        return self.cut_1_od_um, self.cut_2_od_um, self.cut_3_od_um

    def times(self, factor: float) -> MembraneProfile:
        """The same with its cuts so many times as high."""
        one, two, three = (factor * cut for cut in self.cuts_od_um)
        return replace(self, cut_1_od_um=one, cut_2_od_um=two, cut_3_od_um=three)


@dataclass(frozen=True, kw_only=True)
class MarkerProfile:
    """What a positive cell of one marker looks like.

    Attributes
    ----------
    name : str
        Marker, as on the slide's label.
    compartment : str
        Where the chromogen lies: ``membrane`` (and cytoplasm) or ``nucleus``.
    chromogen : Chromogen
    finder : FinderName
        What finds the cells: ``network``; ``classical``, which looks for blobs by rules; or ``membrane``,
        which measures the membranes of packed cells.
    description : str
        One sentence for people.
    evidence : str
        What the count was measured on, or that it wasn't; shown beside every count.
    blob_radius_um, largest_blob_radius_um : float
        Radii in µm of the smallest and the largest disc that the blob filter looks for, √2 apart.
    min_distance_um : float
        Smallest distance in µm between two cells.
    min_contrast : float
        Smallest answer of the blob filter, relative to the depth of staining.
    hematoxylin_weight : float
        Weight of a nucleus beside the chromogen in the image that the blob filter sees.
    saturation : float
        Where that image is cut, so that one dark cell does not outshine its neighbours.
    level_low_od, level_high_od : float
        Range of the depth of staining that cells are judged relative to.
    chromogen_threshold_od : float
        Chromogen OD above the local background below which no cell is positive.
    hematoxylin_threshold_od : float
        Haematoxylin OD from which a cell without chromogen is a negative cell.
    min_sharpness_per_um : float
        Mean slope of OD per OD and µm below which a cell is out of focus.
    ink_residual_share, ink_min_hematoxylin : float
        Residual per absorbance and haematoxylin per chromogen above which an object is grey.
    smear_coverage, smear_max_hematoxylin : float
        Stained share of the surroundings above which, and haematoxylin per chromogen below which, a
        brown object is a smear.
    pigment_threshold : float
        How far towards pigment, from the slide's chromogen (0) to pigment (1), a colour without a
        nucleus must have gone to be a pigment suspect.
    membrane : MembraneProfile or None
        How membranes are measured, where the finder is ``membrane``.
    """

    name: str
    compartment: str
    chromogen: Chromogen
    finder: FinderName
    description: str
    evidence: str
    blob_radius_um: float
    largest_blob_radius_um: float
    min_distance_um: float
    min_contrast: float
    hematoxylin_weight: float
    saturation: float
    level_low_od: float
    level_high_od: float
    chromogen_threshold_od: float
    hematoxylin_threshold_od: float
    min_sharpness_per_um: float
    ink_residual_share: float
    ink_min_hematoxylin: float
    smear_coverage: float
    smear_max_hematoxylin: float
    pigment_threshold: float
    membrane: MembraneProfile | None = None

    def __post_init__(self) -> None:
        if self.compartment not in COMPARTMENTS:
            raise ValueError(
                f"compartment is {self.compartment!r}, expected one of {', '.join(COMPARTMENTS)}"
            )
        if self.chromogen not in list(Chromogen):
            raise ValueError(f"chromogen is {self.chromogen!r}, expected one of {', '.join(Chromogen)}")
        if self.finder not in list(FinderName):
            raise ValueError(f"finder is {self.finder!r}, expected one of {', '.join(FinderName)}")
        # A file's texts are members, too.
        object.__setattr__(self, "chromogen", Chromogen(self.chromogen))
        object.__setattr__(self, "finder", FinderName(self.finder))
        if self.finder == FinderName.MEMBRANE and self.membrane is None:
            raise ValueError(f"finder is membrane, but {self.name} has no table [{_MEMBRANE}]")
        for key, (unit, low, high) in _RANGES.items():
            value = getattr(self, key)
            if not low <= value <= high:
                raise ValueError(f"{key} is {value} {unit}, expected {low} to {high}")
        for low_key, high_key in (
            ("blob_radius_um", "largest_blob_radius_um"),
            ("level_low_od", "level_high_od"),
        ):
            if getattr(self, low_key) > getattr(self, high_key):
                raise ValueError(f"{low_key} is {getattr(self, low_key)}, expected at most {high_key}")

    def held_level_od(self, level_od: float) -> float:
        """A slide's depth of staining, held within the range of the profile."""
        return min(max(level_od, self.level_low_od), self.level_high_od)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One number of a profile: its value, unit and where it comes from."""

    key: str
    value: float
    unit: str
    source: str


def known_profiles() -> list[str]:
    """Names of the profiles that come with ihcscore, sorted."""
    return sorted(path.stem for path in (models_folder() / "markers").glob("*.toml"))


def load_profile(name_or_path: str | Path) -> MarkerProfile:
    """Read a marker profile.

    Parameters
    ----------
    name_or_path : str or Path
        A known marker in any case (``CD3``, ``ki67``, ``Ki-67``), or the path of a TOML file.

    Raises
    ------
    ProfileError
        Unknown marker, unreadable file, or a key that is missing, unknown, of the wrong type or out of range.
    """
    path = _profile_path(name_or_path)
    table, settings = _read(path)
    values: dict[str, Any] = {key: table[key] for key in _TEXTS}
    of_membrane = {
        one.key.removeprefix(f"{_MEMBRANE}."): one.value for one in settings if one.key not in _RANGES
    }
    values |= {one.key: one.value for one in settings if one.key in _RANGES}
    try:
        membrane = MembraneProfile(**of_membrane) if of_membrane else None
        return MarkerProfile(**values, membrane=membrane)
    except ValueError as error:
        raise ProfileError(f"{path.name}: {error}") from error


def profile_settings(name_or_path: str | Path) -> list[Setting]:
    """Every number of a profile with its unit and source, in the order of :class:`MarkerProfile`."""
    return _read(_profile_path(name_or_path))[1]


def profile_text(name_or_path: str | Path) -> str:
    """A profile as the TOML of its file, with its comments, checked as by :func:`load_profile`."""
    load_profile(name_or_path)
    return _profile_path(name_or_path).read_text(encoding="utf-8")


@cache
def models_folder() -> Path:
    """``models/`` inside an installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parent
    for folder in (package / "models", package.parent / "models"):
        if folder.is_dir():
            return folder
    raise ProfileError("no folder models/ beside or inside the package; install ihcscore again")


def _profile_path(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    path = Path(text)
    if path.suffix.lower() == ".toml":
        return path
    known = known_profiles()
    name = text.upper().replace("-", "")
    if name not in known:
        raise ProfileError(
            f"{text}: unknown marker; known are {', '.join(known)}, or give the path of a TOML file"
        )
    return models_folder() / "markers" / f"{name}.toml"


def _read(path: Path) -> tuple[dict[str, Any], list[Setting]]:
    """Texts and settings of a profile file, every key checked."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(
            f"{path.name}: cannot be read ({error.strerror}); give a marker name or a TOML file"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path.name}: not a TOML file ({error})") from error
    expected = [field.name for field in fields(MarkerProfile) if field.name != _MEMBRANE]
    if missing := [key for key in expected if key not in table]:
        raise ProfileError(f"{path.name}: {missing[0]} is missing; a profile needs {', '.join(expected)}")
    if unknown := [key for key in table if key not in (*expected, _MEMBRANE)]:
        raise ProfileError(
            f"{path.name}: {unknown[0]} is not a key of a profile; expected {', '.join(expected)}"
        )
    for key in _TEXTS:
        if not isinstance(table[key], str):
            raise ProfileError(f"{path.name}: {key} is {table[key]!r}, expected a text")
    settings = [_setting(path, key, table[key], _RANGES[key][0]) for key in expected if key not in _TEXTS]
    return table, settings + (_of_membrane(path, table[_MEMBRANE]) if _MEMBRANE in table else [])


def _of_membrane(path: Path, table: object) -> list[Setting]:
    """Settings of the table of a membrane, their keys with its name before them."""
    entries = table if isinstance(table, dict) else {}
    wrong = [key for key in entries if key not in _MEMBRANE_RANGES]
    if wrong or (wrong := [key for key in _MEMBRANE_RANGES if key not in entries]):
        raise ProfileError(
            f"{path.name}: {_MEMBRANE}.{wrong[0]} is missing or unknown; [{_MEMBRANE}] needs "
            f"{', '.join(_MEMBRANE_RANGES)}"
        )
    return [
        _setting(path, f"{_MEMBRANE}.{key}", entries[key], unit)
        for key, (unit, _, _) in _MEMBRANE_RANGES.items()
    ]


def _setting(path: Path, key: str, entry: object, expected_unit: str) -> Setting:
    """One checked entry ``{value, unit, source}``."""
    if not isinstance(entry, dict) or set(entry) != {"value", "unit", "source"}:
        raise ProfileError(f"{path.name}: {key} is {entry!r}, expected a table of value, unit and source")
    value, unit, source = entry["value"], entry["unit"], entry["source"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ProfileError(f"{path.name}: {key}.value is {value!r}, expected a number")
    if unit != expected_unit:
        raise ProfileError(f"{path.name}: {key}.unit is {unit!r}, expected {expected_unit!r}")
    if not isinstance(source, str) or not source.strip():
        raise ProfileError(f"{path.name}: {key}.source is {source!r}, expected where the value comes from")
    return Setting(key=key, value=float(value), unit=unit, source=source)
