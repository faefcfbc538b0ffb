"""Saliency with its noise averaged away: the mean of the derivatives at noisy copies of the image.

D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg, "SmoothGrad: removing noise by adding noise", 2017,
https://arxiv.org/abs/1706.03825, section 3.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.explain.gradient import at_once, gradient, strongest_channel
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["SmoothGradOptions", "smooth_grad"]


@dataclass(frozen=True)
class SmoothGradOptions:
    """What can be chosen about smooth_grad; the paper finds noise of 0.1 to 0.2 and 50 samples enough."""

    samples: int = option(50, "noisy copies of each image", low=1)
    noise: float = option(0.15, "standard deviation of the noise, as a share of the image's range of values", low=0)

    def __post_init__(self) -> None:
        check(self)


def smooth_grad(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: SmoothGradOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer. Every image gets the same samples of noise, scaled to its own range, so that it does not matter what is beside it."""
    sums = torch.zeros_like(images)
    scale = options.noise * (images.amax(dim=(1, 2, 3)) - images.amin(dim=(1, 2, 3)))
    for _ in range(options.samples):
        drawn = torch.randn(images.shape[1:], generator=generator, device=generator.device).to(images.device)
        for rows in torch.arange(len(images), device=images.device).split(at_once(images)):
            noisy = images[rows] + scale[rows, None, None, None] * drawn
            sums[rows] += gradient(objective.select(rows), noisy)
    return Attribution(strongest_channel(sums / options.samples), signed=False)


EXPLAINERS.add(
    "smooth_grad",
    Explainer(
        smooth_grad,
        SmoothGradOptions,
        summary="saliency, averaged over noisy copies of the picture",
        source="D. Smilkov, N. Thorat, B. Kim, F. Viégas, M. Wattenberg, SmoothGrad, 2017, https://arxiv.org/abs/1706.03825",
    ),
)
