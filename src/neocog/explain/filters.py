"""The weights of a layer as pictures: what each unit of the first layer adds up of an image."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.errors import UsageError
from neocog.explain.gabor import GaborFit, fit_gabor
from neocog.layers import TableConvolution
from neocog.registry import closest

__all__ = ["BINS", "Orientations", "first_layer_with_kernels", "fit_all", "kernels_of", "layers_with_kernels", "summarise"]

BINS = 8
"""Of the histogram of orientations, over half a turn: each 22.5 degrees wide, the first one around 0."""


@dataclass(frozen=True)
class Orientations:
    """What the Gabor functions of a layer's kernels say together.

    Attributes:
        kernels: how many were fitted.
        oriented: how many count as oriented; see `GaborFit`.
        histogram: how many of these lie in each of `BINS` directions, the first around 0 degrees (upright stripes).
        frequency: median of the oriented ones in cycles per pixel; None where there is none.
        explained: median share of all kernels' sums of squares that their functions account for; None without kernels.
        resultant: how much the orientations agree, from 0 (spread evenly) to 1 (all the same): the length of the mean of
            exp(2 i orientation); None where none is oriented.
    """

    kernels: int
    oriented: int
    histogram: tuple[int, ...]
    frequency: float | None
    explained: float | None
    resultant: float | None


def layers_with_kernels(module: nn.Module, image: tuple[int, int, int]) -> list[str]:
    """The dotted names of the layers whose weights are pictures, in the network's order.

    These are convolutions, and dense layers that see every pixel of the image.

    Args:
        module: the network.
        image: channels, height and width of the image.
    """
    return [name for name, layer in module.named_modules() if _weights(layer, image) is not None]


def first_layer_with_kernels(module: nn.Module, image: tuple[int, int, int]) -> str:
    """The dotted name of the first of `layers_with_kernels`.

    Raises:
        UsageError: there is none.
    """
    names = layers_with_kernels(module, image)
    if not names:
        found = f"{type(module).__name__}, which has neither"
        raise UsageError("a network with convolutions, or dense layers that see the image", found, "its weights are no pictures")
    return names[0]


def kernels_of(module: nn.Module, layer: str, image: tuple[int, int, int]) -> Float[Tensor, "d c h w"]:
    """A layer's kernels: one for each of its units, with a picture for each channel that the unit sees.

    Args:
        module: the network.
        layer: dotted name.
        image: channels, height and width of the image.

    Raises:
        UsageError: there is no such layer, or it has no kernels.
    """
    weights = dict(module.named_modules()).get(layer)
    found = None if weights is None else _weights(weights, image)
    if found is None:
        names = layers_with_kernels(module, image)
        said = repr(layer) if weights is None else f"{layer}, a {type(weights).__name__}"
        raise UsageError("a layer with kernels", said, closest(layer, names) if names else "none of its layers has any")
    return found.detach().cpu().float()


def fit_all(kernels: Float[Tensor, "d c h w"]) -> list[GaborFit | None]:
    """The Gabor function of each kernel; None where the kernels have fewer than 3 rows or columns."""
    if min(kernels.shape[2:]) < 3:
        return [None] * len(kernels)
    return [fit_gabor(kernel) for kernel in kernels]


def summarise(fits: Sequence[GaborFit | None]) -> Orientations:
    """How the orientations of a layer are spread."""
    fitted = [fit for fit in fits if fit is not None]
    oriented = [fit for fit in fitted if fit.oriented]
    angles = torch.tensor([fit.orientation for fit in oriented], dtype=torch.float64)
    bins = ((angles / (180 / BINS)).round().long() % BINS).bincount(minlength=BINS)
    doubled = torch.polar(torch.ones_like(angles), 2 * angles * math.pi / 180)
    return Orientations(
        kernels=len(fitted),
        oriented=len(oriented),
        histogram=tuple(bins.tolist()),
        frequency=_median([fit.frequency for fit in oriented]),
        explained=_median([fit.explained for fit in fitted]),
        resultant=float(doubled.mean().abs()) if oriented else None,
    )


def _weights(layer: nn.Module, image: tuple[int, int, int]) -> Tensor | None:
    """The kernels "d c h w" of a layer; None where it has none."""
    channels, height, width = image
    if isinstance(layer, TableConvolution):
        return layer.weight[:, None]
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.weight.transpose(0, 1)
    if isinstance(layer, nn.Linear):
        return layer.weight.unflatten(1, image) if layer.in_features == channels * height * width else None
    own = [parameter for parameter in layer.parameters(recurse=False) if parameter.ndim == 4]
    return own[0] if own else None


def _median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None
