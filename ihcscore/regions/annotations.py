"""What a pathologist drew, whatever the program it was drawn in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import shapely
from shapely.geometry.base import BaseGeometry

from ihcscore.errors import AnnotationError
from ihcscore.regions.classes import is_derived, role_of
from ihcscore.regions.shapes import sound
from ihcscore.schema import Note, NoteKind, RegionName, RegionSource

EMPTY = shapely.MultiPolygon()

_ROLES = ("tumour", "centre", "front", "excluded", "pigment")
_REGION_OF = {"centre": RegionName.TUMOUR_CENTRE, "front": RegionName.INVASIVE_FRONT}
NO_CLASS = "(no class)"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One area with the name of its class.

    Attributes
    ----------
    class_name : str
    polygon : shapely geometry
        Level-0 pixels.
    where : str
        File and place in it, for messages.
    title : str
        The name that the area itself was given; empty where it has none.
    """

    class_name: str
    polygon: BaseGeometry
    where: str
    title: str = ""

    @property
    def region(self) -> RegionName:
        """The region that the class names; given fields where it names none."""
        return _REGION_OF.get(role_of(self.class_name) or "", RegionName.GIVEN)


@dataclass(frozen=True, kw_only=True)
class Annotations:
    """Areas by what they mean, as geometries in level-0 pixels.

    Attributes
    ----------
    tumour, centre, front, excluded : shapely geometry
        Polygons of the classes, empty where none was drawn.
    pigment : shapely geometry
        Examples of the slide's pigment, for its colour; no part of any region.
    unknown : tuple of str
        Class names that mean nothing here.
    notes : tuple of Note
        What was left out or mended, and how classes were taken.
    source : RegionSource
    """

    tumour: BaseGeometry = EMPTY
    centre: BaseGeometry = EMPTY
    front: BaseGeometry = EMPTY
    excluded: BaseGeometry = EMPTY
    pigment: BaseGeometry = EMPTY
    unknown: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    source: RegionSource = RegionSource.ANNOTATED


@dataclass(kw_only=True)
class Gathering:
    """Areas of one file, sorted by what their class means as they are read.

    Attributes
    ----------
    name : str
        The file's name, for messages.
    mpp_um : float
        µm per level-0 pixel.
    """

    name: str
    mpp_um: float
    _found: dict[str, list[BaseGeometry]] = field(default_factory=lambda: {role: [] for role in _ROLES})
    _unknown: set[str] = field(default_factory=set)
    _derived: set[str] = field(default_factory=set)
    _left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    _mended: list[tuple[float, str]] = field(default_factory=list)
    _remarks: dict[str, None] = field(default_factory=dict)
    _hints: list[str] = field(default_factory=list)

    def wants(self, class_name: str) -> bool:
        """Whether a class means anything here; that of a shape is asked before its corners are looked at."""
        role = role_of(class_name)
        if role is None:
            self._unknown.add(class_name or NO_CLASS)
        elif is_derived(class_name):
            self._derived.add(class_name)
        return role is not None

    def add(self, area: BaseGeometry, *, class_name: str, where: str) -> None:
        """Take an area of a class that means something.

        Raises
        ------
        AnnotationError
            If it crosses itself so that what it encloses is in doubt.
        """
        checked = self.checked(area, class_name=class_name, where=where)
        if not checked.is_empty:
            self._found[role_of(class_name) or ""].append(checked)

    def checked(self, area: BaseGeometry, *, class_name: str, where: str) -> BaseGeometry:
        """An area as it can be used, empty where there is none; what is done to it is kept for the notes.

        Raises
        ------
        AnnotationError
            If it crosses itself so that what it encloses is in doubt.
        """
        found = sound(area, mpp_um=self.mpp_um, where=where)
        if found.area.is_empty:
            self.leave_out(class_name, "outline that has no area (delete it)")
        elif found.doubt_um2 is not None:
            self._mended.append((found.doubt_um2, where.removeprefix(f"{self.name}: ")))
        return found.area

    def leave_out(self, class_name: str, kind: str, number: int = 1) -> None:
        """Note shapes that are no area, by what they are."""
        self._left_out[class_name, kind] += number

    def remark(self, text: str) -> None:
        """Note something else, once."""
        self._remarks[text] = None

    def hint(self, text: str) -> None:
        """Keep what to say only where nothing is found."""
        self._hints.append(text)

    def annotations(self) -> Annotations:
        """Everything that was taken.

        Raises
        ------
        AnnotationError
            If nothing says where the tumour is.
        """
        notes = self.notes()
        if not any(self._found[role] for role in ("tumour", "centre", "front")):
            classes = ", ".join(sorted(self._unknown)) or "none"
            others = [*(note.text for note in notes), *self._hints]
            if NO_CLASS in self._unknown:
                others.append("give the tumour's outline the class Tumor and export it again")
            raise AnnotationError(
                f"{self.name}: no polygon classed Tumor, Tumour centre or Invasive front "
                + "; ".join([f"(classes found: {classes})", *others])
            )
        merged = {role: shapely.union_all(areas) if areas else EMPTY for role, areas in self._found.items()}
        return Annotations(**merged, unknown=tuple(sorted(self._unknown)), notes=tuple(notes))

    def notes(self) -> list[Note]:
        """What was left out, taken otherwise or mended."""
        taken = [
            f"annotations of class {name} are taken as {_MEANING[role_of(name) or '']}"
            for name in sorted(self._derived)
        ]
        ignored = [
            *(
                f"left out of class {class_name or NO_CLASS}: {number} × {kind}"
                for (class_name, kind), number in sorted(self._left_out.items())
            ),
            *self._remarks,
        ]
        return [
            *(Note(kind=NoteKind.IGNORED, text=text) for text in taken + ignored),
            *(Note(kind=NoteKind.MENDED, text=text) for text in _mending(self._mended)),
        ]


_MEANING = {
    "tumour": "Tumor",
    "centre": "Tumour centre",
    "front": "Invasive front",
    "pigment": "Pigment",
    "excluded": "Ignore",
}


def _mending(mended: list[tuple[float, str]]) -> list[str]:
    """How many outlines were mended, and the one that was least clear."""
    if not mended:
        return []
    most_um2, where = max(mended)
    several = f"{len(mended)} outlines that cross or touch themselves were mended" if len(mended) > 1 else ""
    one = several or "an outline that crosses or touches itself was mended"
    return [f"{one}, {most_um2:.2g} µm² of it in doubt ({where})"]
