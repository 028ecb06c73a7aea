"""Weights of the counters, read from ``models/counters`` and held against the manifest beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any

from ihcscore.errors import ProfileError
from ihcscore.profiles import models_folder

_AGAIN = "install ihcscore again"


@dataclass(frozen=True, kw_only=True)
class CellModel:
    """Weights of a logistic regression that tells positive cells from other candidates.

    Attributes
    ----------
    bias : float
        Log odds of a candidate whose features are all 0.
    weights : dict of str to float
        Log odds per unit of each feature of :func:`ihcscore.cells.classical.detect_cells`.
    """

    bias: float
    weights: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class NetworkModel:
    """A network that finds cells, and where its answers are cut.

    Attributes
    ----------
    name : str
        Its file in ``models/counters``.
    sha256 : str
        Of the file.
    onnx : bytes
    cuts : dict of str to float
        Height of a peak from which it is a cell, by head: ``membrane``, ``nucleus``, ``negative``; share
        of a pixel's neighbourhood that is pigment from which it is, ``pigment``.
    rules : tuple of str
        Of ``blur``, ``ink`` and ``smear``: what is left out, or a suspect, whatever the network says.
    calibration : dict of str to tuple of float
        Log odds of being a positive cell, intercept and slope over the log odds of the peak's height, for
        ``membrane`` and ``nucleus`` (Platt 1999).
    """

    name: str
    sha256: str
    onnx: bytes = field(repr=False)
    cuts: dict[str, float]
    rules: tuple[str, ...]
    calibration: dict[str, tuple[float, float]]


@cache
def load_cell_model(compartment: str) -> CellModel:
    """Weights of the classical counter for a compartment.

    Raises
    ------
    ProfileError
        If the weights are missing, broken or not those of the manifest.
    """
    name = f"cells_{compartment}.toml"
    content, _ = _checked(name)
    try:
        table = tomllib.loads(content.decode("utf-8"))
        return CellModel(bias=float(table["bias"]), weights=dict(table["weights"]))
    except (KeyError, ValueError) as error:
        raise ProfileError(f"{name}: weights cannot be read ({error}); {_AGAIN}") from error


@cache
def load_network_model() -> NetworkModel:
    """Weights of the network with its cuts.

    Raises
    ------
    ProfileError
        If the weights are missing, broken or not those of the manifest.
    """
    name = "network.onnx"
    content, entry = _checked(name)
    try:
        return NetworkModel(
            name=name,
            sha256=str(entry["sha256"]),
            onnx=content,
            cuts={head: float(cut) for head, cut in entry["cuts"].items()},
            rules=tuple(entry["rules"]),
            calibration={
                head: (float(line["intercept"]), float(line["slope"]))
                for head, line in entry["calibration"].items()
            },
        )
    except (KeyError, ValueError, AttributeError) as error:
        raise ProfileError(f"{name}: its manifest cannot be read ({error}); {_AGAIN}") from error


def weights_sha256(names: list[str]) -> dict[str, str]:
    """Sum of each of some files of weights, by its name."""
    return {name: str(_checked(name)[1]["sha256"]) for name in names}


def _checked(name: str) -> tuple[bytes, Mapping[str, Any]]:
    """A file's bytes, which have the sum that the manifest says, and its entry there."""
    folder = models_folder() / "counters"
    try:
        content = (folder / name).read_bytes()
        manifest = tomllib.loads((folder / "manifest.toml").read_text(encoding="utf-8"))
        entry: Mapping[str, Any] = manifest[name.partition(".")[0]]
        expected = entry["sha256"]
    except (OSError, KeyError, ValueError) as error:
        raise ProfileError(f"{name}: weights cannot be read ({error}); {_AGAIN}") from error
    if (found := sha256(content).hexdigest()) != expected:
        raise ProfileError(f"{name}: sha256 is {found}, expected {expected}; {_AGAIN}")
    return content, entry
