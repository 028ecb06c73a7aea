"""What a DICOM file says, as text and numbers; an error names the tag and never a person."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.clock import shown

if TYPE_CHECKING:
    from pydicom import Dataset


_FARTHEST_MM = 1e5
_LONGEST = 64  # characters of a short text (PS3.5, table 6.2-1)
_IDENTITY_OR_DATE = re.compile(r"\d+(\.\d+){5,}|(19|20)\d\d[-./]?[01]\d[-./]?[0-3]\d")


class Elements:
    """One data set.

    Parameters
    ----------
    dataset : pydicom.Dataset
    name : str
        What an error calls the series.
    """

    def __init__(self, dataset: Dataset, name: str) -> None:
        self.dataset = dataset
        self.name = name

    def text(self, keyword: str) -> str:
        """A value as text, trimmed; empty where there is none."""
        from pydicom.datadict import tag_for_keyword

        tag = tag_for_keyword(keyword)
        if tag is None:
            raise ValueError(f"{keyword} is no keyword of DICOM")
        return self._text(tag)

    def label(self, keyword: str) -> str:
        """A text that may be shown: no longer than DICOM allows, without identities, dates or the patient."""
        text = self.text(keyword)
        if len(text) > _LONGEST or not text.isprintable():
            return "(unreadable)"
        for said in ("PatientName", "PatientID", "PatientBirthDate"):
            for word in re.findall(r"\w{3,}", self.text(said)):
                text = re.sub(rf"\b{re.escape(word)}\b", "…", text, flags=re.IGNORECASE)
        return _IDENTITY_OR_DATE.sub("…", text)

    def texts(self, keyword: str) -> tuple[str, ...]:
        """The values of an element that may hold several."""
        text = self.text(keyword)
        return tuple(part.strip() for part in text.split("\\")) if text else ()

    def number(self, keyword: str) -> float | None:
        """A number; None where there is none.

        Raises
        ------
        PetError
            If it is not one finite number.
        """
        return self._number(self.text(keyword), describe(keyword))

    def numbers(self, keyword: str, count: int) -> tuple[float, ...]:
        """So many numbers.

        Raises
        ------
        PetError
            If there are fewer or more, or one is not finite.
        """
        found = [self._number(text, describe(keyword)) for text in self.texts(keyword)]
        if len(found) != count or None in found:
            raise PetError(
                f"{self.name}: {describe(keyword)} has {len(found)} numbers, expected "
                f"{count}; export it again"
            )
        return tuple(value for value in found if value is not None)

    def points(self, keyword: str) -> NDArray[np.float64]:
        """Points of three numbers, (m, 3).

        Raises
        ------
        PetError
            If they are none.
        """
        try:
            found = np.array(self.text(keyword).split("\\"), float).reshape(-1, 3)
        except ValueError:
            found = np.full((1, 3), np.nan)
        if not (abs(found) < _FARTHEST_MM).all():
            raise PetError(
                f"{self.name}: {describe(keyword)} does not hold points of three numbers; export it again"
            )
        return found

    def integer(self, keyword: str) -> int | None:
        """A whole number, as binary elements hold it; None where there is none."""
        try:
            value = self.dataset.get(keyword)
            return None if value is None or value == "" else int(value)
        except Exception as error:  # pydicom raises many kinds on a damaged value
            raise PetError(f"{self.name}: {describe(keyword)} is no whole number; export it again") from error

    def items(self, keyword: str) -> list[Elements]:
        """The items of a sequence; none where it is missing.

        Raises
        ------
        PetError
            If it cannot be read.
        """
        try:
            return [Elements(item, self.name) for item in self.dataset.get(keyword) or ()]
        except Exception as error:  # pydicom raises many kinds on a damaged sequence
            raise PetError(f"{self.name}: {describe(keyword)} cannot be read; export it again") from error

    def private_text(self, group: int, creator: str, element: int, *, stripped: bool) -> str:
        """A private value, found by its creator's block.

        Parameters
        ----------
        group, element : int
            The element is the last byte of the tag.
        creator : str
            Name that the block must carry.
        stripped : bool
            Look at block 10 where no block carries a name, as after de-identification.
        """
        low, high = (group << 16) | 0x10, (group << 16) | 0xFF
        blocks = {tag & 0xFF: self._text(tag) for tag in self.dataset.keys() if low <= tag <= high}  # noqa: SIM118
        named = {block: text for block, text in blocks.items() if text}
        at = [block for block, text in named.items() if text == creator] or [0x10] * (stripped and not named)
        return next(
            (text for block in at if (text := self._text((group << 16) | (block << 8) | element))), ""
        )

    def private_number(self, group: int, creator: str, element: int, *, stripped: bool) -> float | None:
        """The same as a number."""
        what = f"({group:04X},xx{element:02X}) of {creator}"
        return self._number(self.private_text(group, creator, element, stripped=stripped), what)

    def _text(self, tag: int) -> str:
        from pydicom.dataelem import RawDataElement

        if tag not in self.dataset:
            return ""
        element = self.dataset.get_item(tag)
        value = element.value if element is not None else None
        if value is None:
            return ""
        if isinstance(element, RawDataElement):
            value = element.value or b""
        if isinstance(value, bytes):
            return value.decode("latin-1").strip(" \0\r\n\t")
        if isinstance(value, str):
            return value.strip(" \0")
        try:
            several = list(value)
        except TypeError:
            several = [value]
        return "\\".join(str(one).strip() for one in several)

    def _number(self, text: str, what: str) -> float | None:
        if not text:
            return None
        if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) and math.isfinite(float(text)):
            return float(text)
        raise PetError(f"{self.name}: {what} is {shown(text)}, expected a number; export it again")


def describe(keyword: str) -> str:
    """A keyword with its tag: ``PatientWeight (0010,1030)``."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"
