"""What of the image a unit depends on, found by its gradient: to be held against what kernels and strides allow.

A. Araujo, W. Norris, J. Sim, "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019,
https://doi.org/10.23915/distill.00021, for the rectangle that can matter (`neocog.layers.reach`);
W. Luo, Y. Li, R. Urtasun, R. Zemel, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
2017, https://arxiv.org/abs/1701.04128, for how little of it does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.explain.activations import watched
from neocog.explain.top_patches import Window

__all__ = ["MOST", "Point", "Probed", "probe"]

MOST = 0.95
"""Share of the gradient's sum of squares that the effective field holds."""

NOISE = 0.1  # standard deviation of what is added to the image, on the scale [0, 1]


class Point(NamedTuple):
    """One place of a layer's feature map, and what it can see by kernels and strides.

    Attributes:
        layer: dotted name.
        row: of the map; of no account for a dense layer.
        column: likewise.
        window: of the image.
    """

    layer: str
    row: int
    column: int
    window: Window


@dataclass(frozen=True)
class Probed:
    """Where the gradient of a unit's activations by the image is not 0.

    Attributes:
        field: the root of the mean square of the gradient at each pixel, over colours and copies of the image.
        support: the least rectangle that holds every pixel with a gradient; None where there is none at all.
        effective: the least rectangle around the window's middle, of the same shape as the image's share of the window, that
            holds 95 % of the gradient's sum of squares; None where there is none.
    """

    field: Float[Tensor, "h w"]
    support: Window | None
    effective: Window | None


def probe(
    module: nn.Module,
    run: Callable[[Tensor], object],
    image: Float[Tensor, "c h w"],
    *,
    point: Point,
    copies: int,
    generator: torch.Generator,
) -> Probed:
    """The gradient of all channels of a layer at one place, by the image.

    Maxima and rectifiers pass on only what won, which differs from image to image. So copies of the image are asked with
    noise added, and at each the channels are weighted at random so that they do not cancel.

    Args:
        module: the network.
        run: sends images in [0, 1] through it, at least up to the layer.
        image: in [0, 1].
        point: the effective field lies around the middle of its window.
        copies: how many, the image itself first.
        generator: of noise and weights.
    """
    energy = torch.zeros(image.shape[1:], dtype=torch.float64)
    for copy in range(copies):
        noise = NOISE * torch.randn(image.shape, generator=generator) if copy else torch.zeros(image.shape)
        given = (image.cpu() + noise).clamp(0, 1).to(image.device)[None].requires_grad_(True)
        sums: list[Tensor] = []

        def take(maps: Tensor, sums: list[Tensor] = sums) -> None:
            at = maps[0, :, point.row, point.column] if maps.ndim == 4 else maps[0]
            weights = torch.randn(at.shape, generator=generator).to(at.device)
            sums.append((at * weights).sum())

        with torch.enable_grad(), watched(module, {point.layer: take}):
            run(given)
        (gradient,) = torch.autograd.grad(sums[-1], given)
        energy += gradient[0].detach().double().square().sum(0).cpu()
    return Probed((energy / copies).sqrt().float(), _support(energy), _effective(energy, point.window))


def _support(energy: Tensor) -> Window | None:
    rows, columns = (energy.sum(axis).nonzero().flatten() for axis in (1, 0))
    if not len(rows):
        return None
    return Window(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _effective(energy: Tensor, window: Window) -> Window | None:
    """Rectangles grow from the middle of the window by the same share of its sides until they hold enough."""
    total = float(energy.sum())
    if not total:
        return None
    height, width = window.bottom - window.top, window.right - window.left
    for margin in range(min(height, width) // 2, -1, -1):
        inner = Window(
            window.top + margin, window.left + margin * width // height, window.bottom - margin, window.right - margin * width // height
        )
        top, left, bottom, right = inner.within(*energy.shape)
        if bottom > top and right > left and float(energy[top:bottom, left:right].sum()) >= MOST * total:
            return Window(top, left, bottom, right)
    return Window(0, 0, *energy.shape)
