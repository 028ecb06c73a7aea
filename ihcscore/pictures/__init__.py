"""What people look at: fields with their cells, overviews, contact sheets."""

from ihcscore.pictures.field import (
    ContactCell,
    FieldPicture,
    Overview,
    draw_checkerboard,
    draw_contact_sheet,
    draw_field,
    draw_overview,
    draw_rings,
    encode_jpeg,
    read_rgb,
    upright_square,
    write_png,
)

__all__ = [
    "ContactCell",
    "FieldPicture",
    "Overview",
    "draw_checkerboard",
    "draw_contact_sheet",
    "draw_field",
    "draw_overview",
    "draw_rings",
    "encode_jpeg",
    "read_rgb",
    "upright_square",
    "write_png",
]
