"""What the samples of a TIFF page are, and RGB from them.

The photometric tag says what the samples mean, ExtraSamples what those beyond the colours are (TIFF 6.0
sections 3, 18 and 21). What can't be RGB of brightfield is refused in words; the rest becomes 8-bit RGB, with
transparency laid on white.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ihcscore.slide.streams import Colours, jpeg_2000_is_rgb, jpeg_colours

Samples = NDArray[np.uint8]

WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, YCBCR = 0, 1, 2, 3, 6
_PHOTOMETRICS = {
    WHITE_IS_ZERO: "grey", BLACK_IS_ZERO: "grey", 4: "a mask", 5: "CMYK", 8: "CIE L*a*b*", 9: "CIE L*a*b*",
    10: "CIE L*a*b*", 32803: "a camera's raw mosaic", 32844: "LogLuv", 32845: "LogLuv", 34892: "raw",
}  # fmt: skip
JPEG, OLD_JPEG, WEBP = 7, 6, (50001, 34927)
JPEG_2000_YCBCR = 33003
JPEG_2000 = (33003, 33004, 33005, 34712)
# Codecs that hand every sample back as it was stored.
_LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 34926, 50000)
ASSOCIATED_ALPHA, ALPHA = 1, 2
HEAD_BYTES = 1 << 12
# A grey of bright glass differs from its own chroma, 128, by more than any tint of lamps and dyes.
_BRIGHT, _NEUTRAL, _COLOURFUL = 180, 24, 48
# Weights of red and blue in luma, and the samples of black and white (TIFF 6.0 sections 20 and 21).
_LUMA, _REFERENCE = (0.299, 0.587, 0.114), (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)


def what_else(page: Any) -> str:
    """What a page is, where it is not 8-bit RGB; empty where RGB can be had from it.

    Parameters
    ----------
    page : TiffPage
    """
    photometric, samples = int(page.photometric), int(page.samplesperpixel)
    if page.dtype != np.uint8:
        return f"{samples} samples of {page.dtype}"
    return described(
        photometric=photometric,
        samples=samples,
        bits=int(page.bitspersample),
        extra=tuple(int(value) for value in page.extrasamples),
    )


def described(*, photometric: int, samples: int, bits: int, extra: tuple[int, ...]) -> str:
    """What a page of such tags is, where it is not 8-bit RGB; empty where RGB can be had from it."""
    if bits != 8:
        return f"{samples} samples of {bits} bits"
    if photometric == PALETTE:
        return "" if samples == 1 else f"a palette of {samples} samples"
    if photometric not in (RGB, YCBCR):
        name = _PHOTOMETRICS.get(photometric, f"photometric {photometric}")
        more = f" with {samples - 1} more samples" if name == "grey" and samples > 1 else ""
        return name + more
    if samples < 3:
        return f"{samples} samples a pixel"
    alphas = [value for value in extra if value in (ASSOCIATED_ALPHA, ALPHA)]
    if samples - len(extra) > 3 and extra:
        return f"{samples} samples a pixel"
    return "two transparencies" if len(alphas) > 1 else ""


def turned(page: Any) -> int:
    """How a page is turned or mirrored (TIFF's Orientation, 1 to 8); 1 where the tag makes no sense."""
    tag = page.tags.get(274)
    value = tag.value if tag is not None else 1
    return int(value) if isinstance(value, int) and 1 <= value <= 8 else 1


def colours_of(page: Any, stream: bytes) -> Colours | None:
    """What three samples of a page are after decoding: what its stream says, else what its tag says.

    Parameters
    ----------
    page : TiffPage
        For which :func:`what_else` is empty.
    stream : bytes
        The beginning of one of its tiles.

    Returns
    -------
    Colours or None
        None where stream and tag contradict each other and neither is certain: look at the pixels, by
        :func:`colours_seen`.
    """
    tagged = Colours.YCBCR if page.photometric == YCBCR else Colours.RGB
    if page.compression == JPEG:
        said, certain = jpeg_colours(stream, tables=page.jpegtables or b"")
        if said is None or said == tagged:
            return tagged
        return said if certain else None
    if page.compression in JPEG_2000:
        if jpeg_2000_is_rgb(stream):
            return Colours.RGB
        return Colours.YCBCR if page.compression == JPEG_2000_YCBCR else tagged
    return Colours.RGB if page.compression in WEBP else tagged


def after_tifffile(page: Any, held: Colours) -> Colours:
    """What tifffile gives of tiles that hold such colours: it converts JPEG of pages in YCbCr, and JFIF.

    Parameters
    ----------
    page : TiffPage
    held : Colours
        From :func:`colours_of`.
    """
    is_jpeg = page.compression in (JPEG, OLD_JPEG) and page.planarconfig == 1 and not page.extrasamples
    return Colours.RGB if is_jpeg and (page.photometric == YCBCR or page.is_jfif) else held


def colours_seen(samples: Samples) -> Colours | None:
    """What raw samples are, by their brightest pixels: glass is grey, so its chroma is 128 each.

    Parameters
    ----------
    samples : ndarray of uint8, shape (..., 3)

    Returns
    -------
    Colours or None
        None where no bright pixels say.
    """
    pixels = samples.reshape(-1, 3).astype(np.int16)
    bright = pixels[pixels[:, 0] >= max(_BRIGHT, int(np.percentile(pixels[:, 0], 90)))]
    if len(bright) == 0:
        return None
    as_ycbcr = np.abs(np.median(bright[:, 1:], axis=0) - 128).max()
    if as_ycbcr <= _NEUTRAL:
        return Colours.YCBCR
    return Colours.RGB if as_ycbcr >= _COLOURFUL else None


def to_rgb(page: Any, colours: Colours) -> Callable[[Samples], Samples]:
    """Convert decoded samples of a page to RGB.

    Parameters
    ----------
    page : TiffPage
        For which :func:`what_else` is empty.
    colours : Colours
        What its decoder gives.

    Returns
    -------
    callable
        From uint8, shape (height, width, samples), to uint8, shape (height, width, 3).
    """
    if page.photometric == PALETTE:
        table = (np.asarray(page.colormap) >> 8).astype(np.uint8).T
        return lambda samples: np.ascontiguousarray(table[samples[..., 0]])
    alphas = [
        (3 + at, kind == ASSOCIATED_ALPHA)
        for at, kind in enumerate(int(value) for value in page.extrasamples)
        if kind in (ASSOCIATED_ALPHA, ALPHA)
    ]
    ycbcr = _from_ycbcr(page) if colours == Colours.YCBCR else None

    def convert(samples: Samples) -> Samples:
        rgb = samples[..., :3] if ycbcr is None else ycbcr(samples[..., :3])
        for at, is_associated in alphas:
            rgb = on_white(rgb, samples[..., at : at + 1], is_associated=is_associated)
        return np.ascontiguousarray(rgb)

    return convert


def on_white(rgb: Samples, alpha: Samples, *, is_associated: bool = False) -> Samples:
    """Colours laid on white by their alpha, which `is_associated` where they are multiplied by it already."""
    weight = alpha.astype(np.float32) / 255
    own = rgb.astype(np.float32) * (1.0 if is_associated else weight)
    return _whole(own + 255 * (1 - weight))


def _whole(values: NDArray[np.floating]) -> Samples:
    """Rounded, 0 to 255."""
    rounded: Samples = np.rint(values.clip(0, 255)).astype(np.uint8)
    return rounded


def _from_ycbcr(page: Any) -> Callable[[Samples], Samples]:
    """RGB of YCbCr by the page's own coefficients and reference levels (TIFF 6.0 section 21)."""
    red, green, blue = _rationals(page, 529, 3) or _LUMA
    low_y, high_y, low_cb, high_cb, low_cr, high_cr = _rationals(page, 532, 6) or _REFERENCE
    if min(high_y - low_y, high_cb - low_cb, high_cr - low_cr) <= 0 or min(red, green, blue) <= 0:
        (red, green, blue), (low_y, high_y, low_cb, high_cb, low_cr, high_cr) = _LUMA, _REFERENCE

    def convert(samples: Samples) -> Samples:
        y, cb, cr = np.moveaxis(samples.astype(np.float32), -1, 0)
        y = (y - low_y) * (255 / (high_y - low_y))
        cb, cr = (cb - low_cb) * (127 / (high_cb - low_cb)), (cr - low_cr) * (127 / (high_cr - low_cr))
        r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
        g = (y - red * r - blue * b) / green
        return _whole(np.stack([r, g, b], axis=-1))

    return convert


def _rationals(page: Any, code: int, n: int) -> tuple[float, ...] | None:
    """So many fractions of a tag; None where it is missing or can't be used."""
    tag = page.tags.get(code)
    values = np.asarray(tag.value if tag is not None else (), np.float64).ravel()
    if len(values) != 2 * n or (values[1::2] == 0).any():
        return None
    return tuple(float(value) for value in values[0::2] / values[1::2])
