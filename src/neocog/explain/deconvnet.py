"""What in the image the answer comes from, by running it backwards through the network: flipped filters, switches, rectified.

M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013, https://arxiv.org/abs/1311.2901, section
2.1. The paper starts from one activation of a feature map: `neocog.explain.backward_rules.reconstruct` does; here the
signal starts from the network's answer.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.explain.backward_rules import Backward
from neocog.explain.gradient import gradient, strongest_channel
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import NoOptions

__all__ = ["deconvnet"]


def deconvnet(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: NoOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer; the rule is "deconvnet" of `neocog.explain.backward_rules`, and of the channels the strongest counts."""
    with Backward("deconvnet"):
        return Attribution(strongest_channel(gradient(objective, images)), signed=False)


EXPLAINERS.add(
    "deconvnet",
    Explainer(
        deconvnet,
        NoOptions,
        summary="the answer run backwards: flipped filters, the picture's own switches, rectified; hardly depends on the weights",
        source="M. Zeiler, R. Fergus, Visualizing and Understanding Convolutional Networks, 2013, https://arxiv.org/abs/1311.2901",
        must_fall=False,
    ),
)
