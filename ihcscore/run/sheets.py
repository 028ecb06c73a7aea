"""Contact sheets of counted pictures: each as it was counted, its counts, and what to know of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ihcscore import output, pictures
from ihcscore.cells.nuclear_size import scale_doubt
from ihcscore.fields import judge_field
from ihcscore.run.array import CountedArray
from ihcscore.schema import CellClass, Quality
from ihcscore.tissue.focus import field_quality

_ACROSS, _ON_A_SHEET = 4, 32
_QUALITY = 88


@dataclass(kw_only=True)
class ContactSheets:
    """Sheets that are written as they fill, so that no more than one is held in memory.

    Attributes
    ----------
    folder : OutputFolder
    title : str
    files : list of str
        Names of the sheets so far.
    """

    folder: output.OutputFolder
    title: str
    files: list[str] = field(default_factory=list)
    _waiting: list[pictures.ContactCell] = field(default_factory=list, init=False, repr=False)

    def add(self, name: str, picture: pictures.FieldPicture, *, warned: bool) -> None:
        """Put a picture with its cells on the sheet; where it has a warning its caption is red."""
        cells = picture.cells
        canvas = pictures.with_marks(picture)
        n = 0 if cells is None else int((cells["class"] == CellClass.POSITIVE).sum())
        self._waiting.append(
            pictures.ContactCell(
                rgb=pictures.shrunk_to_fit(canvas, (pictures.CONTACT_PX, pictures.CONTACT_PX)),
                caption=f"{name}: {n} positive",
                warning=warned,
            )
        )
        if len(self._waiting) == _ON_A_SHEET:
            self.finish()

    def finish(self) -> None:
        """Write what waits."""
        if not self._waiting:
            return
        rows = [self._waiting[i : i + _ACROSS] for i in range(0, len(self._waiting), _ACROSS)]
        sheet = pictures.draw_contact_sheet(
            rows, row_names=[""] * len(rows), column_names=[""] * len(rows[0]), title=self.title
        )
        name = f"contact-{len(self.files) + 1}.jpg"
        pictures.write_jpeg(self.folder.new_file(name), sheet, quality=_QUALITY)
        self.files.append(name)
        self._waiting.clear()


def quality_of(counted: CountedArray) -> tuple[Quality, str]:
    """How far a picture can be counted, and why not, in a sentence."""
    quality = field_quality(
        np.ascontiguousarray(counted.rgb), mpp_um=counted.mpp_um, white_rgb=counted.stains.white_rgb
    )
    qc, reason = judge_field(quality, tissue_fraction=1.0, pigment_fraction=counted.pigment_fraction)
    reason = reason.replace("The field is", "The picture is")
    doubt = scale_doubt(counted.nuclei_um)
    if not doubt or qc == Quality.FAIL:
        return qc, reason
    return Quality.WARN, f"{reason} {doubt[0].upper()}{doubt[1:]}.".lstrip()
