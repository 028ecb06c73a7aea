"""Tissue on a thumbnail: a mask, its outline, and the colour of the bare glass beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

from ihcscore.geometry.polygons import mask_to_polygons
from ihcscore.planes import blurred, dilated, eroded, square
from ihcscore.schema.names import WhiteSource
from ihcscore.stain import Rgb, mean_od_of

# Glass varies by less than this among neighbours, never gets darker than 185 (0.14 OD of nothing), and is
# tinted by at most this much between two channels (a yellow lamp: 255, 248, 225).
_EVEN_RANGE = 12.0
_DARKEST_GLASS = 185.0
_GLASS_COLOUR = 40.0
# A narrower Gaussian is no more than rounding.
_LEAST_SIGMA_PX = 0.5


@dataclass(frozen=True, kw_only=True)
class TissueSettings:
    """What counts as tissue.

    Attributes
    ----------
    mpp_um : float
        µm per pixel of the thumbnail that is asked for; 8 shows a 361 µm field as 45 pixels.
    smooth_um : float
        Gaussian sigma before thresholding: fat and loose stroma hold together, dust does not.
    min_od, max_od : float
        Bounds of the threshold on the mean optical density of the three channels. The glass of
        real slides stays below 0.02; haematoxylin-only stroma averages 0.04 and more.
    min_area_mm2 : float
        Smaller pieces are debris. A 1.2 mm needle core cut across has 1.1 mm².
    max_hole_mm2 : float
        Smaller holes belong to the tissue: a fat cell of 100 µm has 0.008 mm².
    """

    mpp_um: float = 8.0
    smooth_um: float = 8.0
    min_od: float = 0.025
    max_od: float = 0.03
    min_area_mm2: float = 0.02
    max_hole_mm2: float = 0.01


@dataclass(frozen=True, kw_only=True)
class TissueMap:
    """Tissue of a slide at the thumbnail's resolution.

    Attributes
    ----------
    mask : ndarray of bool, shape (height, width)
    white_rgb : tuple of float
        Colour of bare glass, 0 to 255 a channel.
    white_source : WhiteSource
        The glass where enough of it was seen.
    downsample : float
        Level-0 pixels per pixel of the mask.
    mpp_um : float
        µm per pixel of the mask.
    """

    mask: NDArray[np.bool_] = field(repr=False)
    white_rgb: Rgb
    white_source: WhiteSource
    downsample: float
    mpp_um: float

    @property
    def area_mm2(self) -> float:
        """Area of the tissue in mm²."""
        return float(self.mask.sum()) * (self.mpp_um / 1000) ** 2

    def outline(self) -> BaseGeometry:
        """Polygons of the tissue in level-0 pixels."""
        return mask_to_polygons(self.mask, downsample=self.downsample)


def find_tissue(
    rgb: NDArray[np.uint8],
    *,
    scanned: NDArray[np.bool_],
    unreadable: NDArray[np.bool_] | None = None,
    downsample: float,
    mpp_um: float,
    fill_rgb: tuple[int, int, int] = (255, 255, 255),
    settings: TissueSettings | None = None,
) -> TissueMap:
    """Tissue on a thumbnail.

    The mean optical density against the slide's own glass is smoothed and cut at Otsu's threshold
    (Otsu 1979, doi 10.1109/TSMC.1979.4310076), held between two bounds so that neither an empty
    slide nor one full of tissue is split through its middle.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)
        False where the scanner stored nothing; never tissue, never glass.
    unreadable : ndarray of bool, shape (height, width), optional
        True where the file cannot be decoded; taken for what lies nearest, so that a field drawn
        there fails by name instead of never being drawn.
    downsample, mpp_um : float
        Level-0 pixels and µm per pixel of `rgb`.
    fill_rgb : tuple of int
        What the scanner stores where it saw nothing.
    settings : TissueSettings, optional

    Returns
    -------
    TissueMap
    """
    settings = settings or TissueSettings()
    readable = scanned if unreadable is None else scanned & ~unreadable
    white, source = glass_colour(rgb, readable, fill_rgb=fill_rgb)
    density = mean_od_of(rgb, white)
    if unreadable is not None and unreadable.any():
        rows, columns = distance_transform_edt(unreadable, return_distances=False, return_indices=True)
        density = density[rows, columns]
    density[~scanned] = 0
    smooth = blurred(np.maximum(density, 0), max(settings.smooth_um / mpp_um, _LEAST_SIGMA_PX))
    mask = (smooth > _threshold(smooth[scanned], settings)) & scanned
    pixels_per_mm2 = (1000 / mpp_um) ** 2
    # At most this many pixels are removed or filled.
    mask = remove_small_holes(mask, max_size=int(settings.max_hole_mm2 * pixels_per_mm2))
    mask = remove_small_objects(mask, max_size=int(settings.min_area_mm2 * pixels_per_mm2))
    return TissueMap(mask=mask, white_rgb=white, white_source=source, downsample=downsample, mpp_um=mpp_um)


def _threshold(density: NDArray[np.floating], settings: TissueSettings) -> float:
    if density.size == 0 or float(np.ptp(density)) < 1e-6:
        return settings.min_od
    return float(np.clip(threshold_otsu(density), settings.min_od, settings.max_od))


def glass_colour(
    rgb: NDArray[np.uint8],
    scanned: NDArray[np.bool_],
    *,
    fill_rgb: tuple[int, int, int] = (255, 255, 255),
    min_share: float = 0.01,
) -> tuple[Rgb, WhiteSource]:
    """Colour of the bare glass of a thumbnail.

    Glass is even, bright and nearly grey. Among even pixels, the brightest well-filled peak of the
    histogram of the mean of the channels; around it the median of each channel. Where less than
    `min_share` of the pixels lie in such a peak, or its colour is no glass, the 99.5th percentile of
    each channel stands in.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)
    fill_rgb : tuple of int
        What the scanner stores where it saw nothing: coarse levels mix it into tiles that were
        scanned in part. It is glass only where no other glass is to be seen.
    min_share : float

    Returns
    -------
    white_rgb : tuple of float
    source : WhiteSource
    """
    pixels = rgb[scanned]
    if len(pixels) == 0:
        return (255.0, 255.0, 255.0), WhiteSource.BRIGHTEST_TISSUE
    brightness = rgb.mean(axis=2, dtype=np.float32)
    range_around = dilated(brightness, square(3)) - eroded(brightness, square(3))
    even = (range_around <= _EVEN_RANGE) & scanned
    filled = (rgb == np.asarray(fill_rgb, np.uint8)).all(axis=2)
    for candidates in (even & ~filled, even):
        glass = _brightest_peak(rgb, brightness, candidates, least=min_share * len(pixels))
        if glass is not None and glass.min() >= _DARKEST_GLASS and np.ptp(glass) <= _GLASS_COLOUR:
            return _as_rgb(glass), WhiteSource.GLASS
    return _as_rgb(np.percentile(pixels, 99.5, axis=0).clip(1)), WhiteSource.BRIGHTEST_TISSUE


def _brightest_peak(
    rgb: NDArray[np.uint8], brightness: NDArray[np.float32], candidates: NDArray[np.bool_], *, least: float
) -> NDArray[np.float64] | None:
    """Median colour around the brightest peak that at least so many candidates lie in."""
    counts, _ = np.histogram(brightness[candidates], bins=256, range=(0, 256))
    window = np.convolve(counts, np.ones(7), "same")
    filled_enough = np.flatnonzero(window >= max(least, 1))
    if len(filled_enough) == 0:
        return None
    # The highest bin whose window is filled may be the peak's shoulder: climb to the top near it.
    near = np.arange(max(filled_enough[-1] - 8, 0), filled_enough[-1] + 1)
    top = int(near[np.argmax(window[near])])
    return np.asarray(np.median(rgb[candidates & (np.abs(brightness - top - 0.5) <= 4)], axis=0), np.float64)


def _as_rgb(values: NDArray[np.float64]) -> Rgb:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
