"""Which pixels would change the score most, were they changed a little.

K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks: Visualising Image Classification Models and
Saliency Maps", 2013, https://arxiv.org/abs/1312.6034, section 3: the absolute derivative, the largest of the channels.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.explain.gradient import gradient, strongest_channel
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["SaliencyOptions", "saliency"]


@dataclass(frozen=True)
class SaliencyOptions:
    """What can be chosen about saliency."""

    of: Literal["score", "loss"] = option("score", "whose derivative: the score of the class as in the paper, or the loss")

    def __post_init__(self) -> None:
        check(self)


def saliency(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: SaliencyOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer."""
    return Attribution(strongest_channel(gradient(objective, images, options.of)), signed=False)


EXPLAINERS.add(
    "saliency",
    Explainer(
        saliency,
        SaliencyOptions,
        summary="the pixels that move the score most: its derivative by each pixel",
        source="K. Simonyan, A. Vedaldi, A. Zisserman, Deep Inside Convolutional Networks, 2013, https://arxiv.org/abs/1312.6034",
    ),
)
