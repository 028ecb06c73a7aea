"""The pictures of a scan: each volume on its hottest slice, and all of them on a projection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ihcscore.pet import Grid, PetSeries, Uptake, Volume
from ihcscore.pictures.uptake import Projection, Sides, UptakeSlice, draw_projection, draw_uptake_slice

_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))  # towards and away from x, y, z of the patient
_BRIGHT = 99.0  # percentile of the projection that is black where there are no volumes
_LONG_NAME = 60


def volume_picture(series: PetSeries, volume: Volume, uptake: Uptake, title: str) -> NDArray[np.uint8]:
    """A volume on the slice of its highest voxel."""
    z, y, x = uptake.max_zyx
    box = volume.filling.box
    inside = np.zeros(series.grid.shape_zyx[1:], bool)
    inside[box[1:]] = volume.filling.inside[z - box[0].start]
    steps = _directions(series.grid)
    column_mm, row_mm, _ = series.grid.spacing_xyz_mm
    return draw_uptake_slice(
        UptakeSlice(
            suv=series.suv[z],
            inside=inside,
            hottest_yx=(y, x),
            spacing_yx_mm=(row_mm, column_mm),
            sides=_sides(steps[1], steps[2]),
            title=title[:_LONG_NAME],
            unit=series.kind.unit,
        )
    )


def projection_picture(
    series: PetSeries, volumes: Sequence[Volume], highest: float, title: str
) -> NDArray[np.uint8]:
    """A maximum intensity projection from the front, head up, the patient's left on the right."""
    steps = _directions(series.grid)
    through = int(np.argmax([abs(step[1]) for step in steps]))
    down, across = sorted(set(range(3)) - {through}, key=lambda axis: -abs(steps[axis][2]))
    flipped = [steps[down][2] > 0, steps[across][int(np.argmax(abs(steps[across])))] < 0]
    spacing = series.grid.spacing_xyz_mm[::-1]

    def laid(flat: NDArray[Any]) -> NDArray[Any]:
        upright = flat if down < across else flat.T
        return upright[:: -1 if flipped[0] else 1, :: -1 if flipped[1] else 1]

    shadows = []
    for volume in volumes:
        whole = np.zeros(series.grid.shape_zyx, bool)
        whole[volume.filling.box] = volume.filling.inside
        shadows.append((volume.name[:_LONG_NAME], laid(np.asarray(whole.any(axis=through)))))
    flat = laid(series.suv.max(axis=through)).astype(np.float32)
    return draw_projection(
        Projection(
            suv=flat,
            volumes=[(name, shadow) for name, shadow in shadows if shadow.any()],
            spacing_yx_mm=(spacing[down], spacing[across]),
            sides=_sides(steps[down] * (-1 if flipped[0] else 1), steps[across] * (-1 if flipped[1] else 1)),
            title=title[:_LONG_NAME],
            upper=highest or float(np.percentile(flat, _BRIGHT)) or 1.0,
            unit=series.kind.unit,
        )
    )


def _directions(grid: Grid) -> list[NDArray[np.float64]]:
    """Unit vectors along slices, rows and columns of the array."""
    steps = grid.normal, grid.row_step_mm, grid.column_step_mm
    return [step / np.linalg.norm(step) for step in steps]


def _sides(down: NDArray[np.float64], across: NDArray[np.float64]) -> Sides:
    bottom, top = _letters(down)
    right, left = _letters(across)
    return Sides(left=left, right=right, top=top, bottom=bottom)


def _letters(step: NDArray[np.float64]) -> tuple[str, str]:
    """Where a step leads, and where it comes from."""
    axis = int(np.argmax(abs(step)))
    towards, away = _LETTERS[axis]
    return (towards, away) if step[axis] > 0 else (away, towards)
