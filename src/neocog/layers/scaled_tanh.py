"""The squashing function of the early convolutional networks, and the initial weights that go with it.

Y. LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", 1989,
https://doi.org/10.1162/neco.1989.1.4.541, section 3.3
Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
https://doi.org/10.1109/5.726791, appendix A
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["ScaledTanh", "initialise_for_scaled_tanh", "uniform_by_fan_in"]

AMPLITUDE = 1.7159
SLOPE = 2 / 3
SPREAD = 2.4


class ScaledTanh(nn.Module):
    """1.7159 tanh(2x/3), which maps 1 to 1 and -1 to -1 and bends most just there.

    Targets of 1 and -1 are so within its range, where its slope has not vanished.
    """

    def forward(self, maps: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The same shape, in (-1.7159, 1.7159)."""
        return AMPLITUDE * torch.tanh(SLOPE * maps)


def uniform_by_fan_in(weight: Float[Tensor, "..."], fan_in: Float[Tensor, "..."] | float) -> None:
    """Draw weights evenly from both sides of zero, up to 2.4 over the number of inputs of the unit that they lead to.

    Args:
        weight: changed in place.
        fan_in: inputs of the unit; one number, or a tensor that can be broadcast to the weights.
    """
    with torch.no_grad():
        weight.uniform_(-1, 1).mul_(SPREAD / fan_in)


def initialise_for_scaled_tanh(module: nn.Module) -> None:
    """`uniform_by_fan_in` for all convolutions and linear layers; biases 0."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            uniform_by_fan_in(layer.weight, layer.weight[0].numel())
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
