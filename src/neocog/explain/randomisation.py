"""Whether a map depends on what the network has learnt: its likeness to that of the same network with random weights.

J. Adebayo, J. Gilmer, M. Muelly, I. Goodfellow, M. Hardt, B. Kim, "Sanity Checks for Saliency Maps", 2018,
https://arxiv.org/abs/1810.03292, section 3: the layers are randomised one after the other from the answer down to the image,
each time together with those before (cascading), and Spearman's rank correlation compares the absolute values of the maps.
A map that stays alike shows the picture, not what the network knows of it.

A layer's weights are drawn from a normal distribution of their own mean and variance, so that signals neither die nor explode
on their way, whatever the architecture.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Cascade", "layers_downwards", "randomisation", "randomised", "rank_correlation"]


@dataclass(frozen=True)
class Cascade:
    """How alike maps stay while more and more layers are randomised.

    Attributes:
        layers: how many layers with weights there are.
        randomised: how many of them were, at each point; the last is all.
        correlations: between the map and that of the network as it is, for each image and point; 0 where a map is flat.
    """

    layers: int
    randomised: tuple[int, ...]
    correlations: Float[Tensor, "b points"]

    @property
    def full(self) -> Float[Tensor, "b"]:
        """With all layers randomised."""
        return self.correlations[:, -1]


def randomisation(
    module: nn.Module,
    explain: Callable[[], Float[Tensor, "b h w"]],
    maps: Float[Tensor, "b h w"],
    generator: torch.Generator,
    points: int = 1,
) -> Cascade:
    """Explain again with more and more layers randomised; afterwards every weight is as it was, bit for bit.

    Args:
        module: the network, in evaluation mode.
        explain: makes the maps of the images anew, about the same classes.
        maps: those of the network as it is.
        generator: that the weights are drawn from.
        points: at how many points of the cascade; 1 for all layers at once.

    Raises:
        ValueError: the module has no weights.
    """
    names = layers_downwards(module)
    if not names:
        raise ValueError("expected a module with weights, found none")
    counts = sorted({-(-len(names) * number // points) for number in range(1, points + 1)})
    correlations = []
    with randomised(module, names, generator) as randomise:
        for count in counts:
            randomise(count)
            correlations.append(rank_correlation(maps.abs(), explain().abs()))
    return Cascade(len(names), tuple(counts), torch.stack(correlations, dim=1))


def layers_downwards(module: nn.Module) -> list[str]:
    """The dotted names of all modules that have weights of their own, from the answer down to the image."""
    return [name for name, layer in module.named_modules() if any(True for _ in layer.parameters(recurse=False))][::-1]


@contextmanager
def randomised(module: nn.Module, names: list[str], generator: torch.Generator) -> Iterator[Callable[[int], None]]:
    """Inside the block, layers can be randomised; at its end they are as they were.

    Args:
        module: the network.
        names: of the layers, in the order in which they are randomised.
        generator: that the weights are drawn from.

    Yields:
        a function that randomises layers until so many are.
    """
    owned = [list(module.get_submodule(name).parameters(recurse=False)) for name in names]
    kept = [[weights.detach().clone() for weights in layer] for layer in owned]
    done = 0

    @torch.no_grad()
    def randomise(count: int) -> None:
        nonlocal done
        for layer in owned[done:count]:
            for weights in layer:
                drawn = torch.randn(weights.shape, generator=generator, device=generator.device).to(weights)
                weights.copy_(weights.mean() + weights.std(correction=0) * drawn)
        done = max(done, count)

    try:
        yield randomise
    finally:
        with torch.no_grad():
            for layer, before in zip(owned, kept, strict=True):
                for weights, values in zip(layer, before, strict=True):
                    weights.copy_(values)


def rank_correlation(first: Float[Tensor, "b h w"], second: Float[Tensor, "b h w"]) -> Float[Tensor, "b"]:
    """Spearman's rank correlation of two maps, for each image; 0 where one of them is flat.

    C. Spearman, "The proof and measurement of association between two things", 1904: the correlation of the ranks, equal values
    having the mean of theirs.
    """
    ranks = [torch.stack([_ranks(one) for one in maps.flatten(1).double()]) for maps in (first, second)]
    first_away, second_away = (rank - rank.mean(dim=1, keepdim=True) for rank in ranks)
    spread = first_away.norm(dim=1) * second_away.norm(dim=1)
    product = (first_away * second_away).sum(dim=1)
    return torch.where(spread > 0, product / spread.clamp(min=torch.finfo(spread.dtype).tiny), 0.0).float()


def _ranks(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """From 1, equal values with the mean of their ranks."""
    _, places, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).to(values.dtype)
    ranks: Tensor = (last - (counts - 1) / 2)[places]
    return ranks
