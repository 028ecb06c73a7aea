"""Each field of a sample on all its stains, side by side and the same way up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import output, pictures, report
from ihcscore.cohort.manifest import Sample, SlideEntry
from ihcscore.schema import FieldStatus
from ihcscore.score import status_of

_SEEN = (FieldStatus.SCORED, FieldStatus.REJECTED)

Overlays = Mapping[tuple[str, str], Mapping[str, str]]
"""Pictures of scored and rejected fields by sample and marker, then by field: relative, without ending."""


def overlay_files(samples: Sequence[Sample], out: Path, fields: pd.DataFrame) -> Overlays:
    """Where the pictures of the scored and the rejected fields are.

    Parameters
    ----------
    samples : sequence of Sample
    out : Path
        The cohort's folder.
    fields : DataFrame
        As in the cohort's ``fields.csv``.
    """
    scored = fields[fields["status"].isin(_SEEN)]
    found: dict[tuple[str, str], dict[str, str]] = {}
    for entry in (entry for sample in samples for entry in sample.slides):
        own = scored[(scored["sample_id"] == entry.sample_id) & (scored["marker"] == entry.marker)]
        if own.empty:
            continue
        # The pictures bear the profile's marker, which need not be called as in the manifest.
        marker = output.read_record(out / entry.folder).marker
        found[entry.sample_id, entry.marker] = {
            name: (entry.folder / output.OVERLAYS / output.overlay_name(slide, marker, name)).as_posix()
            for slide, name in own[["slide", "field_id"]].itertuples(index=False, name=None)
        }
    return found


def contact_sheet(
    sample: Sample, out: Path, fields: pd.DataFrame, overlays: Overlays
) -> NDArray[np.uint8] | None:
    """A sample's fields as a picture: a row a field, a column a stain; None where no field was seen.

    Carried fields were turned, and mirrored where the section lies upside down, when they were scored, so
    that each row shows the same area in the same pose.

    Parameters
    ----------
    sample : Sample
    out : Path
        The cohort's folder.
    fields : DataFrame
        As in the cohort's ``fields.csv``.
    overlays : mapping
        As :func:`overlay_files` gives them.
    """
    own = fields[fields["sample_id"] == sample.sample_id]
    seen = own[own["status"].isin(_SEEN)]
    if seen.empty:
        return None
    reference = own[own["marker"] == sample.reference.marker]
    names = list(dict.fromkeys([*reference["field_id"], *own["field_id"]]))
    names = [name for name in names if name in set(seen["field_id"])]
    return pictures.draw_contact_sheet(
        [[_cell(entry, out, own, name, overlays) for entry in sample.slides] for name in names],
        row_names=names,
        column_names=[entry.marker for entry in sample.slides],
        title=f"{sample.sample_id}  ·  patient {sample.patient_id}  ·  {status_of(own['review_status'])}",
    )


def _cell(
    entry: SlideEntry, out: Path, fields: pd.DataFrame, name: str, overlays: Overlays
) -> pictures.ContactCell:
    """Picture and caption of a field on one slide."""
    found = fields[(fields["marker"] == entry.marker) & (fields["field_id"] == name)]
    if found.empty:
        return pictures.ContactCell(rgb=None, caption="not scored")
    row = found.iloc[0]
    if row["status"] not in _SEEN:
        return pictures.ContactCell(rgb=None, caption=str(row["error"]))
    file = out / f"{overlays[entry.sample_id, entry.marker][name]}-upright.jpg"
    if row["status"] == FieldStatus.REJECTED:
        return pictures.ContactCell(
            rgb=pictures.read_rgb(file), caption=f"Not scored: {row['qc_reason']}", warning=True
        )
    density = report.format_density(row["positive_per_mm2"])
    return pictures.ContactCell(rgb=pictures.read_rgb(file), caption=f"{density} positive per mm²")
