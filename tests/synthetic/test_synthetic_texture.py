from __future__ import annotations

import numpy as np
import pytest

from ihcscore.synthetic.draw.texture import draw_fibres, smooth_noise, wrapped


@pytest.mark.parametrize("sigma_px", [0.5, 4.0, (2.0, 9.0)])
def test_noise_is_standard_and_periodic(sigma_px: float | tuple[float, float]) -> None:
    noise = smooth_noise((128, 96), sigma_px, np.random.default_rng(0))
    assert noise.shape == (128, 96)
    assert noise.dtype == np.float32
    assert noise.mean() == pytest.approx(0, abs=1e-4)
    assert noise.std() == pytest.approx(1, abs=1e-4)
    inner = np.abs(np.diff(noise, axis=0)).mean()
    assert np.abs(noise[0] - noise[-1]).mean() < 2 * inner


def test_wrapped_repeats() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    assert wrapped(image, -1, 2, (2, 6)).tolist() == [[11, 8, 9, 10, 11, 8], [3, 0, 1, 2, 3, 0]]


def test_fibres_run_along_their_angle() -> None:
    fibres = draw_fibres(256, 0.5, np.random.default_rng(3))
    dy, dx = np.gradient(fibres.density)
    along = np.abs(dx * np.cos(fibres.angle) + dy * np.sin(fibres.angle)).mean()
    across = np.abs(dy * np.cos(fibres.angle) - dx * np.sin(fibres.angle)).mean()
    assert across > 3 * along
