"""How consecutive sections lie on each other: whole sections, then single places.

Everything works on structure, the summed optical density, which sections share whatever their stain.
"""

from ihcscore.register.place import REACH_UM, Placed, place
from ihcscore.register.sections import Piece, Registration, SectionView, patch, register_sections
from ihcscore.register.structure import structure

__all__ = [
    "REACH_UM",
    "Piece",
    "Placed",
    "Registration",
    "SectionView",
    "patch",
    "place",
    "register_sections",
    "structure",
]
