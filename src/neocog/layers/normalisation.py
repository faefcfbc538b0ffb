"""Batch, layer, instance and group normalisation: one formula, (x - mean) / sqrt(variance + epsilon), over different axes.

    batch     all samples, one channel       S. Ioffe, C. Szegedy, 2015, https://arxiv.org/abs/1502.03167
    layer     one sample, all channels       J. L. Ba, J. R. Kiros, G. E. Hinton, 2016, https://arxiv.org/abs/1607.06450
    instance  one sample, one channel        D. Ulyanov, A. Vedaldi, V. Lempitsky, 2016, https://arxiv.org/abs/1607.08022
    group     one sample, some channels      Y. Wu, K. He, 2018, https://arxiv.org/abs/1803.08494

All average over both axes of the picture. These functions are here to be read; networks use `nn.BatchNorm2d` and its
like, which are faster and keep running statistics for evaluation.
"""

from jaxtyping import Float
from torch import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "normalise"]


def normalise(values: Float[Tensor, "*shape"], axes: tuple[int, ...], epsilon: float = 1e-5) -> Float[Tensor, "*shape"]:
    """Mean 0 and variance 1 over some axes; the variance is divided by the count, not by the count less one.

    Args:
        values: of any shape.
        axes: over which mean and variance are taken; each place on the other axes has its own.
        epsilon: added to the variance, so that constant values give 0.
    """
    mean = values.mean(axes, keepdim=True)
    variance = values.var(axes, correction=0, keepdim=True)
    return (values - mean) / (variance + epsilon).sqrt()


def batch_norm(
    maps: Float[Tensor, "b c h w"],
    scale: Float[Tensor, " c"] | None = None,
    shift: Float[Tensor, " c"] | None = None,
    epsilon: float = 1e-5,
) -> Float[Tensor, "b c h w"]:
    """Each channel over all samples and places (axes 0, 2, 3), as in training: samples depend on one another.

    In evaluation the running mean and variance stand in for the batch's. torch updates them by a tenth each step, the
    variance with the count less one.

    Args:
        maps: of a batch.
        scale: of each channel, after normalising (the paper's gamma); None for 1.
        shift: of each channel, after scaling (beta); None for 0.
        epsilon: added to the variance.
    """
    return _scaled(normalise(maps, (0, 2, 3), epsilon), scale, shift)


def layer_norm(
    maps: Float[Tensor, "b c h w"],
    scale: Float[Tensor, " c"] | None = None,
    shift: Float[Tensor, " c"] | None = None,
    epsilon: float = 1e-5,
) -> Float[Tensor, "b c h w"]:
    """Each sample over all channels and places (axes 1, 2, 3).

    Scale and shift have one value per channel, as group normalisation with one group; `nn.LayerNorm` has one per
    channel and place. Some later networks (ConvNeXt) normalise over the channels of each place alone, axis 1.

    Args:
        maps: of any batch.
        scale: as in `batch_norm`.
        shift: as in `batch_norm`.
        epsilon: added to the variance.
    """
    return _scaled(normalise(maps, (1, 2, 3), epsilon), scale, shift)


def instance_norm(
    maps: Float[Tensor, "b c h w"],
    scale: Float[Tensor, " c"] | None = None,
    shift: Float[Tensor, " c"] | None = None,
    epsilon: float = 1e-5,
) -> Float[Tensor, "b c h w"]:
    """Each channel of each sample over its places (axes 2, 3).

    Args:
        maps: of any batch.
        scale: as in `batch_norm`.
        shift: as in `batch_norm`.
        epsilon: added to the variance.
    """
    return _scaled(normalise(maps, (2, 3), epsilon), scale, shift)


def group_norm(
    maps: Float[Tensor, "b c h w"],
    groups: int,
    scale: Float[Tensor, " c"] | None = None,
    shift: Float[Tensor, " c"] | None = None,
    epsilon: float = 1e-5,
) -> Float[Tensor, "b c h w"]:
    """Each group of neighbouring channels of each sample over its places: axes 2, 3, 4 of "b groups c/groups h w".

    One group is layer normalisation, as many groups as channels are instance normalisation.

    Args:
        maps: of any batch.
        groups: how many; divides the number of channels.
        scale: as in `batch_norm`.
        shift: as in `batch_norm`.
        epsilon: added to the variance.
    """
    grouped = maps.unflatten(1, (groups, -1))
    return _scaled(normalise(grouped, (2, 3, 4), epsilon).flatten(1, 2), scale, shift)


def _scaled(maps: Tensor, scale: Tensor | None, shift: Tensor | None) -> Tensor:
    if scale is not None:
        maps = maps * scale[:, None, None]
    return maps if shift is None else maps + shift[:, None, None]
