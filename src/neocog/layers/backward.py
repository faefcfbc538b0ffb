"""The gradients of convolution, max pooling and batch normalisation in closed form.

docs/layers.md derives them. Training uses torch's own; these are here to be read, and are tested against autograd.
"""

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from neocog.images import Size
from neocog.layers.correlation import correlation
from neocog.layers.normalisation import normalise
from neocog.layers.unpooling import unpool

__all__ = ["batch_norm_backward", "correlation_backward", "max_pool_backward"]


def correlation_backward(
    gradient: Float[Tensor, "b d m n"],
    images: Float[Tensor, "b c h w"],
    kernels: Float[Tensor, "d e i j"],
    *,
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    groups: int = 1,
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, "d e i j"]]:
    """From the loss's gradient by the outputs of `correlation` to those by its images and its kernels; both are correlations.

    Args:
        gradient: by the outputs.
        images: that went in.
        kernels: that went in.
        stride: as in `correlation`, and so are the others.
        padding: as in `correlation`.
        dilation: as in `correlation`.
        groups: as in `correlation`.
    """
    spread = _spread(gradient, stride)
    by_images = _by_images(spread, images, kernels, padding, dilation, groups)
    by_kernels = _by_kernels(gradient, images, kernels, (stride, padding, dilation), groups)
    return by_images, by_kernels


def _by_images(spread: Tensor, images: Tensor, kernels: Tensor, padding: int, dilation: int, groups: int) -> Tensor:
    """Every pixel gathers from all outputs that read it: the full correlation with turned kernels, channels exchanged."""
    turned = kernels.flip(2, 3).unflatten(0, (groups, -1)).transpose(1, 2).flatten(0, 1)  # (g e) d/g i j
    edges = []  # what completes the spread gradient, so that the result has the images' size; negative cuts
    for axis in (3, 2):
        reached = dilation * (kernels.shape[axis] - 1)
        before = reached - padding
        edges += [before, images.shape[axis] + reached - before - spread.shape[axis]]
    return correlation(functional.pad(spread, edges), turned, dilation=dilation, groups=groups)


def _by_kernels(gradient: Tensor, images: Tensor, kernels: Tensor, steps: tuple[int, int, int], groups: int) -> Tensor:
    """Every weight gathers over samples and places: the images correlated with the gradient, stride and dilation exchanged."""
    stride, padding, dilation = steps
    parts = []
    for seen, sent in zip(images.chunk(groups, 1), gradient.chunk(groups, 1), strict=True):
        answer = correlation(seen.transpose(0, 1), sent.transpose(0, 1), stride=dilation, padding=padding, dilation=stride)
        parts.append(answer.transpose(0, 1)[..., : kernels.shape[2], : kernels.shape[3]])
    return torch.cat(parts)


def max_pool_backward(gradient: Float[Tensor, "b c m n"], switches: Int64[Tensor, "b c m n"], size: Size) -> Float[Tensor, "b c h w"]:
    """From the gradient by the maxima to that by the maps: each goes to the place where its maximum was found.

    Args:
        gradient: by the outputs of max pooling.
        switches: the indices of the maxima, as `nn.MaxPool2d(..., return_indices=True)` gives them.
        size: height and width of the maps.
    """
    return unpool(gradient, switches, size)


def batch_norm_backward(
    gradient: Float[Tensor, "b c h w"], maps: Float[Tensor, "b c h w"], scale: Float[Tensor, " c"], epsilon: float = 1e-5
) -> tuple[Float[Tensor, "b c h w"], Float[Tensor, " c"], Float[Tensor, " c"]]:
    """From the gradient by the outputs of `batch_norm` in training to those by its maps, its scale and its shift.

    S. Ioffe, C. Szegedy, 2015, https://arxiv.org/abs/1502.03167, section 3, with the chain of its six equations put
    together: the gradient less its mean, less its component along the normalised maps.

    Args:
        gradient: by the outputs.
        maps: that went in.
        scale: of each channel.
        epsilon: that was added to the variance.
    """
    axes = (0, 2, 3)
    normalised = normalise(maps, axes, epsilon)
    by_shift = gradient.sum(axes)
    by_scale = (gradient * normalised).sum(axes)
    count = maps[:, 0].numel()
    deviation = (maps.var(axes, correction=0) + epsilon).sqrt()
    rest = gradient - (by_shift / count)[:, None, None] - normalised * (by_scale / count)[:, None, None]
    return rest * (scale / deviation)[:, None, None], by_scale, by_shift


def _spread(gradient: Tensor, stride: int) -> Tensor:
    """The gradient with stride - 1 rows and columns of zeros between its own."""
    rows, columns = gradient.shape[2:]
    spread = gradient.new_zeros(*gradient.shape[:2], stride * (rows - 1) + 1, stride * (columns - 1) + 1)
    spread[:, :, ::stride, ::stride] = gradient
    return spread
