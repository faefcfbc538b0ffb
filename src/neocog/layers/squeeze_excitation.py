"""Squeeze and excitation: the whole picture decides how much each channel counts.

J. Hu, L. Shen, S. Albanie, G. Sun, E. Wu, "Squeeze-and-Excitation Networks", 2017,
https://arxiv.org/abs/1709.01507, section 3, figure 1
"""

from jaxtyping import Float
from torch import Tensor, nn

from neocog.layers.reach import Reach, reach

__all__ = ["SqueezeExcitation"]


class SqueezeExcitation(nn.Module):
    """maps * gate(W2 activation(W1 mean(maps))), one factor for each channel of each picture.

    W1 and W2 are 1x1 convolutions with biases: on means, which are maps of one point, these are linear layers.

    Args:
        channels: of the input and the output.
        squeezed: channels between the two convolutions.
        activation: the module between them; the paper's is ReLU.
        gate: the module that bounds the factors; the paper's is the sigmoid.
    """

    def __init__(self, channels: int, squeezed: int, activation: nn.Module | None = None, gate: nn.Module | None = None) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.activation = activation or nn.ReLU(inplace=True)
        self.excite = nn.Conv2d(squeezed, channels, 1)
        self.gate = gate or nn.Sigmoid()

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The maps, each channel times its factor."""
        factors: Tensor = self.gate(self.excite(self.activation(self.squeeze(self.pool(maps)))))
        return factors * maps

    def reach(self, before: Reach, side: int) -> Reach:
        """That of the input: that the factors see the whole picture is not counted; see `neocog.layers.reach`."""
        seen = before
        for layer in (self.pool, self.squeeze, self.activation, self.excite, self.gate):
            seen = reach(layer, seen, side)
        return before
