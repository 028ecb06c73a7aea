"""Uptake of lesions and organs: from a table, or measured in the scan."""

from ihcscore.pet.factor import Derivation, Rule
from ihcscore.pet.grid import Grid
from ihcscore.pet.measure import Uptake, measure, measure_volumes
from ihcscore.pet.names import Label, label_of, read_names
from ihcscore.pet.patient import Overrides, Quantity
from ihcscore.pet.series import PetSeries, read_pet
from ihcscore.pet.table import SuvTable, parse_dates, read_suv
from ihcscore.pet.volumes import Volume, VolumeSource, read_volumes

__all__ = [
    "Derivation",
    "Grid",
    "Label",
    "Overrides",
    "PetSeries",
    "Quantity",
    "Rule",
    "SuvTable",
    "Uptake",
    "Volume",
    "VolumeSource",
    "label_of",
    "measure",
    "measure_volumes",
    "parse_dates",
    "read_names",
    "read_pet",
    "read_suv",
    "read_volumes",
]
