"""The network, as torch trains it; :class:`ihcscore.cells.NetworkFinder` reads what it is exported to."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Features at 1, 2 and 4 µm per pixel.
WIDTHS = (8, 16, 32)
N_PLANES = 4
N_HEADS = 4
# Share of a map that is a cell, before anything is learnt.
PRIOR_LOG_ODDS = -4.0


class Layer(nn.Module):
    """A 3 × 3 convolution, or a 4 × 4 one that halves the resolution, normalised and rectified.

    The halving one has an even kernel, so that it is centred between the pixels: an odd one with a stride
    would prefer one side, and a turned picture would be seen half a pixel off.
    """

    def __init__(self, n_in: int, n_out: int, *, halving: bool = False) -> None:
        super().__init__()
        side, stride = (4, 2) if halving else (3, 1)
        self.convolution = nn.Conv2d(n_in, n_out, side, stride, 1, bias=False)
        self.normalisation = nn.BatchNorm2d(n_out)

    def forward(self, planes: Tensor) -> Tensor:
        """Rectified features."""
        return functional.relu(self.normalisation(self.convolution(planes)), inplace=True)


class Network(nn.Module):
    """Stain planes at 0.5 µm per pixel → log odds of each head at 1 µm per pixel.

    Down to 4 µm per pixel and back; what was seen on the way down is added on the way up.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.down_1 = nn.Sequential(Layer(N_PLANES, fine, halving=True), Layer(fine, fine))
        self.down_2 = nn.Sequential(Layer(fine, middle, halving=True), Layer(middle, middle))
        self.down_4 = nn.Sequential(
            Layer(middle, coarse, halving=True), Layer(coarse, coarse), Layer(coarse, coarse)
        )
        self.up_2, self.join_2 = nn.Conv2d(coarse, middle, 1), Layer(middle, middle)
        self.up_1, self.join_1 = nn.Conv2d(middle, fine, 1), Layer(fine, fine)
        self.heads = nn.Conv2d(fine, N_HEADS, 1)
        nn.init.constant_(self.heads.bias, PRIOR_LOG_ODDS)  # type: ignore[arg-type]

    def forward(self, planes: Tensor) -> Tensor:
        """Log odds, shape (n, heads, height / 2, width / 2), of planes whose sides are multiples of 8."""
        at_1 = self.down_1(planes)
        at_2 = self.down_2(at_1)
        at_4 = self.down_4(at_2)
        at_2 = self.join_2(functional.interpolate(self.up_2(at_4), scale_factor=2.0, mode="nearest") + at_2)
        at_1 = self.join_1(functional.interpolate(self.up_1(at_2), scale_factor=2.0, mode="nearest") + at_1)
        log_odds: Tensor = self.heads(at_1)
        return log_odds


class Pair(nn.Module):
    """Two networks side by side: cells by the mean of both, pigment by the one that was trained for it.

    One network alone learnt cells worse, the more weight pigment had.
    """

    def __init__(self, cells: Network, melanin: Network) -> None:
        super().__init__()
        self.cells, self.melanin = cells, melanin

    def forward(self, planes: Tensor) -> Tensor:
        """Log odds, as of each."""
        one, other = self.cells(planes), self.melanin(planes)
        last = N_HEADS - 1
        return torch.cat([(one[:, :last] + other[:, :last]) / 2, other[:, last:]], dim=1)


def onnx_bytes(network: nn.Module) -> bytes:
    """The network as ONNX. OpenCV runs it on pictures of any size, though the file names one."""
    import io

    file = io.BytesIO()
    torch.onnx.export(
        network.eval(), (torch.zeros(1, N_PLANES, 64, 64),), file, input_names=["planes"],
        output_names=["log_odds"], opset_version=12, dynamo=False,
    )  # fmt: skip
    return file.getvalue()
