"""RGB ↔ optical density ↔ haematoxylin, chromogen and residual; estimates of white and stain vectors.

Optical density (OD) is base 10 throughout: OD = -log10(I / white), one value a channel. A stain adds its
vector (unit length, R G B) times its amount (Ruifrok and Johnston 2001, Anal Quant Cytol Histol 23:291).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Rgb = tuple[float, float, float]

# Haematoxylin, DAB, AEC and Fast Red: Ruifrok and Johnston 2001, as in the authors' published plugin.
PUBLISHED_VECTORS: dict[str, Rgb] = {
    "Hematoxylin": (0.650, 0.704, 0.286),
    "DAB": (0.268, 0.570, 0.776),
    "AEC": (0.274, 0.680, 0.680),
    "FastRed": (0.214, 0.851, 0.478),
}

# Melanin's absorbance falls as wavelength^-3.3 (Jacques 2013, Phys Med Biol 58:R37,
# doi 10.1088/0031-9155/58/11/R37), here at the middle of a camera's red, green and blue.
MELANIN_EXPONENT = 3.3
CAMERA_WAVELENGTHS_NM: Rgb = (610.0, 540.0, 465.0)

WORKING_MPP_UM = 0.5
MPP_RANGE_UM = (0.05, 1.0)

# A white that is darker or more coloured than these is tissue, haze or a fold, not glass.
ASSUMED_WHITE: Rgb = (245.0, 245.0, 245.0)
MIN_WHITE = 185.0
WHITE_FRACTION = 0.02

# Depth of staining: upper quartile of the chromogen where there is any. The LYSTO tiles have a median of
# 0.49 OD; a sample without half a cell's area of chromogen is taken to be like them, and no sample is
# believed to be paler or darker than nearly all of them.
BROWN_OD = 0.15
LEVEL_QUANTILE = 0.75
LEVEL_SIGMA_UM = 1.0
MIN_BROWN_UM2 = 15.0
ASSUMED_LEVEL_OD = 0.45
LEVEL_RANGE_OD = (0.25, 1.0)

# Background between the cells: smallest smoothed value within 8 µm, at most so much.
BACKGROUND_SIGMA_UM = 2.0
BACKGROUND_REACH_UM = 8.0
MAX_BACKGROUND_OD = 0.3

# Stain vectors: median direction of the pixels that one stain makes up almost alone, if there are enough
# of them and it turns out near the published one. Ten degrees hold the laboratories of the LYSTO tiles.
MIN_VECTOR_UM2 = 250.0
MAX_SAMPLE_PX = 40_000
MIN_PIGMENT_PX = 200
VECTOR_PURITY = {"hematoxylin": 0.10, "chromogen": 0.15}
VECTOR_MIN_OD = {"hematoxylin": 0.10, "chromogen": 0.20}
VECTOR_MEAN_OD = (0.1, 0.7)
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

# Pigment: residual per absorbance beyond halfway from the chromogen's own to pigment's (melanin's against
# DAB: 0.10), haematoxylin is missing. Pigment whose residual is smaller than 0.02 has the chromogen's colour.
# Beyond a mean OD of 0.8 the blue channel is so close to 0 that no colour can be told.
PIGMENT_THRESHOLD = 0.53
LEAST_PIGMENT_RESIDUAL = 0.02
PIGMENT_MAX_HEMATOXYLIN = 0.55
PIGMENT_SIGMA_UM = 1.5
READABLE_OD = 0.8


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A colour that densities are measured against, and why it can be trusted.

    Attributes
    ----------
    name : str
        ``White``, or a stain by QuPath's name.
    rgb : tuple of float
        Intensities 0 to 255 for the white, a unit vector of OD for a stain.
    source : str
        ``estimated``, ``given``, ``published`` or ``assumed``.
    reason : str
        One sentence why.
    """

    name: str
    rgb: Rgb
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Level:
    """How dark the chromogen is where a slide has it, and why that can be trusted.

    Attributes
    ----------
    od : float
        Optical density; cells are judged relative to it, so that a pale slide counts like a dark one.
    source : str
        ``estimated`` or ``assumed``.
    reason : str
        One sentence why.
    """

    od: float
    source: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Stains:
    """White, stain vectors and depth of staining of a slide.

    Attributes
    ----------
    white, hematoxylin, chromogen, pigment : Reference
        What was used, where it comes from and why.
    chromogen_level : Level
        Depth of the chromogen's stain.
    chromogen_residual : float
        Residual per absorbance of the slide's own chromogen; pigment is what exceeds it.
    """

    white: Reference
    hematoxylin: Reference
    chromogen: Reference
    pigment: Reference
    chromogen_level: Level
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

    def as_dict(self) -> dict[str, Any]:
        """Plain types for JSON."""
        return asdict(self)

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
    shape_yx : tuple of int
        Rows and columns of the image they come from.
    mpp_um : float
        µm per pixel of the maps.
    """

    hematoxylin_od: NDArray[np.float32]
    chromogen_od: NDArray[np.float32]
    residual_od: NDArray[np.float32]
    shape_yx: tuple[int, int]
    mpp_um: float


def melanin_vector() -> Rgb:
    """Unit vector of melanin's OD from its absorption spectrum."""
    return _unit(np.array(CAMERA_WAVELENGTHS_NM) ** -MELANIN_EXPONENT)


def working_step_px(mpp_um: float) -> int:
    """Pixels that are averaged into one of the working resolution, along x and along y.

    Fields whose origin and size are multiples of it are counted alike, wherever they are cut from.

    Raises
    ------
    ValueError
        If ``mpp_um`` lies outside 0.05 to 1.0.
    """
    low, high = MPP_RANGE_UM
    if not low <= mpp_um <= high:
        raise ValueError(f"mpp_um is {mpp_um}, expected {low} to {high} µm per pixel")
    return max(1, round(WORKING_MPP_UM / mpp_um))


def rgb_to_od(rgb: NDArray[Any], white_rgb: Rgb) -> FloatArray:
    """Base-10 optical density of each channel; intensities below 1 are taken as 1."""
    od: FloatArray = -np.log10(np.maximum(np.asarray(rgb, float), 1.0) / np.asarray(white_rgb))
    return od


def od_to_rgb(od: FloatArray, white_rgb: Rgb) -> FloatArray:
    """Intensities (float, not rounded or clipped) of optical densities."""
    rgb: FloatArray = np.asarray(white_rgb) * 10.0 ** -np.asarray(od, float)
    return rgb


def unmix(od: FloatArray, stains: Stains) -> FloatArray:
    """Amounts of haematoxylin, chromogen and residual in OD, shape (..., 3), of ODs of shape (..., 3)."""
    amounts: FloatArray = np.asarray(od, float) @ np.linalg.inv(stains.matrix())
    return amounts


def check_rgb(rgb: NDArray[Any]) -> None:
    """Refuse what is not an 8-bit RGB image.

    Raises
    ------
    ValueError
        If ``rgb`` is not a uint8 array of shape (h, w, 3) with at least one pixel.
    """
    if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8:
        got = getattr(rgb, "dtype", type(rgb).__name__)
        raise ValueError(f"rgb is {got}, expected a uint8 array; scale the image to 0-255 first")
    if rgb.ndim != 3 or rgb.shape[2] != 3:
        raise ValueError(f"rgb has shape {rgb.shape}, expected (h, w, 3): a colour image without alpha")
    if rgb.size == 0:
        raise ValueError(f"rgb has shape {rgb.shape}, expected at least one pixel")


def separate(rgb: NDArray[np.uint8], *, mpp_um: float, stains: Stains) -> StainMaps:
    """Average to the working resolution and unmix.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        The image.
    mpp_um : float
        Its µm per pixel.
    stains : Stains
        White and vectors.
    """
    check_rgb(rgb)
    step = working_step_px(mpp_um)
    small = _reduce(rgb, step)
    values = np.arange(256, dtype=float)[:, None]
    table = rgb_to_od(np.repeat(values, 3, axis=1), stains.white_rgb).astype(np.float32)
    od = cv2.LUT(small, table[None])
    amounts = cv2.transform(od, np.linalg.inv(stains.matrix()).T.astype(np.float32))
    hematoxylin, chromogen, residual = (np.asarray(amount, np.float32) for amount in cv2.split(amounts))
    return StainMaps(
        hematoxylin_od=hematoxylin,
        chromogen_od=chromogen,
        residual_od=residual,
        shape_yx=(rgb.shape[0], rgb.shape[1]),
        mpp_um=mpp_um * rgb.shape[1] / small.shape[1],
    )


def smooth(image: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Gaussian of a map, cut off at 3 σ so that its reach is known; the border is mirrored."""
    size = 2 * int(np.ceil(3 * sigma_px)) + 1
    blurred = cv2.GaussianBlur(image, (size, size), sigma_px, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float32)


def chromogen_above_background(maps: StainMaps) -> NDArray[np.float32]:
    """Chromogen OD less what lies between the cells: the smallest smoothed value around, at most 0.3 OD."""
    window = 2 * round(BACKGROUND_REACH_UM / maps.mpp_um) + 1
    low = cv2.erode(
        smooth(maps.chromogen_od, BACKGROUND_SIGMA_UM / maps.mpp_um), np.ones((window, window), np.uint8)
    )
    background = cv2.blur(low, (window, window), borderType=cv2.BORDER_REFLECT_101)
    return maps.chromogen_od - np.clip(background, 0, np.float32(MAX_BACKGROUND_OD))


def mean_od(maps: StainMaps, stains: Stains) -> NDArray[np.float32]:
    """Mean OD of the three channels, from the amounts."""
    hematoxylin, chromogen, residual = (float(value) for value in stains.matrix().mean(axis=1))
    both = cv2.addWeighted(maps.hematoxylin_od, hematoxylin, maps.chromogen_od, chromogen, 0.0)
    return np.asarray(cv2.addWeighted(both, 1.0, maps.residual_od, residual, 0.0), np.float32)


def pigment_fraction(maps: StainMaps, stains: Stains, *, inside: NDArray[np.bool_] | None = None) -> float:
    """Share of the area covered by pigment, 0 to 1: brown with melanin's residual and no haematoxylin.

    Parameters
    ----------
    maps : StainMaps
    stains : Stains
    inside : ndarray of bool, shape of the maps, optional
        The area, where it is not all of the maps.
    """
    sigma_px = PIGMENT_SIGMA_UM / maps.mpp_um
    readable = mean_od(maps, stains) < READABLE_OD
    hematoxylin, chromogen, residual = (
        smooth(amount * readable, sigma_px)
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    )
    is_brown = (chromogen > BROWN_OD) & (hematoxylin < PIGMENT_MAX_HEMATOXYLIN * chromogen)
    share = residual / np.maximum(hematoxylin + chromogen, BROWN_OD)
    is_pigment = is_brown & (stains.pigment_likeness(share) > PIGMENT_THRESHOLD)
    return float(np.mean(is_pigment if inside is None else is_pigment[inside]))


def estimate_stains(
    rgb: NDArray[np.uint8],
    *,
    chromogen: str = "DAB",
    white_rgb: Rgb | None = None,
    mpp_um: float = 0.25,
    n_squares: int = 1,
) -> Stains:
    """White, stain vectors and depth of staining of an RGB sample, each only where the sample supports it.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        One image, or many samples of a slide side by side.
    chromogen : str
        ``DAB``, ``AEC`` or ``FastRed``.
    white_rgb : tuple of float, optional
        A white known from the scanner; otherwise it is estimated.
    mpp_um : float
        µm per pixel of the sample.
    n_squares : int
        Of how many equal parts, one below the other, the sample is made. The depth of staining is their
        median: in one pool, dark clusters would outweigh the slide's other places.
    """
    check_rgb(rgb)
    if chromogen not in PUBLISHED_VECTORS or chromogen == "Hematoxylin":
        raise ValueError(f"chromogen is {chromogen!r}, expected DAB, AEC or FastRed")
    stains = Stains(
        white=_given_white(white_rgb) if white_rgb is not None else _estimate_white(rgb),
        hematoxylin=_published("Hematoxylin"),
        chromogen=_published(chromogen),
        pigment=Reference(
            name="Pigment",
            rgb=melanin_vector(),
            source="published",
            reason="melanin absorbs as wavelength^-3.3 (doi 10.1088/0031-9155/58/11/R37)",
        ),
        chromogen_level=Level(od=ASSUMED_LEVEL_OD, source="assumed", reason="not estimated yet"),
    )
    maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    hematoxylin, own_chromogen = _estimate_vectors(maps, stains)
    stains = replace(stains, hematoxylin=hematoxylin, chromogen=own_chromogen)
    if "estimated" in (hematoxylin.source, own_chromogen.source):
        maps = separate(rgb, mpp_um=mpp_um, stains=stains)
    return replace(
        stains,
        chromogen_level=_estimate_level(maps, n_squares),
        chromogen_residual=_estimate_residual(maps, stains),
    )


def _pixels(maps: StainMaps) -> tuple[FloatArray, float]:
    """Some of the pixels, lightly smoothed, amounts of shape (n, 3), and the area each stands for in µm²."""
    stride = max(2, round(np.sqrt(maps.hematoxylin_od.size / MAX_SAMPLE_PX)))
    amounts = [
        cv2.blur(amount, (3, 3))[::stride, ::stride].ravel()
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    ]
    return np.stack(amounts, axis=1), (stride * maps.mpp_um) ** 2


def _estimate_vectors(maps: StainMaps, stains: Stains) -> tuple[Reference, Reference]:
    """Haematoxylin and chromogen where the sample supports them, else the published ones with the reason."""
    amounts, pixel_um2 = _pixels(maps)
    od = amounts @ stains.matrix()
    low, high = VECTOR_MEAN_OD
    mean = od.mean(axis=1)
    clear = (mean > low) & (mean < high)

    def checked(own: int, published: Reference, key: str) -> Reference:
        mine, other = amounts[:, own], amounts[:, 1 - own]
        pure = clear & (mine > VECTOR_MIN_OD[key]) & (other < VECTOR_PURITY[key] * mine)
        return _checked_vector(published, od[pure], pixel_um2, stains)

    return checked(0, stains.hematoxylin, "hematoxylin"), checked(1, stains.chromogen, "chromogen")


def _checked_vector(published: Reference, od: FloatArray, pixel_um2: float, stains: Stains) -> Reference:
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
    if published.name == "DAB" and towards_pigment:
        return replace(published, reason=f"{published.reason}; the slide's may be pigment's colour")
    reason = f"median of {area_um2:.0f} µm² of it alone, {angle:.1f}° from the published one"
    return Reference(name=published.name, rgb=_unit(vector), source="estimated", reason=reason)


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
    low, high = VECTOR_MEAN_OD
    mean = od.mean(axis=1)
    od = od[(mean > low) & (mean < high + 0.3)]
    if len(od) < MIN_PIGMENT_PX:
        reason = f"{stains.pigment.reason}; {len(od)} stained pixels marked as pigment are too few"
        return replace(stains, pigment=replace(stains.pigment, reason=reason))
    vector = _unit(np.median(od / np.linalg.norm(od, axis=1, keepdims=True), axis=0))
    reason = f"median of {len(od)} pixels marked as pigment"
    return replace(stains, pigment=Reference(name="Pigment", rgb=vector, source="estimated", reason=reason))


def _estimate_level(maps: StainMaps, n_squares: int) -> Level:
    """Upper quartile of the chromogen where there is any, the median over the parts of the sample."""
    chromogen_od = smooth(chromogen_above_background(maps), LEVEL_SIGMA_UM / maps.mpp_um)
    found, area_um2 = [], 0.0
    for part in np.array_split(chromogen_od, n_squares):
        brown = part[part > BROWN_OD]
        area_um2 += brown.size * maps.mpp_um**2
        if brown.size * maps.mpp_um**2 >= MIN_BROWN_UM2:
            found.append(float(np.quantile(brown, LEVEL_QUANTILE)))
    if not found:
        reason = (
            f"{area_um2:.0f} µm² of chromogen are too little, fewer than {MIN_BROWN_UM2:.0f} in one place"
        )
        return Level(od=ASSUMED_LEVEL_OD, source="assumed", reason=reason)
    low, high = LEVEL_RANGE_OD
    level = float(np.median(found))
    reason = f"upper quartile of {area_um2:.0f} µm² of chromogen"
    if n_squares > 1:
        reason = f"{reason}, median of {len(found)} places"
    if not low <= level <= high:
        reason = f"{reason}, {level:.2f} OD, clipped to {low} to {high}"
    return Level(od=min(max(level, low), high), source="estimated", reason=reason)


def _published(name: str) -> Reference:
    vector = _unit(np.array(PUBLISHED_VECTORS[name]))
    return Reference(name=name, rgb=vector, source="published", reason="Ruifrok and Johnston 2001")


def _given_white(white_rgb: Rgb) -> Reference:
    red, green, blue = (float(value) for value in white_rgb)
    if not all(1.0 <= value <= 255.0 for value in (red, green, blue)):
        raise ValueError(f"white_rgb is {white_rgb}, expected three intensities of 1 to 255")
    return Reference(name="White", rgb=(red, green, blue), source="given", reason="given by the caller")


def _estimate_white(rgb: NDArray[np.uint8]) -> Reference:
    """Mean colour of the brightest pixels, if it can be glass."""
    small = _reduce(rgb, 2)
    red, green, blue = cv2.split(small)
    darkest_channel = cv2.min(cv2.min(red, green), blue)
    histogram = np.bincount(darkest_channel.ravel(), minlength=256)
    brighter = np.cumsum(histogram[::-1])[::-1]
    limit = int(np.flatnonzero(brighter >= WHITE_FRACTION * brighter[0])[-1])
    bright = (darkest_channel >= limit).astype(np.uint8)
    white = [float(value) for value in cv2.mean(small, mask=bright)[:3]]
    if min(white) < MIN_WHITE:
        shown = ", ".join(f"{value:.0f}" for value in white)
        reason = f"the brightest pixels ({shown}) are too dark or coloured for glass"
        return Reference(name="White", rgb=ASSUMED_WHITE, source="assumed", reason=reason)
    reason = f"mean of the brightest {WHITE_FRACTION:.0%} of the pixels"
    return Reference(name="White", rgb=(white[0], white[1], white[2]), source="estimated", reason=reason)


def _reduce(rgb: NDArray[np.uint8], step: int) -> NDArray[np.uint8]:
    """Mean of blocks of step × step pixels; an odd rest widens the blocks evenly."""
    if step == 1:
        return rgb
    size_xy = (-(-rgb.shape[1] // step), -(-rgb.shape[0] // step))
    return np.asarray(cv2.resize(rgb, size_xy, interpolation=cv2.INTER_AREA), np.uint8)


def _unit(vector: FloatArray) -> Rgb:
    red, green, blue = (float(value) for value in vector / np.linalg.norm(vector))
    return red, green, blue
