"""Kernels that are known beforehand: smoothing, sharpening, edges, and Gabor's waves.

All are meant for `correlation`: rows run from top to bottom (y grows downwards), columns from left to right. They have
the shape of one matrix; `kernel[None, None]` makes them the kernel of one channel.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["binomial", "gabor", "gabor_bank", "gaussian", "sharpening", "sobel"]


def gaussian(size: int, sigma: float) -> Float[Tensor, " size"]:
    """Samples of a Gaussian at the middles of `size` pixels, with sum 1. Its product with itself is the square kernel.

    Args:
        size: how many.
        sigma: standard deviation in pixels; above 0.
    """
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    weights = (-0.5 * (places / sigma).square()).exp()
    normalised: Tensor = weights / weights.sum()
    return normalised.float()


def binomial(size: int) -> Float[Tensor, " size"]:
    """A row of Pascal's triangle with sum 1: 3 gives [1, 2, 1] / 4. The variance is (size - 1) / 4."""
    return torch.tensor([math.comb(size - 1, place) / 2 ** (size - 1) for place in range(size)])


def sobel() -> Float[Tensor, "2 3 3"]:
    """The change of brightness to the right, and downwards; an eighth of it is the change per pixel.

    I. Sobel, G. Feldman, "A 3x3 isotropic gradient operator for image processing", 1968: central differences, smoothed
    by [1, 2, 1] across.
    """
    rightwards = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    return torch.stack([rightwards, rightwards.T])


def sharpening(amount: float = 1.0) -> Float[Tensor, "3 3"]:
    """The picture plus `amount` times its difference from its four neighbours; 1 gives 5 in the middle, -1 around it.

    Args:
        amount: 0 changes nothing. The sum of the kernel is 1, so flat regions stay.
    """
    laplacian = torch.tensor([[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]])
    identity = torch.zeros(3, 3)
    identity[1, 1] = 1
    return identity - amount * laplacian


def gabor(
    size: int, wavelength: float, orientation: float, *, sigma: float | None = None, phase: float = 0.0, aspect: float = 0.5
) -> Float[Tensor, "size size"]:
    """A plane wave under a Gaussian: exp(-(u² + aspect² v²) / (2 sigma²)) cos(2 pi u / wavelength + phase).

    u runs in the direction of the wave, v along its crests: u = x cos + y sin, v = -x sin + y cos of the orientation,
    from the middle of the kernel. J. G. Daugman, 1985, https://doi.org/10.1364/JOSAA.2.001160

    Args:
        size: side of the kernel in pixels.
        wavelength: from crest to crest in pixels; at least 2.
        orientation: direction of the wave in radians, from rightwards (0) by downwards (pi / 2): 0 has upright stripes.
        sigma: standard deviation of the Gaussian along u in pixels; None for 0.56 wavelengths, a bandwidth of one octave.
        phase: in radians: 0 is even with a bright middle, pi / 2 is odd (an edge).
        aspect: how many times narrower along v the Gaussian is; below 1 it is longer.
    """
    width = 0.56 * wavelength if sigma is None else sigma
    places = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    y, x = places[:, None], places
    u = x * math.cos(orientation) + y * math.sin(orientation)
    v = y * math.cos(orientation) - x * math.sin(orientation)
    envelope = (-(u.square() + aspect**2 * v.square()) / (2 * width**2)).exp()
    return (envelope * (2 * math.pi * u / wavelength + phase).cos()).float()


def gabor_bank(
    size: int, wavelengths: Sequence[float], orientations: int = 8, phases: Sequence[float] = (0.0, math.pi / 2)
) -> Float[Tensor, "n size size"]:
    """`gabor` kernels of all combinations, each with mean 0 and norm 1, so that flat regions give 0 and answers compare.

    Args:
        size: side of the kernels in pixels.
        wavelengths: from crest to crest in pixels.
        orientations: how many, evenly over half a turn, from 0.
        phases: in radians.

    Returns:
        wavelengths outermost, then orientations, then phases.
    """
    angles = [math.pi * step / orientations for step in range(orientations)]
    bank = torch.stack([gabor(size, length, angle, phase=phase) for length in wavelengths for angle in angles for phase in phases])
    bank = bank - bank.mean((1, 2), keepdim=True)
    norms: Tensor = bank.flatten(1).norm(dim=1)
    return bank / norms[:, None, None]
