"""Whether a picture is what its profile expects: haematoxylin and one chromogen on bright glass.

Haematoxylin and a chromogen span a plane of optical densities (Ruifrok and Johnston 2001, Anal Quant Cytol
Histol 23:291); every mixture of both lies in it. Eosin absorbs far more green than any such mixture, so that
an H&E section leaves the plane on the side where a third stain, orthogonal to both, is negative. The figures
are shares of what absorbs, so that a tile and a whole slide's samples are judged alike, and a section without
any chromogen is as good as a dark one. `benchmarks/stain_check.py` shows them by kind of picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.schema.names import Chromogen, StainVerdict
from ihcscore.stain import CHROMOGEN_VECTORS, HEMATOXYLIN_VECTOR, FloatArray, Rgb, rgb_to_od

# Of the brightest pixels: the ground, where there is any glass.
_BRIGHTEST_SHARE = 0.02
# Amounts below this are noise and divide nothing.
_LEAST_OD = 0.03
_DARK = (
    "its ground is dark, as of fluorescence or of an inverted picture: {}, where stained sections lie on "
    "bright glass"
)
_CHANNELS = ("red", "green", "blue")
_BARE = "hardly anything in it is stained: bare glass, on which nothing is to count and no stain to tell"
_MIXTURES = {
    Chromogen.DAB: "blue or brown",
    Chromogen.AEC: "blue or AEC's brownish red",
    Chromogen.FAST_RED: "blue or Fast Red's red",
}


@dataclass(frozen=True, kw_only=True)
class StainCheckSettings:
    """What a picture may be like; the margins to real pictures stand in docs/counting.md.

    Attributes
    ----------
    mpp_um : float
        Pixels are averaged to about this: a JPEG's colour noise and single grains are gone then.
    absorbing_od, dark_od : float
        Mean optical density of the three channels from which a pixel absorbs, and from which no colour can be
        told.
    min_absorbing_um2, min_absorbing_share : float
        Less that absorbs, in area or as a share of the picture, is bare glass: a lymphocyte has 40 µm².
    empty_below, refuse_empty_share, refuse_white_share : float
        Grey level, 0 to 255, below which a channel is empty; share of pixels with all three empty from which
        a picture is refused, as one of fluorescence, unless a larger share is white than the last, or some of
        it is brown: crowded cells of dark DAB are as black.
    doubt_dark_share : float
        Share of pixels too dark to have a colour from which a picture is doubtful.
    max_grey_range : float
        Largest difference between the channels, 0 to 255, of nearly all that absorbs in a grey picture.
    black_below, white_above, doubt_black_share : float
        Grey levels, 0 to 255, that all channels of a black pixel are below and of a white one above, and the
        share of black ones from which a picture with less than half as many white ones is doubtful: an
        inverted one. Crowded cells of dark DAB leave more of the glass.
    least_bright : float
        Brightest channel of the ground of a brightfield picture, 0 to 255.
    max_tint : float
        Largest difference between the channels of the ground, 0 to 255: a yellow lamp has 40.
    pink_residual : float
        Third stain per absorbance below which a pixel is pink. Eosin alone has about -0.4, a purple
        haematoxylin on a slide with a yellow cast -0.1.
    pink_green : float
        Green over blue density from which a pixel can be pink: red cells absorb more blue than green.
    doubt_pink_share, refuse_pink_share : float
        Shares of what absorbs that are pink.
    refuse_hematoxylin_share : float
        Share with haematoxylin from which pink is eosin: in H&E nearly all that absorbs has some, while a red
        chromogen that lies over the counterstain leaves hardly any.
    brown_share : float
        Share that is brown from which pink beside it may be a second, red chromogen.
    yellow_residual, doubt_yellow_share : float
        Third stain per absorbance above which a pixel that isn't blue has another colour than any mixture,
        melanin's 0.1 included, and the share of such pixels from which the picture is doubtful.
    min_hematoxylin_share : float
        Smaller shares with haematoxylin mean that there is none.
    """

    mpp_um: float = 0.5
    absorbing_od: float = 0.06
    dark_od: float = 0.9
    min_absorbing_um2: float = 100.0
    min_absorbing_share: float = 0.001
    empty_below: int = 40
    refuse_empty_share: float = 0.5
    refuse_white_share: float = 0.01
    doubt_dark_share: float = 0.5
    max_grey_range: float = 4.0
    black_below: int = 60
    white_above: int = 185
    doubt_black_share: float = 0.2
    least_bright: float = 130.0
    max_tint: float = 60.0
    pink_residual: float = -0.15
    pink_green: float = 1.1
    doubt_pink_share: float = 0.02
    refuse_pink_share: float = 0.20
    refuse_hematoxylin_share: float = 0.10
    brown_share: float = 0.02
    yellow_residual: float = 0.20
    doubt_yellow_share: float = 0.15
    min_hematoxylin_share: float = 0.003


@dataclass(frozen=True, kw_only=True)
class StainShares:
    """Shares of what absorbs in a picture, 0 to 1.

    Attributes
    ----------
    pink, brown, yellow, hematoxylin : float
    """

    pink: float
    brown: float
    yellow: float
    hematoxylin: float


@dataclass(frozen=True, kw_only=True)
class StainCheck:
    """What a picture was seen to be.

    Attributes
    ----------
    verdict : StainVerdict
    reason : str
        What was seen, a sentence without full stop; empty where all is well.
    ground_rgb : tuple of float
        Mean of the brightest pixels, 0 to 255.
    dark_share : float
        Share of pixels too dark to have a colour, 0 to 1.
    black_share, white_share : float
        Shares of black and of white pixels, 0 to 1.
    absorbing_share : float
        Share of pixels that absorb and have a colour, 0 to 1.
    shares : StainShares or None
        Of what absorbs; None where too little does.
    """

    verdict: StainVerdict = StainVerdict.OK
    reason: str = ""
    ground_rgb: Rgb
    dark_share: float
    black_share: float
    white_share: float
    absorbing_share: float
    shares: StainShares | None = None


def check_stain(
    rgb: NDArray[np.uint8],
    *,
    chromogen: Chromogen,
    white_rgb: Rgb,
    mpp_um: float,
    settings: StainCheckSettings | None = None,
) -> StainCheck:
    """Ask a picture what it is.

    Parameters
    ----------
    rgb : ndarray of uint8, shape (h, w, 3)
        A tile, or samples of a slide's tissue one below the other.
    chromogen : Chromogen
        What the profile counts by.
    white_rgb : tuple of float
        What densities are measured against.
    mpp_um : float
        µm per pixel.
    settings : StainCheckSettings, optional

    Raises
    ------
    ValueError
        If `rgb` is not 8-bit RGB.
    """
    planes.check_rgb(rgb)
    s = settings or StainCheckSettings()
    step = max(1, min(round(s.mpp_um / mpp_um), *rgb.shape[:2]))
    pixels = planes.shrunk_in_blocks(rgb, step).reshape(-1, 3)
    od = rgb_to_od(pixels, white_rgb)
    mean_od = od.mean(axis=1)
    absorbs = (mean_od > s.absorbing_od) & (mean_od < s.dark_od)
    seen = StainCheck(
        ground_rgb=_ground(pixels),
        dark_share=_share(mean_od >= s.dark_od),
        black_share=_share(pixels.max(axis=1) < s.black_below),
        white_share=_share(pixels.min(axis=1) > s.white_above),
        absorbing_share=_share(absorbs),
    )
    colours = _shares(od[absorbs], chromogen, s) if absorbs.any() else None
    if dark := _dark_ground(pixels, seen, colours, s):
        return replace(seen, verdict=StainVerdict.REFUSED, reason=_DARK.format(dark))
    least = max(s.min_absorbing_um2 / (step * mpp_um) ** 2, s.min_absorbing_share * len(pixels))
    if seen.dark_share * len(pixels) + absorbs.sum() < least:
        return replace(seen, verdict=StainVerdict.DOUBTFUL, reason=_BARE)
    if colours is None:
        return replace(seen, verdict=StainVerdict.DOUBTFUL, reason="all that absorbs in it is black")
    if wrong := _no_rgb(pixels, absorbs, s):
        return replace(seen, verdict=StainVerdict.REFUSED, reason=wrong)
    verdict, reason = _judged_by_colour(colours, chromogen, s)
    if verdict == StainVerdict.OK:
        verdict, reason = _judged_by_ground(seen, s)
    return replace(seen, verdict=verdict, reason=reason, shares=colours)


def _ground(pixels: NDArray[np.uint8]) -> Rgb:
    """Mean of the pixels that are brightest in their darkest channel."""
    darkest = pixels.min(axis=1)
    red, green, blue = pixels[darkest >= np.quantile(darkest, 1 - _BRIGHTEST_SHARE)].mean(axis=0)
    return float(red), float(green), float(blue)


def _dark_ground(
    pixels: NDArray[np.uint8], seen: StainCheck, colours: StainShares | None, s: StainCheckSettings
) -> str:
    """What shows that a picture was not taken in brightfield; empty where nothing does."""
    brown = colours is not None and colours.brown >= s.brown_share
    empty = _share(pixels.max(axis=1) < s.empty_below)
    if empty > s.refuse_empty_share and seen.white_share < s.refuse_white_share and not brown:
        return f"{empty:.0%} of it is black"
    brightest = np.quantile(pixels, 1 - _BRIGHTEST_SHARE, axis=0)
    dark = [name for name, value in zip(_CHANNELS, brightest, strict=True) if value < s.empty_below]
    return f"{' and '.join(dark)} are empty all over it" if len(dark) > 1 else ""


def _no_rgb(pixels: NDArray[np.uint8], absorbs: NDArray[np.bool_], s: StainCheckSettings) -> str:
    """Why the samples cannot be red, green and blue of a stained section; empty where they can."""
    coloured = pixels[absorbs].astype(np.int16)
    if np.quantile(np.ptp(coloured, axis=1), 0.95) <= s.max_grey_range:
        return "it is grey: red, green and blue are the same, so that no stain can be told from another"
    if _is_ycbcr(pixels):
        return (
            "green and blue hover about 128 everywhere, as the two colour channels of YCbCr do: its samples "
            "are not red, green and blue"
        )
    return ""


def _is_ycbcr(pixels: NDArray[np.uint8]) -> bool:
    """Whether a picture's channels are brightness and two differences of colour, which are 128 for grey.

    Of a stained section in RGB green and blue are bright on glass and differ where it is brown; differences
    of colour (ITU-R BT.601) stay within 60 of 128 for both, while the brightness goes far above.
    """
    low, middle, high = np.quantile(pixels.astype(np.float32), (0.02, 0.5, 0.98), axis=0)
    chroma = np.abs(middle[1:] - 128) < 24
    return bool(chroma.all() and (high[1:] < 190).all() and (low[1:] > 60).all() and high[0] > high[1:].max())


def _shares(od: FloatArray, chromogen: Chromogen, s: StainCheckSettings) -> StainShares:
    """Shares of colours among densities of shape (n, 3)."""
    hematoxylin, stained, residual = (od @ np.linalg.inv(_stains(chromogen))).T
    absorbance = np.maximum(np.maximum(hematoxylin, 0) + np.maximum(stained, 0), _LEAST_OD)
    third = residual / absorbance
    red, green, blue = od.T
    return StainShares(
        pink=_share((third < s.pink_residual) & (green > s.pink_green * blue)),
        brown=_share((blue > s.pink_green * green) & (od.mean(axis=1) > 2 * s.absorbing_od)),
        yellow=_share((third > s.yellow_residual) & (red <= blue)),
        hematoxylin=_share((hematoxylin > s.absorbing_od) & (hematoxylin > stained / 2)),
    )


def _stains(chromogen: Chromogen) -> FloatArray:
    """Rows haematoxylin, chromogen and what is orthogonal to both, of unit length: the published ones.

    A slide's own vectors could have been drawn towards the very stain that is looked for.
    """
    both = [np.asarray(v) / np.linalg.norm(v) for v in (HEMATOXYLIN_VECTOR, CHROMOGEN_VECTORS[chromogen])]
    third = np.cross(*both)
    return np.stack([*both, third / np.linalg.norm(third)])


def _share(of: NDArray[np.bool_]) -> float:
    return float(of.mean())


def _judged_by_colour(
    shares: StainShares, chromogen: Chromogen, s: StainCheckSettings
) -> tuple[StainVerdict, str]:
    """The verdict on a picture in colour, and what was seen."""
    pink = f"{shares.pink:.0%} of what is stained is pink or red, not {_MIXTURES[chromogen]}"
    eosin = shares.hematoxylin >= s.refuse_hematoxylin_share and shares.brown < s.brown_share
    if shares.pink >= s.refuse_pink_share and eosin:
        return StainVerdict.REFUSED, f"{pink}: eosin, as in H&E, or a red chromogen"
    if shares.pink >= s.refuse_pink_share:
        return StainVerdict.DOUBTFUL, f"{pink}: another chromogen, a second one, or eosin"
    if shares.pink >= s.doubt_pink_share:
        return StainVerdict.DOUBTFUL, f"{pink}: eosin, as in H&E, or an odd counterstain"
    if shares.yellow >= s.doubt_yellow_share:
        return StainVerdict.DOUBTFUL, (
            f"{shares.yellow:.0%} of what is stained is yellow or green, not {_MIXTURES[chromogen]}"
        )
    if shares.hematoxylin < s.min_hematoxylin_share:
        return StainVerdict.DOUBTFUL, "no haematoxylin is seen in it, the counterstain that shows nuclei"
    return StainVerdict.OK, ""


def _judged_by_ground(seen: StainCheck, s: StainCheckSettings) -> tuple[StainVerdict, str]:
    """The verdict on what lies behind the stains, and what was seen."""
    ground = ", ".join(f"{value:.0f}" for value in seen.ground_rgb)
    if seen.black_share > max(s.doubt_black_share, 2 * seen.white_share):
        return StainVerdict.DOUBTFUL, (
            f"more of it is black ({seen.black_share:.0%}) than white ({seen.white_share:.0%}), as in an "
            "inverted picture"
        )
    if seen.dark_share > s.doubt_dark_share:
        return StainVerdict.DOUBTFUL, f"{seen.dark_share:.0%} of it is too dark for its stain to be told"
    if max(seen.ground_rgb) < s.least_bright:
        return StainVerdict.DOUBTFUL, f"nothing in it is bright: its brightest pixels are ({ground})"
    if np.ptp(seen.ground_rgb) > s.max_tint:
        return StainVerdict.DOUBTFUL, f"its brightest pixels ({ground}) are coloured, where glass is white"
    return StainVerdict.OK, ""
