"""What takes long to draw and can serve many tiles: cells, noise, fibres and clouds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ihcscore.planes import Plane
from ihcscore.synthetic.draw.optics import draw_sensor_noise
from ihcscore.synthetic.draw.sprites import SpriteBank
from ihcscore.synthetic.draw.texture import Fibres, draw_cloud, draw_fibres


@dataclass(frozen=True, kw_only=True)
class Stock:
    """Ready-made parts of one scale.

    Attributes
    ----------
    bank : SpriteBank
        Cells to take from; drawn when they are first asked for.
    noise : ndarray of float32, shape (m, m, 3)
        The sensor's, of unit standard deviation; repeats.
    cloud : ndarray of float32, shape (n, n)
        Cytoplasm; mean 0, standard deviation 1; repeats.
    fibres : Fibres
        Collagen of the stroma; repeats.
    """

    bank: SpriteBank
    noise: NDArray[np.float32]
    cloud: Plane
    fibres: Fibres

    @classmethod
    def make(
        cls, mpp_um: float, side_px: int, *, seed: int, variants: int, rng: np.random.Generator
    ) -> Stock:
        """Stock whose textures repeat every `side_px` pixels; cells are of `seed`, textures of `rng`."""
        return cls(
            bank=SpriteBank(mpp_um=mpp_um, seed=seed, variants=variants),
            noise=draw_sensor_noise(rng),
            cloud=draw_cloud(side_px, mpp_um, rng),
            fibres=draw_fibres(side_px, mpp_um, rng),
        )

    def shifted(self, rng: np.random.Generator) -> Stock:
        """The same with its textures moved at random, so that two tiles do not have the same ground."""
        by = tuple(int(n) for n in rng.integers(0, self.cloud.shape[0], 2))
        fibres = Fibres(
            density=np.roll(self.fibres.density, by, axis=(0, 1)),
            angle=np.roll(self.fibres.angle, by, axis=(0, 1)),
        )
        return replace(self, cloud=np.roll(self.cloud, by[::-1], axis=(0, 1)), fibres=fibres)
