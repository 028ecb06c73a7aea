"""What of a slide is tissue, what of it must not be counted, and where its tumour may lie."""

from ihcscore.tissue.artefacts import Artefacts, ArtefactSettings, find_artefacts
from ihcscore.tissue.focus import FocusSettings, field_quality, find_blur
from ihcscore.tissue.mask import TissueMap, TissueSettings, find_tissue

__all__ = [
    "ArtefactSettings",
    "Artefacts",
    "FocusSettings",
    "TissueMap",
    "TissueSettings",
    "field_quality",
    "find_artefacts",
    "find_blur",
    "find_tissue",
]
