"""Stochastic depth: while training, a residual branch is left out at random.

G. Huang, Y. Sun, Z. Liu, D. Sedra, K. Weinberger, "Deep Networks with Stochastic Depth", 2016,
https://arxiv.org/abs/1603.09382, section 3

The paper draws once for a batch and, in evaluation, multiplies the branch by its probability of staying. Here, as in
EfficientNet, each picture of the batch draws for itself, and what stays is divided by that probability while training,
so that evaluation changes nothing.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["StochasticDepth"]


class StochasticDepth(nn.Module):
    """The maps of a picture, or zeros in their place. The last layer of a branch that is added to its input.

    It draws from torch's global generator of the maps' device.

    Args:
        p: probability of zeros, in [0, 1).

    Raises:
        ValueError: p is out of its range.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"expected a probability of leaving out that is at least 0 and below 1, found {p}")
        self.p = p

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The maps times 0 or 1 / (1 - p) for each picture; in evaluation the maps."""
        if not self.training or self.p == 0:
            return maps
        factors = torch.empty(len(maps), 1, 1, 1, dtype=maps.dtype, device=maps.device)
        return maps * factors.bernoulli_(1 - self.p).div_(1 - self.p)

    def extra_repr(self) -> str:
        """The probability, for printing."""
        return f"p={self.p:g}"
