"""The finder that a profile names."""

from __future__ import annotations

from ihcscore.cells.classical import ClassicalFinder
from ihcscore.cells.finder import Finder
from ihcscore.cells.network import NetworkFinder
from ihcscore.profiles import MarkerProfile
from ihcscore.schema.names import FinderName


def finder_of(profile: MarkerProfile) -> Finder:
    """The finder that a profile names, with that profile.

    Raises
    ------
    ProfileError
        If its weights are missing, cut or altered.
    """
    if profile.finder == FinderName.CLASSICAL:
        return ClassicalFinder(profile=profile)
    return NetworkFinder(profile=profile)
