"""A bias of its own for every unit of a map.

Y. LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition", 1989,
https://doi.org/10.1162/neco.1989.1.4.541, section 3.2
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LocalBias"]


class LocalBias(nn.Module):
    """Add to each point of each map a number that is learnt for this point alone.

    Where a convolution shares its bias over all points of a map, a network of 1989 shares only the kernels. Its
    maps have one size. Initial biases are 0.

    Args:
        channels: of the maps.
        height: of the maps.
        width: of the maps.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels, height, width))

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The same shape."""
        return maps + self.bias

    def multiply_adds(self, output: Tensor) -> int:
        """None: it only adds."""
        return 0
