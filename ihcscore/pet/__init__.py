"""Uptake of lesions and organs: from a table, or measured in the scan."""

from ihcscore.pet.factor import Derivation, Rule
from ihcscore.pet.grid import Grid
from ihcscore.pet.measure import Uptake, measure, measure_volumes
from ihcscore.pet.names import Label, label_of, read_names
from ihcscore.pet.patient import Overrides, Quantity
from ihcscore.pet.series import PetSeries, read_pet
from ihcscore.pet.table import UptakeTable, read_uptake
from ihcscore.pet.volumes import Volume, VolumeSource, read_volumes, volume_of

__all__ = [
    "Derivation",
    "Grid",
    "Label",
    "Overrides",
    "PetSeries",
    "Quantity",
    "Rule",
    "Uptake",
    "UptakeTable",
    "Volume",
    "VolumeSource",
    "label_of",
    "measure",
    "measure_volumes",
    "read_names",
    "read_pet",
    "read_uptake",
    "read_volumes",
    "volume_of",
]
