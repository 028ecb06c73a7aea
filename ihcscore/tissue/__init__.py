"""What of a slide is tissue, what of it must not be counted, and where its tumour may lie."""

from ihcscore.tissue.artefacts import Artefacts, ArtefactSettings, find_artefacts
from ihcscore.tissue.mask import TissueMap, TissueSettings, find_tissue

__all__ = [
    "ArtefactSettings",
    "Artefacts",
    "TissueMap",
    "TissueSettings",
    "find_artefacts",
    "find_tissue",
]
