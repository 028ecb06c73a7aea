from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ihcscore.synthetic.draw.optics import DAB_OD_RGB, HEMATOXYLIN_OD_RGB, Camera, Optics, melanin_od_rgb

DYES = (HEMATOXYLIN_OD_RGB, DAB_OD_RGB)
IDEAL = Optics(white_rgb=(250.0, 240.0, 230.0), psf_um=0.0, noise_grey=0.0, flare=0.0, unevenness=0.0)


def exposed(optics: Optics, planes_od: tuple[float, float, float], side: int = 40) -> np.ndarray:
    camera = Camera.make(optics, 0.25, DYES, np.random.default_rng(0))
    whole = side + 2 * camera.halo_px
    planes = np.broadcast_to(np.float32(planes_od), (whole, whole, 3)).copy()
    return camera.expose(planes, np.ones((side, side), np.float32), (1,))


def test_melanin_follows_its_power_law() -> None:
    red, green, blue = melanin_od_rgb()
    assert green / red == pytest.approx((540 / 610) ** -3.3)
    assert blue / red == pytest.approx((465 / 610) ** -3.3)
    assert red**2 + green**2 + blue**2 == pytest.approx(1)


def test_light_by_hand() -> None:
    # 250 * 10^-0.268/|v|, 240 * 10^-0.570/|v|, 230 * 10^-0.776/|v| with |v| = 0.9996
    assert exposed(IDEAL, (0, 1, 0))[20, 20].tolist() == [135, 65, 38]
    assert exposed(IDEAL, (0, 0, 0))[20, 20].tolist() == [250, 240, 230]


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.9), st.floats(0, 0.9), st.floats(0, 0.4))
def test_stains_come_back_from_the_picture(hematoxylin: float, dab: float, melanin: float) -> None:
    rgb = exposed(IDEAL, (hematoxylin, dab, melanin), side=4)[2, 2]
    od = -np.log10(rgb / np.array(IDEAL.white_rgb))
    rows = np.array([*DYES, melanin_od_rgb()])
    expected = np.array([hematoxylin, dab, melanin]) @ (rows / np.linalg.norm(rows, axis=1, keepdims=True))
    assert od == pytest.approx(expected, abs=0.03)


def test_noise_on_glass_and_in_the_dark() -> None:
    noisy = Optics(psf_um=0.0, noise_grey=3.0, flare=0.0)
    glass = exposed(noisy, (0, 0, 0), 300)[..., 0].std()
    dark = exposed(noisy, (1.0, 0, 0), 300)[..., 0].std()
    assert glass == pytest.approx(3.0, rel=0.08)
    assert dark / glass == pytest.approx(10 ** (-0.65 / 2), rel=0.1)  # shot noise: square root of light


def test_flare_keeps_black_from_being_black() -> None:
    assert exposed(Optics(flare=0.03, noise_grey=0.0), (3, 3, 3))[20, 20].min() == pytest.approx(7, abs=1)


def test_negative_stain_is_none() -> None:
    assert exposed(IDEAL, (-1, 0, 0))[20, 20].tolist() == [250, 240, 230]


def test_lens_smears_by_its_width() -> None:
    camera = Camera.make(Optics(psf_um=1.0, noise_grey=0.0, flare=0.0), 0.25, DYES, np.random.default_rng(0))
    halo = camera.halo_px
    planes = np.zeros((60 + 2 * halo, 60 + 2 * halo, 3), dtype=np.float32)
    planes[:, halo + 30 :, 1] = 3  # an opaque edge
    rgb = camera.expose(planes, np.ones((60, 60), np.float32), (1,))
    blue = rgb[30, :, 2] / 240
    # a Gaussian edge has fallen to 84 % one standard deviation (4 px) before its middle (29.5)
    assert np.interp(0.16, 1 - blue, np.arange(60)) == pytest.approx(25.5, abs=0.3)


@pytest.mark.parametrize("wrong", [{"white_rgb": (0, 1, 1)}, {"psf_um": -1}, {"flare": -0.1}])
def test_refusals(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Optics(**wrong)  # type: ignore[arg-type]


def test_sharpening_steepens_an_edge_and_keeps_the_flat() -> None:
    def row(sharpening: float) -> np.ndarray:
        optics = Optics(noise_grey=0.0, flare=0.0, unevenness=0.0, sharpening=sharpening)
        camera = Camera.make(optics, 0.25, DYES, np.random.default_rng(0))
        planes = np.zeros((60, 60, 3), np.float32)
        planes[:, 30:, 0] = 0.5
        inner = 60 - 2 * camera.halo_px
        return camera.expose(planes, np.ones((inner, inner), np.float32), (1,))[inner // 2, :, 0].astype(int)

    soft, sharp = row(0.0), row(1.5)
    assert np.abs(np.diff(sharp)).max() > 1.3 * np.abs(np.diff(soft)).max()
    assert sharp[0] == pytest.approx(soft[0], abs=2)


def test_jpeg_takes_noise_away_and_says_what_it_takes() -> None:
    def noise(quality: int | None) -> float:
        camera = Camera.make(
            Optics(noise_grey=4.0, jpeg_quality=quality), 0.25, DYES, np.random.default_rng(0)
        )
        side = 64 + 2 * camera.halo_px
        rgb = camera.expose(np.full((side, side, 3), 0.2, np.float32), np.ones((64, 64), np.float32), (1,))
        return float(rgb[..., 2].astype(float).std())

    assert noise(40) < 0.8 * noise(None)
    with pytest.raises(ValueError, match="jpeg_quality"):
        Optics(jpeg_quality=0)
    with pytest.raises(ValueError, match="sharpening_um"):
        Optics(sharpening_um=0.0)
