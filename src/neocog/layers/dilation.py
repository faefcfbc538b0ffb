"""Maps at a finer stride from the same weights: strides give way to dilations (the hole algorithm, à trous).

L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, "Semantic Image Segmentation with Deep Convolutional
Nets and Fully Connected CRFs", 2014, https://arxiv.org/abs/1412.7062, section 3.1
"""

from collections.abc import Iterable

from torch import nn

from neocog.errors import UsageError
from neocog.layers.dilated_pooling import DilatedAvgPool2d, DilatedMaxPool2d
from neocog.layers.reach import Reach, reach, recorded_reaches
from neocog.layers.residual import ZeroPadShortcut

__all__ = ["dilate"]


def dilate(stages: Iterable[nn.Module], stride: int, *, strided_too: bool = False) -> list[nn.Module]:
    """Change convolutions and poolings so that no map is coarser than a stride; weights and their number stay.

    What strode beyond it strides no more, and what follows looks as many times further apart, so that the points that
    the unchanged network has are among those of the changed one, with the same values: the first of every k-th row and
    column, where the map has become k times finer. Those between them are what it gives for a shifted image, where no
    padding plays in. What looks at the whole map, as squeeze and excitation does, sees more points of it than before.

    Args:
        stages: modules in the order in which the image meets them; changed in place.
        stride: the coarsest that is left, in pixels of the image.
        strided_too: a window that strode beyond `stride` is spread at once, by its own stride, as in torchvision's
            dilated MobileNetV3; else only those after it are. Its values are then not those of the unchanged network.

    Returns:
        stages: the same modules. Only poolings give way to other modules, where torch's own have no such form; a pooling
        that is a stage by itself is thus a new one here.

    Raises:
        UsageError: a layer would have to be spread that cannot be, such as a blurring that strides.
    """
    whole = nn.ModuleList(stages)
    before = Reach()
    with recorded_reaches() as record:
        for stage in whole:
            before = reach(stage, before, 1)
    instead = {module: _dilated(module, found.stride, stride, strided_too) for module, found in record.items()}
    for parent in list(whole.modules()):
        for name, child in list(parent.named_children()):
            if instead.get(child, child) is not child:
                parent.register_module(name, instead[child])
    return list(whole)


def _dilated(module: nn.Module, output: int, most: int, strided_too: bool) -> nn.Module:
    """A module that does not stride beyond `most` pixels, where its output had a stride of `output`; itself wherever that can be."""
    if getattr(module, "stride", None) is None or output <= most:
        return module
    if not isinstance(module, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d, ZeroPadShortcut)):
        raise _cannot(type(module).__name__, output)
    entering = output // _pair(module.stride)[0]
    times = max((output if strided_too else entering) // most, 1)
    kept = max(most // entering, 1)
    if isinstance(module, ZeroPadShortcut):
        module.stride = kept
    elif isinstance(module, nn.Conv2d):
        _spread(module, times, kept, output)
    elif isinstance(module, nn.MaxPool2d):
        return _spread_maxima(module, times, kept, output)
    else:
        return _spread_means(module, times, kept)
    return module


def _spread(conv: nn.Conv2d, times: int, kept: int, output: int) -> None:
    conv.stride = (kept, kept)
    if times == 1 or conv.kernel_size == (1, 1):
        return
    if conv.padding_mode != "zeros":
        raise _cannot(f"Conv2d padded by mode {conv.padding_mode}", output)
    conv.dilation = _times(conv.dilation, times)
    if not isinstance(conv.padding, str):  # in words it follows the dilation
        conv.padding = _times(conv.padding, times)


def _spread_maxima(pool: nn.MaxPool2d, times: int, kept: int, output: int) -> nn.Module:
    padding, dilation = _pair(pool.padding), _pair(pool.dilation)
    beyond = _beyond(pool, dilation, times)
    if any(beyond) or (times > 1 and any(padding)):
        if pool.return_indices:
            raise _cannot("MaxPool2d with indices", output)
        return DilatedMaxPool2d(
            _pair(pool.kernel_size),
            stride=(kept, kept),
            padding=_times(padding, times),
            dilation=_times(dilation, times),
            beyond=beyond,
        )
    pool.stride, pool.dilation = (kept, kept), _times(dilation, times)
    return pool


def _spread_means(pool: nn.AvgPool2d, times: int, kept: int) -> nn.Module:
    beyond = _beyond(pool, (1, 1), times)
    if times == 1 and not any(beyond):
        pool.stride = (kept, kept)
        return pool
    return DilatedAvgPool2d(
        _pair(pool.kernel_size),
        stride=(kept, kept),
        padding=_times(_pair(pool.padding), times),
        dilation=(times, times),
        beyond=beyond,
        count_include_pad=pool.count_include_pad,
        divisor=pool.divisor_override,
    )


def _beyond(pool: nn.MaxPool2d | nn.AvgPool2d, dilation: tuple[int, int], times: int) -> tuple[int, int]:
    """How far windows reach over the padding where sizes round up: they strode, and had to begin on the map or before it."""
    if not pool.ceil_mode:
        return (0, 0)
    sides = zip(_pair(pool.stride), _pair(pool.kernel_size), _pair(pool.padding), dilation, strict=True)
    rows, columns = (times * min(stride - 1, (kernel - 1) * step - padding) for stride, kernel, padding, step in sides)
    return rows, columns


def _cannot(layer: str, stride: int) -> UsageError:
    return UsageError("layers that can be dilated", f"{layer} up to stride {stride}", "choose another backbone")


def _times(pair: tuple[int, ...], factor: int) -> tuple[int, int]:
    rows, columns = pair
    return rows * factor, columns * factor


def _pair(value: int | tuple[int, ...]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])
