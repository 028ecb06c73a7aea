"""Colours of classes and regions, the same on pictures and in QuPath's GeoJSON (R G B, 0 to 255)."""

from __future__ import annotations

from ihcscore.schema.names import CellClass, RegionName

Rgb = tuple[int, int, int]

# Green and magenta stay apart from brown, blue and each other, also for colour-blind eyes.
CLASS_COLOURS: dict[str, Rgb] = {
    CellClass.POSITIVE: (0, 190, 60),
    CellClass.NEGATIVE: (60, 120, 255),
    CellClass.PIGMENT_SUSPECT: (235, 0, 190),
}
# Viridis without its lightest end: ordered, also for colour-blind eyes.
MEMBRANE_COLOURS: dict[str, Rgb] = {
    CellClass.MEMBRANE_0: (68, 1, 84),
    CellClass.MEMBRANE_1: (49, 104, 142),
    CellClass.MEMBRANE_2: (53, 183, 121),
    CellClass.MEMBRANE_3: (253, 231, 37),
    CellClass.IMMUNE: (255, 140, 0),
    CellClass.OTHER: (150, 150, 150),
    CellClass.NOT_MEASURED: (150, 150, 150),
}
REGION_COLOURS: dict[str, Rgb] = {
    RegionName.TUMOUR_CENTRE: (0, 130, 90),
    RegionName.INVASIVE_FRONT: (230, 110, 0),
    RegionName.GIVEN: (70, 70, 160),
}
LEFT_OUT_COLOUR: Rgb = (200, 0, 30)
# What is tinted on the picture of a field that it spoils.
FOLD_COLOUR: Rgb = (200, 0, 30)
INK_COLOUR: Rgb = (235, 185, 0)
PALE_COLOUR: Rgb = (130, 90, 190)
# QuPath's own colour of its class Tumor, and of classes that are ignored.
TUMOUR_COLOUR: Rgb = (200, 0, 0)
IGNORE_COLOUR: Rgb = (180, 180, 180)
