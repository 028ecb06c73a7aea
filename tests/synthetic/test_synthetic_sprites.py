from __future__ import annotations

import numpy as np
import pytest

from ihcscore.synthetic.draw.sprites import CellKind, Look, Sprite, SpriteBank, Strength

MPP_UM = 0.25
LYMPHOCYTE = CellKind.LYMPHOCYTE


@pytest.fixture(scope="module")
def bank() -> SpriteBank:
    return SpriteBank(mpp_um=MPP_UM, seed=4, variants=4)


def drawn(bank: SpriteBank, look: Look, n: int = 32) -> list[Sprite]:
    return [bank.get(look, number) for number in range(n)]


def stained_um2(sprite: Sprite, plane: int, above_od: float) -> float:
    return float((sprite.od[..., plane] > above_od).sum()) * MPP_UM**2


def test_lymphocytes_have_their_size(bank: SpriteBank) -> None:
    for sprite in drawn(bank, Look(kind=LYMPHOCYTE)):
        assert 6.5 < sprite.diameter_um < 12.6
        nucleus_um = 2 * (stained_um2(sprite, 0, 0.2) / np.pi) ** 0.5
        assert 4.4 < nucleus_um < 8.6
        assert sprite.od[..., 1:].max() <= 0


def test_more_dab_in_stronger_cells(bank: SpriteBank) -> None:
    strengths = (Strength.WEAK, Strength.MIDDLE, Strength.STRONG)
    means = [
        np.mean([s.od[..., 1].sum() for s in drawn(bank, Look(kind=LYMPHOCYTE, strength=strength))])
        for strength in strengths
    ]
    assert means[0] * 1.7 < means[1]
    assert means[1] * 1.7 < means[2]


def test_rings_are_paler_inside(bank: SpriteBank) -> None:
    for sprite in drawn(bank, Look(kind=LYMPHOCYTE, strength=Strength.STRONG, ring=True), 16):
        middle = sprite.od.shape[0] // 2
        y, x = np.indices(sprite.od.shape[:2]) - middle
        away_um = np.hypot(x, y) * MPP_UM
        rim = sprite.od[..., 1][np.abs(away_um - sprite.diameter_um / 2 + 0.5) < 0.5].mean()
        assert sprite.od[..., 1][away_um < 1.5].mean() < 0.85 * rim


def test_nuclear_stain_lies_in_the_nucleus(bank: SpriteBank) -> None:
    look = Look(kind=CellKind.TUMOUR_CELL, strength=Strength.STRONG, nuclear=True)
    for sprite in drawn(bank, look, 16):
        stained = 2 * (stained_um2(sprite, 1, 0.3) / np.pi) ** 0.5
        assert stained == pytest.approx(sprite.diameter_um, rel=0.15)


@pytest.mark.parametrize(
    "look", [Look(kind=CellKind.MELANOPHAGE), Look(kind=CellKind.TUMOUR_CELL, pigmented=True)]
)
def test_pigment_is_melanin_and_coarse(bank: SpriteBank, look: Look) -> None:
    for sprite in drawn(bank, look, 16):
        assert sprite.od[..., 2].max() > 0.25
        assert sprite.od[..., 1].max() <= 0


@pytest.mark.parametrize("kind", list(CellKind))
def test_sprites_end_inside_their_square(bank: SpriteBank, kind: CellKind) -> None:
    strength = Strength.STRONG if kind is LYMPHOCYTE else Strength.NONE
    for sprite in drawn(bank, Look(kind=kind, strength=strength, pigmented=kind is CellKind.TUMOUR_CELL)):
        edge = np.concatenate([sprite.od[0], sprite.od[-1], sprite.od[:, 0], sprite.od[:, -1]])
        assert np.abs(edge).max() < 0.03
        assert sprite.od.shape[0] % 2 == 1


def test_spindles_lie_along_the_angle_asked_for(bank: SpriteBank) -> None:
    angles = np.array([0.0, np.pi / 2, 3 * np.pi / 4])
    numbers = bank.numbers(angles, np.random.default_rng(0))
    for angle, number in zip(angles, numbers, strict=True):
        od = bank.get(Look(kind=CellKind.STROMAL_CELL), int(number)).od[..., 0]
        y, x = np.indices(od.shape) - od.shape[0] // 2
        long = np.average((x * np.cos(angle) + y * np.sin(angle)) ** 2, weights=od)
        wide = np.average((y * np.cos(angle) - x * np.sin(angle)) ** 2, weights=od)
        assert long > 2 * wide


def test_same_seed_same_sprite(bank: SpriteBank) -> None:
    look = Look(kind=LYMPHOCYTE, strength=Strength.WEAK)
    again = SpriteBank(mpp_um=MPP_UM, seed=4, variants=4)
    again.get(look, 9)  # the order of asking does not matter
    assert np.array_equal(bank.get(look, 5).od, again.get(look, 5).od)
    other = SpriteBank(mpp_um=MPP_UM, seed=5, variants=4)
    assert not np.array_equal(bank.get(look, 5).od, other.get(look, 5).od)
