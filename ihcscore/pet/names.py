"""What a volume of interest is: a lesion, or a healthy organ."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ihcscore.errors import PetError, TableError
from ihcscore.schema import VOLUME_NAMES
from ihcscore.sheet import check_table, first_double, folded, place, read_sheet

LESION = "lesion"
ORGANS = (
    "brain", "lung", "left ventricle", "aorta", "thigh muscle", "kidney cortex", "bone cortex", "liver",
    "thyroid", "parotid", "axillary node", "inguinal node", "spleen", "bone marrow", "tonsil",
)  # fmt: skip
"""Those of van de Donk et al. 2021, doi 10.1007/s00259-021-05407-y."""

REFERENCES = ("blood pool",)
"""What else is measured beside lesions as a rule (Wahl et al. 2009, doi 10.2967/jnumed.108.057307)."""

# Beginnings of words of a lesion in English, German and Dutch; parts of words, as in Lebermetastase; and
# whole words where a beginning is too short.
_LESION_STEMS = (
    "lesion", "laesi", "tumour", "primary", "primär", "cancer", "malignan", "neoplas", "recurren", "rezidiv",
)  # fmt: skip
_LESION_PARTS = ("metasta", "läsion", "carcinom", "karzinom", "melanom", "sarcom", "sarkom")
_LESION_WORDS = {"met", "mets"}
# What turns such a word round, or leaves open what was measured: "tumour-free liver", "no lesion".
_NOT_LESION_STEMS = (
    "healthy",
    "normal",
    "physiolog",
    "benign",
    "adjacent",
    "background",
    "contralateral",
    "reference",
    "gesund",
)
_NOT_LESION_WORDS = {"no", "non", "not", "without", "free", "near", "outside", "kein", "ohne"}
SIDES = {"left": "left", "right": "right", "l": "left", "r": "right", "lt": "left", "rt": "right"}


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
        if side and side[0] in SIDES and " ".join(rest) in ORGANS:
            return Label(tissue=" ".join(rest), lesion_id=SIDES[side[0]])
    return Label(tissue=LESION, lesion_id=name)


def names_lesion(tissue: str) -> bool | None:
    """Whether words say a lesion, as ``liver metastasis`` or ``Lesions`` do; None where they say both.

    Anything else is the name of healthy tissue.
    """
    words = folded(tissue).replace("/", " ").replace(",", " ").split()
    lesion = any(
        word.startswith(_LESION_STEMS) or word in _LESION_WORDS or any(part in word for part in _LESION_PARTS)
        for word in words
    )
    around = any(word.startswith("peri") and word[4:].startswith(_LESION_STEMS) for word in words)
    healthy = any(word.startswith(_NOT_LESION_STEMS) or word in _NOT_LESION_WORDS for word in words)
    if around or (lesion and healthy):
        return None
    return lesion


def read_names(path: str | Path) -> dict[str, Label]:
    """A table of volumes' names, with the columns of :data:`ihcscore.schema.VOLUME_NAMES`.

    Raises
    ------
    TableError
        If the table cannot be read, lacks a column, or a name stands there twice.
    PetError
        If a lesion has no id.
    """
    table = check_table(read_sheet(path), VOLUME_NAMES)
    same = first_double(table.rows, VOLUME_NAMES.keys)
    if len(same):
        raise TableError(
            f"{place(table.name, same.index)}: name {same['name'].iloc[0]} stands there twice; keep one"
        )
    labels: dict[str, Label] = {}
    for line, row in zip(table.rows.index, table.rows.to_dict("records"), strict=True):
        is_lesion = names_lesion(row["tissue"])
        if is_lesion is None:
            raise both_said(table.name, line, row["tissue"])
        if is_lesion and not row["lesion_id"]:
            raise PetError(f"{place(table.name, [line])}: a lesion's lesion_id is empty; give it")
        labels[row["name"]] = Label(tissue=LESION if is_lesion else row["tissue"], lesion_id=row["lesion_id"])
    return labels


def both_said(name: str, line: int, tissue: str) -> TableError:
    """The error of words that say a lesion and healthy tissue."""
    return TableError(
        f"{place(name, [line])}: tissue '{tissue}' may be a lesion or healthy; write lesion, or "
        "the organ's name"
    )
