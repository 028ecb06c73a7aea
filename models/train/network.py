"""The network, as torch trains it; :class:`ihcscore.cells.NetworkFinder` reads what it is exported to.

Every feature comes in eight copies, one for each way in which a picture can be turned by quarters and mirrored
(group-equivariant convolutions: Cohen and Welling 2016, arXiv:1602.07576). A turned or mirrored field therefore
gives the turned or mirrored answer, to the last bit of rounding, without being looked at eight times.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

# Features at 1, 2 and 4 µm per pixel, in eight copies each.
WIDTHS = (2, 4, 6)
N_PLANES = 4
N_HEADS = 4
N_TURNS = 8
# Share of a map that is a cell, before anything is learnt.
PRIOR_LOG_ODDS = -4.0


def turned(image: Tensor, turn: int) -> Tensor:
    """The last two axes mirrored (turns 4 to 7), then turned by quarters."""
    return torch.rot90(image.flip(-1) if turn >= 4 else image, turn % 4, (-2, -1))


def _quotients() -> list[list[int]]:
    """Row h, column g: the turn that, followed by h, is g."""
    picture = torch.arange(9).reshape(3, 3)
    ends = [turned(picture, turn) for turn in range(N_TURNS)]

    def named(image: Tensor) -> int:
        return next(turn for turn, end in enumerate(ends) if torch.equal(image, end))

    after = [[named(turned(ends[first], then)) for first in range(N_TURNS)] for then in range(N_TURNS)]
    return [[row.index(g) for g in range(N_TURNS)] for row in after]


QUOTIENTS = torch.tensor(_quotients())


class Turning(nn.Module):
    """A convolution that knows no direction: plain weights are made of a feature's own on each use.

    Parameters
    ----------
    n_in, n_out : int
        Features in and out.
    side : int
        Of the kernel.
    stride : int
    lifting : bool
        Whether what comes in are planes, not features in eight copies.
    bias : bool
    """

    def __init__(
        self, n_in: int, n_out: int, side: int, *, stride: int = 1, lifting: bool = False, bias: bool = False
    ) -> None:
        super().__init__()
        copies = 1 if lifting else N_TURNS
        self.stride, self.padding, self.lifting = stride, (side - 1) // 2, lifting
        spread = math.sqrt(2 / (n_in * copies * side * side))
        self.weight = nn.Parameter(torch.randn(n_out, n_in, copies, side, side) * spread)
        self.bias = nn.Parameter(torch.zeros(n_out)) if bias else None

    def plain_weight(self) -> Tensor:
        """Weights of an ordinary convolution, shape (8 n_out, n_in or 8 n_in, side, side)."""
        n_out, n_in, copies, side, _ = self.weight.shape
        rows = [
            turned(self.weight if self.lifting else self.weight[:, :, QUOTIENTS[turn]], turn)
            for turn in range(N_TURNS)
        ]
        return torch.stack(rows, dim=1).reshape(n_out * N_TURNS, n_in * copies, side, side)

    def plain_bias(self) -> Tensor | None:
        """Bias of an ordinary convolution."""
        return None if self.bias is None else self.bias.repeat_interleave(N_TURNS)

    def forward(self, planes: Tensor) -> Tensor:
        """Features in eight copies."""
        return functional.conv2d(planes, self.plain_weight(), self.plain_bias(), self.stride, self.padding)


class Layer(nn.Module):
    """A 3 × 3 convolution, or a 4 × 4 one that halves the resolution, normalised and rectified.

    The halving one has an even kernel, so that it is centred between the pixels: an odd one with a stride
    would prefer one side.
    """

    def __init__(self, n_in: int, n_out: int, *, halving: bool = False, lifting: bool = False) -> None:
        super().__init__()
        side, stride = (4, 2) if halving else (3, 1)
        self.convolution = Turning(n_in, n_out, side, stride=stride, lifting=lifting)
        self.normalisation = nn.BatchNorm3d(n_out)

    def forward(self, planes: Tensor) -> Tensor:
        """Rectified features."""
        out = self.convolution(planes)
        n, channels, height, width = out.shape
        grouped = self.normalisation(out.view(n, channels // N_TURNS, N_TURNS, height, width))
        return functional.relu(grouped.view(n, channels, height, width), inplace=True)

    def plain(self) -> nn.Sequential:
        """The same as an ordinary convolution that holds the normalisation."""
        norm, weight = self.normalisation, self.convolution.plain_weight().detach()
        scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
        shift = (norm.bias - norm.running_mean * scale).detach().repeat_interleave(N_TURNS)
        n_out, n_in, side, _ = weight.shape
        one = nn.Conv2d(n_in, n_out, side, self.convolution.stride, self.convolution.padding)
        one.weight = nn.Parameter(weight * scale.repeat_interleave(N_TURNS)[:, None, None, None])
        one.bias = nn.Parameter(shift)
        return nn.Sequential(one, nn.ReLU())


class Heads(nn.Module):
    """Log odds of each head: the same of all eight copies of a feature."""

    def __init__(self, n_in: int, n_heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_heads, n_in) / math.sqrt(n_in))
        self.bias = nn.Parameter(torch.full((n_heads,), PRIOR_LOG_ODDS))

    def plain(self) -> nn.Conv2d:
        """The same as an ordinary convolution."""
        n_heads, n_in = self.weight.shape
        one = nn.Conv2d(n_in * N_TURNS, n_heads, 1)
        one.weight = nn.Parameter(
            (self.weight / N_TURNS).repeat_interleave(N_TURNS, 1)[:, :, None, None].detach()
        )
        one.bias = nn.Parameter(self.bias.detach())
        return one

    def forward(self, features: Tensor) -> Tensor:
        """Log odds."""
        weight = (self.weight / N_TURNS).repeat_interleave(N_TURNS, 1)[:, :, None, None]
        return functional.conv2d(features, weight, self.bias)


class Network(nn.Module):
    """Stain planes at 0.5 µm per pixel → log odds of each head at 1 µm per pixel.

    Down to 4 µm per pixel and back; what was seen on the way down is added on the way up.
    """

    def __init__(self, widths: tuple[int, int, int] = WIDTHS, n_heads: int = N_HEADS) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.down_1 = nn.Sequential(Layer(N_PLANES, fine, halving=True, lifting=True), Layer(fine, fine))
        self.down_2 = nn.Sequential(Layer(fine, middle, halving=True), Layer(middle, middle))
        self.down_4 = nn.Sequential(
            Layer(middle, coarse, halving=True), Layer(coarse, coarse), Layer(coarse, coarse)
        )
        self.up_2: nn.Module = Turning(coarse, middle, 1, bias=True)
        self.up_1: nn.Module = Turning(middle, fine, 1, bias=True)
        self.join_2: nn.Module = Layer(middle, middle)
        self.join_1: nn.Module = Layer(fine, fine)
        self.heads: nn.Module = Heads(fine, n_heads)

    def forward(self, planes: Tensor) -> Tensor:
        """Log odds, shape (n, heads, height / 2, width / 2), of planes whose sides are multiples of 8."""
        at_1 = self.down_1(planes)
        at_2 = self.down_2(at_1)
        at_4 = self.down_4(at_2)
        at_2 = self.join_2(functional.interpolate(self.up_2(at_4), scale_factor=2, mode="nearest") + at_2)
        at_1 = self.join_1(functional.interpolate(self.up_1(at_2), scale_factor=2, mode="nearest") + at_1)
        log_odds: Tensor = self.heads(at_1)
        return log_odds

    def plain(self) -> Network:
        """The same network of ordinary convolutions, for export."""
        import copy

        one = copy.deepcopy(self).eval()
        for name in ("down_1", "down_2", "down_4"):
            layers = getattr(one, name)
            setattr(one, name, nn.Sequential(*(layer.plain() for layer in layers)))
        one.join_2, one.join_1, one.heads = one.join_2.plain(), one.join_1.plain(), one.heads.plain()
        for name in ("up_2", "up_1"):
            old = getattr(one, name)
            weight = old.plain_weight().detach()
            new = nn.Conv2d(weight.shape[1], weight.shape[0], 1)
            new.weight, new.bias = nn.Parameter(weight), nn.Parameter(old.plain_bias().detach())
            setattr(one, name, new)
        return one
