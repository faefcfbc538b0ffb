"""Local contrast normalisation: take off the mean of the surroundings, divide by their standard deviation.

K. Jarrett, K. Kavukcuoglu, M. Ranzato, Y. LeCun, "What is the Best Multi-Stage Architecture for Object
Recognition?", 2009, https://doi.org/10.1109/ICCV.2009.5459469, section 2 (layer N), after
N. Pinto, D. D. Cox, J. J. DiCarlo, "Why is Real-World Visual Object Recognition Hard?", 2008,
https://doi.org/10.1371/journal.pcbi.0040027

The paper does not say the width of its Gaussian, nor what happens at the border. Here the standard deviation is a
quarter of the window's side unless given, and at the border the weights of what lies inside are scaled up to sum 1,
so that a constant picture gives 0 everywhere. M. D. Zeiler and R. Fergus (2013, https://arxiv.org/abs/1311.2901,
figure 3) normalise contrast across maps at each place; that is `LocalResponseNorm`'s kind.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.errors import UsageError
from neocog.layers.filters import gaussian
from neocog.layers.reach import Reach

__all__ = ["LocalContrastNorm"]


class LocalContrastNorm(nn.Module):
    """v / max(c, deviation of v), with v = x - mean of x, and c each picture's mean deviation.

    Mean and deviation are weighted by a Gaussian window around each place and run over all channels together. The
    floor c keeps flat regions, where there is only noise, from being blown up.

    Args:
        size: side of the window in pixels; odd.
        sigma: standard deviation of the Gaussian in pixels; None for a quarter of `size`.
        epsilon: the least that is ever divided by.

    Raises:
        UsageError: the size is even.
    """

    window: Tensor

    def __init__(self, size: int = 9, sigma: float | None = None, epsilon: float = 1e-4) -> None:
        super().__init__()
        if size < 1 or size % 2 == 0:
            raise UsageError("a window with a middle: an odd size", str(size), f"use {size - 1} or {size + 1}" if size > 1 else "use 9")
        self.size, self.epsilon = size, epsilon
        self.register_buffer("window", gaussian(size, size / 4 if sigma is None else sigma), persistent=False)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The normalised maps."""
        inside = self._blurred(torch.ones_like(maps[:1, :1]))
        centred = maps - self._blurred(maps.mean(1, keepdim=True)) / inside
        variance = self._blurred(centred.square().mean(1, keepdim=True)) / inside
        deviation = variance.clamp(min=self.epsilon**2).sqrt()
        return centred / torch.maximum(deviation, deviation.mean((2, 3), keepdim=True))

    def _blurred(self, single: Tensor) -> Tensor:
        """A map "b 1 h w" under the window, with zeros beyond the border."""
        down, across, half = self.window[None, None, :, None], self.window[None, None, None, :], self.size // 2
        return functional.conv2d(functional.conv2d(single, down, padding=(half, 0)), across, padding=(0, half))

    def extra_repr(self) -> str:
        return f"size={self.size}"

    def reach(self, before: Reach, side: int) -> Reach:
        """Two windows, one after the other; the floor, a factor from the whole picture, is not counted."""
        blurred = before.through(self.size, padding=self.size // 2)
        return blurred.through(self.size, padding=self.size // 2)
