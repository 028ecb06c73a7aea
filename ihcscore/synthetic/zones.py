"""Zones of a section by the distance to its tumour's outline."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ihcscore.synthetic.draw.layout import Points

if TYPE_CHECKING:
    from ihcscore.synthetic.anatomy import Anatomy


class Zone(StrEnum):
    """Where a cell lies, by its distance to the tumour's outline."""

    CENTRE = "Tumour centre"
    FRONT = "Invasive front"
    ELSEWHERE = "Elsewhere"


def zones_of(anatomy: Anatomy, front_um: float, points_um: Points) -> NDArray[np.str_]:
    """Zone of each point, shape (n,); `front_um` is half the width of the front."""
    distance = anatomy.tumour_distance_um(points_um)
    beyond = np.where(distance < -front_um, str(Zone.ELSEWHERE), str(Zone.FRONT))
    return np.where(distance > front_um, str(Zone.CENTRE), beyond)


def zone_areas_mm2(anatomy: Anatomy, front_um: float) -> dict[Zone, float]:
    """Tissue of each zone, holes included, in mm²."""
    whole = anatomy.tissue.area / 1e6
    if anatomy.tumour is None:
        return {Zone.CENTRE: 0.0, Zone.FRONT: 0.0, Zone.ELSEWHERE: whole}
    centre = anatomy.tumour.buffer(-front_um, quad_segs=32).intersection(anatomy.tissue).area / 1e6
    near = anatomy.tumour.buffer(front_um, quad_segs=32).intersection(anatomy.tissue).area / 1e6
    return {Zone.CENTRE: centre, Zone.FRONT: near - centre, Zone.ELSEWHERE: whole - near}
