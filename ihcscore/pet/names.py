"""What a volume of interest is: a lesion, or a healthy organ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ihcscore.errors import PetError
from ihcscore.sheet.read import read_sheet

LESION = "lesion"
ORGANS = (
    "brain", "lung", "left ventricle", "aorta", "thigh muscle", "kidney cortex", "bone cortex", "liver",
    "thyroid", "parotid", "axillary node", "inguinal node", "spleen", "bone marrow", "tonsil",
)  # fmt: skip
"""Those of van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y."""

_SIDES = {"left": "left", "right": "right", "l": "left", "r": "right", "lt": "left", "rt": "right"}


@dataclass(frozen=True, kw_only=True)
class Label:
    """What a volume is in the table.

    Attributes
    ----------
    tissue : str
        ``lesion`` or the organ's name.
    lesion_id : str
        Of an organ its side, or empty.
    """

    tissue: str
    lesion_id: str

    @property
    def is_lesion(self) -> bool:
        """Whether it is no healthy organ."""
        return self.tissue == LESION


def label_of(name: str) -> Label:
    """An organ by its name, with a side before or after it; anything else is a lesion of that name."""
    words = re.sub(r"[^a-z0-9]+", " ", name.lower()).split()
    if " ".join(words) in ORGANS:
        return Label(tissue=" ".join(words), lesion_id="")
    for side, rest in ((words[-1:], words[:-1]), (words[:1], words[1:])):
        if side and side[0] in _SIDES and " ".join(rest) in ORGANS:
            return Label(tissue=" ".join(rest), lesion_id=_SIDES[side[0]])
    return Label(tissue=LESION, lesion_id=name)


def read_names(path: str | Path) -> dict[str, Label]:
    """A table of volumes' names: name, tissue, lesion_id.

    Raises
    ------
    PetError
        If a name stands there twice, or a lesion without its id.
    TableError
        If the table cannot be read or lacks a column.
    """
    sheet = read_sheet(path)
    sheet.require(("name", "tissue", "lesion_id"), option="give these columns")
    labels: dict[str, Label] = {}
    for line, row in zip(sheet.rows.index, sheet.rows.to_dict("records"), strict=True):
        name, tissue, lesion = (str(row[column]) for column in ("name", "tissue", "lesion_id"))
        is_lesion = tissue.lower() in ("lesion", "tumour", "tumor", "metastasis")
        if not name or not tissue or (is_lesion and not lesion):
            raise PetError(
                f"{sheet.name}, row {line}: name, tissue or a lesion's lesion_id is empty; give it"
            )
        if name in labels:
            raise PetError(f"{sheet.name}, row {line}: name {name} stands there twice; keep one")
        labels[name] = Label(tissue=LESION if is_lesion else tissue, lesion_id=lesion)
    return labels
