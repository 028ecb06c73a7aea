"""What a review made of fields, taken together."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from ihcscore.schema import FieldStatus, ReviewStatus

REVIEW_COUNTS = ("n_positive_tool", "n_added", "n_removed", "n_changed")


def review_of(fields: pd.DataFrame) -> dict[str, object]:
    """The review columns of the score table, from the rows of the field table that they are of.

    A field that quality rejected needs no review. Parameters and counts are those of scored fields, so that
    tool and reader are held against each other on the same ground.

    Parameters
    ----------
    fields : DataFrame
        Rows of the field table.
    """
    status = fields["review_status"]
    scored = fields["status"] == FieldStatus.SCORED
    asked = fields[scored | (status != ReviewStatus.NOT_REVIEWED)]
    names = [name for text in fields["reviewers"] for name in text.split("; ") if name]
    return {
        **{column: whole(fields.loc[scored, column].sum()) for column in REVIEW_COUNTS},
        "n_reviewed": int((asked["review_status"] != ReviewStatus.NOT_REVIEWED).sum()),
        "review_status": str(status_of(asked["review_status"])),
        "reviewers": "; ".join(dict.fromkeys(names)),
    }


def status_of(statuses: Iterable[str]) -> ReviewStatus:
    """One status for several fields or samples; not reviewed where there are none."""
    found = set(statuses)
    if not found or found == {ReviewStatus.NOT_REVIEWED}:
        return ReviewStatus.NOT_REVIEWED
    if found & {ReviewStatus.NOT_REVIEWED, ReviewStatus.PARTLY}:
        return ReviewStatus.PARTLY
    if len(found) == 1:
        return ReviewStatus(found.pop())
    return ReviewStatus.CORRECTED


def whole(number: float) -> float | int:
    """A count as a whole number; a mean of readers may be none."""
    return int(number) if number == int(number) else float(number)
