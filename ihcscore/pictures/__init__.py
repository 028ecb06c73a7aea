"""What people look at: fields with their cells, overviews, contact sheets."""

from ihcscore.pictures.checkerboard import draw_checkerboard
from ihcscore.pictures.contact import ContactCell, draw_contact_sheet, upright_square
from ihcscore.pictures.field import FieldPicture, draw_field, draw_rings
from ihcscore.pictures.files import encode_jpeg, read_rgb, write_jpeg, write_png
from ihcscore.pictures.overview import Overview, PlacedField, draw_overview

__all__ = [
    "ContactCell",
    "FieldPicture",
    "Overview",
    "PlacedField",
    "draw_checkerboard",
    "draw_contact_sheet",
    "draw_field",
    "draw_overview",
    "draw_rings",
    "encode_jpeg",
    "read_rgb",
    "upright_square",
    "write_jpeg",
    "write_png",
]
