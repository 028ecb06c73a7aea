"""Tiles and slides of known truth, drawn in optical density; no code in common with the counter.

>>> from ihcscore.synthetic import SectionSettings, draw_section, write_phantom
>>> section = draw_section(SectionSettings(), seed=1)  # doctest: +SKIP
>>> files = write_phantom(folder, section, name="CD8")  # doctest: +SKIP
"""

from ihcscore.synthetic.artefacts import PENS, ArtefactKind, Spoilt, add_artefact, outline_mask
from ihcscore.synthetic.layout import Clustering
from ihcscore.synthetic.mirax import ArraySource, MiraxSettings, RepeatedSource, TileSource, write_mirax
from ihcscore.synthetic.optics import Optics
from ihcscore.synthetic.phantom import PhantomFiles, write_phantom
from ihcscore.synthetic.scene import Staining
from ihcscore.synthetic.section import Section, SectionSettings, Zone, draw_section
from ihcscore.synthetic.tile import Tile, TileSettings, draw_tile

__all__ = [
    "PENS",
    "ArraySource",
    "ArtefactKind",
    "Clustering",
    "MiraxSettings",
    "Optics",
    "PhantomFiles",
    "RepeatedSource",
    "Section",
    "SectionSettings",
    "Spoilt",
    "Staining",
    "Tile",
    "TileSettings",
    "TileSource",
    "Zone",
    "add_artefact",
    "draw_section",
    "draw_tile",
    "outline_mask",
    "write_mirax",
    "write_phantom",
]
