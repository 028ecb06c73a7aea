"""What a user can cause: errors that say what, where, got and expected, and what to do.

A programmer's mistake (a wrong dtype, a negative size) is a ``ValueError``; everything a file or a
command line can get wrong is an :class:`IhcscoreError`, which the command line shows as one line.
"""


class IhcscoreError(Exception):
    """Bad data or a bad request; the message is one line that a user can act on."""


class SlideError(IhcscoreError):
    """A slide or image that cannot be opened or lacks what counting needs."""


class ReadError(SlideError):
    """Pixels of an open slide that could not be read or decoded."""


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
