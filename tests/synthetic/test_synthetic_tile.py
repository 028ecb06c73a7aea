from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore.synthetic import Optics, Staining, Tile, TileSettings, draw_tile
from ihcscore.synthetic.draw.optics import DAB_OD_RGB, HEMATOXYLIN_OD_RGB, melanin_od_rgb


def amounts(tile: Tile) -> np.ndarray:
    """Haematoxylin, DAB and melanin of every pixel, with the drawn vectors and white."""
    od = -np.log10(np.maximum(tile.rgb, 1) / np.array(Optics().white_rgb))
    return od @ np.linalg.inv(np.array([HEMATOXYLIN_OD_RGB, DAB_OD_RGB, melanin_od_rgb()]))


def within(tile: Tile, x_px: float, y_px: float, radius_um: float) -> np.ndarray:
    y, x = np.indices(tile.rgb.shape[:2])
    return np.hypot(x - x_px, y - y_px) * tile.mpp_um < radius_um


@pytest.fixture(scope="module")
def tile() -> Tile:
    return draw_tile(TileSettings(size_xy_px=(480, 300), n_positive=20), 7)


def test_shape_is_height_by_width(tile: Tile) -> None:
    assert tile.rgb.shape == (300, 480, 3)
    assert tile.rgb.dtype == np.uint8
    assert tile.pigment_mask.shape == (300, 480)


def test_same_seed_same_bytes(tile: Tile) -> None:
    small = TileSettings(size_xy_px=(90, 70), n_positive=3)
    first, again, other = draw_tile(small, 1), draw_tile(small, 1), draw_tile(small, 2)
    assert np.array_equal(first.rgb, again.rgb)
    assert first.cells.equals(again.cells)
    assert not np.array_equal(first.rgb, other.rgb)


def test_truth_has_its_columns(tile: Tile) -> None:
    assert list(tile.cells) == ["x_px", "y_px", "class", "kind", "strength", "diameter_um"]
    assert list(tile.pigment) == ["x_px", "y_px", "class", "kind", "diameter_um"]
    assert set(tile.cells["class"]) == {"Positive", "Negative"}
    assert tile.cells["x_px"].between(0, 479).all()
    assert tile.cells["y_px"].between(0, 299).all()
    positive = tile.cells["class"] == "Positive"
    assert (tile.cells.loc[positive, "strength"] != "").all()
    assert (tile.cells.loc[~positive, "strength"] == "").all()


def test_brown_is_where_the_truth_says(tile: Tile) -> None:
    dab = amounts(tile)[..., 1]
    cells = tile.cells[tile.cells["x_px"].between(25, 455) & tile.cells["y_px"].between(25, 275)]
    # the brownest fifth of the disc that a cell covers
    browns = [
        np.quantile(dab[within(tile, cell.x_px, cell.y_px, cell.diameter_um / 2)], 0.8)
        for cell in cells.itertuples()
    ]
    positive = (cells["class"] == "Positive").to_numpy()
    assert np.array(browns)[positive].min() > 0.1
    near = cells[positive]
    alone = [
        brown
        for brown, cell in zip(browns, cells.itertuples(), strict=True)
        if np.hypot(near["x_px"] - cell.x_px, near["y_px"] - cell.y_px).min() * 0.25 > 14
    ]
    assert len(alone) > 5
    assert np.median(alone) < 0.1


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 30), st.integers(0, 10), st.integers(0, 5), st.booleans())
def test_as_many_cells_as_asked(n_positive: int, n_lymphocytes: int, n_pigment: int, nuclear: bool) -> None:
    drawn = draw_tile(
        TileSettings(
            size_xy_px=(200, 160),
            mpp_um=0.5,
            n_positive=n_positive,
            n_lymphocytes=n_lymphocytes,
            n_melanophages=n_pigment,
            staining=Staining(nuclear=nuclear),
        ),
        seed=n_positive,
    )
    assert drawn.n_positive == n_positive
    negative = drawn.cells[drawn.cells["class"] == "Negative"]
    assert (negative["kind"] == "lymphocyte").sum() == n_lymphocytes
    assert (drawn.pigment["kind"] == "melanophage").sum() == n_pigment
    kind = "tumour cell" if nuclear else "lymphocyte"
    assert (drawn.cells.loc[drawn.cells["class"] == "Positive", "kind"] == kind).all()


def test_pigment_is_no_cell_and_lies_under_its_mask() -> None:
    drawn = draw_tile(TileSettings(n_positive=0, n_melanophages=5, pigmented_fraction=0.3), 3)
    assert drawn.n_positive == 0
    assert set(drawn.pigment["class"]) == {"Pigment suspect"}
    assert set(drawn.pigment["kind"]) == {"melanophage", "tumour cell"}
    planes = amounts(drawn)
    assert planes[drawn.pigment_mask, 2].mean() > 0.2
    assert abs(planes[~drawn.pigment_mask, 2].mean()) < 0.03
    assert 0.005 < drawn.pigment_mask.mean() < 0.3


def test_haze_is_dab_everywhere() -> None:
    bare = TileSettings(n_positive=0, n_lymphocytes=0, tumour_per_mm2=0, stroma_per_mm2=0)
    clear = draw_tile(bare, 1)
    hazy = draw_tile(TileSettings(**{**vars(bare), "staining": Staining(haze_od=0.15)}), 1)
    more = np.median(amounts(hazy)[..., 1]) - np.median(amounts(clear)[..., 1])
    assert more == pytest.approx(0.12, abs=0.05)


def test_empty_glass_is_white() -> None:
    glass = draw_tile(TileSettings(tissue=False, n_positive=0, n_lymphocytes=0), 1)
    assert len(glass.cells) == 0
    assert glass.rgb.reshape(-1, 3).mean(axis=0) == pytest.approx(Optics().white_rgb, abs=3)


def test_blur_takes_detail_away() -> None:
    def detail(psf_um: float) -> float:
        drawn = draw_tile(TileSettings(optics=Optics(psf_um=psf_um, noise_grey=0.0)), 5)
        return float(np.abs(np.diff(drawn.rgb[..., 0].astype(int), axis=0)).mean())

    assert detail(0.8) < 0.7 * detail(0.2)


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"mpp_um": 0.0}, "mpp_um"),
        ({"size_xy_px": (0, 5)}, "size_xy_px"),
        ({"n_positive": -1}, "n_positive"),
        ({"tumour_fraction": 1.5}, "tumour_fraction"),
        ({"tissue": False}, "tissue is False"),
    ],
)
def test_refusals(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        TileSettings(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"strength_mix": (0, 0, 0)}, {"ring_fraction": 2}, {"haze_od": -1}])
def test_staining_refusals(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Staining(**wrong)  # type: ignore[arg-type]
