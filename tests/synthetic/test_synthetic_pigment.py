from __future__ import annotations

import numpy as np
import pytest

from ihcscore.synthetic import (
    Clustering,
    ConfuserKind,
    Confusers,
    DarkNuclei,
    Macrophages,
    PaleRings,
    Pigment,
    PigmentManner,
    RedCells,
    Smears,
    TileSettings,
    varied_settings,
    varied_tile,
)
from ihcscore.synthetic.draw.layer import Granules, Layer
from ihcscore.synthetic.draw.optics import DAB_OD_RGB, melanin_od_rgb
from ihcscore.synthetic.draw.pigment import pigment_od_rgb
from ihcscore.synthetic.draw.stock import Stock
from ihcscore.synthetic.tile import Tile, draw_tile_of

MPP_UM = 0.25
SIZE = (160, 150)


@pytest.fixture(scope="module")
def stock() -> Stock:
    return Stock.make(MPP_UM, 256, seed=1, variants=1, rng=np.random.default_rng(1))


def drawn(stock: Stock, seed: int = 3, **settings: object) -> Tile:
    return draw_tile_of(
        stock,
        TileSettings(
            size_xy_px=SIZE, **{"n_positive": 4, "n_lymphocytes": 2, "tumour_fraction": 1.0, **settings}
        ),
        seed,
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def plain(stock: Stock) -> Tile:
    return drawn(stock)


def test_a_granule_has_its_place_size_and_density() -> None:
    layer = Layer((40, 30), 2, MPP_UM, np.zeros((8, 8), np.float32))
    at = np.array([[5.0, 3.0]])
    layer.granules(Granules.discs(at, np.array([0.6]), [1.5]), np.array([0.0, 0.6, 0.8]))
    plane = layer.block(0, 0, (34, 44))[..., 2] / 0.8
    assert plane.sum() * MPP_UM**2 == pytest.approx(1.5 * np.pi * 0.6**2, rel=0.05)
    assert plane[12 + 2, 20 + 2] == pytest.approx(1.5)
    assert layer.od[..., 0].max() == 0


def test_granules_off_the_picture_are_cut() -> None:
    layer = Layer((10, 10), 0, MPP_UM, np.zeros((8, 8), np.float32))
    at = np.array([[0.0, 0.0], [-50.0, 0.0], [2.25, 2.25]])
    layer.granules(Granules.discs(at, np.full(3, 0.5), 1.0), np.ones(3))
    assert layer.od[0, 0, 0] == pytest.approx(1)
    assert layer.od[9, 9, 0] == pytest.approx(1)
    assert layer.od[5, 5, 0] == 0


def test_pigment_goes_from_brown_to_black() -> None:
    assert pigment_od_rgb(0.0) == pytest.approx(melanin_od_rgb())
    steepness = [
        red / blue for red, _, blue in (pigment_od_rgb(0.0), pigment_od_rgb(0.5), pigment_od_rgb(1.0))
    ]
    assert DAB_OD_RGB[0] / DAB_OD_RGB[2] < steepness[0] < steepness[1] < steepness[2]
    assert steepness[2] > 0.8


@pytest.mark.parametrize("manner", list(PigmentManner))
def test_every_manner_leaves_the_tissue_and_its_truth(
    stock: Stock, plain: Tile, manner: PigmentManner
) -> None:
    tile = drawn(stock, pigment=(Pigment(manner=manner, n_clumps=9, blackness=(0.6, 1.0)),))
    assert tile.cells.equals(plain.cells)
    assert list(tile.clumps) == ["x_px", "y_px", "radius_um", "manner", "on_nucleus", "touches_positive"]
    assert len(tile.clumps) > 0
    assert set(tile.clumps["manner"]) == {manner}
    assert tile.clumps["radius_um"].between(1, 16).all()
    darker = plain.rgb.astype(int).sum(axis=2) - tile.rgb.astype(int).sum(axis=2)
    assert darker[tile.pigment_mask].mean() > 60
    assert abs(darker[~tile.pigment_mask].mean()) < darker[tile.pigment_mask].mean() / 6
    y, x = np.indices(tile.pigment_mask.shape)
    for clump in tile.clumps.itertuples():
        away = np.hypot(x - clump.x_px, y - clump.y_px) * MPP_UM < clump.radius_um
        assert tile.pigment_mask[away].mean() > 0.04


def test_manners_lie_where_they_say(stock: Stock) -> None:
    def clumps(manner: PigmentManner) -> object:
        return drawn(stock, pigment=(Pigment(manner=manner, n_clumps=9),)).clumps

    assert clumps(PigmentManner.DUST)["on_nucleus"].all()  # type: ignore[index]
    assert clumps(PigmentManner.BESIDE)["touches_positive"].mean() > 0.9  # type: ignore[index]


def test_without_positive_cells_nothing_touches_one(stock: Stock) -> None:
    tile = drawn(stock, n_positive=0, pigment=(Pigment(manner=PigmentManner.SOLID, n_clumps=9),))
    assert not tile.clumps["touches_positive"].any()


def test_confusers_stand_in_their_table(stock: Stock, plain: Tile) -> None:
    confusers = Confusers(
        red_cells=RedCells(n_groups=5),
        smears=Smears(n=8),
        dark_nuclei=DarkNuclei(n=16, clustering=Clustering(fraction=0.0)),
        pale_rings=PaleRings(n=5),
        macrophages=Macrophages(n=3),
    )
    tile = drawn(stock, confusers=confusers)
    assert list(tile.confusers) == ["x_px", "y_px", "kind", "diameter_um"]
    assert set(tile.confusers["kind"]) == set(ConfuserKind)
    assert tile.n_positive == plain.n_positive
    assert not tile.pigment_mask.any()
    assert (tile.cells["kind"] == "lymphocyte").sum() > (plain.cells["kind"] == "lymphocyte").sum()
    red = tile.confusers[tile.confusers["kind"] == ConfuserKind.RED_CELL]
    assert red["diameter_um"].between(5.5, 8).all()


def test_a_varied_tile_is_the_same_whatever_was_drawn_before() -> None:
    size = {"size_xy_px": (80, 60), "mpp_um": 0.5}
    first = varied_tile(7, **size)
    varied_tile(8, **size)
    again = varied_tile(7, **size)
    assert first.rgb.shape == (60, 80, 3)
    assert np.array_equal(first.rgb, again.rgb)
    assert first.clumps.equals(again.clumps)
    assert first.settings == again.settings


def test_a_manner_left_out_is_not_drawn() -> None:
    kept = tuple(manner for manner in PigmentManner if manner is not PigmentManner.RODS)
    drawn_manners = [
        part.manner for seed in range(70) for part in varied_settings(seed, manners=kept).pigment
    ]
    assert set(drawn_manners) == set(kept)
    bare = [varied_settings(seed, manners=()) for seed in range(8)]
    assert not any(settings.pigment for settings in bare)
    full = [varied_settings(seed) for seed in range(8)]
    assert [a.staining for a in bare] == [b.staining for b in full]


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"n_clumps": -1}, "n_clumps"),
        ({"blackness": (0.5, 0.2)}, "blackness"),
        ({"level_od": (0.0, 1.0)}, "level_od"),
        ({"granule_scale": (2.0, 1.0)}, "granule_scale"),
    ],
)
def test_pigment_refusals(wrong: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Pigment(manner=PigmentManner.CAP, **wrong)  # type: ignore[arg-type]


def test_tile_refusals(stock: Stock) -> None:
    with pytest.raises(ValueError, match="n_positive is 0"):
        TileSettings(n_positive=0, pigment=(Pigment(manner=PigmentManner.BESIDE),))
    with pytest.raises(ValueError, match="tissue is False"):
        TileSettings(
            n_positive=0, n_lymphocytes=0, tissue=False, pigment=(Pigment(manner=PigmentManner.CAP),)
        )
    with pytest.raises(ValueError, match="Smears"):
        Confusers(smears=Smears(n=-1))
    with pytest.raises(ValueError, match="µm/px"):
        draw_tile_of(stock, TileSettings(mpp_um=0.5), 1)
    with pytest.raises(ValueError, match="at most 512"):
        varied_tile(1, size_xy_px=(513, 4))
