"""What a place in the stain maps looks like: amounts, coverage, colour, sharpness, size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.planes import Plane
from ihcscore.stain import READABLE_OD, StainMaps, Stains, smooth

# Differences of Gaussians whose scales are 1.6 apart come closest to the Laplacian
# (Marr and Hildreth 1980, doi 10.1098/rspb.1980.0020).
DOG_RATIO = 1.6

# Haematoxylin of a typical nucleus (upper quintile of the LYSTO tiles); how much of it (in such nuclei) and
# of the chromogen (in depths of the slide's stain) counts at most, so that one dark cell hides no other.
NUCLEUS_OD = 0.25
MAX_RELATIVE = 2.0
CHROMOGEN_CAP = 1.5

# Windows: of a cell with its rim (coverage), of its core (amounts), of its colour and surroundings.
CELL_SIGMA_UM = 3.0
CORE_SIGMA_UM = 1.5
AMOUNT_SIGMA_UM = 2.0
CELL_RADIUS_UM = 4.0
NUCLEUS_RADIUS_UM = 3.0
COLOUR_WINDOW_UM = 9.0
SURROUNDINGS_UM = 30.0

# A pixel counts as stained from this share of the depth of the slide's stain: half-way.
STAINED = 0.5

# Denominators of ratios are at least so large: where less than a fiftieth of the window can be read, or
# hardly anything is stained in it (OD), the ratio is noise and is drawn towards 0.
LEAST_READABLE_SHARE = 0.02
LEAST_ABSORBANCE_OD = 0.1
LEAST_CHROMOGEN_OD = 0.05
LEAST_DARKEST_OD = 0.05

# Sharpness: slope of the mean OD, of details of 0.5 µm, averaged over 12 µm, per darkest OD within 6 µm.
DETAIL_SIGMA_UM = 0.5
SLOPE_WINDOW_UM = 12.0
SLOPE_REACH_UM = 6.0

# Pixels beyond a field's edge that can change a cell inside it: 22 µm of the background, and 19 of what is
# measured above it (the blob filter with its spacing, or the surroundings of a smear). A network sees 22.
HALO_UM = 42.0

Peaks = tuple[NDArray[np.intp], NDArray[np.intp]]


def blob_contrast(image: Plane, radius_px: float) -> Plane:
    """Difference of Gaussians that answers most to a disc of the radius (σ = radius / √2).

    A difference of Gaussians whose scales keep their ratio is normalised in scale by itself
    (Lowe 2004, doi 10.1023/B:VISI.0000029664.99615.94).
    """
    sigma_px = radius_px / np.sqrt(2.0)
    spread = np.sqrt(DOG_RATIO)
    return smooth(image, sigma_px / spread) - smooth(image, sigma_px * spread)


def positions(at: Peaks, maps: StainMaps) -> dict[str, NDArray[np.float64]]:
    """Centres in pixels of the image, from rows and columns of the maps."""
    rows, columns = at
    x_px, y_px = maps.grid.centres_in_image(columns, rows)
    return {"x_px": x_px, "y_px": y_px}


def amounts(above_background: Plane, maps: StainMaps, at: Peaks) -> dict[str, NDArray[np.float64]]:
    """Optical densities in the cell."""
    sigma_px = AMOUNT_SIGMA_UM / maps.mpp_um
    return {
        "chromogen_od": np.maximum(smooth(above_background, sigma_px)[at], 0).astype(float),
        "hematoxylin_od": np.maximum(smooth(maps.hematoxylin_od, sigma_px)[at], 0).astype(float),
    }


def shape_features(
    chromogen: Plane, nucleus: Plane, at: Peaks, mpp_um: float
) -> dict[str, NDArray[np.float64]]:
    """How much of the cell is stained, how strongly, and how blob-like; amounts relative to the level."""
    sigma_px = CELL_SIGMA_UM / mpp_um
    capped = np.minimum(chromogen, np.float32(CHROMOGEN_CAP))

    def covered(threshold: float) -> NDArray[np.float64]:
        return smooth((chromogen > np.float32(threshold)).astype(np.float32), sigma_px)[at].astype(float)

    stained = (chromogen > np.float32(STAINED)).astype(np.float32)
    return {
        "covered_quarter": covered(0.25),
        "covered_half": covered(0.5),
        "covered_full": covered(1.0),
        "covered_core": smooth(stained, AMOUNT_SIGMA_UM / mpp_um)[at].astype(float),
        "covered_around": stained_around(chromogen, at, mpp_um),
        "chromogen_contrast": blob_contrast(capped, CELL_RADIUS_UM / mpp_um)[at].astype(float),
        "nucleus": smooth(nucleus, CORE_SIGMA_UM / mpp_um)[at].astype(float),
        "nucleus_contrast": blob_contrast(nucleus, NUCLEUS_RADIUS_UM / mpp_um)[at].astype(float),
    }


def stained_around(chromogen: Plane, at: Peaks, mpp_um: float) -> NDArray[np.float64]:
    """Stained share of the wide surroundings; amounts relative to the level."""
    stained = (chromogen > np.float32(STAINED)).astype(np.float32)
    return mean_around(stained, SURROUNDINGS_UM / mpp_um)[at].astype(float)


def relative_nucleus(maps: StainMaps) -> Plane:
    """Haematoxylin relative to a typical nucleus, at most twice."""
    return np.asarray(np.clip(maps.hematoxylin_od / np.float32(NUCLEUS_OD), 0, MAX_RELATIVE), np.float32)


def whole_cell(chromogen: Plane, nucleus: Plane, *, hematoxylin_weight: float, saturation: float) -> Plane:
    """Chromogen and nucleus together, cut so that one dark cell does not outshine its neighbours."""
    return np.minimum(chromogen + np.float32(hematoxylin_weight) * nucleus, np.float32(saturation))


def colour_features(maps: StainMaps, stains: Stains, at: Peaks) -> dict[str, NDArray[np.float64]]:
    """Colour of the cell's readable pixels: residual and haematoxylin relative to the stains.

    DAB and haematoxylin leave no residual; grey (ink, folds) leaves some beside much "haematoxylin",
    melanin leaves some beside none.
    """
    readable = (maps.mean_od < np.float32(READABLE_OD)).astype(np.float32)
    hematoxylin, chromogen, residual = (
        mean_around(amount * readable, COLOUR_WINDOW_UM / maps.mpp_um)[at].astype(float)
        for amount in (maps.hematoxylin_od, maps.chromogen_od, maps.residual_od)
    )
    read = mean_around(readable, COLOUR_WINDOW_UM / maps.mpp_um)[at].astype(float)
    share = np.maximum(read, LEAST_READABLE_SHARE)
    residual_share = residual / np.maximum(hematoxylin + chromogen, LEAST_ABSORBANCE_OD * share)
    return {
        "residual_share": residual_share,
        "pigment_likeness": stains.pigment_likeness(residual_share),
        "hematoxylin_per_chromogen": hematoxylin / np.maximum(chromogen, LEAST_CHROMOGEN_OD * share),
    }


def sharpness(od: Plane, at: Peaks, mpp_um: float) -> NDArray[np.float64]:
    """Mean slope of the OD around each peak per darkest OD near it, per µm."""
    detail = smooth(od, DETAIL_SIGMA_UM / mpp_um)
    slope = mean_around(planes.slope(detail), SLOPE_WINDOW_UM / mpp_um)
    darkest = planes.dilated(detail, planes.square(2 * round(SLOPE_REACH_UM / mpp_um) + 1))
    sharpness = slope[at].astype(float) / mpp_um / np.maximum(darkest[at].astype(float), LEAST_DARKEST_OD)
    return np.asarray(sharpness, float)


def diameter_um(whole_cell: Plane, at: Peaks, mpp_um: float) -> NDArray[np.float64]:
    """Diameter of the disc that covers as much of a Gaussian window as the cell does.

    A disc of radius r covers 1 - exp(-r² / 2σ²) of a Gaussian of σ around its centre.
    """
    covered = smooth((whole_cell > np.float32(STAINED)).astype(np.float32), CELL_SIGMA_UM / mpp_um)[at]
    share = np.clip(covered.astype(float), 0.01, 0.99)
    return np.asarray(2 * CELL_SIGMA_UM * np.sqrt(-2 * np.log1p(-share)))


def mean_around(image: Plane, side_px: float) -> Plane:
    """Mean over a square, of an odd number of pixels across."""
    return planes.box_mean(image, 2 * round(side_px / 2) + 1)
