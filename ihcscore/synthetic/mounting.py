"""How a section came to lie on its glass, and where a place of one section is on another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ihcscore.synthetic.draw.layout import Points

_N_WAVES = 4
_WAVES_ACROSS = (1.0, 2.0)
_MAX_STEEPNESS = 0.9
_MAX_STEPS = 400
TOLERANCE_UM = 1e-9
"""The inverse of a bend is iterated until no point moves farther than this."""


@dataclass(frozen=True, kw_only=True)
class MountingSettings:
    """How a section comes to lie on its glass.

    Attributes
    ----------
    rotation_deg : float
        Turn of the tissue on the glass about the picture's centre, clockwise as seen.
    shift_um : tuple of float
        Shift of the tissue after the turn, x and y.
    mirrored : bool
        Mounted upside down: left and right change places before the turn.
    scale_xy : tuple of float
        Stretch along the block's x and y, before the section is mirrored and turned; about 1.
    shear : float
        Shift of x per y, likewise.
    bend_um : float
        Largest displacement of a smooth distortion, a few bumps across the picture; it comes before all
        others.
    """

    rotation_deg: float = 0.0
    shift_um: tuple[float, float] = (0.0, 0.0)
    mirrored: bool = False
    scale_xy: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    bend_um: float = 0.0

    def __post_init__(self) -> None:
        if self.bend_um < 0:
            raise ValueError(f"bend_um is {self.bend_um}, expected 0 or more")
        if min(self.scale_xy) <= 0:
            raise ValueError(f"scale_xy is {self.scale_xy}, expected above 0 each")


@dataclass(frozen=True, kw_only=True, eq=False)
class Bend:
    """A smooth displacement: a few plane waves, one to two of each across the picture.

    Attributes
    ----------
    waves_per_um : ndarray of float64, shape (k, 2)
        Wave vectors in radians per µm.
    phases : ndarray of float64, shape (k,)
        Radians.
    pushes_um : ndarray of float64, shape (k, 2)
        Displacement at each wave's crest.
    """

    waves_per_um: NDArray[np.float64] = field(repr=False)
    phases: NDArray[np.float64] = field(repr=False)
    pushes_um: NDArray[np.float64] = field(repr=False)

    @classmethod
    def make(cls, amplitude_um: float, size_um: tuple[float, float], seed: int) -> Bend:
        """Bend of a seed whose largest displacement on a picture is `amplitude_um`.

        Raises
        ------
        ValueError
            If it is so large that the tissue could fold over.
        """
        rng = np.random.default_rng([seed, 4])
        along, across = rng.uniform(0, 2 * np.pi, (2, _N_WAVES))
        numbers = 2 * np.pi * rng.uniform(*_WAVES_ACROSS, _N_WAVES) / max(size_um)
        bend = cls(
            waves_per_um=numbers[:, None] * np.column_stack([np.cos(along), np.sin(along)]),
            phases=rng.uniform(0, 2 * np.pi, _N_WAVES),
            pushes_um=np.column_stack([np.cos(across), np.sin(across)]),
        )
        axes = (np.linspace(0, side, 41) for side in size_um)
        grid = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
        bend.pushes_um[:] *= amplitude_um / np.hypot(*bend(grid).T).max()
        if bend.steepness > _MAX_STEEPNESS:
            raise ValueError(
                f"bend_um is {amplitude_um}, expected at most "
                f"{amplitude_um * _MAX_STEEPNESS / bend.steepness:.0f} for this size_um and seed: "
                "more could fold the tissue over itself"
            )
        return bend

    @property
    def steepness(self) -> float:
        """Upper bound of how much the displacement changes per µm; below 1 nothing folds over."""
        return float((np.hypot(*self.pushes_um.T) * np.hypot(*self.waves_per_um.T)).sum())

    def __call__(self, points_um: Points) -> Points:
        """Displacement at points, shape (n, 2), µm."""
        moved: Points = np.sin(points_um @ self.waves_per_um.T + self.phases) @ self.pushes_um
        return moved


@dataclass(frozen=True, kw_only=True, eq=False)
class Mounting:
    """From the block of tissue to the glass: bent, then stretched, sheared, mirrored, turned and shifted.

    All in µm from the centre of a picture's first pixel, x right, y down. The block has the same axes:
    a section of no turn, shift or distortion lies as in the block.

    Attributes
    ----------
    linear : ndarray of float64, shape (2, 2)
        Stretch, shear, mirroring and turn, in this order.
    offset_um : ndarray of float64, shape (2,)
        What is added after `linear`.
    bend : Bend or None
        Comes first.
    """

    linear: NDArray[np.float64]
    offset_um: NDArray[np.float64]
    bend: Bend | None = None

    @classmethod
    def make(cls, settings: MountingSettings, *, size_um: tuple[float, float], seed: int) -> Mounting:
        """Mounting on a picture of that size; the seed is that of the bend."""
        angle = np.deg2rad(settings.rotation_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        stretch = np.array([[settings.scale_xy[0], settings.shear], [0.0, settings.scale_xy[1]]])
        linear = turn @ np.diag([-1.0 if settings.mirrored else 1.0, 1.0]) @ stretch
        centre = np.array(size_um) / 2
        bend = Bend.make(settings.bend_um, size_um, seed) if settings.bend_um > 0 else None
        return cls(linear=linear, offset_um=centre - linear @ centre + np.array(settings.shift_um), bend=bend)

    def to_glass(self, points_um: ArrayLike) -> Points:
        """Where points of the block, shape (n, 2), lie on the glass; µm."""
        points = np.asarray(points_um, dtype=np.float64).reshape(-1, 2)
        if self.bend is not None:
            points = points + self.bend(points)
        placed: Points = points @ self.linear.T + self.offset_um
        return placed

    def to_block(self, points_um: ArrayLike, *, tolerance_um: float = TOLERANCE_UM) -> Points:
        """What of the block lies at points of the glass, shape (n, 2); µm.

        Without a bend exact; with one by fixed-point iteration until no point moves farther than
        `tolerance_um`. It contracts by the bend's steepness, so what is left is at most
        ``steepness / (1 - steepness)`` times that: less than 1e-8 µm.
        """
        points = np.asarray(points_um, dtype=np.float64).reshape(-1, 2)
        straight: Points = (points - self.offset_um) @ np.linalg.inv(self.linear).T
        if self.bend is None or len(straight) == 0:
            return straight
        found = straight
        for _ in range(_MAX_STEPS):
            before, found = found, straight - self.bend(found)
            if np.abs(found - before).max() <= tolerance_um:
                break
        return found


class Mounted(Protocol):
    """What has a place on its glass: a `Section`, or the truth about a slide of a cohort."""

    @property
    def mounting(self) -> Mounting:
        """From the block to the glass."""

    @property
    def anatomy_seed(self) -> int:
        """Which block."""

    @property
    def mpp_um(self) -> float:
        """µm per pixel."""


def true_map(reference: Mounted, moving: Mounted, points_px: ArrayLike) -> Points:
    """Where places of one section lie on another of the same block.

    Parameters
    ----------
    reference, moving : Section or SlideTruth
        Serial sections: of one anatomy and one `size_um`.
    points_px : array_like, shape (n, 2)
        (x, y) on the reference in level-0 pixels; the corner of the first pixel is at (0, 0), as for
        fields and annotations.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        The same places on `moving`, likewise; right to 1e-7 px.

    Raises
    ------
    ValueError
        If the sections are not of one block.
    """
    if reference.anatomy_seed != moving.anatomy_seed:
        raise ValueError(
            f"the sections have anatomy_seed {reference.anatomy_seed} and {moving.anatomy_seed}, "
            "expected one: no place of one block is in another"
        )
    from_centres = np.asarray(points_px, dtype=np.float64).reshape(-1, 2) - 0.5
    block_um = reference.mounting.to_block(from_centres * reference.mpp_um)
    mapped: Points = moving.mounting.to_glass(block_um) / moving.mpp_um + 0.5
    return mapped
