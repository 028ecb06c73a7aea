"""Filters on pictures, planes and masks: typed words over OpenCV, one for each thing that is done.

A plane is an array of shape (height, width), a picture may have channels behind that. Results have the dtype
of what they are made from unless said otherwise.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ihcscore.geometry.grid import Grid
from ihcscore.geometry.square import centres_of_corners

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]
Element = NDArray[np.uint8]
Number = TypeVar("Number", bound=np.integer[Any] | np.floating[Any])
Pixel = TypeVar("Pixel", bound=np.generic)

_ONE_THREAD = threading.RLock()

# Wider Gaussians can be had on a coarser grid, on which they are still this wide: nothing finer is left.
_COARSE_SIGMA_PX = 4.0


class Border(IntEnum):
    """What lies beyond a picture's edge."""

    MIRRORED = cv2.BORDER_REFLECT_101
    """The picture mirrored at its outermost pixels."""
    REPEATED = cv2.BORDER_REPLICATE
    """Its outermost pixels again and again."""
    ZERO = cv2.BORDER_CONSTANT
    """Nothing."""
    WRAPPED = cv2.BORDER_WRAP
    """The picture once more, as a tile."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside the ``with`` block OpenCV works on one thread.

    Dense flow hands its patches on along stripes of the picture, one a thread, and a network's sums are cut
    in as many parts: results would depend on the machine's number of cores.
    """
    # The number is the whole process's: another thread that leaves its block would set it back in ours.
    with _ONE_THREAD:
        before = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            yield
        finally:
            cv2.setNumThreads(before)


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


def blurred(
    image: NDArray[Number],
    sigma_px: float,
    *,
    border: Border = Border.MIRRORED,
    reach_sigmas: float | None = None,
) -> NDArray[Number]:
    """Gaussian of a picture.

    Parameters
    ----------
    image : ndarray, shape (height, width) or (height, width, channels)
    sigma_px : float
        Standard deviation; 0 leaves the picture as it is.
    border : Border
    reach_sigmas : float, optional
        Standard deviations at which it is cut off, so that its reach is known. By OpenCV's own rule, which
        holds otherwise, 4 for floating point and 3 for bytes, to about a pixel.
    """
    if sigma_px <= 0:
        return image
    side = 0 if reach_sigmas is None else 2 * int(np.ceil(reach_sigmas * sigma_px)) + 1
    return _as(cv2.GaussianBlur(image, (side, side), sigma_px, borderType=border), image)


def blurred_coarsely(
    image: NDArray[Number], sigma_px: float, *, border: Border = Border.MIRRORED
) -> NDArray[Number]:
    """As :func:`blurred`, wide Gaussians (beyond 8 px) on a coarser grid: as good, and much faster."""
    if sigma_px <= 2 * _COARSE_SIGMA_PX:
        return blurred(image, sigma_px, border=border)
    step = int(sigma_px / _COARSE_SIGMA_PX)
    small = blurred(shrunk_in_blocks(image, step), sigma_px / step, border=border)
    return _as(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR), image)


def box_mean(plane: Plane, side_px: int, *, border: Border = Border.MIRRORED) -> Plane:
    """Mean over a square around each pixel: where no peak is sought, as good as a Gaussian and cheaper."""
    return np.asarray(cv2.blur(plane, (side_px, side_px), borderType=border), np.float32)


def looked_up(image: NDArray[np.uint8], table: NDArray[np.floating[Any]]) -> Plane:
    """What a table, shape (256, channels), says of each byte; of the image's shape."""
    return np.asarray(cv2.LUT(image, table.astype(np.float32)[None]), np.float32)


def sum_by_table(rgb: NDArray[np.uint8], table: NDArray[np.floating[Any]]) -> Plane:
    """Sum over the channels of what a table of shape (256, 3) says of each: thumbnails are large."""
    table = table.astype(np.float32)
    total = table[rgb[..., 0], 0]
    total += table[rgb[..., 1], 1]
    total += table[rgb[..., 2], 2]
    return np.asarray(total, np.float32)


def slope(plane: Plane) -> Plane:
    """Steepness of a plane per pixel (Sobel's operator)."""
    along_x, along_y = (
        cv2.Sobel(plane, cv2.CV_32F, *order, scale=1 / 8, borderType=Border.MIRRORED)
        for order in ((1, 0), (0, 1))
    )
    return np.asarray(cv2.magnitude(along_x, along_y), np.float32)


def shrunk_to(image: NDArray[Number], size_xy: tuple[int, int]) -> NDArray[Number]:
    """A picture averaged to fewer pixels, `size_xy` of them across and down."""
    return _as(cv2.resize(image, size_xy, interpolation=cv2.INTER_AREA), image)


def shrunk_by(image: NDArray[Number], scale: float) -> NDArray[Number]:
    """A picture averaged to `scale` times as many pixels across and down, at most 1; the factor is exact."""
    if scale == 1:
        return image
    return _as(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), image)


def shrunk_in_blocks(image: NDArray[Number], step: int) -> NDArray[Number]:
    """Mean of blocks of step × step pixels; an odd rest widens the blocks evenly."""
    if step == 1:
        return image
    return shrunk_to(image, (-(-image.shape[1] // step), -(-image.shape[0] // step)))


def averaged_on(image: NDArray[np.uint8], grid: Grid) -> NDArray[np.uint8]:
    """A picture averaged over the pixels of a grid, to the last fraction of a pixel.

    The picture's border is repeated where the grid reaches beyond it. A grid that is finer than the picture's
    own pixels is filled by linear interpolation.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, channels)
    grid : Grid
    """
    (left, top), step, (rows, columns) = grid.start_xy_px, grid.step_px, grid.shape_yx
    if step < 1:
        first = centres_of_corners(step / 2)
        to_image = np.array([[step, 0, left + first], [0, step, top + first]])
        return sampled(image, to_image, (rows, columns), border=Border.REPEATED)
    if all(float(one).is_integer() for one in (left, top, step)) and grid.covers_no_more_than(image.shape):
        x, y, side = int(left), int(top), int(step)
        return shrunk_in_blocks(image[y : y + rows * side, x : x + columns * side], side)
    height, width, channels = image.shape
    down = _area_weights(height, start_px=top, step_px=step, n=rows)
    across = _area_weights(width, start_px=left, step_px=step, n=columns)
    lower = down @ image.reshape(height, -1).astype(np.float32)
    lower = np.ascontiguousarray(lower.reshape(rows, width, channels).swapaxes(0, 1)).reshape(width, -1)
    smaller = (across @ lower).reshape(columns, rows, channels).swapaxes(0, 1)
    return np.asarray(np.ascontiguousarray(smaller) + 0.5, np.uint8)  # half up, as OpenCV's means


def _area_weights(size_px: int, *, start_px: float, step_px: float, n: int) -> csr_array:
    """How much of each of n stretches along an axis lies in each pixel of it, shape (n, size_px)."""
    from scipy.sparse import csr_array

    edges = start_px + step_px * np.arange(n + 1)
    first, width = np.floor(edges[:-1]), int(np.ceil(step_px)) + 1
    pixels = first[:, None] + np.arange(width)
    held = np.minimum(pixels + 1, edges[1:, None]) - np.maximum(pixels, edges[:-1, None])
    rows = np.repeat(np.arange(n), width)
    at = np.clip(pixels, 0, size_px - 1).astype(np.intp).ravel()
    weights = (np.maximum(held, 0) / step_px).astype(np.float32).ravel()
    return csr_array((weights, (rows, at)), shape=(n, size_px))


def share_of(mask: Mask, size_xy: tuple[int, int]) -> Plane:
    """Share of each of fewer pixels that a mask covers, 0 to 1."""
    return shrunk_to(mask.astype(np.float32), size_xy)


def enlarged(mask: Mask, size_xy: tuple[int, int]) -> Mask:
    """A mask on more pixels, each of its own repeated."""
    resized = cv2.resize(mask.astype(np.uint8), size_xy, interpolation=cv2.INTER_NEAREST)
    return np.asarray(resized, np.bool_)


def disc(radius_px: float) -> Element:
    """Structuring element: a disc of about that radius, at least 1, an odd number of pixels across."""
    side = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def square(side_px: int) -> Element:
    """Structuring element: a square."""
    return np.ones((side_px, side_px), np.uint8)


def dilated(image: NDArray[Pixel], element: Element) -> NDArray[Pixel]:
    """Largest value under the element around each pixel."""
    return _as(cv2.dilate(_bytes(image), element), image)


def eroded(image: NDArray[Pixel], element: Element) -> NDArray[Pixel]:
    """Smallest value under the element around each pixel."""
    return _as(cv2.erode(_bytes(image), element), image)


def opened(image: NDArray[Pixel], element: Element) -> NDArray[Pixel]:
    """Eroded, then dilated: bright things that do not hold the element are gone."""
    return _as(cv2.morphologyEx(_bytes(image), cv2.MORPH_OPEN, element), image)


def closed(image: NDArray[Pixel], element: Element) -> NDArray[Pixel]:
    """Dilated, then eroded: dark gaps that do not hold the element are filled."""
    return _as(cv2.morphologyEx(_bytes(image), cv2.MORPH_CLOSE, element), image)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Connected parts of a mask (pixels that touch at a corner are connected); number 0 is all the rest.

    Attributes
    ----------
    labels : ndarray of int32, shape (height, width)
        Number of the part that a pixel belongs to.
    area_px : ndarray of float64, shape (n,)
    diagonal_px : ndarray of float64, shape (n,)
        Of the upright rectangle around the part.
    """

    labels: NDArray[np.int32] = field(repr=False)
    area_px: NDArray[np.float64] = field(repr=False)
    diagonal_px: NDArray[np.float64] = field(repr=False)

    def sums(self, plane: NDArray[Any]) -> NDArray[np.float64]:
        """Sum of a plane over each part, shape (n,)."""
        sums = np.bincount(self.labels.ravel(), weights=plane.ravel(), minlength=len(self.area_px))
        return np.asarray(sums, np.float64)

    def touched_by(self, mask: Mask) -> NDArray[np.bool_]:
        """Which parts have a pixel in another mask, shape (n,)."""
        return np.asarray(np.bincount(self.labels[mask], minlength=len(self.area_px)) > 0, np.bool_)

    def mask(self, kept: NDArray[np.bool_]) -> Mask:
        """The parts for which `kept`, shape (n,), is true; never the rest."""
        kept = kept.copy()
        kept[0] = False
        return np.asarray(kept[self.labels], np.bool_)


def parts_of(mask: Mask) -> Parts:
    """The connected parts of a mask."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return Parts(
        labels=np.asarray(labels, np.int32),
        area_px=stats[:, cv2.CC_STAT_AREA].astype(np.float64),
        diagonal_px=np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]),
    )


def depth_px(mask: Mask) -> Plane:
    """Distance of each pixel of a mask to what lies outside of it, the picture's edge included."""
    padded = np.pad(mask, 1).astype(np.uint8)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1], np.float32)


def sampled(
    plane: NDArray[Number], to_plane: NDArray[Any], shape_yx: tuple[int, ...], *, border: Border
) -> NDArray[Number]:
    """A plane seen on another grid: pixel p shows what lies at ``to_plane(p)``, linear in between.

    Parameters
    ----------
    plane : ndarray, shape (height, width)
    to_plane : ndarray of float, shape (2, 3)
        Affine map between pixel centres at whole numbers.
    shape_yx : tuple of int
        Rows and columns of the result.
    border : Border
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size_xy = (shape_yx[1], shape_yx[0])
    return _as(cv2.warpAffine(plane, to_plane, size_xy, flags=flags, borderMode=border), plane)


def laid_on(
    plane: NDArray[Number], to_grid: NDArray[Any], shape_yx: tuple[int, ...], *, border: Border
) -> NDArray[Number]:
    """A plane laid on another grid: what lies at p comes to ``to_grid(p)``; otherwise as :func:`sampled`."""
    size_xy = (shape_yx[1], shape_yx[0])
    return _as(cv2.warpAffine(plane, to_grid, size_xy, flags=cv2.INTER_LINEAR, borderMode=border), plane)


def values_at(plane: Plane, x_px: Plane, y_px: Plane, *, border: Border) -> Plane:
    """Values of a plane at points, linear in between; the points' shape, at most 32766 rows."""
    return np.asarray(cv2.remap(plane, x_px, y_px, cv2.INTER_LINEAR, borderMode=border), np.float32)


def _bytes(image: NDArray[Any]) -> NDArray[Any]:
    """OpenCV knows no booleans."""
    return image.astype(np.uint8) if image.dtype == np.bool_ else image


def _as(result: Any, image: NDArray[Pixel]) -> NDArray[Pixel]:
    """What OpenCV gave, typed like what it was made from."""
    return np.asarray(result, image.dtype)
