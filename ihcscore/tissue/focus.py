"""What can be seen of a place: where a slide is out of focus; focus, folds and ink of a field."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.geometry.field import FieldQuality
from ihcscore.planes import Mask, Plane, check_rgb
from ihcscore.stain import Rgb, od_table
from ihcscore.tissue.artefacts import (
    WORKING_MPP_UM,
    ArtefactSettings,
    averaged,
    find_fold,
    find_pen,
    thumbnail_od,
)

# A Gaussian of the sharpest scanned detail worth asking for: half a lymphocyte's membrane.
_FOCUS_UNIT_UM = 0.5
# Only differences of ODs are looked at here, in which the white cancels out.
_ANY_WHITE: Rgb = (255.0, 255.0, 255.0)


@dataclass(frozen=True, kw_only=True)
class FocusSettings:
    """How focus is measured, and what is out of focus.

    Focus is the ratio of two bands of the optical density of green, as root mean squares: between
    Gaussians of 0.5 and 1 µm over between 1 and 4 µm. Blur takes the finer band first, and a stain that
    is half as deep halves both (after the ratio of spatial frequencies in Pertuz et al. 2013,
    doi 10.1016/j.patcog.2012.11.011, there for one scene at many depths). Measured at 0.25 µm/px, median
    of the blocks: sharp 0.25 (a Ki-67 scan), 0.29 to 0.35 (BCData), 0.32 (drawn), 0.39 (a CD3/CD8 scan)
    and 0.39 (median of LYSTO); the same blurred by a Gaussian of 1 µm 0.15 to 0.20, of 1.5 µm 0.12 to
    0.15, of 2 µm 0.10 to 0.13; soft images from a microscope's camera (SHIDC) 0.18 to 0.20.

    Attributes
    ----------
    focus_block_um : float
        Side of the squares in which a field's focus is measured; the field's is their median.
    min_contrast_od : float
        Squares with less in the coarser band are glass or smooth, and say nothing.
    blur_block_um : float
        Side of the squares in which a slide's focus is judged.
    blur_focus_by_mpp : tuple of (float, float)
        µm per pixel and the focus below which a square is out of focus, linear between; the bands are 1
        to 2 over 2 to 8 pixels there. Half-way between sharp and blurred by 3 µm: at 1 µm/px 0.30 to
        0.48 against 0.16 to 0.21, at 2 µm/px 0.53 to 0.80 against 0.35 to 0.47 (5 µm: 0.22 to 0.31).
    blur_relative : float
        Or below this share of the slide's own upper quartile, so that a soft scanner sets its own
        measure and a sharp one too.
    pen_min_area_mm2, pen_min_length_um : float
        As of :class:`ihcscore.tissue.artefacts.ArtefactSettings`, for a field, which shows a part of a
        stroke only.
    """

    focus_block_um: float = 45.0
    min_contrast_od: float = 0.008
    blur_block_um: float = 128.0
    blur_focus_by_mpp: tuple[tuple[float, float], ...] = ((0.5, 0.17), (1.0, 0.22), (2.0, 0.34))
    blur_relative: float = 0.55
    pen_min_area_mm2: float = 0.004
    pen_min_length_um: float = 64.0


def _detail(
    rgb: NDArray[np.uint8], *, mpp_um: float, unit_um: float, block_um: float, inside: Mask | None = None
) -> tuple[Plane, Plane]:
    """Root mean square of the OD's fine band (1 to 2 units) and coarse band (2 to 8), by blocks.

    The picture is averaged to at least half a unit per pixel, so that scanners of 0.25 and 0.5 µm/px
    are measured alike. With a mask the means are over what lies inside of it, and blocks that lie mostly
    outside are 0.
    """
    grey = np.asarray(cv2.extractChannel(rgb, 1), np.uint8)
    step = max(1, int(unit_um / mpp_um * 1.01))
    if step > 1:
        grey = planes.shrunk_to(grey, (grey.shape[1] // step, grey.shape[0] // step))
    od = planes.looked_up(grey, od_table(_ANY_WHITE)[:, 1:2])
    unit = unit_um / (mpp_um * step)
    fine, middle, coarse = (planes.blurred(od, k * unit) for k in (1.0, 2.0, 8.0))
    scale = mpp_um * step / block_um
    blocks_xy = (max(1, round(od.shape[1] * scale)), max(1, round(od.shape[0] * scale)))
    powers = (np.square(band) for band in (fine - middle, middle - coarse))
    if inside is None:
        means = [planes.shrunk_to(power, blocks_xy) for power in powers]
    else:
        weight = planes.share_of(inside, (od.shape[1], od.shape[0]))
        share = planes.shrunk_to(weight, blocks_xy)
        own = _mostly(share) / np.maximum(share, 1e-6)
        means = [np.asarray(own * planes.shrunk_to(power * weight, blocks_xy)) for power in powers]
    first, second = (np.sqrt(mean) for mean in means)
    return first, second


def _mostly(share: Plane) -> Mask:
    """Where a mask covers half of a pixel or more; at least where it covers most."""
    return np.asarray(share >= min(0.5, float(share.max())), np.bool_)


def find_blur(
    rgb: NDArray[np.uint8], *, tissue: Mask, mpp_um: float, settings: FocusSettings | None = None
) -> Mask:
    """Out-of-focus tissue, in blocks.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
        A level of 0.5 to 2 µm/px, or a part of it. Only blur that takes most of the detail at that scale
        shows: 3 µm at 1 µm/px, 5 µm at 2 µm/px.
    tissue : ndarray of bool, shape (height, width)
    mpp_um : float
        µm per pixel.
    settings : FocusSettings, optional

    Returns
    -------
    ndarray of bool, shape (height, width)
        True where a block's tissue is out of focus. Blocks without contrast are not judged.
    """
    check_rgb(rgb)
    if tissue.shape != rgb.shape[:2]:
        raise ValueError(f"tissue has shape {tissue.shape}, expected {rgb.shape[:2]}")
    if not 0.4 <= mpp_um <= 2.5:
        raise ValueError(f"mpp_um is {mpp_um}, expected 0.4 to 2.5 µm per pixel")
    settings = settings or FocusSettings()
    fine, coarse = _detail(rgb, mpp_um=mpp_um, unit_um=mpp_um, block_um=settings.blur_block_um)
    share = planes.share_of(tissue, (fine.shape[1], fine.shape[0]))
    judged = (coarse > settings.min_contrast_od) & (share > 0.5)
    if not judged.any():
        return np.zeros(tissue.shape, np.bool_)
    focus = fine / np.maximum(coarse, 1e-6)
    mpps, limits = zip(*settings.blur_focus_by_mpp, strict=True)
    limit = float(np.interp(mpp_um, mpps, limits))
    limit = max(limit, settings.blur_relative * float(np.quantile(focus[judged], 0.75)))
    blocks = np.asarray(judged & (focus < limit), np.bool_)
    return planes.enlarged(blocks, (tissue.shape[1], tissue.shape[0])) & tissue


def field_quality(
    rgb: NDArray[np.uint8],
    *,
    mpp_um: float,
    white_rgb: Rgb,
    inside: Mask | None = None,
    settings: FocusSettings | None = None,
    artefacts: ArtefactSettings | None = None,
) -> FieldQuality:
    """Focus, folds and ink of a field, from its own pixels.

    A field that lies wholly in a fold has nothing to compare with: folds are sought on the thumbnail too.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (height, width, 3)
        0.2 to 1 µm per pixel.
    mpp_um : float
        µm per pixel.
    white_rgb : tuple of float
        Colour of bare glass.
    inside : ndarray of bool, shape (height, width), optional
        The field's own pixels, where it is turned in `rgb`; all of them otherwise. Nothing outside is
        measured, but for the reach of the filters and the rest of a stroke of ink.
    settings : FocusSettings, optional
    artefacts : ArtefactSettings, optional

    Raises
    ------
    ValueError
        If the picture, the mask or the scale cannot be used.
    """
    check_rgb(rgb)
    if inside is not None and inside.shape != rgb.shape[:2]:
        raise ValueError(f"inside has shape {inside.shape}, expected {rgb.shape[:2]}")
    if inside is not None and inside.all():
        inside = None  # an upright field: its means are those of the whole picture, to the last bit
    if not 0.1 <= mpp_um <= 1.0:
        raise ValueError(f"mpp_um is {mpp_um}, expected 0.1 to 1 µm per pixel")
    settings = settings or FocusSettings()
    unit = max(_FOCUS_UNIT_UM, mpp_um)
    fine, coarse = _detail(rgb, mpp_um=mpp_um, unit_um=unit, block_um=settings.focus_block_um, inside=inside)
    judged = coarse > settings.min_contrast_od
    focus = float(np.median(fine[judged] / coarse[judged])) if judged.any() else 0.0
    fold, pen, own = _spoilt(
        rgb, mpp_um=mpp_um, white_rgb=white_rgb, inside=inside, settings=settings, artefacts=artefacts
    )
    return FieldQuality(
        focus=focus, fold_fraction=float(fold[own].mean()), pen_fraction=float(pen[own].mean())
    )


def spoilt_parts(
    rgb: NDArray[np.uint8], *, mpp_um: float, white_rgb: Rgb, inside: Mask | None = None
) -> tuple[Mask, Mask]:
    """Where a field is folded and where it is under ink, as :func:`field_quality` sees it.

    Parameters are those of :func:`field_quality`.

    Returns
    -------
    fold, pen : ndarray of bool, shape (height, width)
    """
    settings = FocusSettings()
    fold, pen, own = _spoilt(rgb, mpp_um=mpp_um, white_rgb=white_rgb, inside=inside, settings=settings)
    size_xy = (rgb.shape[1], rgb.shape[0])
    return planes.enlarged(fold & own, size_xy), planes.enlarged(pen & own, size_xy)


def _spoilt(
    rgb: NDArray[np.uint8],
    *,
    mpp_um: float,
    white_rgb: Rgb,
    inside: Mask | None,
    settings: FocusSettings,
    artefacts: ArtefactSettings | None = None,
) -> tuple[Mask, Mask, Mask]:
    """Folds, ink and the field's own part, at the scale at which artefacts are sought."""
    artefacts = replace(
        artefacts or ArtefactSettings(),
        pen_min_area_mm2=settings.pen_min_area_mm2,
        pen_min_length_um=settings.pen_min_length_um,
    )
    step = max(1, round(WORKING_MPP_UM / mpp_um))
    size_xy = (max(1, rgb.shape[1] // step), max(1, rgb.shape[0] // step))
    od = thumbnail_od(planes.shrunk_to(rgb, size_xy), white_rgb)
    small_mpp_um = mpp_um * rgb.shape[1] / size_xy[0]
    pen = find_pen(od, small_mpp_um, artefacts)
    own = np.ones(pen.shape, np.bool_) if inside is None else _mostly(planes.share_of(inside, size_xy))
    mean = averaged(od.mean(axis=2), artefacts.solid_smooth_um, small_mpp_um)
    tissue = own & ~pen & (mean > artefacts.edge_od)
    return find_fold(od, tissue, small_mpp_um, artefacts), pen, own
