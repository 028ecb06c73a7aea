"""What people look at: fields with their cells, overviews, contact sheets."""

from ihcscore.pictures.checkerboard import draw_checkerboard
from ihcscore.pictures.contact import CONTACT_PX, ContactCell, draw_contact_sheet
from ihcscore.pictures.field import FieldPicture, draw_field, draw_rings, tinted, with_marks
from ihcscore.pictures.files import encode_jpeg, read_rgb, shrunk_to_fit, write_jpeg, write_png, write_tints
from ihcscore.pictures.overview import Overview, PlacedField, draw_overview
from ihcscore.pictures.upright import upright_field, upright_square

__all__ = [
    "CONTACT_PX",
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
    "shrunk_to_fit",
    "tinted",
    "upright_field",
    "upright_square",
    "with_marks",
    "write_jpeg",
    "write_png",
    "write_tints",
]
