"""What a reader must know: kinds of notes, and a note."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from ihcscore.schema.names import RegionName


class NoteKind(StrEnum):
    """What a note is about; its sentence may change, its kind does not."""

    SLIDE = "slide"
    STAIN = "stain"
    PROPOSED = "proposed"
    PROPOSAL = "proposal"
    CARRIED = "carried"
    GIVEN = "given"
    HOT_SPOT = "hot spot"
    OVERLAP = "overlap"
    IGNORED = "ignored"
    MENDED = "mended"
    SLIVERS = "slivers"
    UNREADABLE = "unreadable"
    THIN = "thin"
    NO_REGION = "no region"
    NO_ROOM = "no room"
    FEW_FIELDS = "few fields"
    UNPLACED = "unplaced"
    REJECTED = "rejected"
    DOUBTFUL = "doubtful"
    REPEATED = "repeated"
    PIGMENT = "pigment"
    REVIEW = "review"
    TABLE = "table"
    STUDY = "study"


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something a reader must know.

    Attributes
    ----------
    kind : NoteKind
        What it is about.
    text : str
        One sentence, without a full stop.
    region : RegionName or None
        The region that it concerns; None for the whole slide or study.
    """

    kind: NoteKind
    text: str
    region: RegionName | None = None


def texts(notes: Iterable[Note]) -> list[str]:
    """The sentences."""
    return [note.text for note in notes]
