"""What must not be counted: ink, folds, edges on the glass, blurred areas; the quality of a field."""

from ihcscore.artefacts.marks import Artefacts, ArtefactSettings, find_artefacts
from ihcscore.artefacts.quality import FieldQuality, QualitySettings, field_quality, find_blur, judge_field

__all__ = [
    "ArtefactSettings",
    "Artefacts",
    "FieldQuality",
    "QualitySettings",
    "field_quality",
    "find_artefacts",
    "find_blur",
    "judge_field",
]
