"""How stain turns into a picture: optical densities through light, lens and sensor to 8-bit RGB."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Border, blurred
from ihcscore.synthetic.draw.texture import smooth_noise

HEMATOXYLIN_OD_RGB = (0.650, 0.704, 0.286)
"""Ruifrok and Johnston, Anal Quant Cytol Histol 2001;23:291, table of stain vectors; unit length, R G B."""

DAB_OD_RGB = (0.268, 0.570, 0.776)
"""The same source."""

_NOISE_SIDE_PX = 512


def melanin_od_rgb() -> tuple[float, float, float]:
    """Stain vector of melanin, unit length, R G B.

    Its absorbance goes about as wavelength^-3.3 (Jacques 2013, doi 10.1088/0031-9155/58/11/R37),
    taken at 610, 540 and 465 nm, near the middle of a camera's red, green and blue.
    """
    absorbance = np.array([610.0, 540.0, 465.0]) ** -3.3
    red, green, blue = absorbance / np.linalg.norm(absorbance)
    return float(red), float(green), float(blue)


@dataclass(frozen=True, kw_only=True)
class Optics:
    """Lamp, lens and sensor of the drawn scanner.

    Attributes
    ----------
    white_rgb : tuple of float
        Grey levels of empty glass, R G B, above 0 up to 255.
    psf_um : float
        Standard deviation of the Gaussian that stands for the lens's point spread, in µm. A
        20x objective of aperture 0.75 has about 0.21 λ / NA = 0.15 µm; a slice out of focus more.
    noise_grey : float
        Standard deviation of the sensor's noise on empty glass, in grey levels; it falls with the
        square root of the light, as shot noise does.
    flare : float
        Stray light as a share of the lamp's, 0 to 1. It is why the darkest brown is never black.
    unevenness : float
        Relative unevenness of the lamp over the picture, standard deviation.
    sharpening : float
        How much of the difference from a blurred copy the scanner adds (unsharp mask); 0 is none, 1 strong.
    sharpening_um : float
        Standard deviation of that blur in µm.
    jpeg_quality : int or None
        Quality, 1 to 100, of a JPEG that the picture goes through, with colours at half the resolution;
        None is no JPEG.
    """

    white_rgb: tuple[float, float, float] = (243.0, 243.0, 240.0)
    psf_um: float = 0.22
    noise_grey: float = 2.0
    flare: float = 0.03
    unevenness: float = 0.004
    sharpening: float = 0.0
    sharpening_um: float = 0.6
    jpeg_quality: int | None = None

    def __post_init__(self) -> None:
        if not all(0 < level <= 255 for level in self.white_rgb):
            raise ValueError(f"white_rgb is {self.white_rgb}, expected levels above 0 up to 255")
        for name in ("psf_um", "noise_grey", "flare", "unevenness", "sharpening"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if self.sharpening_um <= 0:
            raise ValueError(f"sharpening_um is {self.sharpening_um}, expected above 0")
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise ValueError(f"jpeg_quality is {self.jpeg_quality}, expected 1 to 100")


@dataclass(frozen=True, kw_only=True)
class Camera:
    """An `Optics` at one scale, with its noise ready: turns stain planes into RGB, block by block.

    Attributes
    ----------
    optics : Optics
        Lamp, lens and sensor.
    mpp_um : float
        µm per pixel.
    stain_od_rgb : ndarray of float64, shape (3, 3)
        One row a stain plane (haematoxylin, DAB, melanin), R G B; unit vectors times the stain's gain.
    noise : ndarray of float32, shape (512, 512, 3)
        Noise of unit standard deviation, slightly correlated as after demosaicing; repeats.
    """

    optics: Optics
    mpp_um: float
    stain_od_rgb: NDArray[np.float64]
    noise: NDArray[np.float32]

    @classmethod
    def make(
        cls,
        optics: Optics,
        mpp_um: float,
        dyes_od_rgb: tuple[tuple[float, float, float], tuple[float, float, float]],
        rng: np.random.Generator,
    ) -> Camera:
        """Camera for haematoxylin and DAB of the given vectors, and melanin; its noise of `rng`.

        The vectors' lengths do not matter.
        """
        return cls.with_noise(optics, mpp_um, dyes_od_rgb, draw_sensor_noise(rng))

    @classmethod
    def with_noise(
        cls,
        optics: Optics,
        mpp_um: float,
        dyes_od_rgb: tuple[tuple[float, float, float], tuple[float, float, float]],
        noise: NDArray[np.float32],
        gains: tuple[float, float] = (1.0, 1.0),
    ) -> Camera:
        """The same with its noise at hand; haematoxylin and DAB as many times as dense as `gains` says."""
        rows = np.array([*dyes_od_rgb, melanin_od_rgb()], dtype=np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        rows[:2] *= np.array(gains)[:, None]
        return cls(optics=optics, mpp_um=mpp_um, stain_od_rgb=rows, noise=noise)

    @property
    def halo_px(self) -> int:
        """Pixels beyond a block's edge that lens and sharpening bring into it."""
        sharpened_um = self.optics.sharpening_um if self.optics.sharpening > 0 else 0.0
        return int(np.ceil(4 * (self.optics.psf_um + sharpened_um) / self.mpp_um)) + 1

    def expose(
        self,
        planes_od: NDArray[np.float32],
        lamp: NDArray[np.float32],
        seed: tuple[int, ...],
        over_od_rgb: NDArray[np.float32] | None = None,
    ) -> NDArray[np.uint8]:
        """RGB of a block.

        Parameters
        ----------
        planes_od : ndarray of float32, shape (h + 2 halo, w + 2 halo, 3)
            Haematoxylin, DAB and melanin as base-10 optical densities along their unit vectors.
        lamp : ndarray of float32, shape (h, w)
            Relative brightness of the lamp, about 1.
        seed : tuple of int
            Seed of the block's noise.
        over_od_rgb : ndarray of float32, shape (h + 2 halo, w + 2 halo, 3), optional
            What else lies there, as base-10 optical density in R, G and B.

        Returns
        -------
        ndarray of uint8, shape (h, w, 3)
        """
        halo = self.halo_px
        od_rgb = cv2.transform(
            np.maximum(planes_od, 0), (-np.log(10.0) * self.stain_od_rgb.T).astype(np.float32)
        )
        if over_od_rgb is not None:
            od_rgb = od_rgb - np.float32(np.log(10.0)) * over_od_rgb
        light = np.asarray(cv2.exp(od_rgb), np.float32)
        sigma_px = self.optics.psf_um / self.mpp_um
        if sigma_px > 0.05:
            light = blurred(light, sigma_px, border=Border.REPEATED)
        if self.optics.sharpening > 0:
            soft = blurred(light, self.optics.sharpening_um / self.mpp_um, border=Border.REPEATED)
            light = np.maximum(light + np.float32(self.optics.sharpening) * (light - soft), 0)
        light = light[halo:-halo, halo:-halo]
        flare = np.float32(self.optics.flare)
        light = (light + flare) / (1 + flare) * lamp[..., None]
        noise = self._noise(light.shape[:2], seed) * np.float32(self.optics.noise_grey)
        grey = light * np.array(self.optics.white_rgb, dtype=np.float32) + noise * np.sqrt(light)
        rgb = np.asarray(np.clip(np.rint(grey), 0, 255), dtype=np.uint8)
        return rgb if self.optics.jpeg_quality is None else _through_jpeg(rgb, self.optics.jpeg_quality)

    def _noise(self, shape_yx: tuple[int, int], seed: tuple[int, ...]) -> NDArray[np.float32]:
        """Noise of a block: the stored noise from a random place on, wrapped round."""
        rng = np.random.default_rng(seed)
        dy, dx = rng.integers(0, _NOISE_SIDE_PX, 2)
        rows = (np.arange(shape_yx[0]) + dy) % _NOISE_SIDE_PX
        columns = (np.arange(shape_yx[1]) + dx) % _NOISE_SIDE_PX
        part = np.take(np.take(self.noise, rows, axis=0), columns, axis=1)
        return np.asarray(part, dtype=np.float32)


def draw_sensor_noise(rng: np.random.Generator) -> NDArray[np.float32]:
    """Noise of unit standard deviation, slightly correlated as after demosaicing; shape (512, 512, 3)."""
    side = (_NOISE_SIDE_PX, _NOISE_SIDE_PX)
    return np.stack([smooth_noise(side, 0.5, rng) for _ in range(3)], axis=-1)


def _through_jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    _, coded = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    bgr = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    if bgr is None:
        raise RuntimeError("OpenCV does not read the JPEG that it wrote")
    return np.ascontiguousarray(bgr[..., ::-1], dtype=np.uint8)
