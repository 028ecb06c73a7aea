"""What a user can cause: errors that say what, where, got and expected, and what to do.

A programmer's mistake (a wrong dtype, a negative size) is a ``ValueError``; everything a file or a
command line can get wrong is an :class:`IhcscoreError`, which the command line shows as one line.

A message that tells what to give names the parameter, marked by :func:`parameter`; who shows it spells the
name: in Python as it stands (``mpp_um``), on the command line as the option (``--mpp-um``).

>>> error = IhcscoreError(f"S07.svs: no microns per pixel; give {parameter('mpp_um')}")
>>> str(error)
'S07.svs: no microns per pixel; give mpp_um'
>>> error.spelled(lambda name: "--" + name.replace("_", "-"))
'S07.svs: no microns per pixel; give --mpp-um'
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

# Two of Unicode's private characters (block U+E000), which no file name or table of a user holds in earnest.
_OPENING, _CLOSING = "\ue0f0", "\ue0f1"
_MARKED = re.compile(f"{_OPENING}([A-Za-z_][A-Za-z_0-9]*){_CLOSING}")


def parameter(name: str) -> str:
    """A parameter's name, marked as such in the message of an :class:`IhcscoreError`.

    Parameters
    ----------
    name : str
        As the library's functions and settings have it.

    Raises
    ------
    ValueError
        If it cannot be a parameter's name.
    """
    if not name.isidentifier() or not name.isascii():
        raise ValueError(f"name is {name!r}, expected the name of a parameter")
    return f"{_OPENING}{name}{_CLOSING}"


def spelled(text: str, spell: Callable[[str], str]) -> str:
    """A text with each marked name as `spell` writes it; all else stays as it is."""
    return _MARKED.sub(lambda found: spell(found[1]), text)


class IhcscoreError(Exception):
    """Bad data or a bad request; the message is one line that a user can act on.

    Parameters
    ----------
    message : str
        What, where, got and expected, what to do; names of parameters marked by :func:`parameter`.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    def __str__(self) -> str:
        return self.spelled(str)

    def spelled(self, spell: Callable[[str], str]) -> str:
        """The message, each parameter's name as `spell` writes it."""
        return spelled(str(self.args[0]), spell)


def all_of(errors: Iterable[IhcscoreError]) -> IhcscoreError:
    """Several errors as one, in one line."""
    return IhcscoreError("; ".join(str(error.args[0]) for error in errors))


class Numbers(Protocol):
    """Numbers that will do, such as a :class:`~ihcscore.schema.Range`; its text says which."""

    def __contains__(self, value: float, /) -> bool:
        """Whether a number is one of them."""


def require_in(expected: Numbers, name: str, got: float) -> None:
    """Refuse a number that a user gave.

    Parameters
    ----------
    expected : Numbers
    name : str
        The parameter's.
    got : float
        NaN is none that will do.

    Raises
    ------
    IhcscoreError
    """
    if got not in expected:
        raise IhcscoreError(f"{parameter(name)} is {got}, expected {expected}")


class FaultsError(IhcscoreError):
    """Several things to mend at once, a line each.

    Parameters
    ----------
    faults : iterable of str
        Each as the message of an error.
    summary : str
        What they are together, and what to do.
    """

    def __init__(self, faults: Iterable[str], summary: str) -> None:
        super().__init__("\n".join([*faults, summary]))


class SlideError(IhcscoreError):
    """A slide or image that cannot be opened or lacks what counting needs."""


class ReadError(SlideError):
    """Pixels of an open slide that could not be read or decoded."""


class NoTissueError(SlideError):
    """A slide that can be read and shows no tissue."""


class AnnotationError(IhcscoreError):
    """An annotation file that cannot be used."""


class ProfileError(IhcscoreError):
    """An unknown marker or a marker profile that cannot be used."""


class OutputError(IhcscoreError):
    """An output folder that cannot be written or already holds a run."""


class TableError(IhcscoreError):
    """A table of the user's that cannot be read or whose content cannot be right."""


class PetError(IhcscoreError):
    """A PET series, its header or a volume of interest that no right uptake can be had from."""


def readable(name: str) -> str:
    """A file's name with replacement characters for what is no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def check_name(path: Path) -> None:
    """Refuse a file whose name is no UTF-8: names stand in tables, pages and records, which are.

    Raises
    ------
    IhcscoreError
        The name in it with replacement characters.
    """
    name = readable(path.name)
    if name != path.name:
        raise IhcscoreError(f"{name}: the file's name is not UTF-8; rename the file")
