"""Squares, affine maps and polygons; where centres and corners of pixels lie."""
