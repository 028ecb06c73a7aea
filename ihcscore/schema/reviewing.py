"""What readers do to a run, and the table of it."""

from __future__ import annotations

from enum import StrEnum

from ihcscore.schema.table import Table, columns


class ReviewAct(StrEnum):
    """What a reader does; nothing is ever taken out of the trail, so that an undo is an act too."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    RESTORED = "restored"
    COMMENTED = "commented"
    UNDONE = "undone"


class ReviewRule(StrEnum):
    """Whose marks count where several readers reviewed a field."""

    FIRST = "first"
    """Those of the reader who acted in the field first."""
    MEAN = "mean"
    """Counts are the mean of all its readers; its cells are those of the consensus."""
    CONSENSUS = "consensus"
    """What more than half of its readers say of a cell; where there is no such half, what the tool said."""


CORRECTIONS = Table(
    name="corrections",
    row="an act of a reader",
    columns=columns("""
        row             | int   | its number in the trail, from 1
        act_id          | str   | its id; no two acts have the same
        at              | str   | when, UTC
        reader          | str   | who
        origin          | str   | by what: QuPath and the file's name, or the page
        slide_identity  | str   | as in run.json
        run_key         | str   | the run that was reviewed, as in run.json
        field_id        | str   | field
        act             | str   | added, removed, changed, accepted, rejected, restored, commented or undone
        cell_id         | str   | cell; empty for an act on a field
        x_px            | float | its centre, level-0 px
        y_px            | float | the same, y down
        diameter_um     | float | of a cell that was added
        class_old       | str   | class before; empty for a cell that was added
        class_new       | str   | class after; empty for a cell that was removed
        reason          | str   | why, or the comment
        undoes          | str   | act_id of the act that an undo takes back; undoing an undo is a redo
        previous        | str   | hash of the row before
        hash            | str   | SHA-256 of this row and the hash before
    """),
)
