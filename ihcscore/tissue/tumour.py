"""Where tumour is likely, from the slide's own nuclei: tumour cells have larger ones than lymphocytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_holes, remove_small_objects

from ihcscore import planes
from ihcscore.planes import Border, Mask, Plane, check_rgb
from ihcscore.stain import BROWN_OD, Stains, od_of

# Haematoxylin is held in bytes of 0.01 OD: openings of bytes take a quarter of the time.
_PER_OD = 100.0
# Less than this share of a neighbourhood that was read, and is not brown, says nothing.
_MIN_WEIGHT = 0.05
# A narrower Gaussian is no more than rounding.
_LEAST_SIGMA_PX = 0.3
_NONE = "no part of the tissue stands out as tumour; all of it is proposed"


@dataclass(frozen=True, kw_only=True)
class ProposalSettings:
    """When a part of the tissue is proposed as tumour.

    Sizes are of openings (granulometry: Matheron 1975; Serra 1982) of the haematoxylin's density: what is
    narrower than the disc is gone.

    Attributes
    ----------
    step_um : float
        Side of a pixel of the feature maps.
    nucleus_um : float
        Between the nuclei of lymphocytes (5 to 8 µm, as spindle-shaped ones are narrow) and of tumour
        cells (9 to 14 µm).
    crowd_um : float
        What is left at this size is the tissue's own stain, a fold or a smear.
    brown_smooth_um : float
        Gaussian sigma of the chromogen before it is brown or not.
    brown_reach_um : float
        So far around chromogen or pigment nothing is measured: brown lymphocytes and their nuclei.
    smooth_um : float
        Gaussian sigma of the maps; its full width at half maximum, 180 µm, is that of a tumour nest.
    separation : tuple of float
        Share of the map's variance that the split into two explains (Otsu 1979,
        doi 10.1109/TSMC.1979.4310076), where confidence is 0 and 1. A normal distribution split at its
        mean has 2/π = 0.64; drawn slides without tumour 0.60 to 0.66, with tumour 0.86 to 0.94.
    contrast : tuple of float
        Ratio of the means of the two parts, where confidence is 0 and 1. Drawn slides without tumour
        1.2 to 1.5, also with lymphoid follicles, with tumour 2.4 to 6.
    min_confidence : float
        Below, all of the tissue is proposed.
    min_area_mm2 : float
        Smaller parts are not proposed, smaller holes are filled.
    """

    step_um: float = 16.0
    nucleus_um: float = 9.0
    crowd_um: float = 25.0
    brown_smooth_um: float = 1.0
    brown_reach_um: float = 3.0
    smooth_um: float = 75.0
    separation: tuple[float, float] = (0.66, 0.88)
    contrast: tuple[float, float] = (1.5, 3.0)
    min_confidence: float = 0.5
    min_area_mm2: float = 0.25


@dataclass(frozen=True, kw_only=True)
class NuclearFeatures:
    """Maps of what the nuclei are like; the first pixel's corner is the slide's.

    Attributes
    ----------
    weight : ndarray of float32, shape (height, width)
        Share of a pixel that was read and is not brown, 0 to 1.
    nuclei_od, large_nuclei_od : ndarray of float32, shape (height, width)
        Sums over that share of the haematoxylin OD of all nuclei, and of those larger than
        ``nucleus_um``, above the stain between them; per pixel.
    mpp_um : float
        µm per pixel of the maps.
    """

    weight: Plane = field(repr=False)
    nuclei_od: Plane = field(repr=False)
    large_nuclei_od: Plane = field(repr=False)
    mpp_um: float

    @classmethod
    def empty(cls, shape_yx: tuple[int, int], *, mpp_um: float) -> NuclearFeatures:
        """Maps of a slide of which nothing was read yet."""
        weight, nuclei, large = np.zeros((3, *shape_yx), np.float32)
        return cls(weight=weight, nuclei_od=nuclei, large_nuclei_od=large, mpp_um=mpp_um)

    def put(self, block: NuclearFeatures, *, row: int, column: int) -> None:
        """Write a block's maps into these, its first pixel at (row, column); what lies beyond is cut off."""
        for whole, part in (
            (self.weight, block.weight),
            (self.nuclei_od, block.nuclei_od),
            (self.large_nuclei_od, block.large_nuclei_od),
        ):
            into = whole[row : row + part.shape[0], column : column + part.shape[1]]
            into[:] = part[: into.shape[0], : into.shape[1]]


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What is proposed as tumour.

    Attributes
    ----------
    mask : ndarray of bool
        Of the tissue's shape; all of the tissue where no part stands out.
    confidence : float
        0 (nothing stands out) to 1 (two parts, clearly apart).
    warning : str
        Empty where a part stands out.
    """

    mask: Mask = field(repr=False)
    confidence: float
    warning: str


def block_side_px(mpp_um: float, settings: ProposalSettings | None = None) -> int:
    """Pixels at `mpp_um` in one pixel of the feature maps: blocks are cut at multiples of it."""
    return max(1, round((settings or ProposalSettings()).step_um / mpp_um))


def nuclear_features(
    rgb: NDArray[np.uint8], *, stains: Stains, mpp_um: float, settings: ProposalSettings | None = None
) -> NuclearFeatures:
    """Feature maps of a block of a slide.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
        A block whose sides are multiples of :func:`block_side_px`; a rest is left out.
    stains : Stains
        White and vectors of the slide.
    mpp_um : float
        µm per pixel, 0.4 to 2, best about 1.
    settings : ProposalSettings, optional

    Returns
    -------
    NuclearFeatures
        Of shape (height // side, width // side) and `mpp_um` times side µm per pixel.
    """
    check_rgb(rgb)
    if not 0.4 <= mpp_um <= 2.0:
        raise ValueError(f"mpp_um is {mpp_um}, expected 0.4 to 2 µm per pixel")
    settings = settings or ProposalSettings()
    side = block_side_px(mpp_um, settings)
    rows, columns = rgb.shape[0] // side, rgb.shape[1] // side
    if rows == 0 or columns == 0:
        return NuclearFeatures.empty((rows, columns), mpp_um=side * mpp_um)
    hematoxylin, chromogen = _amounts(rgb[: rows * side, : columns * side], stains)
    smooth = planes.blurred(chromogen, max(settings.brown_smooth_um / mpp_um, _LEAST_SIGMA_PX))
    counted = ~planes.dilated(smooth > BROWN_OD, _disc(2 * settings.brown_reach_um + 1, mpp_um))
    ground = planes.opened(hematoxylin, _disc(settings.crowd_um, mpp_um))
    large = planes.opened(hematoxylin, _disc(settings.nucleus_um, mpp_um))

    def averaged(plane: NDArray[np.integer[Any]] | cv2.typing.MatLike, per_unit: float) -> Plane:
        masked = (plane * counted).astype(np.float32)
        return planes.shrunk_to(masked, (columns, rows)) / np.float32(per_unit)

    return NuclearFeatures(
        weight=averaged(np.ones(counted.shape, np.uint8), 1.0),
        nuclei_od=averaged(cv2.subtract(hematoxylin, ground), _PER_OD),
        large_nuclei_od=averaged(cv2.subtract(large, ground), _PER_OD),
        mpp_um=side * mpp_um,
    )


def _amounts(rgb: NDArray[np.uint8], stains: Stains) -> tuple[NDArray[np.uint8], Plane]:
    """Haematoxylin in steps of 0.01 OD, from 0, and chromogen in OD."""
    to_two = np.linalg.inv(stains.matrix()).T[:2].astype(np.float32)
    two = cv2.transform(od_of(np.ascontiguousarray(rgb), stains.white_rgb), to_two)
    hematoxylin = np.clip(cv2.extractChannel(two, 0) * np.float32(_PER_OD), 0, 255).astype(np.uint8)
    return hematoxylin, np.asarray(cv2.extractChannel(two, 1), np.float32)


def _disc(width_um: float, mpp_um: float) -> planes.Element:
    """A disc of that diameter, its own pixel counted."""
    return planes.disc((width_um / mpp_um - 1) / 2)


def propose_tumour(
    features: NuclearFeatures, *, tissue: Mask, mpp_um: float, settings: ProposalSettings | None = None
) -> Proposal:
    """The part of the tissue whose nuclei are large and many.

    The map is the density of large nuclei times their share among all: crowded lymphocytes have the one
    without the other. It is split in two at Otsu's threshold.

    Parameters
    ----------
    features : NuclearFeatures
        Of the whole slide; parts that were not read count by what lies within ``smooth_um``.
    tissue : ndarray of bool, shape (height, width)
        Usable tissue; its first pixel's corner is the slide's, too.
    mpp_um : float
        µm per pixel of `tissue`.
    settings : ProposalSettings, optional

    Returns
    -------
    Proposal
    """
    settings = settings or ProposalSettings()
    scale = features.mpp_um / mpp_um
    on_tissue = _warp(tissue.astype(np.float32), features.weight.shape, scale) >= 0.5
    score, known = _score(features, on_tissue, settings)
    values = score[known]
    if values.size < 2 or float(np.ptp(values)) < 1e-6:
        return Proposal(mask=tissue.copy(), confidence=0.0, warning=_NONE)
    threshold = float(threshold_otsu(values))
    confidence = _confidence(values, threshold, settings)
    mask = (_warp(score, tissue.shape, 1 / scale) > threshold) & tissue
    pixels = int(settings.min_area_mm2 * (1000 / mpp_um) ** 2)
    mask = remove_small_holes(remove_small_objects(mask, max_size=pixels), max_size=pixels) & tissue
    if not mask.any():
        return Proposal(mask=tissue.copy(), confidence=0.0, warning=_NONE)
    if confidence < settings.min_confidence:
        return Proposal(mask=tissue.copy(), confidence=confidence, warning=_NONE)
    return Proposal(mask=mask, confidence=confidence, warning="")


def _score(features: NuclearFeatures, on_tissue: Mask, settings: ProposalSettings) -> tuple[Plane, Mask]:
    """Density of large nuclei (OD) times their share of all, and where it is known."""
    sigma_px = settings.smooth_um / features.mpp_um
    weight, nuclei, large = (
        planes.blurred(plane * on_tissue, sigma_px, border=Border.ZERO)
        for plane in (features.weight, features.nuclei_od, features.large_nuclei_od)
    )
    around = planes.blurred(on_tissue.astype(np.float32), sigma_px, border=Border.ZERO)
    known = on_tissue & (weight > _MIN_WEIGHT * np.maximum(around, 1e-3))
    score = large * large / np.maximum(weight * nuclei, 1e-9)
    return np.where(known, score, 0).astype(np.float32), known


def _confidence(values: NDArray[np.floating], threshold: float, settings: ProposalSettings) -> float:
    """How clearly a threshold parts the values in two: the lesser of separation and contrast."""
    high = values > threshold
    share = float(high.mean())
    low_mean, high_mean = float(values[~high].mean()), float(values[high].mean())
    separation = share * (1 - share) * (high_mean - low_mean) ** 2 / float(values.var())
    contrast = high_mean / max(low_mean, 1e-6)
    parts = (
        (found - worst) / (best - worst)
        for found, (worst, best) in ((separation, settings.separation), (contrast, settings.contrast))
    )
    return float(np.clip(min(parts), 0, 1))


def _warp(plane: Plane, shape_yx: tuple[int, ...], scale: float) -> Plane:
    """A plane on a grid whose pixels are `scale` times as large, both from the same corner."""
    if scale > 1:  # so that no pixel is left out
        plane = planes.box_mean(plane, 2 * int(scale / 2) + 1)
    offset = (scale - 1) / 2
    to_plane = np.array([[scale, 0, offset], [0, scale, offset]])
    return planes.sampled(plane, to_plane, shape_yx, border=Border.REPEATED)
