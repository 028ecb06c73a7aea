"""Random textures that repeat without a seam: cloudy noise and wavy fibres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Border, values_at


def smooth_noise(
    shape_yx: tuple[int, int], sigma_px: float | tuple[float, float], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Gaussian noise smoothed by a Gaussian, periodic, of mean 0 and standard deviation 1.

    Parameters
    ----------
    shape_yx : tuple of int
        Height and width.
    sigma_px : float or tuple of float
        Standard deviation of the smoothing, one for both axes or (y, x).
    rng : numpy.random.Generator
        Source of the noise.

    Returns
    -------
    ndarray of float32, shape `shape_yx`
    """
    sigma_y, sigma_x = (sigma_px, sigma_px) if isinstance(sigma_px, float | int) else sigma_px
    spectrum = np.fft.rfft2(rng.standard_normal(shape_yx, dtype=np.float32))
    fy = np.fft.fftfreq(shape_yx[0])[:, None] * sigma_y
    fx = np.fft.rfftfreq(shape_yx[1])[None, :] * sigma_x
    spectrum *= np.exp(-2 * np.pi**2 * (fy**2 + fx**2))
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=shape_yx)
    return np.asarray(noise / noise.std(), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Fibres:
    """Wavy collagen, periodic.

    Attributes
    ----------
    density : ndarray of float32, shape (n, n)
        Mean 0, standard deviation about 1; long along the fibres, short across.
    angle : ndarray of float32, shape (n, n)
        Direction of the fibres in radians, from the x axis towards y.
    """

    density: NDArray[np.float32]
    angle: NDArray[np.float32]


def draw_cloud(side_px: int, mpp_um: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Texture of cytoplasm, fine and coarse, of mean 0 and standard deviation 1; shape (side, side)."""
    shape = (side_px, side_px)
    cloud = 0.6 * smooth_noise(shape, 0.45 / mpp_um, rng) + 0.8 * smooth_noise(shape, 2.2 / mpp_um, rng)
    return cloud.astype(np.float32)


def draw_fibres(side_px: int, mpp_um: float, rng: np.random.Generator) -> Fibres:
    """Fibres of about 1 µm that wave over some 40 µm, on a square of `side_px` pixels."""
    shape = (side_px, side_px)
    wave = smooth_noise(shape, (40 / mpp_um, 40 / mpp_um), rng) * np.float32(18 / mpp_um)
    wave += smooth_noise(shape, (5 / mpp_um, 7 / mpp_um), rng) * np.float32(0.9 / mpp_um)
    straight = smooth_noise(shape, (0.4 / mpp_um, 5 / mpp_um), rng)
    coarse = smooth_noise(shape, (1.5 / mpp_um, 12 / mpp_um), rng)
    y, x = np.indices(shape, dtype=np.float32)
    rows = np.mod(y + wave, side_px).astype(np.float32)
    density = 0.75 * _sample(straight, x, rows) + 0.65 * _sample(coarse, x, rows)
    wave_y, wave_x = np.gradient(np.pad(wave, 1, mode="wrap"))
    angle = np.arctan2(-wave_x, 1 + wave_y)[1:-1, 1:-1]
    return Fibres(density=density, angle=angle.astype(np.float32))


def _sample(
    image: NDArray[np.float32], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.float32]:
    wrapped = np.pad(image, ((0, 1), (0, 1)), mode="wrap")
    return values_at(wrapped, x, y, border=Border.ZERO)


def wrapped(
    image: NDArray[np.float32], left: int, top: int, shape_yx: tuple[int, int]
) -> NDArray[np.float32]:
    """The block at (left, top) of the plane that `image` tiles."""
    rows = np.arange(top, top + shape_yx[0]) % image.shape[0]
    columns = np.arange(left, left + shape_yx[1]) % image.shape[1]
    return np.asarray(np.take(np.take(image, rows, axis=0), columns, axis=1), dtype=np.float32)
