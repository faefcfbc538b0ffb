"""Maps at a finer stride from the same weights: strides give way to dilations (the hole algorithm, à trous).

L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, "Semantic Image Segmentation with Deep Convolutional
Nets and Fully Connected CRFs", 2014, https://arxiv.org/abs/1412.7062, section 3.1
"""

from collections.abc import Iterable

from torch import nn

from neocog.errors import UsageError
from neocog.layers.reach import WINDOWED, Reach, reach, recorded_reaches

__all__ = ["dilate"]

Windowed = nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d


def dilate(stages: Iterable[nn.Module], stride: int, *, strided_too: bool = False) -> None:
    """Change convolutions and poolings so that no map is coarser than a stride.

    What strode beyond it strides no more, and what follows looks as many times further apart, so that without padding
    every output is one that the unchanged network gives for a shifted image. Weights and their number stay.

    Args:
        stages: modules in the order in which the image meets them; changed in place.
        stride: the coarsest that is left, in pixels of the image.
        strided_too: a window that strode beyond `stride` is spread at once, by its own stride, as in torchvision's
            dilated MobileNetV3; else only those after it are.

    Raises:
        UsageError: a layer would have to be spread that cannot be, such as an average pooling.
    """
    before = Reach()
    with recorded_reaches() as record:
        for stage in stages:
            before = reach(stage, before, 1)
    for module, found in record.items():
        if isinstance(module, WINDOWED):
            _spread(module, found.stride, stride, strided_too)
        elif getattr(module, "stride", 1) != 1 and found.stride > stride:
            raise _cannot(type(module).__name__, found.stride)


def _spread(module: Windowed, output: int, most: int, strided_too: bool) -> None:
    """Change one window, whose output had a stride of `output` pixels."""
    own = _pair(module.stride)[0]
    entering = output // own
    times = max((output if strided_too else entering) // most, 1)
    kept = max(min(most // entering, own), 1)
    if (times, kept) == (1, own):
        return
    if isinstance(module, nn.AvgPool2d) and times > 1:
        raise _cannot("AvgPool2d", output)
    module.stride = (kept, kept)
    if isinstance(module, nn.AvgPool2d) or _pair(module.kernel_size) == (1, 1):
        return
    dilation = _pair(module.dilation)
    module.dilation = (dilation[0] * times, dilation[1] * times)
    rows, columns = _pair(module.padding)
    if isinstance(module, nn.MaxPool2d) and 2 * times * max(rows, columns) > min(_pair(module.kernel_size)):
        raise _cannot("MaxPool2d", output)  # torch pads by half of the elements at most
    module.padding = (rows * times, columns * times)


def _cannot(layer: str, stride: int) -> UsageError:
    return UsageError("layers that can be dilated", f"{layer} up to stride {stride}", "choose another backbone")


def _pair(value: int | str | tuple[int, ...]) -> tuple[int, ...]:
    if isinstance(value, str):
        raise TypeError(f"expected a padding in pixels, found {value!r}")
    return (value, value) if isinstance(value, int) else value
