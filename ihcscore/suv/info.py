"""What a PET series is, in a few lines."""

from __future__ import annotations

from pathlib import Path

from ihcscore.pet import Overrides, read_pet
from ihcscore.pet.clock import parse_given
from ihcscore.suv import words


def describe_scan(
    folder: str | Path, *, series: str | None = None, reference_time: str | None = None
) -> list[tuple[str, str]]:
    """Units, decay correction, factor, times and notes of a series; no names, no dates.

    Parameters
    ----------
    folder : str or Path
    series : str, optional
        Number of the series, or part of its description, where the folder holds several.
    reference_time : str, optional
        To which the scanner corrected decay, ``09:30:00``, in place of what the header says.

    Returns
    -------
    list of (str, str)
        A name and a text a line.

    Raises
    ------
    PetError
        If no right SUV can be had from it.
    """
    given = None if reference_time is None else parse_given(reference_time, "reference_time")
    found = read_pet(folder, series=series, overrides=Overrides(reference_time=given))
    lines = [*words.scanner(found), *words.derivation(found)]
    return [*lines, *(("Note", note) for note in found.how.notes)]
