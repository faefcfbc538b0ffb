"""Enlarging maps without a checkerboard: resize, then convolve.

A. Odena, V. Dumoulin, C. Olah, "Deconvolution and Checkerboard Artifacts", Distill 2016,
https://doi.org/10.23915/distill.00003
"""

import torch
from jaxtyping import Int64
from torch import Tensor, nn

from neocog.layers.reach import Reach

__all__ = ["ResizeConvolution", "checkerboard", "painted_times"]


class ResizeConvolution(nn.Sequential):
    """Every pixel becomes a square of `scale` x `scale` equal ones, then a convolution; a constant stays a constant.

    The convolution repeats the border outwards, so that this holds at the border too.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: side of the square kernel, in pixels of the output; odd.
        scale: how many times higher and wider the output is.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, scale: int = 2) -> None:
        super().__init__()
        self.scale, self.kernel = scale, kernel
        self.resize = nn.Upsample(scale_factor=scale, mode="nearest")
        self.conv = nn.Conv2d(in_channels, out_channels, kernel, padding=kernel // 2, padding_mode="replicate")

    def reach(self, before: Reach, side: int) -> Reach:
        """Finer by `scale`; the kernel covers at most (kernel - 2) // scale + 2 pixels of the input in a row.

        Raises:
            TypeError: points would lie closer than pixels of the image.
        """
        if before.stride % self.scale:
            raise TypeError(f"expected maps at a stride that {self.scale} divides, found stride {before.stride}")
        further = ((self.kernel - 2) // self.scale + 1) * before.stride
        first = -(self.kernel // 2) // self.scale * before.stride
        return Reach(before.stride // self.scale, before.height + further, before.width + further, before.top + first, before.left + first)


def painted_times(kernel: int, stride: int) -> Int64[Tensor, "stride stride"]:
    """How many values of the input paint each pixel of a transposed convolution's output, far from the border.

    The pattern repeats with the stride. It is even where the stride divides the kernel, else a checkerboard: kernel 3
    with stride 2 gives [[4, 2], [2, 1]].

    Args:
        kernel: side of the square kernel in pixels.
        stride: from one painting to the next, in pixels of the output.
    """
    row = torch.tensor([len(range(phase, kernel, stride)) for phase in range(stride)])
    return row[:, None] * row


def checkerboard(upsampling: nn.Module, channels: int, side: int = 12) -> float:
    """How much a module makes of a constant picture what is not constant: (largest - smallest) / largest magnitude.

    0 is even, 1 reaches from nothing to the full value, 2 changes sign. It is the worst of all channels, over the middle
    third of the output, which the border does not reach. Biases count as the module adds them.

    Args:
        upsampling: from maps "1 channels side side" to larger ones; on the CPU.
        channels: of its input.
        side: of the constant picture, in pixels.
    """
    with torch.no_grad():
        maps = upsampling(torch.ones(1, channels, side, side))[0]
    height, width = maps.shape[-2:]
    middle = maps[:, height // 3 : height - height // 3, width // 3 : width - width // 3].flatten(1)
    spread = middle.amax(1) - middle.amin(1)
    return float((spread / middle.abs().amax(1).clamp(min=torch.finfo(maps.dtype).tiny)).max())
