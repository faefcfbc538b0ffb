"""Convolution in which each output map sees only some of the input maps, by a table.

Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998,
https://doi.org/10.1109/5.726791, table I
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.layers.reach import Reach
from neocog.layers.scaled_tanh import uniform_by_fan_in

__all__ = ["TableConvolution"]


class TableConvolution(nn.Module):
    """A convolution that has a kernel for each pair of maps in its table, and none for the others.

    The kernels lie one after another in `weight`, "connections kernel kernel", in the order of the table; no
    parameter is kept for a pair that is not connected. Initial weights are uniform by the fan-in of their own
    output map, biases 0.

    Args:
        table: for each output map the numbers of the input maps that it sees.
        in_channels: how many input maps there are.
        kernel: side of the square kernels in pixels.
        stride: step of the kernels in pixels.
        bias: whether each output map has one.

    Raises:
        ValueError: an output map that sees nothing, one pair twice, or an input map that there is not.
    """

    def __init__(self, table: Sequence[Sequence[int]], in_channels: int, kernel: int, *, stride: int = 1, bias: bool = True) -> None:
        super().__init__()
        for inputs in table:
            if not inputs or len(set(inputs)) < len(inputs) or not set(inputs) <= set(range(in_channels)):
                raise ValueError(
                    f"expected some of the maps 0 to {in_channels - 1}, each once, for every output map, found {tuple(inputs)}"
                )
        self.in_channels, self.out_channels, self.kernel, self.stride = in_channels, len(table), kernel, stride
        # Plain numbers, not buffers: they are no state, and a network on the meta device has them too.
        self.pairs = tuple((output, source) for output, inputs in enumerate(table) for source in inputs)
        self.weight = nn.Parameter(torch.empty(len(self.pairs), kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(len(table))) if bias else None
        fan_in = torch.tensor([float(len(table[output]) * kernel**2) for output, _ in self.pairs])
        uniform_by_fan_in(self.weight, fan_in[:, None, None])

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """As a convolution without padding whose other kernels are 0."""
        outputs, inputs = (list(side) for side in zip(*self.pairs, strict=True))
        dense = self.weight.new_zeros(self.out_channels, self.in_channels, self.kernel, self.kernel)
        dense[outputs, inputs] = self.weight
        return functional.conv2d(maps, dense, self.bias, self.stride)

    def reach(self, before: Reach, side: int) -> Reach:
        """As a convolution: see `neocog.layers.reach`."""
        return before.through(self.kernel, stride=self.stride)

    def multiply_adds(self, output: Tensor) -> int:
        """One for each weight at each point of an output map."""
        return self.weight.numel() * output.shape[0] * output.shape[2] * output.shape[3]

    def extra_repr(self) -> str:
        """What it prints of itself."""
        return f"{self.in_channels}, {self.out_channels}, connections={len(self.pairs)}, kernel={self.kernel}, stride={self.stride}"
