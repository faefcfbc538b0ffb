"""Max unpooling: every maximum goes back to where it was found.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
https://arxiv.org/abs/1311.2901, section 2.1 (there the places are called switches)
V. Badrinarayanan, A. Kendall, R. Cipolla, "SegNet: A Deep Convolutional Encoder-Decoder Architecture for Image
Segmentation", 2015, https://arxiv.org/abs/1511.00561, section 3
"""

from jaxtyping import Float, Int64
from torch import Tensor, nn

from neocog.images import Size

__all__ = ["Unpool", "unpool"]


def unpool(maps: Float[Tensor, "b c m n"], switches: Int64[Tensor, "b c m n"], size: Size) -> Float[Tensor, "b c h w"]:
    """Put each value at its switch, and 0 elsewhere.

    Where windows overlap, one pixel may be the maximum of several: its values are added, which makes this the exact
    transpose of taking the maxima, and so the gradient of max pooling. `nn.MaxUnpool2d` keeps one of the values
    instead, and which one is not determined; without overlap both agree.

    Args:
        maps: at the size that the pooling gave.
        switches: the indices that `nn.MaxPool2d(..., return_indices=True)` gave: row * width + column of each maximum in
            its channel, in pixels of what was pooled.
        size: height and width of what was pooled.
    """
    flat = maps.new_zeros(*maps.shape[:2], size[0] * size[1])
    return flat.scatter_add(2, switches.flatten(2), maps.flatten(2)).view(*maps.shape[:2], *size)


class Unpool(nn.Module):
    """`unpool` as a module, for networks whose decoder undoes the poolings of their encoder. It has no weights."""

    def forward(self, maps: Float[Tensor, "b c m n"], switches: Int64[Tensor, "b c m n"], size: Size) -> Float[Tensor, "b c h w"]:
        """As `unpool`."""
        return unpool(maps, switches, size)
