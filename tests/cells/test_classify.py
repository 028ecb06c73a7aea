import numpy as np
import pandas as pd
import pytest

from ihcscore import schema, stain
from ihcscore.cells.classical import detect_cells
from ihcscore.cells.classify import CELL_COLUMNS, classify_cells, positive_log_odds
from ihcscore.profiles import load_profile
from ihcscore.synthetic.tile import TileSettings, draw_tile
from ihcscore.weights import load_cell_model

PROFILE = load_profile("CD3")


def candidate(**changes):
    """A clear positive cell, in focus."""
    row = {
        "x_px": 10.0,
        "y_px": 20.0,
        "diameter_um": 9.0,
        "chromogen_od": 0.6,
        "hematoxylin_od": 0.3,
        "contrast": 0.3,
        "chromogen_contrast": 0.2,
        "covered_quarter": 0.9,
        "covered_half": 0.8,
        "covered_full": 0.6,
        "covered_core": 0.9,
        "covered_around": 0.2,
        "nucleus": 1.2,
        "nucleus_contrast": 0.1,
        "residual_share": 0.0,
        "pigment_likeness": 0.0,
        "hematoxylin_per_chromogen": 0.6,
        "sharpness_per_um": 0.15,
        "spacing_um": 8.0,
    }
    return pd.DataFrame([row | changes])


NOT_STAINED = {"covered_quarter": 0.0, "covered_half": 0.0, "covered_full": 0.0, "chromogen_od": 0.01}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ["Positive"]),
        (NOT_STAINED, ["Negative"]),
        (NOT_STAINED | {"hematoxylin_od": 0.01}, []),
        ({"sharpness_per_um": 0.02}, []),
        ({"residual_share": 0.08, "hematoxylin_per_chromogen": 1.5}, []),
        ({"pigment_likeness": 0.8, "hematoxylin_per_chromogen": 0.1}, ["Pigment suspect"]),
        # a chromogen of that colour all over the slide is no pigment
        ({"residual_share": 0.08, "pigment_likeness": 0.2, "hematoxylin_per_chromogen": 0.1}, ["Positive"]),
        ({"covered_around": 0.9, "hematoxylin_per_chromogen": 0.1}, ["Pigment suspect"]),
        (NOT_STAINED | {"pigment_likeness": 0.8, "hematoxylin_per_chromogen": 5.0}, ["Negative"]),
    ],
)
def test_what_a_candidate_is(changes, expected):
    assert classify_cells(candidate(**changes), PROFILE)["class"].tolist() == expected


def test_columns_are_those_of_the_schema():
    assert schema.IMAGE_CELLS.names[1 : 1 + len(CELL_COLUMNS)] == CELL_COLUMNS
    assert list(classify_cells(candidate(), PROFILE).columns) == CELL_COLUMNS
    assert list(classify_cells(candidate().iloc[:0], PROFILE).columns) == CELL_COLUMNS


def test_log_odds_are_the_weighted_sum():
    model = load_cell_model("membrane")
    row = candidate()
    by_hand = model.bias + sum(weight * row[name].item() for name, weight in model.weights.items())
    assert positive_log_odds(row, PROFILE) == pytest.approx([by_hand])


def test_confidence_is_the_probability_of_the_class():
    found = pd.concat([candidate(), candidate(covered_full=1.0, contrast=0.5)], ignore_index=True)
    confidence = classify_cells(found, PROFILE)["confidence"].to_numpy()
    log_odds = positive_log_odds(found, PROFILE)
    assert confidence == pytest.approx(1 / (1 + np.exp(-np.abs(log_odds))))


def test_cells_come_from_top_to_bottom():
    found = pd.concat([candidate(y_px=30.0), candidate(x_px=5.0), candidate(x_px=1.0)], ignore_index=True)
    got = classify_cells(found, PROFILE)[["y_px", "x_px"]].to_numpy().tolist()
    assert got == [[20.0, 1.0], [20.0, 5.0], [30.0, 10.0]]


def test_melanin_is_suspect_and_does_not_cost_cells():
    n_pigment = n_called = n_cells = n_lost = 0
    for seed in range(3):
        settings = TileSettings(size_xy_px=(640, 640), n_positive=40, n_melanophages=15)
        tile = draw_tile(settings, seed=seed)
        stains = stain.estimate_stains(tile.rgb)
        found = classify_cells(
            detect_cells(tile.rgb, mpp_um=tile.mpp_um, profile=PROFILE, stains=stains), PROFILE
        )
        true = tile.cells.loc[tile.cells["class"] == "Positive", ["x_px", "y_px"]].to_numpy()
        pigment = tile.pigment.loc[tile.pigment["kind"] == "melanophage", ["x_px", "y_px"]].to_numpy()
        places = found[["x_px", "y_px"]].to_numpy()
        far_from_cells = _nearest(places, true) > 20
        positive = (found["class"] == "Positive").to_numpy()
        suspect = (found["class"] == "Pigment suspect").to_numpy()
        n_pigment += len(pigment)
        n_called += (_nearest(pigment, places[positive & far_from_cells]) < 16).sum()
        n_cells += len(true)
        n_lost += ((_nearest(true, places[suspect]) < 8) & (_nearest(true, places[positive]) > 20)).sum()
    assert n_called <= 0.05 * n_pigment
    assert n_lost <= 0.03 * n_cells


def _nearest(points, others):
    if len(others) == 0:
        return np.full(len(points), np.inf)
    return np.hypot(*(points[:, None] - others[None]).transpose(2, 0, 1)).min(axis=1)
