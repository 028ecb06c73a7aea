"""Masks on a thumbnail of what must not be counted: ink, folds, edges on the glass, pale areas."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from ihcscore.stain import Rgb, check_rgb

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]

# A disc of radius r has a mean distance to its edge of r / 3, a strip of width w of w / 4.
_STRIP_WIDTHS = 4.0
# Wider Gaussians are computed on a coarser grid.
_SMALL_SIGMA_PX = 4.0
# Finer thumbnails are averaged to about this scale: no artefact is narrower, and time goes with its square.
WORKING_MPP_UM = 8.0
# Larger slides are averaged once more: 16 µm per pixel still show a pen's stroke and a fold.
MAX_WORKING_PX = 5_000_000


@dataclass(frozen=True, kw_only=True)
class ArtefactSettings:
    """What counts as an artefact on a thumbnail of 4 to 8 µm/px.

    The colours of ink are far from any mixture of haematoxylin and DAB (Ruifrok and Johnston 2001) in
    the plane of the ratios of optical densities (OD); the figures below lie half-way between the two,
    measured on the drawn slides and on the tiles of LYSTO, BCData and SHIDC.

    Attributes
    ----------
    pen_width_um : float
        Narrower strokes are not sought. It removes cells: at no place of real tissue, lymphoid or brown,
        do this many µm pass without a gap.
    pen_min_od : float
        Smallest mean OD of ink; for red ink, which leaves the red light alone, two thirds of it.
    black_min_od, black_evenness : float
        Black ink is at least so dark, and its clearest channel has at least this share of its darkest.
        DAB has 0.35, with 3 % of stray light at most 0.68; melanin 0.41 and 0.70.
    blue_red_over_green, blue_blue_over_green : float
        Blue ink takes at least so much more red than green, and at most so much of the blue.
        Haematoxylin has 0.92 and 0.41.
    green_over_others : float
        Green ink takes at most this share of green, by the mean of red and blue; haematoxylin has 1.5.
    red_red_over_green, red_blue_over_green : float
        Red ink takes at most so little red, and at least so much blue, by its green. DAB has 0.47 and
        1.36, eosin 0.07 and 0.11 as published, up to 0.5 as scanned.
    pen_min_area_mm2, pen_min_length_um : float
        Smaller and shorter patches are no stroke.
    fold_ratio : float
        A fold is at least so many times as dense as the middle of the tissue around it: two layers more
        give 3, one layer more 2.
    fold_colour : float
        Largest ratio of a fold's gain in one channel to that in another: more layers have the colour of
        one, more cells of one kind have theirs.
    fold_reach_um : float
        How far "around" reaches.
    fold_width_um : tuple of float
        Narrowest and widest fold.
    fold_elongation : float
        Smallest area over squared width; a disc has 1.8, a strip its length over its width.
    fold_min_area_mm2 : float
        Smaller patches are no fold.
    edge_od : float
        Lines and shadows on the glass are at least so dark (mean OD).
    edge_width_um : float
        Lines are narrower than this.
    edge_min_length_um : float
        Shorter lines are dust.
    edge_winding : float
        Longest line by the diagonal of its bounding box; a straight one has 1, a ring 1.1 to 2.2.
    dust_max_area_mm2 : float
        Smaller grey parts that were taken for tissue are dust, whatever their shape.
    edge_chroma : float
        Largest spread of the channels' OD over their mean: refraction is grey, a stain is not
        (haematoxylin 0.76, DAB 0.94, the same amount of both 0.33).
    shadow_roughness : float
        Largest root mean square of the OD's detail over its mean in a shadow; tissue has 0.1 and more.
    pale_detail : float
        Pale areas have at most this share of the lower quartile of the tissue's detail (root mean square
        of the OD finer than 12 µm): nuclei that faded. On drawn slides the palest 2 % of stroma have
        0.8 of it, dead tissue has 0.4.
    pale_density : float
        Largest OD of pale areas, by the tissue's median.
    pale_brown : float
        Where the OD of blue is so many times that of red, chromogen or pigment hides the nuclei, and
        detail is not measured. Haematoxylin has 0.44, both in equal parts 1.2.
    pale_min_od : float
        Paler is glass.
    pale_min_area_mm2 : float
        Smaller areas are gaps between cells.
    """

    pen_width_um: float = 64.0
    pen_min_od: float = 0.28
    black_min_od: float = 0.6
    black_evenness: float = 0.76
    blue_red_over_green: float = 1.12
    blue_blue_over_green: float = 0.55
    green_over_others: float = 0.75
    red_red_over_green: float = 0.25
    red_blue_over_green: float = 0.6
    pen_min_area_mm2: float = 0.03
    pen_min_length_um: float = 400.0
    fold_ratio: float = 1.6
    fold_colour: float = 1.3
    fold_reach_um: float = 400.0
    fold_width_um: tuple[float, float] = (24.0, 200.0)
    fold_elongation: float = 3.0
    fold_min_area_mm2: float = 0.012
    edge_od: float = 0.03
    edge_width_um: float = 100.0
    edge_min_length_um: float = 300.0
    edge_winding: float = 3.0
    dust_max_area_mm2: float = 0.05
    edge_chroma: float = 0.2
    shadow_roughness: float = 0.06
    pale_detail: float = 0.6
    pale_density: float = 1.1
    pale_brown: float = 1.3
    pale_min_od: float = 0.02
    pale_min_area_mm2: float = 0.05


@dataclass(frozen=True, kw_only=True)
class Artefacts:
    """Artefacts of a thumbnail, each a mask of its shape.

    Attributes
    ----------
    pen : ndarray of bool, shape (height, width)
        Marker ink, on glass and over tissue.
    fold : ndarray of bool, shape (height, width)
        Tissue folded over itself.
    edge : ndarray of bool, shape (height, width)
        Coverslip edge, rims of air bubbles, dust and shadows on the glass.
    pale : ndarray of bool, shape (height, width)
        Tissue without stained nuclei, as in necrosis; it stays tissue.
    usable_tissue : ndarray of bool, shape (height, width)
        Tissue without pen, fold and edge.
    """

    pen: Mask = field(repr=False)
    fold: Mask = field(repr=False)
    edge: Mask = field(repr=False)
    pale: Mask = field(repr=False)
    usable_tissue: Mask = field(repr=False)


def find_artefacts(
    rgb: NDArray[np.uint8],
    *,
    scanned: Mask,
    tissue: Mask,
    white_rgb: Rgb,
    mpp_um: float,
    settings: ArtefactSettings | None = None,
) -> Artefacts:
    """Artefacts on a thumbnail.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
    scanned : ndarray of bool, shape (height, width)
        False where the scanner stored nothing.
    tissue : ndarray of bool, shape (height, width)
        As :func:`ihcscore.tissue.mask.find_tissue` finds it; lines, ink and shadows may be in it.
    white_rgb : tuple of float
        Colour of bare glass.
    mpp_um : float
        µm per pixel, 2 to 16.
    settings : ArtefactSettings, optional

    Raises
    ------
    ValueError
        If shapes differ or the scale is no thumbnail's.
    """
    check_rgb(rgb)
    if scanned.shape != rgb.shape[:2] or tissue.shape != rgb.shape[:2]:
        raise ValueError(f"masks are {scanned.shape} and {tissue.shape}, expected {rgb.shape[:2]}")
    if not 2.0 <= mpp_um <= 16.0:
        raise ValueError(f"mpp_um is {mpp_um}, expected 2 to 16 µm per pixel")
    settings = settings or ArtefactSettings()
    step = max(1, round(WORKING_MPP_UM / mpp_um))
    if tissue.size > step**2 * MAX_WORKING_PX:
        step *= 2
    if step > 1:
        size_xy = (-(-rgb.shape[1] // step), -(-rgb.shape[0] // step))
        small = np.asarray(cv2.resize(rgb, size_xy, interpolation=cv2.INTER_AREA), np.uint8)
        scanned_small, tissue_small = (_resize_mask(mask, size_xy) for mask in (scanned, tissue))
        found = find_artefacts(
            small,
            scanned=scanned_small,
            tissue=tissue_small,
            white_rgb=white_rgb,
            mpp_um=mpp_um * rgb.shape[1] / size_xy[0],
            settings=settings,
        )
        return _enlarge(found, tissue)
    od = optical_density(rgb, white_rgb)
    od[~scanned] = 0
    pen = find_pen(od, mpp_um, settings)
    edge = _find_edge(od, tissue=tissue & ~pen, scanned=scanned & ~pen, mpp_um=mpp_um, settings=settings)
    sound = tissue & ~pen & ~edge
    fold = find_fold(od, sound, mpp_um, settings)
    pale = _find_pale(od, sound & ~fold, mpp_um, settings)
    return Artefacts(pen=pen, fold=fold, edge=edge, pale=pale, usable_tissue=sound & ~fold)


def _resize_mask(mask: Mask, size_xy: tuple[int, int]) -> Mask:
    resized = cv2.resize(mask.astype(np.float32), size_xy, interpolation=cv2.INTER_AREA)
    return np.asarray(resized >= 0.5, np.bool_)


def _enlarge(found: Artefacts, tissue: Mask) -> Artefacts:
    """The masks at the size of the tissue's."""
    size_xy = (tissue.shape[1], tissue.shape[0])

    def grown(mask: Mask) -> Mask:
        return np.asarray(cv2.resize(mask.astype(np.uint8), size_xy, interpolation=cv2.INTER_NEAREST) > 0)

    pen, fold, edge, pale = (grown(m) for m in (found.pen, found.fold, found.edge, found.pale))
    return Artefacts(
        pen=pen,
        fold=fold & tissue,
        edge=edge,
        pale=pale,
        usable_tissue=tissue & ~(pen | fold | edge),
    )


def optical_density(rgb: NDArray[np.uint8], white_rgb: Rgb) -> Plane:
    """Base-10 OD of each channel, not below 0."""
    values = np.maximum(np.arange(256, dtype=np.float32), 1)[:, None]
    table = np.maximum(-np.log10(values / np.asarray(white_rgb, np.float32)), 0).astype(np.float32)
    return np.asarray(cv2.LUT(rgb, table[None]), np.float32)


def _disc(width_um: float, mpp_um: float) -> NDArray[np.uint8]:
    """A disc of about that diameter, an odd number of pixels across."""
    side = 2 * max(1, round(width_um / mpp_um / 2)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def _dilate(mask: Mask, width_um: float, mpp_um: float) -> Mask:
    return np.asarray(cv2.dilate(mask.astype(np.uint8), _disc(width_um, mpp_um)) > 0)


def gaussian(plane: Plane, sigma_um: float, mpp_um: float) -> Plane:
    """Gaussian of a width in µm."""
    sigma = max(sigma_um / mpp_um, 0.5)
    if sigma > 2 * _SMALL_SIGMA_PX:  # the same on a coarser grid, as nothing finer is left
        step = int(sigma / _SMALL_SIGMA_PX)
        size_xy = (-(-plane.shape[1] // step), -(-plane.shape[0] // step))
        small = cv2.resize(plane, size_xy, interpolation=cv2.INTER_AREA)
        small = cv2.GaussianBlur(small, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.resize(small, plane.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)


def _mean_where(plane: Plane, where: Mask, sigma_um: float, mpp_um: float) -> Plane:
    """Gaussian mean of the values inside a mask; 0 far from it."""
    weight = where.astype(np.float32)
    mean = gaussian(plane * weight, sigma_um, mpp_um) / np.maximum(gaussian(weight, sigma_um, mpp_um), 1e-4)
    return np.asarray(mean, np.float32)


def _keep(mask: Mask, *, min_px: float, min_length_px: float = 0.0) -> Mask:
    """Connected parts of at least that area and that diagonal of their bounding box."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    length = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    kept = (stats[:, cv2.CC_STAT_AREA] >= min_px) & (length >= min_length_px)
    kept[0] = False
    return np.asarray(kept[labels], np.bool_)


def _ink_colours(od: Plane, settings: ArtefactSettings) -> list[Mask]:
    """Where an OD has the colour and the depth of black, blue, green and red ink."""
    red, green, blue = cv2.split(od)
    mean = (red + green + blue) / 3
    darkest = np.maximum(np.maximum(red, green), blue)
    clearest = np.minimum(np.minimum(red, green), blue)
    dense = mean > settings.pen_min_od
    return [
        (mean > settings.black_min_od) & (clearest > settings.black_evenness * darkest),
        dense & (red > settings.blue_red_over_green * green) & (blue < settings.blue_blue_over_green * green),
        dense & (green < settings.green_over_others * (red + blue) / 2),
        (mean > settings.pen_min_od * 2 / 3)
        & (red < settings.red_red_over_green * green)
        & (blue > settings.red_blue_over_green * green),
    ]


def find_pen(od: Plane, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Ink: an even floor of OD, wider than any cell or gap, of a colour that no stain has."""
    disc = _disc(settings.pen_width_um, mpp_um)
    floor = np.asarray(cv2.morphologyEx(od, cv2.MORPH_OPEN, disc), np.float32)
    pen = np.zeros(od.shape[:2], np.bool_)
    pixels_per_mm2 = (1000 / mpp_um) ** 2
    for colour in _ink_colours(floor, settings):
        pen |= _keep(
            colour,
            min_px=settings.pen_min_area_mm2 * pixels_per_mm2,
            min_length_px=settings.pen_min_length_um / mpp_um,
        )
    # The stroke's soft rim is too thin to keep its colour.
    inked = _dilate(pen, 0.5 * settings.pen_width_um, mpp_um) & (od.mean(axis=2) > settings.edge_od)
    return np.asarray(inked, np.bool_)


def _find_edge(od: Plane, *, tissue: Mask, scanned: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Thin grey things and grey shadows on the glass."""
    mean = od.mean(axis=2)
    # Pale tissue that the mask of tissue left out is no less solid for that.
    solid = tissue | (scanned & (gaussian(mean, 12.0, mpp_um) > settings.edge_od))
    disc = _disc(settings.edge_width_um * 1.5, mpp_um)
    body = np.asarray(cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_OPEN, disc))
    on_glass = scanned & ~_dilate(body > 0, settings.edge_width_um / 2, mpp_um)
    dark = on_glass & (gaussian(mean, 4.0, mpp_um) > settings.edge_od)
    thin = _grey_parts(od, dark, settings.edge_chroma) & _lines(dark, tissue, mpp_um, settings)
    # The mask of tissue is smoothed, so that it reaches this much farther than the line.
    thin = _dilate(thin, 64.0, mpp_um) & scanned & ~(body > 0)
    return np.asarray(thin | _find_shadow(od, scanned, mpp_um, settings))


def _parts(mask: Mask) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]:
    """Labels of the connected parts, their area and their mean width, in px; that of a strip is exact."""
    byte = mask.astype(np.uint8)
    n, labels = cv2.connectedComponents(byte, connectivity=8)
    inside = cv2.distanceTransform(np.pad(byte, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    area = np.bincount(labels.ravel(), minlength=n).astype(np.float64)
    depth = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=n) / np.maximum(area, 1)
    # A strip one pixel wide is half a pixel deep, where the transform says one.
    return np.asarray(labels, np.int32), area, np.maximum(_STRIP_WIDTHS * (depth - 0.5), 1.0)


def _lines(mask: Mask, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Connected parts that are a line, a ring, or specks taken for tissue.

    The meshes of loose tissue and fat are none of these: they wind far more than a line.
    """
    labels, area, width = _parts(mask)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    across = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    line = (area / width <= settings.edge_winding * across) & (width * mpp_um <= settings.edge_width_um)
    line &= across * mpp_um >= settings.edge_min_length_um
    speck = area <= settings.dust_max_area_mm2 * (1000 / mpp_um) ** 2
    speck &= np.bincount(labels[tissue], minlength=len(area)) > 0
    good = speck | line
    good[0] = False
    return np.asarray(good[labels], np.bool_)


def _grey_parts(od: Plane, mask: Mask, chroma: float) -> Mask:
    """Connected parts whose mean colour is grey."""
    n, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    flat = labels.ravel()
    sums = np.stack([np.bincount(flat, weights=od[..., c].ravel(), minlength=n) for c in range(3)])
    grey = np.ptp(sums, axis=0) < chroma * sums.mean(axis=0)
    grey[0] = False
    return np.asarray(grey[labels], np.bool_)


def _find_shadow(od: Plane, scanned: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Grey, without detail, and cut off by the edge of the picture or of what was scanned."""
    mean = od.mean(axis=2)
    level = _mean_where(mean, scanned, 24.0, mpp_um)
    detail = mean - level
    rough = np.sqrt(_mean_where(detail * detail, scanned, 48.0, mpp_um))
    even = np.stack([gaussian(np.ascontiguousarray(od[..., c]), 24.0, mpp_um) for c in range(3)])
    grey = np.ptp(even, axis=0) < settings.edge_chroma * even.mean(axis=0)
    shadow = scanned & grey & (level > settings.edge_od) & (rough < settings.shadow_roughness * level)
    shadow = _keep(shadow, min_px=0.05 * (1000 / mpp_um) ** 2)
    _, labels = cv2.connectedComponents(shadow.astype(np.uint8), connectivity=8)
    beside = _dilate(np.pad(~scanned, 1, constant_values=True), 40.0, mpp_um)[1:-1, 1:-1]
    touching = np.unique(labels[beside & shadow])
    return np.asarray(np.isin(labels, touching[touching > 0]), np.bool_)


def find_fold(od: Plane, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Long strips in which every channel is denser than around by the same factor and more."""
    fold = np.zeros(tissue.shape, np.bool_)
    if not tissue.any():
        return fold
    low, high = settings.fold_width_um
    # The floor of the OD in cell-sized windows leaves out nuclei and brown cells: it is what a second
    # and third layer of tissue raise, and crowded cells do not.
    window = _disc(16.0, mpp_um)
    floor = cv2.erode(np.asarray(cv2.GaussianBlur(od, (0, 0), max(8.0 / mpp_um, 0.5)), np.float32), window)
    solid = tissue & (floor.mean(axis=2) > settings.edge_od)  # without the gaps of loose tissue
    if not solid.any():
        return fold
    channels = [gaussian(np.ascontiguousarray(floor[..., c]), 8.0, mpp_um) for c in range(3)]
    ratio = np.stack(
        [c / np.maximum(_mean_where(c, solid, settings.fold_reach_um / 2, mpp_um), 0.01) for c in channels]
    )
    least = ratio.min(axis=0)
    denser = solid & (least > settings.fold_ratio) & (ratio.max(axis=0) < settings.fold_colour * least)
    # A mass of brown cells as wide as "around" is told by the slide's own tissue.
    blue_over_red = channels[2] / np.maximum(channels[0], 0.01)
    denser &= blue_over_red < settings.fold_colour * float(np.median(blue_over_red[solid]))
    strips = cv2.morphologyEx(denser.astype(np.uint8), cv2.MORPH_CLOSE, _disc(low, mpp_um))
    labels, area, width = _parts(np.asarray(strips > 0))
    good = (area >= settings.fold_min_area_mm2 * (1000 / mpp_um) ** 2) & (width * mpp_um <= high)
    good &= area >= settings.fold_elongation * width**2
    good[0] = False
    # The floor is narrower than the fold by its window.
    return _dilate(good[labels], 32.0, mpp_um) & tissue


def _find_pale(od: Plane, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Tissue, or what it encloses, whose nuclei do not show: little detail, little density."""
    if not tissue.any():
        return np.zeros(tissue.shape, np.bool_)
    mean = od.mean(axis=2)
    # Dead tissue can be so pale that the mask of tissue has a hole there; it is not as clear as glass.
    filled = np.asarray(binary_fill_holes(tissue), np.bool_)
    within = tissue | (filled & (gaussian(mean, 12.0, mpp_um) > settings.pale_min_od))
    inner = np.asarray(cv2.erode(within.astype(np.uint8), _disc(50.0, mpp_um)) > 0)
    if not inner.any():
        return inner
    red = np.ascontiguousarray(od[..., 0])  # which haematoxylin dims most, chromogen and pigment least
    fine = red - _mean_where(red, within, 12.0, mpp_um)
    blue = inner & ~_dilate(od[..., 2] > settings.pale_brown * np.maximum(red, 0.02), 24.0, mpp_um)
    known = inner & (gaussian(blue.astype(np.float32), 40.0, mpp_um) > 0.3)
    if not known.any():
        return known
    detail = np.sqrt(_mean_where(fine * fine, blue, 40.0, mpp_um))
    density = _mean_where(mean, within, 40.0, mpp_um)
    usual = float(np.quantile(detail[known], 0.25))  # of stroma, where there is any
    pale = known & (detail < settings.pale_detail * usual)
    pale &= density < settings.pale_density * float(np.median(density[inner]))
    pale = _keep(pale, min_px=settings.pale_min_area_mm2 * (1000 / mpp_um) ** 2)
    # The detail of the living tissue around reaches this far in.
    return _dilate(pale, 80.0, mpp_um) & within
