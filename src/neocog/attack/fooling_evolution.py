"""Fooling by evolution: pictures that are bred for a network's confidence, one champion for every class.

A. Nguyen, J. Yosinski, J. Clune, "Deep Neural Networks are Easily Fooled: High Confidence Predictions for Unrecognizable
Images", 2014, https://arxiv.org/abs/1412.1897. The algorithm is MAP-Elites (J.-B. Mouret, J. Clune,
"Illuminating search spaces by mapping elites", 2015, https://arxiv.org/abs/1504.04909): a child of any champion takes the
place of every champion that it surpasses. Only scores are asked for, never gradients.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from neocog.attack.encodings import ENCODINGS, Encoding
from neocog.attack.member import ATTACKS, Fooled, Fooling, Round
from neocog.objective import Objective
from neocog.options import check, option

__all__ = ["FoolingEvolutionOptions", "fooling_evolution"]

PIXELS_AT_ONCE = 2_000_000  # of all pictures that pass through the network together


@dataclass(frozen=True)
class FoolingEvolutionOptions:
    """What can be chosen."""

    encoding: Literal["cppn", "direct"] = option("cppn", "what evolves: small networks that draw (cppn), or the pixels (direct)")
    generations: int = option(200, "how often children are bred", low=1)
    children: int = option(100, "how many at a time; the first generation has as many random pictures", low=1)

    def __post_init__(self) -> None:
        check(self)


@dataclass
class _Champions:
    """The best of each class so far.

    Attributes:
        genomes: None before the first.
        confidences: in the class.
    """

    genomes: list[Any]
    confidences: Float[Tensor, "n"]

    def meet(self, genomes: Sequence[Any], confidences: Float[Tensor, "b n"]) -> None:
        """Let each child take the places of those that it surpasses."""
        best, which = confidences.max(dim=0)
        for place in (best > self.confidences).nonzero()[:, 0].tolist():
            self.genomes[place] = genomes[int(which[place])]
        self.confidences = torch.maximum(self.confidences, best)

    def a_parent(self, draws: np.random.Generator) -> Any:
        """Any of them."""
        return self.genomes[int(draws.integers(len(self.genomes)))]


def fooling_evolution(
    objective: Objective,
    classes: Int64[Tensor, "n"],
    shape: tuple[int, int, int],
    options: FoolingEvolutionOptions,
    *,
    generator: torch.Generator,
    tell: Callable[[Round], None] | None = None,
) -> Fooled:
    """See Fooling. The confidences are those of the picture rounded to 256 levels, in every generation."""
    draws = np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator, device=generator.device)))
    encoding = ENCODINGS[options.encoding]
    champions = _Champions([None] * len(classes), torch.full((len(classes),), -1.0))
    curve, at_once = [], max(1, PIXELS_AT_ONCE // (shape[1] * shape[2]))
    for generation in range(options.generations + 1):
        if generation == 0:
            young = [encoding.first(shape, draws) for _ in range(options.children)]
        else:
            young = [encoding.mutate(champions.a_parent(draws), generation - 1, draws) for _ in range(options.children)]
        for first in range(0, len(young), at_once):
            genomes = young[first : first + at_once]
            champions.meet(genomes, _confidences(objective, _drawn(encoding, genomes, shape), classes, generator.device))
        curve.append(Round(generation, tuple(champions.confidences.tolist())))
        if tell is not None:
            tell(curve[-1])
    return Fooled(_drawn(encoding, champions.genomes, shape), classes, champions.confidences, tuple(curve))


def _drawn(encoding: Encoding, genomes: Sequence[Any], shape: tuple[int, int, int]) -> UInt8[Tensor, "b c h w"]:
    return torch.stack([(encoding.render(genome, shape) * 255).round().to(torch.uint8) for genome in genomes])


def _confidences(
    objective: Objective, pixels: UInt8[Tensor, "b c h w"], classes: Int64[Tensor, "n"], device: torch.device
) -> Float[Tensor, "b n"]:
    with torch.no_grad():
        scores = objective.scores(pixels.to(device).float() / 255)
    return scores.softmax(dim=1)[:, classes].cpu()


ATTACKS.add(
    "fooling_evolution",
    Fooling(
        fooling_evolution,
        FoolingEvolutionOptions,
        summary="pictures bred for confidence, a champion for every class (MAP-Elites; pixels or CPPNs)",
        source="A. Nguyen et al., 2014, Deep Neural Networks are Easily Fooled, https://arxiv.org/abs/1412.1897",
        rounds="generations",
        all_classes=True,
    ),
)
