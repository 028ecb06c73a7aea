"""Where one section lies on another, with nothing known: every turn, both sides up, any shift."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from ihcscore.geometry.affine import Affine
from ihcscore.planes import Border, Plane, blurred, laid_on, shrunk_by

# Longest side of the reference as it is searched, and of the moving picture, in pixels: coarse enough for
# 144 turns in 0.2 s, or in 1 s where the reference is a small piece of what the moving picture shows.
_REFERENCE_PX, _MOVING_PX = 96, 224
_STEP_DEG = 5.0
# Candidates closer than this in angle are the same one.
_APART_DEG = 12.0
# Smallest share of the smaller picture that must overlap: more than half of a section may be torn away.
_MIN_OVERLAP = 0.35
# An overlap that varies less than this, as a share of the whole picture's variance, is taken to vary so
# much: on even glass the correlation is rounding over rounding.
_LEAST_VARIANCE = 0.02
_TINY = 1e-12
# What shrinking left of the pixels' own pattern.
_BLUR_PX = 0.7
_Spectrum = NDArray[np.complexfloating]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A rough placement.

    Attributes
    ----------
    score : float
        Normalised cross-correlation over the overlap, -1 to 1.
    transform : Affine
        From the reference's pixels to the moving picture's.
    angle_deg : float
    mirrored : bool
    """

    score: float
    transform: Affine
    angle_deg: float
    mirrored: bool


def search(reference: Plane, moving: Plane, *, n: int) -> list[Candidate]:
    """Best rough placements of two pictures of the same scale, distinct in turn or side.

    Each turn of the reference is held against every shift by masked normalised cross-correlation in
    Fourier space (Padfield 2012, doi 10.1109/TIP.2011.2181402).

    Parameters
    ----------
    reference, moving : ndarray of float32, shape (height, width)
        Structure, 0 on glass; the same µm per pixel.
    n : int
        Candidates to give back, best first.
    """
    scale = 1 / search_px(reference, moving)
    small, other = (_levelled(_shrunk(plane, scale)) for plane in (reference, moving))
    side = math.ceil(math.hypot(*small.shape)) + 2
    matcher = _Matcher.make(other, side)
    found = []
    for mirrored in (False, True):
        for angle in np.arange(0.0, 360.0, _STEP_DEG):
            placing = _turn(small.shape, side, math.radians(angle), mirrored)
            warped, covered = (
                laid_on(plane, placing.cv(), (side, side), border=Border.ZERO)
                for plane in (small, np.ones_like(small))
            )
            inside = (covered > 0.99).astype(np.float32)
            score, shift = matcher.best(warped * inside, inside)
            transform = Affine.scaling(1 / scale) @ Affine.shifting(shift) @ placing @ Affine.scaling(scale)
            found.append(
                Candidate(score=score, transform=transform, angle_deg=float(angle), mirrored=mirrored)
            )
    return _distinct(sorted(found, key=lambda one: -one.score), n)


def search_px(reference: Plane, moving: Plane) -> float:
    """Pixels of the pictures to a pixel of the search, 1 or more."""
    return float(max(1.0, max(reference.shape) / _REFERENCE_PX, max(moving.shape) / _MOVING_PX))


def _shrunk(plane: Plane, scale: float) -> Plane:
    # The same factor both ways, to the last bit: a needle core is a few pixels wide here.
    least = math.ceil(1 / scale)
    down, right = (max(0, least - length) for length in plane.shape)
    if down or right:
        plane = np.pad(plane, ((0, down), (0, right)))
    return blurred(shrunk_by(plane, scale), _BLUR_PX)


def _levelled(plane: Plane) -> Plane:
    """About its mean, so that sums of squares in single precision keep their digits."""
    return np.asarray(plane - plane.mean(), np.float32)


def _turn(shape_yx: tuple[int, ...], side: int, angle: float, mirrored: bool) -> Affine:
    """Turn about the picture's centre into the centre of a square that holds every turn."""
    cos, sin = math.cos(angle), math.sin(angle)
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    centre = np.array([shape_yx[1] / 2, shape_yx[0] / 2])
    return Affine.of(linear, side / 2 - linear @ centre)


@dataclass(frozen=True, kw_only=True)
class _Matcher:
    """The moving picture's part of the masked cross-correlation, made once for all turns."""

    size: int
    shape_yx: tuple[int, int]
    variance: float
    plane: _Spectrum
    squared: _Spectrum
    inside: _Spectrum

    @classmethod
    def make(cls, moving: Plane, side: int) -> _Matcher:
        size = int(fft.next_fast_len(side + max(moving.shape), real=True))
        spectra = (fft.rfft2(plane, (size, size)) for plane in (moving, moving**2, np.ones_like(moving)))
        plane, squared, inside = spectra
        shape = (moving.shape[0], moving.shape[1])
        variance = float(moving.var())
        return cls(
            size=size, shape_yx=shape, variance=variance, plane=plane, squared=squared, inside=inside
        )  # fmt: skip

    def best(self, template: Plane, mask: Plane) -> tuple[float, tuple[float, float]]:
        """Highest correlation over all shifts, and the shift (x, y) that gives it."""
        scores = self.scores(template, mask)
        row, column = np.unravel_index(int(np.argmax(scores)), scores.shape)
        # Shifts to the left and up come out at the far end, beyond the moving picture's own length.
        x, y = (
            float(at if at < length else at - self.size)
            for at, length in zip((column, row), self.shape_yx[::-1], strict=True)
        )
        return float(scores[row, column]), (x, y)

    def scores(self, template: Plane, mask: Plane) -> NDArray[np.float64]:
        """Correlation at each shift (down, right), modulo the size; -1 where too little overlaps."""
        planes = (template, template**2, mask)
        t, tt, m = (np.conj(fft.rfft2(plane, (self.size, self.size))) for plane in planes)
        n = np.maximum(self._back(self.inside * m), 1.0)
        sum_t, sum_p = self._back(self.inside * t), self._back(self.plane * m)
        covariance = self._back(self.plane * t) - sum_t * sum_p / n
        variance = float((template**2).sum()) / max(float(mask.sum()), 1.0)
        spread_t = np.maximum(self._back(self.inside * tt) - sum_t**2 / n, n * variance * _LEAST_VARIANCE)
        spread_p = np.maximum(
            self._back(self.squared * m) - sum_p**2 / n, n * self.variance * _LEAST_VARIANCE
        )
        spread = np.sqrt(spread_t * spread_p)
        enough = n > _MIN_OVERLAP * min(float(mask.sum()), float(np.prod(self.shape_yx)))
        return np.where(enough & (spread > 0), covariance / np.maximum(spread, _TINY), -1.0)

    def _back(self, spectrum: _Spectrum) -> NDArray[np.float64]:
        return np.asarray(fft.irfft2(spectrum, (self.size, self.size)), float)


def _distinct(ranked: list[Candidate], n: int) -> list[Candidate]:
    """The first n of a ranking that differ in side or by some degrees."""
    kept: list[Candidate] = []
    for one in ranked:
        if len(kept) == n:
            break
        if all(one.mirrored != other.mirrored or _apart(one, other) > _APART_DEG for other in kept):
            kept.append(one)
    return kept


def _apart(one: Candidate, other: Candidate) -> float:
    gap = abs(one.angle_deg - other.angle_deg) % 360
    return min(gap, 360 - gap)
