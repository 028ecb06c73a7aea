"""Contours of an RTSTRUCT as volumes.

Contours: PS3.3 C.8.8.6. A voxel lies inside by the even-odd rule over all contours of a plane, so that holes
and keyholes are what they were drawn as.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ihcscore.errors import PetError
from ihcscore.pet.elements import Elements
from ihcscore.pet.fill import SUBVOXELS, Filling
from ihcscore.pet.grid import Grid

_CLOSED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
_ONE_PLANE_MM = 0.1
_TILT = 0.25  # of the distance of slices, that a contour may leave its plane
_DIGITS = 6  # of a voxel: what lies on a line must not depend on the last bit


@dataclass(frozen=True, kw_only=True)
class Region:
    """Closed contours of one name.

    Attributes
    ----------
    name : str
    frame_of_reference : str
    contours_mm : tuple of (m, 3) arrays of float
    n_ignored : int
        Points and open lines.
    """

    name: str
    frame_of_reference: str = field(repr=False)
    contours_mm: tuple[NDArray[np.float64], ...] = field(repr=False)
    n_ignored: int


def read_regions(file: Elements) -> list[Region]:
    """The regions of an RTSTRUCT.

    Raises
    ------
    PetError
        If a contour's numbers are none.
    """
    drawn = {
        one.text("ReferencedROINumber"): one.items("ContourSequence")
        for one in file.items("ROIContourSequence")
    }
    frames = [one.text("FrameOfReferenceUID") for one in file.items("ReferencedFrameOfReferenceSequence")]
    default = file.text("FrameOfReferenceUID") or (frames[0] if len(frames) == 1 else "")
    regions = []
    for one in file.items("StructureSetROISequence"):
        items = drawn.get(one.text("ROINumber"), [])
        closed = [item for item in items if item.text("ContourGeometricType") in _CLOSED]
        regions.append(
            Region(
                name=one.label("ROIName"),
                frame_of_reference=one.text("ReferencedFrameOfReferenceUID") or default,
                contours_mm=tuple(item.points("ContourData") for item in closed),
                n_ignored=len(items) - len(closed),
            )
        )
    return regions


def fill_region(region: Region, grid: Grid, *, by_shares: bool, name: str) -> Filling | None:
    """The voxels of a region; a slice takes the nearest plane within half the distance of planes.

    Returns
    -------
    Filling or None
        None where it lies outside the scan.

    Raises
    ------
    PetError
        If its contours do not lie in planes parallel to the slices.
    """
    planes, polygons = _planes(region, grid, name)
    every = np.concatenate([points for plane in polygons for points in plane])
    spacing = float(np.median(np.diff(planes))) if len(planes) > 1 else grid.spacing_z_mm
    reach = spacing / 2 * (1 + 1e-6)
    _, rows, columns = grid.shape_zyx
    low, high = (
        np.floor(every.min(axis=0) + 0.5).astype(int),
        np.floor(every.max(axis=0) + 0.5).astype(int) + 1,
    )
    x, y = (slice(max(int(a), 0), min(int(b), n)) for a, b, n in zip(low, high, (columns, rows), strict=True))
    touched = np.flatnonzero(_distance(grid.offsets_mm, planes) <= reach + grid.spacing_z_mm / 2)
    if not len(touched) or x.start >= x.stop or y.start >= y.stop:
        return None
    z = slice(int(touched[0]), int(touched[-1]) + 1)
    shape = (z.stop - z.start, y.stop - y.start, x.stop - x.start)
    local = [[points - (x.start, y.start) for points in plane] for plane in polygons]
    inside = np.zeros(shape, bool)
    for at, offset in enumerate(grid.offsets_mm[z]):
        nearest = int(np.argmin(abs(planes - offset)))
        if abs(planes[nearest] - offset) <= reach:
            inside[at] = rasterise(local[nearest], shape[1:])
    is_cut = bool(
        (low < 0).any() or high[0] > columns or high[1] > rows
        or planes[0] < -grid.spacing_z_mm or planes[-1] > grid.offsets_mm[-1] + grid.spacing_z_mm
    )  # fmt: skip
    shares = _shares(local, planes, reach, grid, z, shape) if by_shares else None
    return Filling(box=(z, y, x), inside=inside, shares=shares, is_cut=is_cut)


def _planes(
    region: Region, grid: Grid, name: str
) -> tuple[NDArray[np.float64], list[list[NDArray[np.float64]]]]:
    """Where planes lie along the normal, rising, and each one's polygons as (column, row)."""
    found = []
    for points in region.contours_mm:
        along = (points - grid.origin_mm) @ grid.normal
        if np.ptp(along) > _TILT * grid.spacing_z_mm:
            raise PetError(
                f"{name}: contours of '{region.name}' are not parallel to the slices (off by "
                f"{np.ptp(along):.3g} mm); "
                "draw them on the PET"
            )
        found.append((float(along.mean()), np.round(grid.to_voxels(points)[:, :2], _DIGITS)))
    found.sort(key=lambda one: one[0])
    groups: list[list[tuple[float, NDArray[np.float64]]]] = []
    for one in found:
        if groups and one[0] - groups[-1][-1][0] <= _ONE_PLANE_MM:
            groups[-1].append(one)
        else:
            groups.append([one])
    planes = np.array([np.mean([along for along, _ in group]) for group in groups])
    return planes, [[points for _, points in group] for group in groups]


def _distance(at: NDArray[np.float64], planes: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(abs(at[:, None] - planes[None]).min(axis=1))


def _shares(
    polygons: list[list[NDArray[np.float64]]],
    planes: NDArray[np.float64],
    reach: float,
    grid: Grid,
    z: slice,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Shares of voxels: each plane on a finer raster, slices cut into thinner ones."""
    n = SUBVOXELS
    fine = [
        rasterise([(points + 0.5) * n - 0.5 for points in plane], (shape[1] * n, shape[2] * n))
        .reshape(shape[1], n, shape[2], n)
        .mean(axis=(1, 3), dtype=np.float32)
        for plane in polygons
    ]
    shares = np.zeros(shape, np.float32)
    steps = ((np.arange(n) + 0.5) / n - 0.5) * grid.spacing_z_mm
    for at, offset in enumerate(grid.offsets_mm[z]):
        for along in offset + steps:
            nearest = int(np.argmin(abs(planes - along)))
            if abs(planes[nearest] - along) <= reach:
                shares[at] += fine[nearest] / n
    return shares


def rasterise(polygons: list[NDArray[np.float64]], shape_yx: tuple[int, int]) -> NDArray[np.bool_]:
    """Pixels whose centre lies inside an odd number of polygons.

    Parameters
    ----------
    polygons : list of (m, 2) arrays of float
        Corners (x, y), pixel centres at whole numbers.
    shape_yx : (int, int)

    Returns
    -------
    (rows, columns) array of bool
    """
    rows, columns = shape_yx
    crossings = np.zeros((rows, columns + 1), np.int32)
    for points in polygons:
        start, end = points, np.roll(points, -1, axis=0)
        low = np.clip(np.ceil(np.minimum(start[:, 1], end[:, 1])), 0, rows).astype(int)
        high = np.clip(np.ceil(np.maximum(start[:, 1], end[:, 1])), 0, rows).astype(int)
        times = high - low
        edge = np.repeat(np.arange(len(points)), times)
        y = low[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
        slope = (end[edge, 0] - start[edge, 0]) / (end[edge, 1] - start[edge, 1])
        x = start[edge, 0] + (y - start[edge, 1]) * slope
        np.add.at(crossings, (y, np.clip(np.ceil(x), 0, columns).astype(int)), 1)
    to_the_right = crossings[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
    return np.asarray(to_the_right % 2 == 1)
