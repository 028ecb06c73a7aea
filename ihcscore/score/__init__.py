"""Cells to densities: per field, per region of a slide, per image."""
