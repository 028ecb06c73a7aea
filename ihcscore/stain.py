"""RGB ↔ optical density ↔ haematoxylin, chromogen and residual; estimates of white and stain vectors.

Optical density (OD) is base 10 throughout: OD = -log10(I / white), one value a channel. A stain adds its
vector (unit length, R G B) times its amount (Ruifrok and Johnston 2001, Anal Quant Cytol Histol 23:291).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.geometry.grid import Grid
from ihcscore.planes import Plane
from ihcscore.schema.names import Chromogen, Source
from ihcscore.schema.settings import COUNTED_MPP_UM

FloatArray = NDArray[np.floating[Any]]
Rgb = tuple[float, float, float]

# Haematoxylin, DAB, AEC and Fast Red: Ruifrok and Johnston 2001, as in the authors' published plugin.
HEMATOXYLIN_VECTOR: Rgb = (0.650, 0.704, 0.286)
CHROMOGEN_VECTORS: dict[Chromogen, Rgb] = {
    Chromogen.DAB: (0.268, 0.570, 0.776),
    Chromogen.AEC: (0.274, 0.680, 0.680),
    Chromogen.FAST_RED: (0.214, 0.851, 0.478),
}

# Melanin's absorbance falls as wavelength^-3.3 (Jacques 2013, Phys Med Biol 58:R37,
# doi 10.1088/0031-9155/58/11/R37), here at the middle of a camera's red, green and blue.
MELANIN_EXPONENT = 3.3
CAMERA_WAVELENGTHS_NM: Rgb = (610.0, 540.0, 465.0)

WORKING_MPP_UM = 0.5
MPP_RANGE_UM = (COUNTED_MPP_UM.low, COUNTED_MPP_UM.high)

# A white that is darker or more coloured than these is tissue, haze or a fold, not glass.
ASSUMED_WHITE: Rgb = (245.0, 245.0, 245.0)
MIN_WHITE_GREY = 185.0
WHITE_FRACTION = 0.02

# Depth of staining: upper quartile of the chromogen where there is any. The LYSTO tiles have a median of
# 0.49 OD; a sample without half a cell's area of chromogen is taken to be like them, and no sample is
# believed to be paler or darker than nearly all of them.
BROWN_OD = 0.15
DEPTH_QUANTILE = 0.75
DEPTH_SIGMA_UM = 1.0
MIN_BROWN_UM2 = 15.0
ASSUMED_DEPTH_OD = 0.45
DEPTH_RANGE_OD = (0.25, 1.0)

# Background between the cells: smallest smoothed value within 8 µm, at most so much.
BACKGROUND_SIGMA_UM = 2.0
BACKGROUND_REACH_UM = 8.0
MAX_BACKGROUND_OD = 0.3

# Stain vectors: median direction of the pixels that one stain makes up almost alone, if there are enough
# of them and it turns out near the published one. Ten degrees hold the laboratories of the LYSTO tiles.
MIN_VECTOR_UM2 = 250.0
MAX_SAMPLE_PX = 40_000
MIN_PIGMENT_PX = 200
HEMATOXYLIN_PURITY, HEMATOXYLIN_MIN_OD = 0.10, 0.10
CHROMOGEN_PURITY, CHROMOGEN_MIN_OD = 0.15, 0.20
VECTOR_MEAN_OD, PIGMENT_MEAN_OD = (0.1, 0.7), (0.1, 1.0)
MAX_VECTOR_ANGLE_DEG = 10.0
# Melanin lies only 6 degrees from DAB. A chromogen vector that has gone a third of the way (residual per
# absorbance 0.03 of melanin's 0.10) may come from pigment and is refused.
MAX_CHROMOGEN_RESIDUAL = 0.03

# Hue of the slide's chromogen: residual per absorbance where chromogen lies on a nucleus, as in a ring or a
# stained nucleus, which melanin's granules hide. Shrunk towards 0 by so much area, and at most a tenth of
# melanin's 0.10: the blurred rims of granules over nuclei look like it.
HUE_HEMATOXYLIN_PER_CHROMOGEN = (0.8, 3.0)
MAX_HUE_RESIDUAL = 0.01
HUE_MIN_OD = 0.12
HUE_PRIOR_UM2 = 50.0

# Pigment whose residual per absorbance is smaller has the chromogen's colour (melanin's against DAB: 0.10).
LEAST_PIGMENT_RESIDUAL = 0.02
# Beyond this mean OD the blue channel is so close to 0 that no colour can be told.
READABLE_OD = 0.8


@dataclass(frozen=True, kw_only=True)
class Colour:
    """A colour that densities are measured against, and why it can be trusted.

    Attributes
    ----------
    name : str
        ``White``, or a stain by QuPath's name.
    rgb : tuple of float
        Intensities 0 to 255 for the white, a unit vector of OD for a stain.
    source : Source
    reason : str
        One sentence why.
    """

    name: str
    rgb: Rgb
    source: Source
    reason: str


@dataclass(frozen=True, kw_only=True)
class StainDepth:
    """How dark the chromogen is where a slide has it, and why that can be trusted.

    Attributes
    ----------
    od : float
        Optical density; cells are judged relative to it, so that a pale slide counts like a dark one.
    source : Source
    reason : str
        One sentence why.
    """

    od: float
    source: Source
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stains:
    """White, stain vectors and depth of staining of a slide.

    Attributes
    ----------
    white, hematoxylin, chromogen, pigment : Colour
        What was used, where it comes from and why.
    chromogen_level : StainDepth
        Depth of the chromogen's stain.
    chromogen_residual : float
        Residual per absorbance of the slide's own chromogen; pigment is what exceeds it.
    """

    white: Colour
    hematoxylin: Colour
    chromogen: Colour
    pigment: Colour
    chromogen_level: StainDepth
    chromogen_residual: float = 0.0

    @property
    def white_rgb(self) -> Rgb:
        """White as intensities 0 to 255."""
        return self.white.rgb

    @property
    def source(self) -> str:
        """One line on where white and vectors come from."""
        parts = (self.white, self.hematoxylin, self.chromogen, self.pigment)
        return ", ".join(f"{part.name} {part.source}" for part in parts)

    def pigment_likeness(self, residual_share: FloatArray) -> FloatArray:
        """How far colours have gone from the slide's chromogen (0) to pigment (1).

        Both by residual per absorbance; 0 throughout where pigment's colour is the chromogen's.
        """
        hematoxylin, chromogen, residual = unmix(np.array(self.pigment.rgb), self)
        of_pigment = residual / max(hematoxylin + chromogen, 0.1)
        if abs(of_pigment) < LEAST_PIGMENT_RESIDUAL:
            return np.zeros_like(residual_share)
        return np.asarray((residual_share - self.chromogen_residual) / of_pigment, float)

    def matrix(self) -> FloatArray:
        """Rows haematoxylin, chromogen and their orthogonal residual, each of unit length, shape (3, 3)."""
        hematoxylin, chromogen = np.array(self.hematoxylin.rgb), np.array(self.chromogen.rgb)
        residual = np.cross(hematoxylin, chromogen)
        return np.stack([hematoxylin, chromogen, residual / np.linalg.norm(residual)])


@dataclass(frozen=True, kw_only=True)
class StainMaps:
    """Stain amounts of an image at the working resolution.

    Attributes
    ----------
    hematoxylin_od, chromogen_od, residual_od : ndarray of float32, shape (h, w)
        Amounts in OD.
    mean_od : ndarray of float32, shape (h, w)
        Mean OD of the three channels, from the amounts.
    grid : Grid
        Where their pixels lie on the image that they come from.
    mpp_um : float
        µm per pixel of the maps.
    """

    hematoxylin_od: Plane
    chromogen_od: Plane
    residual_od: Plane
    mean_od: Plane
    grid: Grid
    mpp_um: float

    def part(self, window: tuple[slice, slice]) -> StainMaps:
        """A rectangle of the maps."""
        names = ("hematoxylin_od", "chromogen_od", "residual_od", "mean_od")
        maps: dict[str, Plane] = {name: getattr(self, name)[window] for name in names}
        return StainMaps(**maps, grid=self.grid.part(window), mpp_um=self.mpp_um)


def melanin_vector() -> Rgb:
    """Unit vector of melanin's OD from its absorption spectrum."""
    return _unit(np.array(CAMERA_WAVELENGTHS_NM) ** -MELANIN_EXPONENT)


def working_step_px(mpp_um: float) -> float:
    """Pixels of an image along one of the working resolution, which is 0.5 µm exactly.

    Raises
    ------
    ValueError
        If ``mpp_um`` lies outside 0.05 to 1.0.
    """
    low, high = MPP_RANGE_UM
    if not low <= mpp_um <= high:
        raise ValueError(f"mpp_um is {mpp_um}, expected {low} to {high} µm per pixel")
    return WORKING_MPP_UM / mpp_um


def rgb_to_od(rgb: NDArray[Any], white_rgb: Rgb) -> FloatArray:
    """Base-10 optical density of each channel; intensities below 1 are taken as 1."""
    od: FloatArray = -np.log10(np.maximum(np.asarray(rgb, float), 1.0) / np.asarray(white_rgb))
    return od


def od_table(white_rgb: Rgb) -> NDArray[np.float64]:
    """Optical density of the 256 grey levels of each channel, shape (256, 3): to look up instead of log."""
    return np.asarray(rgb_to_od(np.arange(256)[:, None], white_rgb), np.float64)


def od_of(rgb: NDArray[np.uint8], white_rgb: Rgb) -> Plane:
    """Optical density of each channel of an 8-bit picture, shape (h, w, 3), by the table."""
    return planes.looked_up(rgb, od_table(white_rgb))


def mean_od_of(rgb: NDArray[np.uint8], white_rgb: Rgb) -> Plane:
    """Mean optical density of the channels of an 8-bit picture, shape (h, w)."""
    return planes.sum_by_table(rgb, od_table(white_rgb) / 3)


def od_to_rgb(od: FloatArray, white_rgb: Rgb) -> FloatArray:
    """Intensities (float, not rounded or clipped) of optical densities."""
    rgb: FloatArray = np.asarray(white_rgb) * 10.0 ** -np.asarray(od, float)
    return rgb


def unmix(od: FloatArray, stains: Stains) -> FloatArray:
    """Amounts of haematoxylin, chromogen and residual in OD, shape (..., 3), of ODs of shape (..., 3)."""
    amounts: FloatArray = np.asarray(od, float) @ np.linalg.inv(stains.matrix())
    return amounts


def separate(
    rgb: NDArray[np.uint8], *, mpp_um: float, stains: Stains, start_xy_px: tuple[float, float] | None = None
) -> StainMaps:
    """Average to the working resolution and unmix.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The image.
    mpp_um : float
        Its µm per pixel.
    stains : Stains
        White and vectors.
    start_xy_px : tuple of float, optional
        Where the maps start, in pixels of the image: parts of a slide are counted alike, wherever they are
        cut from, if they share the slide's grid. An image of its own has a grid in its middle.
    """
    planes.check_rgb(rgb)
    step_px, shape_yx = working_step_px(mpp_um), (rgb.shape[0], rgb.shape[1])
    if start_xy_px is None:
        grid = Grid.centred(shape_yx, step_px)
    else:
        grid = Grid.within(shape_yx, step_px, start_xy_px)
    small = planes.averaged_on(rgb, grid)
    to_amounts = np.linalg.inv(stains.matrix()).T.astype(np.float32)
    amounts = cv2.split(cv2.transform(od_of(small, stains.white_rgb), to_amounts))
    hematoxylin, chromogen, residual = (np.asarray(amount, np.float32) for amount in amounts)
    return StainMaps(
        hematoxylin_od=hematoxylin,
        chromogen_od=chromogen,
        residual_od=residual,
        mean_od=_mean_od((hematoxylin, chromogen, residual), stains),
        grid=grid,
        mpp_um=WORKING_MPP_UM,
    )


def _mean_od(amounts: tuple[Plane, Plane, Plane], stains: Stains) -> Plane:
    """Mean OD of the three channels, from the amounts."""
    hematoxylin, chromogen, residual = (float(value) for value in stains.matrix().mean(axis=1))
    both = cv2.addWeighted(amounts[0], hematoxylin, amounts[1], chromogen, 0.0)
    return np.asarray(cv2.addWeighted(both, 1.0, amounts[2], residual, 0.0), np.float32)


def smooth(image: Plane, sigma_px: float) -> Plane:
    """Gaussian of a map, cut off at 3 σ: how far a pixel counts must be known, see `HALO_UM`."""
    return planes.blurred(image, sigma_px, reach_sigmas=3.0)


def chromogen_above_background(maps: StainMaps) -> Plane:
    """Chromogen OD less what lies between the cells: the smallest smoothed value around, at most 0.3 OD."""
    window = 2 * round(BACKGROUND_REACH_UM / maps.mpp_um) + 1
    low = planes.eroded(smooth(maps.chromogen_od, BACKGROUND_SIGMA_UM / maps.mpp_um), planes.square(window))
    return maps.chromogen_od - np.clip(planes.box_mean(low, window), 0, np.float32(MAX_BACKGROUND_OD))


def estimate_stains(
    rgb: NDArray[np.uint8],
    *,
    chromogen: Chromogen = Chromogen.DAB,
    white_rgb: Rgb | None = None,
    mpp_um: float = 0.25,
    n_squares: int = 1,
) -> Stains:
    """White, stain vectors and depth of staining of an RGB sample, each only where the sample supports it.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        One image, or many samples of a slide side by side.
    chromogen : Chromogen
    white_rgb : tuple of float, optional
        A white known from the scanner; otherwise it is estimated.
    mpp_um : float
        µm per pixel of the sample.
    n_squares : int
        Of how many equal parts, one below the other, the sample is made. The depth of staining is their
        median: in one pool, dark clusters would outweigh the slide's other places.
    """
    planes.check_rgb(rgb)
    if chromogen not in CHROMOGEN_VECTORS:
        raise ValueError(f"chromogen is {chromogen!r}, expected DAB, AEC or FastRed")
    stains = Stains(
        white=_given_white(white_rgb) if white_rgb is not None else _estimate_white(rgb),
        hematoxylin=_published("Hematoxylin", HEMATOXYLIN_VECTOR),
        chromogen=_published(str(chromogen), CHROMOGEN_VECTORS[chromogen]),
        pigment=Colour(
            name="Pigment",
            rgb=melanin_vector(),
            source=Source.PUBLISHED,
            reason="melanin absorbs as wavelength^-3.3 (doi 10.1088/0031-9155/58/11/R37)",
        ),
        chromogen_level=StainDepth(od=ASSUMED_DEPTH_OD, source=Source.ASSUMED, reason="not estimated yet"),
    )
    maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    hematoxylin, own_chromogen = _estimate_vectors(maps, stains)
    stains = replace(stains, hematoxylin=hematoxylin, chromogen=own_chromogen)
    if Source.ESTIMATED in (hematoxylin.source, own_chromogen.source):
        maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    return replace(
        stains,
        chromogen_level=_estimate_depth(maps, n_squares),
        chromogen_residual=_estimate_residual(maps, stains),
    )


def _pixels(maps: StainMaps) -> tuple[FloatArray, float]:
    """Some of the pixels, lightly smoothed, amounts of shape (n, 3), and the area each stands for in µm²."""
    stride = max(2, round(np.sqrt(maps.hematoxylin_od.size / MAX_SAMPLE_PX)))
    amounts = [
        planes.box_mean(amount, 3)[::stride, ::stride].ravel()
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    ]
    return np.stack(amounts, axis=1), (stride * maps.mpp_um) ** 2


def _estimate_vectors(maps: StainMaps, stains: Stains) -> tuple[Colour, Colour]:
    """Haematoxylin and chromogen where the sample supports them, else the published ones with the reason."""
    amounts, pixel_um2 = _pixels(maps)
    od = amounts @ stains.matrix()
    low, high = VECTOR_MEAN_OD
    clear = (od.mean(axis=1) > low) & (od.mean(axis=1) < high)
    mine, other = amounts[:, 0], amounts[:, 1]
    pure = clear & (mine > HEMATOXYLIN_MIN_OD) & (other < HEMATOXYLIN_PURITY * mine)
    hematoxylin = _checked_vector(stains.hematoxylin, od[pure], pixel_um2, stains)
    mine, other = other, mine
    pure = clear & (mine > CHROMOGEN_MIN_OD) & (other < CHROMOGEN_PURITY * mine)
    return hematoxylin, _checked_vector(stains.chromogen, od[pure], pixel_um2, stains)


def _checked_vector(published: Colour, od: FloatArray, pixel_um2: float, stains: Stains) -> Colour:
    """The median direction of pixels of one stain, or the published vector and why."""
    area_um2 = len(od) * pixel_um2
    if area_um2 < MIN_VECTOR_UM2:
        return replace(published, reason=f"{published.reason}; {area_um2:.0f} µm² of it alone are too little")
    vector = np.array(_unit(np.median(od / np.linalg.norm(od, axis=1, keepdims=True), axis=0)))
    angle = float(np.degrees(np.arccos(np.clip(vector @ np.array(published.rgb), -1, 1))))
    if angle > MAX_VECTOR_ANGLE_DEG:
        return replace(published, reason=f"{published.reason}; the slide's is {angle:.0f}° away, too far")
    hematoxylin, chromogen, residual = unmix(vector, stains)
    towards_pigment = residual / max(hematoxylin + chromogen, 0.1) > MAX_CHROMOGEN_RESIDUAL
    if published.name == Chromogen.DAB and towards_pigment:
        return replace(published, reason=f"{published.reason}; the slide's may be pigment's colour")
    reason = f"median of {area_um2:.0f} µm² of it alone, {angle:.1f}° from the published one"
    return Colour(name=published.name, rgb=_unit(vector), source=Source.ESTIMATED, reason=reason)


def _estimate_residual(maps: StainMaps, stains: Stains) -> float:
    """Residual per absorbance where chromogen lies on a nucleus, shrunk towards 0 and bounded."""
    amounts, pixel_um2 = _pixels(maps)
    hematoxylin, chromogen, residual = amounts.T
    low, high = HUE_HEMATOXYLIN_PER_CHROMOGEN
    on_nucleus = (chromogen > HUE_MIN_OD) & (hematoxylin > low * chromogen) & (hematoxylin < high * chromogen)
    on_nucleus &= (amounts @ stains.matrix()).mean(axis=1) < READABLE_OD
    area_um2 = float(on_nucleus.sum()) * pixel_um2
    if area_um2 == 0:
        return 0.0
    share = float(np.median(residual[on_nucleus] / (hematoxylin + chromogen)[on_nucleus]))
    return min(max(share, 0.0) * area_um2 / (area_um2 + HUE_PRIOR_UM2), MAX_HUE_RESIDUAL)


def estimate_pigment(stains: Stains, pixels: NDArray[np.uint8]) -> Stains:
    """Stains with the pigment's vector taken from pixels that somebody marked as pigment.

    Parameters
    ----------
    stains : Stains
        With the slide's white.
    pixels : ndarray of uint8, shape (n, 3)
        RGB of the marked area.

    Returns
    -------
    Stains
        Melanin's vector stays where the pixels are too few or too pale.
    """
    od = rgb_to_od(pixels, stains.white_rgb)
    low, high = PIGMENT_MEAN_OD
    mean = od.mean(axis=1)
    od = od[(mean > low) & (mean < high)]
    if len(od) < MIN_PIGMENT_PX:
        reason = f"{stains.pigment.reason}; {len(od)} stained pixels marked as pigment are too few"
        return replace(stains, pigment=replace(stains.pigment, reason=reason))
    vector = _unit(np.median(od / np.linalg.norm(od, axis=1, keepdims=True), axis=0))
    reason = f"median of {len(od)} pixels marked as pigment"
    return replace(stains, pigment=Colour(name="Pigment", rgb=vector, source=Source.ESTIMATED, reason=reason))


def _estimate_depth(maps: StainMaps, n_squares: int) -> StainDepth:
    """Upper quartile of the chromogen where there is any, the median over the parts of the sample."""
    chromogen_od = smooth(chromogen_above_background(maps), DEPTH_SIGMA_UM / maps.mpp_um)
    found, area_um2 = [], 0.0
    for part in np.array_split(chromogen_od, n_squares):
        brown = part[part > BROWN_OD]
        area_um2 += brown.size * maps.mpp_um**2
        if brown.size * maps.mpp_um**2 >= MIN_BROWN_UM2:
            found.append(float(np.quantile(brown, DEPTH_QUANTILE)))
    if not found:
        reason = (
            f"{area_um2:.0f} µm² of chromogen are too little, fewer than {MIN_BROWN_UM2:.0f} in one place"
        )
        return StainDepth(od=ASSUMED_DEPTH_OD, source=Source.ASSUMED, reason=reason)
    low, high = DEPTH_RANGE_OD
    level = float(np.median(found))
    reason = f"upper quartile of {area_um2:.0f} µm² of chromogen"
    if n_squares > 1:
        reason = f"{reason}, median of {len(found)} places"
    if not low <= level <= high:
        reason = f"{reason}, {level:.2f} OD, clipped to {low} to {high}"
    return StainDepth(od=min(max(level, low), high), source=Source.ESTIMATED, reason=reason)


def _published(name: str, vector: Rgb) -> Colour:
    unit = _unit(np.array(vector))
    return Colour(name=name, rgb=unit, source=Source.PUBLISHED, reason="Ruifrok and Johnston 2001")


def _given_white(white_rgb: Rgb) -> Colour:
    red, green, blue = (float(value) for value in white_rgb)
    if not all(1.0 <= value <= 255.0 for value in (red, green, blue)):
        raise ValueError(f"white_rgb is {white_rgb}, expected three intensities of 1 to 255")
    return Colour(name="White", rgb=(red, green, blue), source=Source.GIVEN, reason="given by the caller")


def _estimate_white(rgb: NDArray[np.uint8]) -> Colour:
    """Mean colour of the brightest pixels, if it can be glass."""
    small = planes.shrunk_in_blocks(rgb, 2)
    red, green, blue = cv2.split(small)
    darkest_channel = cv2.min(cv2.min(red, green), blue)
    histogram = np.bincount(darkest_channel.ravel(), minlength=256)
    brighter = np.cumsum(histogram[::-1])[::-1]
    limit = int(np.flatnonzero(brighter >= WHITE_FRACTION * brighter[0])[-1])
    bright = (darkest_channel >= limit).astype(np.uint8)
    white = [float(value) for value in cv2.mean(small, mask=bright)[:3]]
    if min(white) < MIN_WHITE_GREY:
        shown = ", ".join(f"{value:.0f}" for value in white)
        reason = f"the brightest pixels ({shown}) are too dark or coloured for glass"
        return Colour(name="White", rgb=ASSUMED_WHITE, source=Source.ASSUMED, reason=reason)
    reason = f"mean of the brightest {WHITE_FRACTION:.0%} of the pixels"
    return Colour(name="White", rgb=(white[0], white[1], white[2]), source=Source.ESTIMATED, reason=reason)


def _unit(vector: FloatArray) -> Rgb:
    red, green, blue = (float(value) for value in vector / np.linalg.norm(vector))
    return red, green, blue
