"""Masks on a thumbnail of what must not be counted: ink, folds, edges on the glass, pale areas."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from ihcscore import planes
from ihcscore.planes import Border, Mask, Plane, check_rgb, parts_of
from ihcscore.stain import Rgb, od_of

# A disc of radius r has a mean distance to its edge of r / 3, a strip of width w of w / 4.
_STRIP_WIDTHS = 4.0
# A narrower Gaussian is no more than rounding.
_LEAST_SIGMA_PX = 0.5
# Where a mean over a mask has no more weight than the one, or the OD that another is divided by is no more
# than the other, the result is drawn towards 0.
_LEAST_WEIGHT = 1e-4
_LEAST_OD = 0.01
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
    solid_smooth_um : float
        Gaussian sigma of the OD over which pale tissue, with its gaps between cells, is solid.
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
    fold_smooth_um, fold_window_um : float
        Gaussian sigma, and diameter of the window, that the floor of the OD is taken in: a cell with the
        gap beside it.
    fold_rim_um : float
        By so much, in diameter, a fold is wider than the floor shows it: twice the window.
    edge_od : float
        Lines and shadows on the glass are at least so dark (mean OD).
    edge_width_um : float
        Lines are narrower than this.
    edge_min_length_um : float
        Shorter lines are dust.
    edge_smooth_um : float
        Gaussian sigma of the OD in which lines are sought: finer than a line, coarser than noise.
    edge_rim_um : float
        By so much, in diameter, the mask of tissue (smoothed over 8 µm) is wider than a line in it.
    edge_winding : float
        Longest line by the diagonal of its bounding box; a straight one has 1, a ring 1.1 to 2.2.
    dust_max_area_mm2 : float
        Smaller grey parts that were taken for tissue are dust, whatever their shape.
    edge_chroma : float
        Largest spread of the channels' OD over their mean: refraction is grey, a stain is not
        (haematoxylin 0.76, DAB 0.94, the same amount of both 0.33).
    shadow_roughness : float
        Largest root mean square of the OD's detail over its mean in a shadow; tissue has 0.1 and more.
    shadow_smooth_um, shadow_reach_um : float
        Gaussian sigma beyond which there is no detail, wider than a cell, and the one over which the
        detail's root mean square is taken.
    shadow_min_area_mm2 : float
        Smaller ones are no shadow.
    shadow_gap_um : float
        Diameter within which a shadow touches the edge of the picture or of what was scanned.
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
    pale_detail_um : float
        Gaussian sigma beyond which there is no detail: a nucleus and the gap beside it.
    pale_reach_um : float
        Gaussian sigma over which detail and density are taken: some ten nuclei.
    pale_inset_um : float
        Diameter within which the edge of the tissue is left out: its step is no detail.
    pale_brown_reach_um : float
        Diameter within which chromogen or pigment hides the nuclei around.
    pale_known_share : float
        Detail is known where at least this share around is not hidden.
    pale_rim_um : float
        By so much, in diameter, a pale area is wider than its lack of detail: twice the reach.
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
    solid_smooth_um: float = 12.0
    fold_ratio: float = 1.6
    fold_colour: float = 1.3
    fold_reach_um: float = 400.0
    fold_width_um: tuple[float, float] = (24.0, 200.0)
    fold_elongation: float = 3.0
    fold_min_area_mm2: float = 0.012
    fold_smooth_um: float = 8.0
    fold_window_um: float = 16.0
    fold_rim_um: float = 32.0
    edge_od: float = 0.03
    edge_width_um: float = 100.0
    edge_min_length_um: float = 300.0
    edge_smooth_um: float = 4.0
    edge_rim_um: float = 64.0
    edge_winding: float = 3.0
    dust_max_area_mm2: float = 0.05
    edge_chroma: float = 0.2
    shadow_roughness: float = 0.06
    shadow_smooth_um: float = 24.0
    shadow_reach_um: float = 48.0
    shadow_min_area_mm2: float = 0.05
    shadow_gap_um: float = 40.0
    pale_detail: float = 0.6
    pale_density: float = 1.1
    pale_brown: float = 1.3
    pale_min_od: float = 0.02
    pale_detail_um: float = 12.0
    pale_reach_um: float = 40.0
    pale_inset_um: float = 50.0
    pale_brown_reach_um: float = 24.0
    pale_known_share: float = 0.3
    pale_rim_um: float = 80.0
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
        small = planes.shrunk_in_blocks(rgb, step)
        size_xy = (small.shape[1], small.shape[0])
        found = find_artefacts(
            small,
            scanned=planes.share_of(scanned, size_xy) >= 0.5,
            tissue=planes.share_of(tissue, size_xy) >= 0.5,
            white_rgb=white_rgb,
            mpp_um=mpp_um * rgb.shape[1] / size_xy[0],
            settings=settings,
        )
        return _enlarged(found, tissue)
    od = thumbnail_od(rgb, white_rgb)
    od[~scanned] = 0
    pen = find_pen(od, mpp_um, settings)
    edge = _find_edge(od, tissue=tissue & ~pen, scanned=scanned & ~pen, mpp_um=mpp_um, settings=settings)
    sound = tissue & ~pen & ~edge
    fold = find_fold(od, sound, mpp_um, settings)
    pale = _find_pale(od, sound & ~fold, mpp_um, settings)
    return Artefacts(pen=pen, fold=fold, edge=edge, pale=pale, usable_tissue=sound & ~fold)


def _enlarged(found: Artefacts, tissue: Mask) -> Artefacts:
    """The masks at the size of the tissue's."""
    size_xy = (tissue.shape[1], tissue.shape[0])
    pen, fold, edge, pale = (
        planes.enlarged(mask, size_xy) for mask in (found.pen, found.fold, found.edge, found.pale)
    )
    return Artefacts(
        pen=pen,
        fold=fold & tissue,
        edge=edge,
        pale=pale,
        usable_tissue=tissue & ~(pen | fold | edge),
    )


def thumbnail_od(rgb: NDArray[np.uint8], white_rgb: Rgb) -> Plane:
    """Base-10 OD of each channel, not below 0, shape (height, width, 3)."""
    return np.maximum(od_of(rgb, white_rgb), 0)


def _disc(width_um: float, mpp_um: float) -> planes.Element:
    """A disc of about that diameter."""
    return planes.disc(width_um / mpp_um / 2)


def _dilated(mask: Mask, width_um: float, mpp_um: float) -> Mask:
    return planes.dilated(mask, _disc(width_um, mpp_um))


def averaged(plane: Plane, sigma_um: float, mpp_um: float) -> Plane:
    """Gaussian of a width in µm."""
    sigma_px = max(sigma_um / mpp_um, _LEAST_SIGMA_PX)
    return planes.blurred_coarsely(plane, sigma_px, border=Border.REPEATED)


def _averaged_where(plane: Plane, where: Mask, sigma_um: float, mpp_um: float) -> Plane:
    """Gaussian mean of the values inside a mask; 0 far from it."""
    weight = where.astype(np.float32)
    least = np.maximum(averaged(weight, sigma_um, mpp_um), _LEAST_WEIGHT)
    return np.asarray(averaged(plane * weight, sigma_um, mpp_um) / least, np.float32)


def _channel(od: Plane, number: int) -> Plane:
    """One channel by itself."""
    return np.ascontiguousarray(od[..., number])


def _large(mask: Mask, *, min_px: float, min_length_px: float = 0.0) -> Mask:
    """Connected parts of at least that area and that diagonal of their bounding box."""
    parts = parts_of(mask)
    return parts.mask((parts.area_px >= min_px) & (parts.diagonal_px >= min_length_px))


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
    floor = planes.opened(od, _disc(settings.pen_width_um, mpp_um))
    pen = np.zeros(od.shape[:2], np.bool_)
    for colour in _ink_colours(floor, settings):
        pen |= _large(
            colour,
            min_px=settings.pen_min_area_mm2 * _pixels_per_mm2(mpp_um),
            min_length_px=settings.pen_min_length_um / mpp_um,
        )
    # The stroke's soft rim is too thin to keep its colour.
    inked = _dilated(pen, 0.5 * settings.pen_width_um, mpp_um) & (od.mean(axis=2) > settings.edge_od)
    return np.asarray(inked, np.bool_)


def _find_edge(od: Plane, *, tissue: Mask, scanned: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Thin grey things and grey shadows on the glass."""
    mean = od.mean(axis=2)
    # Pale tissue that the mask of tissue left out is no less solid for that.
    solid = tissue | (scanned & (averaged(mean, settings.solid_smooth_um, mpp_um) > settings.edge_od))
    body = planes.opened(solid, _disc(settings.edge_width_um * 1.5, mpp_um))
    on_glass = scanned & ~_dilated(body, settings.edge_width_um / 2, mpp_um)
    dark = on_glass & (averaged(mean, settings.edge_smooth_um, mpp_um) > settings.edge_od)
    thin = _grey_parts(od, dark, settings.edge_chroma) & _lines(dark, tissue, mpp_um, settings)
    # The mask of tissue is smoothed, so that it reaches farther than the line.
    thin = _dilated(thin, settings.edge_rim_um, mpp_um) & scanned & ~body
    return np.asarray(thin | _find_shadow(od, scanned, mpp_um, settings))


def _width_px(mask: Mask, parts: planes.Parts) -> NDArray[np.float64]:
    """Mean width of the connected parts, shape (n,); that of a strip is exact."""
    depth = parts.sums(planes.depth_px(mask)) / np.maximum(parts.area_px, 1)
    # A strip one pixel wide is half a pixel deep, where the transform says one.
    return np.maximum(_STRIP_WIDTHS * (depth - 0.5), 1.0)


def _lines(mask: Mask, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Connected parts that are a line, a ring, or specks taken for tissue.

    The meshes of loose tissue and fat are none of these: they wind far more than a line.
    """
    parts = parts_of(mask)
    width_px = _width_px(mask, parts)
    line = parts.area_px / width_px <= settings.edge_winding * parts.diagonal_px
    line &= width_px * mpp_um <= settings.edge_width_um
    line &= parts.diagonal_px * mpp_um >= settings.edge_min_length_um
    speck = parts.area_px <= settings.dust_max_area_mm2 * _pixels_per_mm2(mpp_um)
    return parts.mask(line | (speck & parts.touched_by(tissue)))


def _grey_parts(od: Plane, mask: Mask, chroma: float) -> Mask:
    """Connected parts whose mean colour is grey."""
    parts = parts_of(mask)
    sums = np.stack([parts.sums(od[..., number]) for number in range(3)])
    return parts.mask(np.ptp(sums, axis=0) < chroma * sums.mean(axis=0))


def _find_shadow(od: Plane, scanned: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Grey, without detail, and cut off by the edge of the picture or of what was scanned."""
    mean = od.mean(axis=2)
    level = _averaged_where(mean, scanned, settings.shadow_smooth_um, mpp_um)
    detail = mean - level
    rough = np.sqrt(_averaged_where(detail * detail, scanned, settings.shadow_reach_um, mpp_um))
    even = np.stack([averaged(_channel(od, n), settings.shadow_smooth_um, mpp_um) for n in range(3)])
    grey = np.ptp(even, axis=0) < settings.edge_chroma * even.mean(axis=0)
    shadow = scanned & grey & (level > settings.edge_od) & (rough < settings.shadow_roughness * level)
    shadow = _large(shadow, min_px=settings.shadow_min_area_mm2 * _pixels_per_mm2(mpp_um))
    unscanned = np.pad(~scanned, 1, constant_values=True)
    beside = _dilated(unscanned, settings.shadow_gap_um, mpp_um)[1:-1, 1:-1]
    parts = parts_of(shadow)
    return parts.mask(parts.touched_by(beside & shadow))


def find_fold(od: Plane, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Long strips in which every channel is denser than around by the same factor and more."""
    fold = np.zeros(tissue.shape, np.bool_)
    if not tissue.any():
        return fold
    low, high = settings.fold_width_um
    # The floor of the OD in cell-sized windows leaves out nuclei and brown cells: it is what a second
    # and third layer of tissue raise, and crowded cells do not.
    window = _disc(settings.fold_window_um, mpp_um)
    sigma_px = max(settings.fold_smooth_um / mpp_um, _LEAST_SIGMA_PX)
    floor = planes.eroded(planes.blurred(od, sigma_px), window)
    solid = tissue & (floor.mean(axis=2) > settings.edge_od)  # without the gaps of loose tissue
    if not solid.any():
        return fold
    channels = [averaged(_channel(floor, n), settings.fold_smooth_um, mpp_um) for n in range(3)]
    around = (_averaged_where(c, solid, settings.fold_reach_um / 2, mpp_um) for c in channels)
    ratio = np.stack([c / np.maximum(mean, _LEAST_OD) for c, mean in zip(channels, around, strict=True)])
    least = ratio.min(axis=0)
    denser = solid & (least > settings.fold_ratio) & (ratio.max(axis=0) < settings.fold_colour * least)
    # A mass of brown cells as wide as "around" is told by the slide's own tissue.
    blue_over_red = channels[2] / np.maximum(channels[0], _LEAST_OD)
    denser &= blue_over_red < settings.fold_colour * float(np.median(blue_over_red[solid]))
    strips = planes.closed(denser, _disc(low, mpp_um))
    parts = parts_of(strips)
    width_px = _width_px(strips, parts)
    good = parts.area_px >= settings.fold_min_area_mm2 * _pixels_per_mm2(mpp_um)
    good &= (width_px * mpp_um <= high) & (parts.area_px >= settings.fold_elongation * width_px**2)
    # The floor is narrower than the fold by its window.
    return _dilated(parts.mask(good), settings.fold_rim_um, mpp_um) & tissue


def _find_pale(od: Plane, tissue: Mask, mpp_um: float, settings: ArtefactSettings) -> Mask:
    """Tissue, or what it encloses, whose nuclei do not show: little detail, little density."""
    if not tissue.any():
        return np.zeros(tissue.shape, np.bool_)
    mean = od.mean(axis=2)
    # Dead tissue can be so pale that the mask of tissue has a hole there; it is not as clear as glass.
    filled = np.asarray(binary_fill_holes(tissue), np.bool_)
    within = tissue | (filled & (averaged(mean, settings.solid_smooth_um, mpp_um) > settings.pale_min_od))
    inner = planes.eroded(within, _disc(settings.pale_inset_um, mpp_um))
    if not inner.any():
        return inner
    reach_um = settings.pale_reach_um
    red = _channel(od, 0)  # which haematoxylin dims most, chromogen and pigment least
    fine = red - _averaged_where(red, within, settings.pale_detail_um, mpp_um)
    brown = od[..., 2] > settings.pale_brown * np.maximum(red, settings.pale_min_od)
    blue = inner & ~_dilated(brown, settings.pale_brown_reach_um, mpp_um)
    known = inner & (averaged(blue.astype(np.float32), reach_um, mpp_um) > settings.pale_known_share)
    if not known.any():
        return known
    detail = np.sqrt(_averaged_where(fine * fine, blue, reach_um, mpp_um))
    density = _averaged_where(mean, within, reach_um, mpp_um)
    usual = float(np.quantile(detail[known], 0.25))  # of stroma, where there is any
    pale = known & (detail < settings.pale_detail * usual)
    pale &= density < settings.pale_density * float(np.median(density[inner]))
    pale = _large(pale, min_px=settings.pale_min_area_mm2 * _pixels_per_mm2(mpp_um))
    # The detail of the living tissue around reaches in.
    return _dilated(pale, settings.pale_rim_um, mpp_um) & within


def _pixels_per_mm2(mpp_um: float) -> float:
    return (1000 / mpp_um) ** 2
