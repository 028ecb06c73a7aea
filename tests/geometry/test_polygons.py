"""Polygons to masks and back."""

import numpy as np
import pytest
import shapely

from ihcscore.geometry.polygons import filled, mask_to_polygons, raster, without_holes


def test_a_box_covers_its_pixels():
    # corners at whole numbers; the pixels under the border count
    box = shapely.box(2, 1, 5, 3)
    assert np.argwhere(raster(box, (6, 8))).tolist() == [[y, x] for y in (0, 1, 2, 3)[1:3] for x in (2, 3, 4)]
    assert np.array_equal(raster(shapely.box(4, 2, 10, 6), (6, 8), downsample=2.0), raster(box, (6, 8)))


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
