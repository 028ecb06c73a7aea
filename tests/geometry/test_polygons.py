"""Polygons to masks and back."""

import numpy as np
import pytest
import shapely

from ihcscore.geometry.polygons import filled, mask_to_polygons, raster, without_holes


def test_a_box_covers_its_pixels():
    # its border runs through the middle of pixels, which count
    box = shapely.box(2.5, 1.5, 5.5, 3.5)
    covered = np.zeros((6, 8), bool)
    covered[1:4, 2:6] = True
    assert np.array_equal(raster(box, (6, 8)), covered)
    assert np.array_equal(raster(shapely.box(5, 3, 11, 7), (6, 8), downsample=2.0), covered)
    assert np.array_equal(raster(box, (6, 8), bits=0), covered)


def test_holes_and_leftovers():
    ring = shapely.box(0, 0, 20, 20).difference(shapely.box(5, 5, 15, 15))
    mask = raster(shapely.GeometryCollection([ring, shapely.LineString([(0, 0), (20, 20)])]), (20, 20))
    assert mask[1, 1]
    assert not mask[10, 10]
    assert np.array_equal(filled([np.array(ring.exterior.coords) - 0.5], (20, 20)), np.ones((20, 20), bool))
    assert without_holes(ring).area == 400


def test_a_mask_comes_back():
    mask = np.zeros((30, 40), bool)
    mask[5:20, 8:30] = True
    mask[10:14, 12:20] = False
    outline = mask_to_polygons(mask, downsample=4.0)
    assert outline.area == pytest.approx(mask.sum() * 16, rel=0.1)
    assert len(outline.interiors) == 1
    assert np.array_equal(raster(outline, mask.shape, downsample=4.0), mask)
