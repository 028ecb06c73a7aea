"""Each field of a sample on all its stains, side by side and the same way up."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ihcscore import pictures
from ihcscore.cohort.manifest import Sample, SlideEntry
from ihcscore.schema import FieldStatus


def contact_sheet(sample: Sample, out: Path, fields: pd.DataFrame) -> bytes | None:
    """A sample's fields as JPEG: a row a field, a column a stain; None where nothing was scored.

    Carried fields were turned, and mirrored where the section lies upside down, when they were scored, so
    that each row shows the same area in the same pose.

    Parameters
    ----------
    sample : Sample
    out : Path
        The cohort's folder.
    fields : DataFrame
        As in the cohort's ``fields.csv``.
    """
    own = fields[fields["sample_id"] == sample.sample_id]
    scored = own[own["status"] == FieldStatus.SCORED]
    if scored.empty:
        return None
    reference = own[own["marker"] == sample.reference.marker]
    names = list(dict.fromkeys([*reference["field_id"], *own["field_id"]]))
    names = [name for name in names if name in set(scored["field_id"])]
    rows = []
    for name in names:
        rows.append([_cell(entry, out, own, name) for entry in sample.slides])
    return pictures.encode_jpeg(
        pictures.draw_contact_sheet(
            rows,
            row_names=names,
            column_names=[entry.marker for entry in sample.slides],
            title=f"{sample.sample_id}  ·  patient {sample.patient_id}",
        ),
        quality=88,
    )


def _cell(entry: SlideEntry, out: Path, fields: pd.DataFrame, name: str) -> pictures.ContactCell:
    """Picture and caption of a field on one slide."""
    found = fields[(fields["marker"] == entry.marker) & (fields["field_id"] == name)]
    if found.empty:
        return pictures.ContactCell(rgb=None, caption="not scored")
    row = found.iloc[0]
    if row["status"] != FieldStatus.SCORED:
        return pictures.ContactCell(rgb=None, caption=str(row["error"]).split(": ", 1)[-1])
    file = out / entry.folder / "overlays" / f"{name}-upright.jpg"
    return pictures.ContactCell(
        rgb=pictures.read_rgb(file), caption=f"{row['positive_per_mm2']:.0f} positive per mm²"
    )
