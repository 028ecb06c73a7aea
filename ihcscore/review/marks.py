"""What each reader says of each field, and what several of them say together."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ihcscore.review.acts import Act, standing
from ihcscore.schema import REMOVED, ReviewAct, ReviewRule, ReviewStatus

# Marks of several readers that lie so near to one another are of one cell: half a lymphocyte.
SAME_CELL_UM = 4.0


@dataclass(frozen=True, kw_only=True)
class AddedCell:
    """A cell that a reader added: its centre in level-0 pixels, class, and diameter if it was drawn."""

    cell_id: str
    x_px: float
    y_px: float
    class_name: str
    diameter_um: float | None = None


@dataclass(kw_only=True)
class FieldMarks:
    """What one reader, or several together, say of a field.

    Attributes
    ----------
    changed : dict of str to str
        New class of cells of the tool's, by cell_id; one that was removed has :data:`REMOVED`.
    added : dict of str to AddedCell
        By cell_id.
    verdict : ReviewAct or None
        Accepted, rejected or restored, the last that was said.
    reason : str
        Of the verdict.
    """

    changed: dict[str, str] = field(default_factory=dict)
    added: dict[str, AddedCell] = field(default_factory=dict)
    verdict: ReviewAct | None = None
    reason: str = ""

    @property
    def status(self) -> ReviewStatus:
        """What became of the field; a comment alone is no review."""
        if self.verdict is ReviewAct.REJECTED:
            return ReviewStatus.REJECTED
        if self.changed or self.added or self.verdict is ReviewAct.RESTORED:
            return ReviewStatus.CORRECTED
        return ReviewStatus.ACCEPTED if self.verdict is ReviewAct.ACCEPTED else ReviewStatus.NOT_REVIEWED


Marks = dict[str, dict[str, FieldMarks]]
"""By field_id, then by reader, who acted there first coming first."""


def marks_of(acts: Sequence[Act], tool: Mapping[str, str]) -> Marks:
    """Every reader's marks from the acts of a trail.

    Parameters
    ----------
    acts : sequence of Act
        In their order; acts that were taken back count nowhere.
    tool : mapping of str to str
        The tool's class of each of its cells, by cell_id.
    """
    marks: Marks = {}
    for act in standing(acts):
        own = marks.setdefault(act.field_id, {}).setdefault(act.reader, FieldMarks())
        _do(own, act, tool)
    return {
        field_id: {reader: one for reader, one in readers.items() if one.status != ReviewStatus.NOT_REVIEWED}
        for field_id, readers in marks.items()
    }


def _do(own: FieldMarks, act: Act, tool: Mapping[str, str]) -> None:
    if act.act in (ReviewAct.ACCEPTED, ReviewAct.REJECTED, ReviewAct.RESTORED):
        own.verdict, own.reason = act.act, act.reason
    elif act.act is ReviewAct.COMMENTED:
        return
    elif act.cell_id in tool:
        said = REMOVED if act.act is ReviewAct.REMOVED else act.class_new
        own.changed[act.cell_id] = said
        if said == tool[act.cell_id]:
            del own.changed[act.cell_id]
    elif act.act is ReviewAct.REMOVED:
        own.added.pop(act.cell_id, None)
    elif act.x_px is not None and act.y_px is not None:
        own.added[act.cell_id] = AddedCell(
            cell_id=act.cell_id, x_px=act.x_px, y_px=act.y_px, class_name=act.class_new,
            diameter_um=act.diameter_um,
        )  # fmt: skip


def together(
    readers: Mapping[str, FieldMarks], rule: ReviewRule, tool: Mapping[str, str], *, mpp_um: float
) -> FieldMarks:
    """What the readers of a field say together; of the mean, as the consensus does.

    Parameters
    ----------
    readers : mapping of str to FieldMarks
        At least one, who acted first coming first.
    rule : ReviewRule
    tool : mapping of str to str
        The tool's class of each cell.
    mpp_um : float
        µm per level-0 pixel.
    """
    said = list(readers.values())
    if rule is ReviewRule.FIRST or len(said) == 1:
        return said[0]
    n = len(said)
    found = FieldMarks()
    for cell_id in dict.fromkeys(cell for one in said for cell in one.changed):
        voted = _majority((one.changed.get(cell_id, tool[cell_id]) for one in said), n)
        if voted and voted != tool[cell_id]:
            found.changed[cell_id] = voted
    for group in _groups(said, SAME_CELL_UM / mpp_um):
        if voted := _majority((one.class_name for one in group), n):
            agreed = next(one for one in group if one.class_name == voted)
            found.added[agreed.cell_id] = agreed
    for verdict in (ReviewAct.REJECTED, ReviewAct.RESTORED):
        reasons = [one.reason for one in said if one.verdict is verdict]
        if 2 * len(reasons) > n:
            found.verdict = verdict
            found.reason = "; ".join(dict.fromkeys(reason for reason in reasons if reason))
            return found
    found.verdict = ReviewAct.ACCEPTED  # by people who looked, whatever became of their single marks
    return found


def _majority(votes: Iterable[str], n: int) -> str:
    """What more than half of n say; empty where there is no such half."""
    best, number = Counter(votes).most_common(1)[0]
    return best if 2 * number > n else ""


def _groups(said: Sequence[FieldMarks], reach_px: float) -> list[list[AddedCell]]:
    """Added cells that are one cell: near the first of them, no two of one reader."""
    groups: list[list[AddedCell]] = []
    for one in said:
        taken: set[int] = set()
        for cell in one.added.values():
            near = [
                (math.hypot(group[0].x_px - cell.x_px, group[0].y_px - cell.y_px), at)
                for at, group in enumerate(groups)
                if at not in taken
            ]
            distance, at = min(near, default=(math.inf, -1))
            if distance <= reach_px:
                groups[at].append(cell)
            else:
                at = len(groups)
                groups.append([cell])
            taken.add(at)
    return groups
