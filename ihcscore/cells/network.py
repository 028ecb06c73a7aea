"""Stain amounts of a field → cells, by a small convolutional network that sees nothing but them.

The network answers at 1 µm per pixel how likely the centre of a positive cell (of a membrane's or a nucleus's
marker), the centre of a negative nucleus, and pigment lie there. It knows no direction, and sees no farther
than 22 µm, so that it doesn't matter from where a field was cut.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ihcscore import planes
from ihcscore.cells.classify import CELL_COLUMNS, is_blurred, is_grey, is_smear
from ihcscore.cells.features import (
    HALO_UM,
    Peaks,
    amounts,
    colour_features,
    diameter_um,
    relative_nucleus,
    sharpness,
    stained_around,
    whole_cell,
)
from ihcscore.cells.finder import Found
from ihcscore.geometry.grid import BLOCK_PX
from ihcscore.geometry.square import centres_of_corners, corners_of_centres
from ihcscore.planes import Mask, Plane
from ihcscore.profiles import MarkerProfile
from ihcscore.schema import CellClass
from ihcscore.stain import StainMaps, Stains, chromogen_above_background
from ihcscore.weights import NetworkModel, load_network_model

# What the network is shown: amounts of about 1 where there is stain.
HEMATOXYLIN_OD = 0.3
CHROMOGEN_OD = 0.5
CHROMOGEN_DEPTHS = 1.2
RESIDUAL_OD = 0.15

HEADS = ("membrane", "nucleus", "negative", "pigment")

# Pixels of the maps along one of the answer.
ANSWER_PX = 2
# So many of the answer's pixels beyond the maps are looked at; cells with their centre there are not listed.
EDGE_PX = 2
# Large pictures are answered in squares of so many pixels of the maps, each with what can change it.
_PART_PX, _MARGIN_PX = 1024, 48

# Cells are peaks of the answer, smoothed a little, among their eight neighbours (pixels of 1 µm).
_PEAK_SIGMA_PX = 0.5
_PEAK_REACH_PX = 1
_PIGMENT_SIGMA_PX = 1.0
_PIGMENT_REACH_PX = 3
# A negative nucleus or pigment closer than this to a cell that is already there is part of it.
_SAME_CELL_UM = 3.5
# Cells below the cut are listed from this share of it on, as negative ones with little confidence.
_DOUBTFUL_SHARE = 0.4

# Rules that are applied after the network, where the model names them.
RULES = {"blur": is_blurred, "ink": is_grey, "smear": is_smear}

_of_thread = threading.local()


@dataclass(frozen=True, kw_only=True)
class NetworkFinder:
    """Finds cells as peaks of a network's answer.

    Attributes
    ----------
    profile : MarkerProfile
        Which head finds the marker's cells, and what is an artefact.
    model : NetworkModel
        Weights, cuts and rules.
    """

    profile: MarkerProfile
    model: NetworkModel = field(default_factory=load_network_model, repr=False)

    @property
    def halo_um(self) -> float:
        """Width of the surroundings that can change a cell."""
        return HALO_UM

    @property
    def weights(self) -> dict[str, str]:
        """Its weights' file with its sha256."""
        return {self.model.name: self.model.sha256}

    def __call__(self, maps: StainMaps, stains: Stains) -> Found:
        """Cells and pigment of a field; see :class:`ihcscore.cells.finder.Finder`."""
        level_od = self.profile.held_level_od(stains.chromogen_level.od)
        answer = probabilities(stain_planes(maps, level_od), self.model)
        return found_in(answer, maps, stains, profile=self.profile, model=self.model)


def found_in(
    answer: dict[str, Plane], maps: StainMaps, stains: Stains, *, profile: MarkerProfile, model: NetworkModel
) -> Found:
    """Cells and pigment of a field by the network's answer.

    Parameters
    ----------
    answer : dict of str to ndarray
        Of :func:`probabilities`.
    maps : StainMaps
    stains : Stains
    profile : MarkerProfile
    model : NetworkModel
        Its cuts, rules and calibration.
    """
    candidates = candidates_in(answer, maps, stains, profile=profile, cuts=model.cuts)
    return Found(
        cells=_classed(candidates, profile, model),
        pigment=_enlarged(without_edge(pigment_of(answer)) > model.cuts["pigment"], maps),
    )


def candidates_in(
    answer: dict[str, Plane],
    maps: StainMaps,
    stains: Stains,
    *,
    profile: MarkerProfile,
    cuts: Mapping[str, float],
) -> pd.DataFrame:
    """Peaks of the marker's own head, of pigment and of negative nuclei, with what the maps show there.

    Columns x_px, y_px, head, height, positive (height of the marker's own head there), pigment (how likely
    it is pigment), and the features of :mod:`ihcscore.cells.features`. Peaks of the marker's own head are
    listed from a share of the cut on, those below it as ``doubtful``.
    """
    peaks = _peaks(answer, profile.compartment, cuts)
    return _described(peaks, maps, stains, profile)


def without_edge(plane: Plane) -> Plane:
    """A plane of the answer without what lies beyond the maps."""
    return plane[EDGE_PX:-EDGE_PX, EDGE_PX:-EDGE_PX]


def pigment_of(answer: dict[str, Plane]) -> Plane:
    """How likely there is pigment about a pixel of the answer."""
    return planes.blurred(answer["pigment"], _PIGMENT_SIGMA_PX)


def _peaks(answer: dict[str, Plane], own: str, cuts: Mapping[str, float]) -> pd.DataFrame:
    """Peaks by row and column of the answer, each where no cell is yet."""
    positive = planes.blurred(answer[own], _PEAK_SIGMA_PX)
    negative = planes.blurred(answer["negative"], _PEAK_SIGMA_PX)
    pigment = pigment_of(answer)
    found = _tops(positive, least=cuts[own] * _DOUBTFUL_SHARE, reach_px=_PEAK_REACH_PX)
    is_cell = found["height"] > cuts[own]
    kept = found[is_cell].assign(head=own)
    for head, some in (
        ("pigment", _tops(pigment, least=cuts["pigment"], reach_px=_PIGMENT_REACH_PX)),
        ("negative", _tops(negative, least=cuts["negative"], reach_px=_PEAK_REACH_PX)),
        ("doubtful", found[~is_cell]),
    ):
        kept = pd.concat([kept, _apart(some, kept, _SAME_CELL_UM).assign(head=head)], ignore_index=True)
    kept = _inside(kept, positive.shape)
    at = _nearest(kept)
    return kept.assign(positive=positive[at].astype(float), pigment=pigment[at].astype(float))


def _classed(cells: pd.DataFrame, profile: MarkerProfile, model: NetworkModel) -> pd.DataFrame:
    """The table of cells: classes and confidence, artefacts left out."""
    brown = cells["chromogen_od"] >= profile.chromogen_threshold_od
    is_own = cells["head"] == profile.compartment
    is_pigment = cells["pigment"] > model.cuts["pigment"]
    broken = {name: rule(cells, profile) for name, rule in RULES.items() if name in model.rules}
    nowhere = np.zeros(len(cells), np.bool_)
    artefact = broken.get("blur", nowhere) | broken.get("ink", nowhere)
    suspect = is_pigment & (is_own | (cells["head"] == "pigment")) | is_own & broken.get("smear", nowhere)
    blue = (cells["head"] == "negative") | (cells["hematoxylin_od"] >= profile.hematoxylin_threshold_od)
    names = np.select(
        [artefact, suspect & brown, is_own & brown, blue],
        ["", CellClass.PIGMENT_SUSPECT.value, CellClass.POSITIVE.value, CellClass.NEGATIVE.value],
        default="",
    )
    probability = positive_probability(cells["positive"].to_numpy(), model.calibration[profile.compartment])
    right = np.where(names == CellClass.POSITIVE.value, probability, 1 - probability)
    table = cells.assign(**{"class": names, "confidence": right})[names != ""]
    return pd.DataFrame(table.sort_values(["y_px", "x_px"], ignore_index=True)[CELL_COLUMNS])


def positive_probability(
    height: NDArray[np.float64], calibration: tuple[float, float]
) -> NDArray[np.float64]:
    """Probability of being a positive cell, from the height of a peak (Platt 1999).

    Parameters
    ----------
    height : ndarray of float, shape (n,)
        Of the marker's own head, 0 to 1.
    calibration : tuple of float
        Intercept and slope over its log odds; fitted on slides left out.
    """
    intercept, slope = calibration
    clipped = np.clip(height, 1e-4, 1 - 1e-4)
    log_odds = intercept + slope * np.log(clipped / (1 - clipped))
    return np.asarray(1 / (1 + np.exp(-log_odds)))


def stain_planes(maps: StainMaps, level_od: float) -> NDArray[np.float32]:
    """What the network sees, shape (4, h, w): haematoxylin, chromogen twice, residual.

    Parameters
    ----------
    maps : StainMaps
    level_od : float
        Depth of the slide's chromogen: the second plane of chromogen is relative to it.
    """
    return np.stack(
        [
            maps.hematoxylin_od / np.float32(HEMATOXYLIN_OD),
            maps.chromogen_od / np.float32(CHROMOGEN_OD),
            maps.chromogen_od / np.float32(CHROMOGEN_DEPTHS * level_od),
            maps.residual_od / np.float32(RESIDUAL_OD),
        ]
    )


def probabilities(stained: NDArray[np.float32], model: NetworkModel) -> dict[str, Plane]:
    """The network's answer by head, each of shape (h / 2, w / 2) and an edge of `EDGE_PX` around it.

    Parameters
    ----------
    stained : ndarray of float32, shape (4, h, w)
        Of :func:`stain_planes`; sides are multiples of half a block. Beyond it there is nothing, as beyond
        the glass.
    model : NetworkModel
    """
    _, height, width = stained.shape
    before = [BLOCK_PX + (-size % BLOCK_PX) // 2 for size in (height, width)]
    padded = np.pad(stained, [(0, 0)] + [(n, n) for n in before])
    rows, columns = padded.shape[1:]
    whole = np.zeros((len(HEADS), rows // ANSWER_PX, columns // ANSWER_PX), np.float32)
    for top in range(0, rows, _PART_PX):
        for left in range(0, columns, _PART_PX):
            bottom, right = min(top + _PART_PX, rows), min(left + _PART_PX, columns)
            y, x = max(top - _MARGIN_PX, 0), max(left - _MARGIN_PX, 0)
            part = padded[:, y : bottom + _MARGIN_PX, x : right + _MARGIN_PX]
            heads = _forward(part, model)
            whole[:, top // ANSWER_PX : bottom // ANSWER_PX, left // ANSWER_PX : right // ANSWER_PX] = heads[
                :, (top - y) // ANSWER_PX : (bottom - y) // ANSWER_PX,
                (left - x) // ANSWER_PX : (right - x) // ANSWER_PX,
            ]  # fmt: skip
    rows, columns = (
        slice(n // ANSWER_PX - EDGE_PX, (n + size) // ANSWER_PX + EDGE_PX)
        for n, size in zip(before, (height, width), strict=True)
    )
    inner = whole[:, rows, columns]
    return dict(zip(HEADS, np.ascontiguousarray(1 / (1 + np.exp(-inner))), strict=True))


def _forward(part: NDArray[np.float32], model: NetworkModel) -> NDArray[np.float32]:
    """Log odds, shape (heads, h / 2, w / 2): the mean over the part's four quarter turns."""
    network = _network(model)
    turns = []
    with planes.one_thread():
        for quarters in range(4):
            network.setInput(np.ascontiguousarray(np.rot90(part, quarters, (1, 2)))[None])
            turns.append(np.rot90(network.forward()[0], -quarters, (1, 2)))
    # Summed in this order, a field that is turned gives the same bytes, turned.
    return np.asarray(((turns[0] + turns[2]) + (turns[1] + turns[3])) / np.float32(4), np.float32)


def _network(model: NetworkModel) -> cv2.dnn.Net:
    """The network as OpenCV runs it; one a thread, for it holds what it was shown."""
    loaded: dict[str, cv2.dnn.Net] = _of_thread.__dict__
    if model.sha256 not in loaded:
        loaded[model.sha256] = cv2.dnn.readNetFromONNX(np.frombuffer(model.onnx, np.uint8))
    return loaded[model.sha256]


def _tops(plane: Plane, *, least: float, reach_px: int) -> pd.DataFrame:
    """Local maxima: row, column (with fractions, by the mass around), height."""
    along = np.arange(-reach_px, reach_px + 1)
    around = (along[:, None] ** 2 + along**2 <= reach_px**2 + 1).astype(np.uint8)
    rows, columns = np.nonzero((plane >= planes.dilated(plane, around)) & (plane > least))
    at = pd.DataFrame({"row": rows.astype(float), "column": columns.astype(float)})
    at["height"] = plane[rows, columns].astype(float)
    if len(at) == 0:
        return at
    held = np.pad(plane, 1)[
        rows[:, None, None] + np.arange(3)[:, None], columns[:, None, None] + np.arange(3)
    ]
    mass = held.sum(axis=(1, 2), dtype=float)
    at["row"] += (held[:, 2].sum(axis=1, dtype=float) - held[:, 0].sum(axis=1, dtype=float)) / mass
    at["column"] += (held[:, :, 2].sum(axis=1, dtype=float) - held[:, :, 0].sum(axis=1, dtype=float)) / mass
    return at


def _apart(some: pd.DataFrame, others: pd.DataFrame, least_um: float) -> pd.DataFrame:
    """Those that have none of the others nearer than that; the answer's pixels are 1 µm."""
    from scipy.spatial import cKDTree

    if len(some) == 0 or len(others) == 0:
        return some
    distance = cKDTree(others[["row", "column"]]).query(some[["row", "column"]])[0]
    return pd.DataFrame(some[distance >= least_um])


def _inside(peaks: pd.DataFrame, shape_yx: tuple[int, ...]) -> pd.DataFrame:
    """Peaks that don't lie on the edge."""
    low = EDGE_PX - 0.5
    rows, columns = (
        peaks[name].between(low, size - 1 - low, inclusive="left")
        for name, size in zip(("row", "column"), shape_yx, strict=True)
    )
    return pd.DataFrame(peaks[rows & columns])


def _nearest(peaks: pd.DataFrame) -> Peaks:
    """Whole rows and columns of the answer."""
    rows, columns = np.rint(peaks[["row", "column"]].to_numpy()).astype(np.intp).T
    return rows, columns


def _described(peaks: pd.DataFrame, maps: StainMaps, stains: Stains, profile: MarkerProfile) -> pd.DataFrame:
    """Peaks with their places in the image and what the maps show there."""
    above = chromogen_above_background(maps)
    level_od = profile.held_level_od(stains.chromogen_level.od)
    chromogen = np.maximum(above, 0) * np.float32(1 / level_od)
    cell = whole_cell(
        chromogen,
        relative_nucleus(maps),
        hematoxylin_weight=profile.hematoxylin_weight,
        saturation=profile.saturation,
    )
    rows, columns = (
        corners_of_centres(peaks[name].to_numpy() - EDGE_PX) * ANSWER_PX for name in ("row", "column")
    )
    x_px, y_px = maps.grid.centres_in_image(centres_of_corners(columns), centres_of_corners(rows))
    at = rows.astype(np.intp), columns.astype(np.intp)
    return peaks.assign(
        x_px=x_px,
        y_px=y_px,
        **amounts(above, maps, at),
        **colour_features(maps, stains, at),
        covered_around=stained_around(chromogen, at, maps.mpp_um),
        sharpness_per_um=sharpness(maps.mean_od, at, maps.mpp_um),
        diameter_um=diameter_um(cell, at, maps.mpp_um),
    )


def _enlarged(mask: Mask, maps: StainMaps) -> Mask:
    """A mask of the answer on the maps' pixels; an odd rest has none."""
    whole = np.zeros(maps.mean_od.shape, np.bool_)
    large = mask.repeat(ANSWER_PX, axis=0).repeat(ANSWER_PX, axis=1)
    whole[: large.shape[0], : large.shape[1]] = large
    return whole
