"""The finder that a profile names."""

from __future__ import annotations

from ihcscore.cells.classical import ClassicalFinder
from ihcscore.cells.finder import Finder
from ihcscore.cells.membrane import MembraneFinder
from ihcscore.cells.network import NetworkFinder
from ihcscore.profiles import MarkerProfile
from ihcscore.schema.names import FinderName
from ihcscore.weights import load_cell_model


def described(finder: Finder) -> dict[str, object]:
    """Name of a finder and its weights' files with their sha256, for a run's record."""
    return {"name": finder.profile.finder, "weights": finder.weights}


def finder_of(profile: MarkerProfile) -> Finder:
    """The finder that a profile names, with that profile.

    Raises
    ------
    ProfileError
        If its weights are missing, cut or altered.
    """
    if profile.finder == FinderName.CLASSICAL:
        load_cell_model(profile.compartment)  # now, not at the first field
        return ClassicalFinder(profile=profile)
    if profile.finder == FinderName.MEMBRANE:
        return MembraneFinder(profile=profile)
    return NetworkFinder(profile=profile)
