"""Averages to a fixed number of points, so that dense layers can follow maps of any size."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["AverageTo"]


class AverageTo(nn.Module):
    """Adaptive average pooling: of n windows, window i covers the rows from floor(i h / n) to below ceil((i + 1) h / n).

    What `nn.AdaptiveAvgPool2d` computes, as products with two small matrices: its own gradient is not deterministic
    on CUDA. Maps that have the size already are passed on as they are.

    Args:
        side: rows and columns of the output.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
        """Maps of `side` rows and columns; smaller ones are repeated."""
        height, width = maps.shape[-2:]
        if height != self.side:
            maps = _windows(height, self.side, maps) @ maps
        if width != self.side:
            maps = maps @ _windows(width, self.side, maps).T
        return maps

    def extra_repr(self) -> str:
        return str(self.side)


def _windows(length: int, count: int, like: Tensor) -> Tensor:
    """A matrix "count length" whose rows average over one window each."""
    index = torch.arange(count, device=like.device)[:, None]
    start, end = index * length // count, ((index + 1) * length + count - 1) // count
    position = torch.arange(length, device=like.device)
    return ((start <= position) & (position < end)).to(like.dtype) / (end - start).to(like.dtype)
