"""Pictures that a class or a unit answers to most, made from noise by climbing its gradient.

K. Simonyan, A. Vedaldi, A. Zisserman, "Deep Inside Convolutional Networks: Visualising Image Classification Models and
Saliency Maps", 2013, https://arxiv.org/abs/1312.6034, section 2;
C. Olah, A. Mordvintsev, L. Schubert, "Feature Visualization", Distill 2017, https://doi.org/10.23915/distill.00007: jitter,
a penalty on high frequencies, and the Fourier basis, in which steepest ascent treats all scales alike.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.options import check, option

__all__ = ["ActivationMaximisationOptions", "Climb", "laplacian_penalty", "maximise"]

START = 0.01  # standard deviation of the first picture's parameters


@dataclass(frozen=True)
class ActivationMaximisationOptions:
    """What can be chosen."""

    steps: int = option(256, "steps of the ascent", low=1)
    rate: float = option(0.1, "step size of Adam", above=0)
    jitter: int = option(4, "most pixels that the picture is shifted by at random in each step, 0 for none", low=0)
    penalty: float = option(0.1, "weight of the penalty on high frequencies (mean squared Laplacian), 0 for none", low=0)
    basis: Literal["fourier", "pixels"] = option("fourier", "in what the ascent takes its steps")

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Climb:
    """What the ascent came to.

    Attributes:
        images: in [0, 1], one for each start.
        before: the score of the first images.
        scores: of the images, without jitter and penalty.
        course: mean score of the shifted images at each step.
    """

    images: Float[Tensor, "n c h w"]
    before: Float[Tensor, "n"]
    scores: Float[Tensor, "n"]
    course: Float[Tensor, "steps"]


def maximise(
    score: Callable[[Tensor], Tensor],
    shape: tuple[int, int, int, int],
    options: ActivationMaximisationOptions,
    *,
    generator: torch.Generator,
    device: str = "cpu",
) -> Climb:
    """Climb a score from grey noise by Adam, through a sigmoid that keeps every pixel in [0, 1].

    Args:
        score: from images "n c h w" in [0, 1] to one number each, differentiable; an image's is independent of the others.
        shape: how many images are made, their channels, height and width.
        options: see there.
        generator: on the processor; of the first pictures and the shifts.
        device: where the score is computed.
    """
    parameters, picture = _parametrised(shape, options.basis, generator, device)
    parameters.requires_grad_(True)
    optimizer = torch.optim.Adam([parameters], lr=options.rate)
    with torch.no_grad():
        before = score(picture(parameters)).detach().cpu()
    course = []
    for _ in range(options.steps):
        optimizer.zero_grad(set_to_none=True)
        with torch.enable_grad():
            images = picture(parameters)
            scores = score(_shifted(images, options.jitter, generator))
            loss = -scores.sum() + options.penalty * laplacian_penalty(images).sum()
        (parameters.grad,) = torch.autograd.grad(loss, parameters)
        optimizer.step()
        course.append(float(scores.detach().mean()))
    with torch.no_grad():
        images = picture(parameters)
        return Climb(images.cpu(), before, score(images).cpu(), torch.tensor(course))


def laplacian_penalty(images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n"]:
    """How rough each image is: the mean square of its Laplacian (the four neighbours less four times the pixel), times 255.

    In the Fourier basis that weighs a wave by the square of its frequency's square (4 - 2 cos - 2 cos of both directions),
    so that fine waves cost most. Beyond the border the image goes on at the opposite side.
    """
    neighbours = sum(images.roll(step, axis) for step in (1, -1) for axis in (2, 3))
    return 255 * (neighbours - 4 * images).square().mean((1, 2, 3))


def _parametrised(
    shape: tuple[int, int, int, int], basis: str, generator: torch.Generator, device: str
) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """The first parameters, and how pictures come of them."""
    if basis == "pixels":
        return (START * torch.randn(shape, generator=generator)).to(device), torch.sigmoid
    height, width = shape[2:]
    down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
    frequency = (down.square() + across.square()).sqrt().clamp(min=1 / max(height, width))
    weights = (math.sqrt(height * width) / (frequency * max(height, width))).to(device)  # natural pictures fall off as 1 / frequency
    spectrum = START * torch.randn(*shape[:2], height, width // 2 + 1, 2, generator=generator)

    def picture(parameters: Tensor) -> Tensor:
        waves = torch.view_as_complex(parameters) * weights
        return torch.sigmoid(torch.fft.irfft2(waves, s=(height, width)))

    return spectrum.to(device), picture


def _shifted(images: Tensor, jitter: int, generator: torch.Generator) -> Tensor:
    """All images moved by the same random number of pixels; what leaves at one side comes in at the other."""
    if not jitter:
        return images
    down, across = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
    return images.roll((down, across), (2, 3))
