"""Ways to take the mean of a sphere, and how far each depends on where the sphere lies between voxels.

usage: python benchmarks/sphere_mean.py [--places 48]

A hot ball (10 to 1, blurred by 7 mm) at random places on voxels of 4.07 × 4.07 × 3 mm, as in
benchmarks/suv.py.
``suv_mean`` is the mean by shares of voxels (9³ points in each), which the others are held against.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy import ndimage

from ihcscore.pet import fill
from ihcscore.pet.spheres import Sphere, fill_sphere
from suv import as_series, blurred_ball

_SHAPE_ZYX, _SPACING_XYZ_MM = (28, 24, 24), [4.07, 4.07, 3.0]


def ball_points(n: int = 40_000) -> np.ndarray:
    """Points evenly in a ball of 1, in pairs across its centre."""
    points = np.random.default_rng(0).uniform(-1, 1, (n, 3))
    points = points[(points**2).sum(axis=1) <= 1]
    return np.concatenate([points, -points])


def main() -> None:
    """Print mean and spread of each way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--places", type=int, default=48)
    n_places = parser.parse_args().places
    series, _ = as_series(np.zeros(_SHAPE_ZYX), np.zeros(_SHAPE_ZYX, bool), _SPACING_XYZ_MM)
    grid, points = series.grid, ball_points()
    zyx = np.stack(np.meshgrid(*(np.arange(float(n)) for n in _SHAPE_ZYX), indexing="ij"), axis=-1)
    corners = np.stack(np.meshgrid(*([-0.25, 0.25],) * 3), axis=-1).reshape(-1, 3)

    def by_shares(suv: np.ndarray, centre: np.ndarray, diameter: float) -> float:
        sphere = Sphere(name="L", centre_mm=tuple(map(float, centre)), diameter_mm=diameter)
        filling = fill_sphere(sphere, grid)
        return float(np.average(suv[filling.box], weights=filling.shares))

    for diameter in (10.0, 12.0, 20.0):
        found: dict[str, list[float]] = {}
        for shift in np.random.default_rng(3).uniform(-3, 3, (n_places, 3)):
            centre = np.array([48.0, 48.0, 42.0]) + shift
            away = [np.linalg.norm(grid.to_mm(zyx[..., ::-1] + at) - centre, axis=-1) for at in corners]
            suv = 1 + 9 * np.mean([blurred_ball(one, diameter / 2) for one in away], axis=0)
            at = grid.to_voxels(centre + points * diameter / 2)[:, ::-1].T
            values = {"shares, 9³ points a voxel (suv_mean)": by_shares(suv, centre, diameter)}
            fill.SUBVOXELS = 25
            values["shares, 25³ points a voxel"] = by_shares(suv, centre, diameter)
            fill.SUBVOXELS = 9
            phases = [by_shares(suv, centre + one * _SPACING_XYZ_MM, diameter) for one in corners]
            values["shares, mean of 8 phases of the grid"] = float(np.mean(phases))
            for order, name in ((1, "trilinear"), (3, "cubic spline")):
                values[name] = float(ndimage.map_coordinates(suv, at, order=order).mean())
            away_mm = np.linalg.norm(points, axis=1) * diameter / 2
            values["the ball itself, without voxels"] = 1 + 9 * float(
                blurred_ball(away_mm, diameter / 2).mean()
            )
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        for name, means in found.items():
            spread = 100 * np.std(means) / np.mean(means)
            print(f"{diameter:3g} mm  {name.ljust(38)} mean {np.mean(means):.3f}  spread {spread:.2f} %")


if __name__ == "__main__":
    main()
