"""What in the image speaks for the answer along paths that are active and of positive influence all the way.

J. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for Simplicity: The All Convolutional Net", 2014,
https://arxiv.org/abs/1412.6806, section 3.4. It draws sharp edges, but of the picture more than of the decision:
J. Adebayo and others, 2018, found the same edges with random weights.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.explain.backward_rules import Backward
from neocog.explain.gradient import gradient, strongest_channel
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import NoOptions

__all__ = ["guided_backprop"]


def guided_backprop(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: NoOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer; the rule is "guided" of `neocog.explain.backward_rules`, and of the channels the strongest counts."""
    with Backward("guided"):
        return Attribution(strongest_channel(gradient(objective, images)), signed=False)


EXPLAINERS.add(
    "guided_backprop",
    Explainer(
        guided_backprop,
        NoOptions,
        summary="edges along paths that are active and positive; sharp, but hardly depends on the weights",
        source="J. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, Striving for Simplicity, 2014, https://arxiv.org/abs/1412.6806",
        must_fall=False,
    ),
)
