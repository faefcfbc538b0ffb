"""What a member of this folder is, and the registry that finds it.

A member is one file: a frozen dataclass whose one option says how much noise there is, and a function that adds it
to a picture. Its option becomes an option of the task denoise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.errors import RecipeError
from neocog.options import check
from neocog.registry import Registry

__all__ = ["NOISES", "Noise", "check_levels", "drawn"]


@dataclass(frozen=True)
class Noise:
    """One kind of noise.

    Attributes:
        Options: frozen dataclass of one field, the level: one value, or two that are a range from which each picture
            draws its own. The docstring's first line says what the noise is.
        disturb: (options, picture "c h w" in [0, 1], generator) -> the picture with noise, of the same shape; it may
            leave [0, 1]. Equal generators give equal noise.
        deviation: the standard deviation on the scale [0, 1] of noise whose options are these; None where it is not
            one number: that of a range, or one that depends on the picture.
        source: where the method comes from.
    """

    Options: type
    disturb: Callable[[Any, Float[Tensor, "c h w"], torch.Generator], Float[Tensor, "c h w"]]
    deviation: Callable[[Any], float | None] = lambda options: None
    source: str = ""


NOISES: Registry[Noise] = Registry("a kind of noise", "neocog.noise")


def check_levels(options: Any, name: str) -> None:
    """Hold the options against their fields, and the level to be one value or a range.

    Raises:
        RecipeError: it is neither.
    """
    check(options)
    levels = getattr(options, name)
    if len(levels) > 2:
        raise RecipeError(
            f"{name} to be one value or a range", f"{len(levels)} values", f"give {name} one value, or the lowest and highest"
        )


def drawn(levels: tuple[float, ...], generator: torch.Generator) -> float:
    """The level of one picture: the one that there is, or one drawn evenly between the lowest and the highest."""
    share = float(torch.rand((), generator=generator, device=generator.device))
    return levels[0] + (levels[-1] - levels[0]) * share
