"""Polygons to masks and back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ihcscore.geometry.square import centres_of_corners, corners_of_centres


def filled(
    rings_px: Iterable[NDArray[np.floating[Any]]],
    shape_yx: tuple[int, ...],
    *,
    bits: int = 4,
) -> NDArray[np.bool_]:
    """What lies inside of rings, on a grid, the pixels under the rings included.

    Parameters
    ----------
    rings_px : iterable of ndarray of float, shape (n, 2)
        x and y in pixels of the grid, their centres at whole numbers; a ring inside another is a hole.
    shape_yx : tuple of int
        Rows and columns of the grid.
    bits : int
        Corners are rounded to 2^-bits of a pixel.
    """
    mask = np.zeros(shape_yx[:2], np.uint8)
    _fill(mask, rings_px, bits)
    return mask.astype(np.bool_)


def raster(
    area: BaseGeometry, shape_yx: tuple[int, ...], *, downsample: float = 1.0, bits: int = 4
) -> NDArray[np.bool_]:
    """The part of a grid that an area covers, the pixels under its border included.

    Parameters
    ----------
    area : shapely geometry
        Pixel corners at whole numbers; lines and points, which a difference of polygons can leave behind,
        cover nothing.
    shape_yx : tuple of int
        Rows and columns of the grid.
    downsample : float
        The area's pixels per pixel of the grid; the first pixels' corners lie on each other.
    bits : int
        Corners are rounded to 2^-bits of a pixel.
    """
    mask = np.zeros(shape_yx[:2], np.uint8)
    for polygon in shapely.get_parts(area):
        if polygon.geom_type == "Polygon":
            rings = (polygon.exterior, *polygon.interiors)
            corners = (shapely.get_coordinates(ring) / downsample for ring in rings)
            _fill(mask, (centres_of_corners(ring) for ring in corners), bits)
    return mask.astype(np.bool_)


def _fill(mask: NDArray[np.uint8], rings_px: Iterable[NDArray[np.floating[Any]]], bits: int) -> None:
    # OpenCV takes parts of a pixel as whole numbers.
    points = [np.rint(ring * (1 << bits)).astype(np.int32) for ring in rings_px]
    cv2.fillPoly(mask, points, 1, cv2.LINE_8, bits)


def mask_to_polygons(mask: NDArray[np.bool_], *, downsample: float) -> BaseGeometry:
    """Outlines of a mask as polygons with holes, in level-0 pixels.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)
    downsample : float
        Level-0 pixels per pixel of the mask.

    Returns
    -------
    shapely geometry
        A Polygon or MultiPolygon, empty where the mask is; pixel corners at whole numbers.
    """
    # OpenCV traces through pixel centres; doubling the mask brings the outline to the pixels' edges
    # within a quarter of a pixel, which is far below the mask's own error.
    doubled = cv2.resize(mask.astype(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    contours, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    shells: dict[int, list[NDArray[np.float64]]] = {}
    for i, contour in enumerate(contours):
        if len(contour) < 4:
            continue
        ring = corners_of_centres(contour[:, 0, :].astype(np.float64)) / 2 * downsample
        parent = int(hierarchy[0][i][3])
        if parent < 0:
            shells.setdefault(i, []).insert(0, ring)
        elif parent in shells:
            shells[parent].append(ring)
    polygons = [shapely.make_valid(shapely.Polygon(rings[0], rings[1:])) for rings in shells.values()]
    return shapely.union_all(polygons) if polygons else shapely.MultiPolygon()


def without_holes(area: BaseGeometry) -> BaseGeometry:
    """Polygons with all that their outer rings enclose."""
    shells = [shapely.Polygon(part.exterior) for part in shapely.get_parts(area)]
    return shapely.union_all(shells)
