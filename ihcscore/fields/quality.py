"""How good a place is for counting: blurred areas of a slide, the quality of a field."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.stain import Rgb, check_rgb
from ihcscore.tissue.artefacts import (
    WORKING_MPP_UM,
    ArtefactSettings,
    Mask,
    Plane,
    find_fold,
    find_pen,
    gaussian,
    optical_density,
)

# A Gaussian of the sharpest scanned detail worth asking for: half a lymphocyte's membrane.
_FOCUS_UNIT_UM = 0.5


@dataclass(frozen=True, kw_only=True)
class QualitySettings:
    """What a field, or a part of a slide, must be like to be counted.

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
    warn_focus, fail_focus : float
        Softer fields are warned of, and refused: lymphocytes' membranes no longer show.
    warn_fold_fraction, fail_fold_fraction : float
        Share of the field that is folded: cells are counted twice or not at all there, so that 2 %
        alters a count by about as much, and 10 % by a third of the spread between fields.
    warn_pen_fraction, fail_pen_fraction : float
        Share under ink, where nothing can be counted.
    warn_tissue_fraction, fail_tissue_fraction : float
        Smaller shares of tissue; the first is what fields are drawn with.
    warn_pigment_fraction, fail_pigment_fraction : float
        Share covered by pigment. Refusing pigmented fields favours unpigmented tumour: only what is
        mostly black fails.
    blur_block_um : float
        Side of the squares in which a slide's focus is judged.
    blur_focus_by_mpp : tuple of (float, float)
        µm per pixel and the focus below which a square is out of focus, linear between; the bands are 1
        to 2 over 2 to 8 pixels there. Half-way between sharp and blurred by 3 µm: at 1 µm/px 0.30 to
        0.48 against 0.16 to 0.21, at 2 µm/px 0.53 to 0.80 against 0.35 to 0.47 (5 µm: 0.22 to 0.31).
    blur_relative : float
        Or below this share of the slide's own upper quartile, so that a soft scanner sets its own
        measure and a sharp one too.
    """

    focus_block_um: float = 45.0
    min_contrast_od: float = 0.008
    warn_focus: float = 0.20
    fail_focus: float = 0.15
    warn_fold_fraction: float = 0.02
    fail_fold_fraction: float = 0.10
    warn_pen_fraction: float = 0.005
    fail_pen_fraction: float = 0.05
    warn_tissue_fraction: float = 0.70
    fail_tissue_fraction: float = 0.50
    warn_pigment_fraction: float = 0.03
    fail_pigment_fraction: float = 0.50
    blur_block_um: float = 128.0
    blur_focus_by_mpp: tuple[tuple[float, float], ...] = ((0.5, 0.17), (1.0, 0.22), (2.0, 0.34))
    blur_relative: float = 0.55


@dataclass(frozen=True, kw_only=True)
class FieldQuality:
    """What a field's own pixels say.

    Attributes
    ----------
    focus : float
        Ratio of fine to coarse detail, 0 (nothing sharp) to about 0.6; see :class:`QualitySettings`.
    fold_fraction, pen_fraction : float
        Share of the field that is folded, and under ink, 0 to 1.
    """

    focus: float
    fold_fraction: float
    pen_fraction: float


def _detail(
    rgb: NDArray[np.uint8], *, mpp_um: float, unit_um: float, block_um: float, inside: Mask | None = None
) -> tuple[Plane, Plane]:
    """Root mean square of the OD's fine band (1 to 2 units) and coarse band (2 to 8), by blocks.

    The picture is averaged to at least half a unit per pixel, so that scanners of 0.25 and 0.5 µm/px
    are measured alike. With a mask the means are over what lies inside of it, and blocks that lie mostly
    outside are 0.
    """
    grey = cv2.extractChannel(rgb, 1)
    step = max(1, int(unit_um / mpp_um * 1.01))
    if step > 1:
        grey = cv2.resize(grey, (grey.shape[1] // step, grey.shape[0] // step), interpolation=cv2.INTER_AREA)
    table = -np.log10(np.maximum(np.arange(256), 1) / 255).astype(np.float32)
    od = np.asarray(cv2.LUT(grey, table), np.float32)
    unit = unit_um / (mpp_um * step)
    fine, middle, coarse = (cv2.GaussianBlur(od, (0, 0), k * unit) for k in (1.0, 2.0, 8.0))
    scale = mpp_um * step / block_um
    blocks_xy = (max(1, round(od.shape[1] * scale)), max(1, round(od.shape[0] * scale)))
    powers = (cv2.multiply(band, band) for band in (fine - middle, middle - coarse))
    if inside is None:
        means = [_shrunk(power, blocks_xy) for power in powers]
    else:
        weight = _shrunk(inside, (od.shape[1], od.shape[0]))
        share = _shrunk(weight, blocks_xy)
        own = _mostly(share) / np.maximum(share, 1e-6)
        means = [np.asarray(own * _shrunk(power * weight, blocks_xy), np.float32) for power in powers]
    first, second = (np.sqrt(mean) for mean in means)
    return first, second


def _shrunk(plane: NDArray[Any], size_xy: tuple[int, int]) -> Plane:
    """A plane or a mask averaged to fewer pixels."""
    small = cv2.resize(plane.astype(np.float32), size_xy, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(size_xy[::-1])


def _mostly(share: Plane) -> Mask:
    """Where a mask covers half of a pixel or more; at least where it covers most."""
    return np.asarray(share >= min(0.5, float(share.max())), np.bool_)


def find_blur(
    rgb: NDArray[np.uint8], *, tissue: Mask, mpp_um: float, settings: QualitySettings | None = None
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
    settings : QualitySettings, optional

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
    settings = settings or QualitySettings()
    fine, coarse = _detail(rgb, mpp_um=mpp_um, unit_um=mpp_um, block_um=settings.blur_block_um)
    share = cv2.resize(tissue.astype(np.float32), fine.shape[::-1], interpolation=cv2.INTER_AREA)
    share = np.asarray(share).reshape(fine.shape)
    judged = (coarse > settings.min_contrast_od) & (share > 0.5)
    if not judged.any():
        return np.zeros(tissue.shape, np.bool_)
    focus = fine / np.maximum(coarse, 1e-6)
    mpps, limits = zip(*settings.blur_focus_by_mpp, strict=True)
    limit = float(np.interp(mpp_um, mpps, limits))
    limit = max(limit, settings.blur_relative * float(np.quantile(focus[judged], 0.75)))
    blurred = (judged & (focus < limit)).astype(np.uint8)
    grown = cv2.resize(blurred, tissue.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.asarray((grown > 0) & tissue, np.bool_)


def field_quality(
    rgb: NDArray[np.uint8],
    *,
    mpp_um: float,
    white_rgb: Rgb,
    inside: Mask | None = None,
    settings: QualitySettings | None = None,
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
    settings : QualitySettings, optional
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
    settings = settings or QualitySettings()
    # A field shows a part of a stroke only.
    artefacts = replace(artefacts or ArtefactSettings(), pen_min_area_mm2=0.004, pen_min_length_um=64.0)
    unit = max(_FOCUS_UNIT_UM, mpp_um)
    fine, coarse = _detail(rgb, mpp_um=mpp_um, unit_um=unit, block_um=settings.focus_block_um, inside=inside)
    judged = coarse > settings.min_contrast_od
    focus = float(np.median(fine[judged] / coarse[judged])) if judged.any() else 0.0
    step = max(1, round(WORKING_MPP_UM / mpp_um))
    size_xy = (max(1, rgb.shape[1] // step), max(1, rgb.shape[0] // step))
    small = np.asarray(cv2.resize(rgb, size_xy, interpolation=cv2.INTER_AREA), np.uint8)
    od = optical_density(small, white_rgb)
    small_mpp_um = mpp_um * rgb.shape[1] / size_xy[0]
    pen = find_pen(od, small_mpp_um, artefacts)
    own = np.ones(pen.shape, np.bool_) if inside is None else _mostly(_shrunk(inside, size_xy))
    tissue = own & ~pen & (gaussian(od.mean(axis=2), 12.0, small_mpp_um) > artefacts.edge_od)
    fold = find_fold(od, tissue, small_mpp_um, artefacts)
    return FieldQuality(
        focus=focus, fold_fraction=float(fold[own].mean()), pen_fraction=float(pen[own].mean())
    )


def judge_field(
    quality: FieldQuality,
    *,
    tissue_fraction: float,
    pigment_fraction: float,
    settings: QualitySettings | None = None,
) -> tuple[str, str]:
    """Whether a field may be counted.

    Parameters
    ----------
    quality : FieldQuality
    tissue_fraction, pigment_fraction : float
        Share of the field that is usable tissue, and covered by pigment, 0 to 1.
    settings : QualitySettings, optional

    Returns
    -------
    qc : str
        ``pass``, ``warn`` or ``fail``.
    reason : str
        One plain sentence; empty for ``pass``. Where a field fails, what only warns is left out.
    """
    s = settings or QualitySettings()
    folds, pen, pigment = quality.fold_fraction, quality.pen_fraction, pigment_fraction
    # What is said, how bad it is, and from where on it warns and fails: all grow with the badness.
    checks = [
        (f"out of focus (focus {quality.focus:.2f})", -quality.focus, -s.warn_focus, -s.fail_focus),
        (f"{folds:.0%} folded", folds, s.warn_fold_fraction, s.fail_fold_fraction),
        (f"{pen:.1%} under pen", pen, s.warn_pen_fraction, s.fail_pen_fraction),
        (
            f"only {tissue_fraction:.0%} tissue",
            -tissue_fraction,
            -s.warn_tissue_fraction,
            -s.fail_tissue_fraction,
        ),
        (f"{pigment:.0%} pigment", pigment, s.warn_pigment_fraction, s.fail_pigment_fraction),
    ]
    failed = [text for text, value, _, limit in checks if value > limit]
    warned = [text for text, value, limit, _ in checks if value > limit]
    reasons = failed or warned
    qc = "fail" if failed else "warn" if warned else "pass"
    return qc, f"The field is {_listed(reasons)}." if reasons else ""


def _listed(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
