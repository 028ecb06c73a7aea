"""Tiles and slides of known truth, drawn in optical density; no code in common with the counter.

>>> from ihcscore.synthetic import SectionSettings, draw_section, write_phantom
>>> section = draw_section(SectionSettings(), seed=1)  # doctest: +SKIP
>>> files = write_phantom(folder, section, name="CD8")  # doctest: +SKIP
"""

from ihcscore.synthetic.disk.cohort import CohortFiles, CohortSettings, MarkerSettings, write_cohort
from ihcscore.synthetic.disk.mirax import ArraySource, MiraxSettings, RepeatedSource, TileSource, write_mirax
from ihcscore.synthetic.disk.pet_cohort import PetCohort, write_pet_cohort
from ihcscore.synthetic.disk.phantom import PhantomFiles, write_phantom
from ihcscore.synthetic.disk.suv_table import draw_suv_table
from ihcscore.synthetic.disk.truth import SlideTruth
from ihcscore.synthetic.draw.artefacts import PENS, ArtefactKind, Spoilt, add_artefact, outline_mask
from ihcscore.synthetic.draw.confusers import (
    ConfuserKind,
    Confusers,
    DarkNuclei,
    Macrophages,
    PaleRings,
    RedCells,
    Smears,
)
from ihcscore.synthetic.draw.layout import Clustering
from ihcscore.synthetic.draw.optics import Optics
from ihcscore.synthetic.draw.pigment import Pigment, PigmentManner
from ihcscore.synthetic.draw.scene import Staining
from ihcscore.synthetic.mounting import Mounting, MountingSettings, true_map
from ihcscore.synthetic.section import Section, SectionSettings, draw_section
from ihcscore.synthetic.tile import Tile, TileSettings, draw_tile
from ihcscore.synthetic.varied import varied_settings, varied_tile
from ihcscore.synthetic.zones import Zone

__all__ = [
    "PENS",
    "ArraySource",
    "ArtefactKind",
    "Clustering",
    "CohortFiles",
    "CohortSettings",
    "ConfuserKind",
    "Confusers",
    "DarkNuclei",
    "Macrophages",
    "MarkerSettings",
    "MiraxSettings",
    "Mounting",
    "MountingSettings",
    "Optics",
    "PaleRings",
    "PetCohort",
    "PhantomFiles",
    "Pigment",
    "PigmentManner",
    "RedCells",
    "RepeatedSource",
    "Section",
    "SectionSettings",
    "SlideTruth",
    "Smears",
    "Spoilt",
    "Staining",
    "Tile",
    "TileSettings",
    "TileSource",
    "Zone",
    "add_artefact",
    "draw_section",
    "draw_suv_table",
    "draw_tile",
    "outline_mask",
    "true_map",
    "varied_settings",
    "varied_tile",
    "write_cohort",
    "write_mirax",
    "write_pet_cohort",
    "write_phantom",
]
