"""The indirect encoding: a small network that gives the colour of a point from where it lies (a CPPN).

K. O. Stanley, "Compositional pattern producing networks: A novel abstraction of development", 2007,
https://doi.org/10.1007/s10710-007-9028-8; used to fool by A. Nguyen, J. Yosinski, J. Clune, "Deep Neural Networks are
Easily Fooled", 2014, https://arxiv.org/abs/1412.1897, with the rates and bounds of the settings that its
authors published. Nodes and links come and go as in NEAT (K. O. Stanley, R. Miikkulainen, "Evolving Neural Networks
through Augmenting Topologies", 2002); as in the work on fooling there is no crossing of two parents.

A network is a formula and has no size: the same genome can be drawn with any number of pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neocog.attack.encodings.member import ENCODINGS, Encoding, Shape, polynomial_mutation

__all__ = ["ACTIVATIONS", "Cppn", "as_rgb", "first_cppn", "mutated_cppn", "rendered_cppn"]

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "sine": torch.sin,
    "gaussian": lambda values: torch.exp(-values.square()),
    "sigmoid": lambda values: 2 * torch.sigmoid(values) - 1,
    "linear": lambda values: values.clamp(-1, 1),
}
"""What a node makes of the sum of its inputs; all end in [-1, 1]."""

NAMES = tuple(ACTIVATIONS)
INPUTS = 4  # x, y, distance from the centre, and 1
BOUNDS = (-10.0, 10.0)  # of the weights
MOST_LINKS = 400  # so that the time to draw a picture has an end
ADD_LINK, REMOVE_LINK, REDIRECT_LINK, ADD_NODE, REMOVE_NODE = 0.5, 0.3, 0.5, 0.5, 0.2  # chances per mutation
WEIGHT, ACTIVATION = 0.1, 0.1  # chances per weight, and per node

Link = tuple[int, int]


@dataclass(frozen=True)
class Cppn:
    """A network without loops.

    Attributes:
        order: names of the nodes behind the inputs 0 to 3, in an order in which every link leads forward; outputs last.
        outputs: how many of them are outputs.
        activations: of each node.
        weights: of each link, by its two ends.
    """

    order: tuple[int, ...]
    outputs: int
    activations: Mapping[int, str]
    weights: Mapping[Link, float]

    @property
    def hidden(self) -> tuple[int, ...]:
        """The nodes that are no outputs."""
        return self.order[: len(self.order) - self.outputs]


def first_cppn(shape: Shape, draws: np.random.Generator) -> Cppn:
    """The simplest network: every input leads to every output, with weights and activations drawn evenly."""
    outputs = range(INPUTS, INPUTS + shape[0])
    links = [(source, target) for source in range(INPUTS) for target in outputs]
    weights = dict(zip(links, draws.uniform(*BOUNDS, len(links)).tolist(), strict=True))
    return Cppn(tuple(outputs), shape[0], {node: _any_activation(draws) for node in outputs}, weights)


def mutated_cppn(genome: Cppn, generation: int, draws: np.random.Generator) -> Cppn:
    """A child that differs in its weights, its activations and its shape; chances do not change with the generation."""
    changes = ((ADD_NODE, _add_node), (REMOVE_NODE, _remove_node), (ADD_LINK, _add_link), (REMOVE_LINK, _remove_link))
    for chance, change in (*changes, (REDIRECT_LINK, _redirect_link)):
        if draws.random() < chance:
            genome = change(genome, draws)
    weights = polynomial_mutation(np.array(list(genome.weights.values())), WEIGHT, BOUNDS, draws)
    activations = {
        node: _any_activation(draws) if draws.random() < ACTIVATION else activation for node, activation in genome.activations.items()
    }
    return replace(genome, weights=dict(zip(genome.weights, weights.tolist(), strict=True)), activations=activations)


def rendered_cppn(genome: Cppn, shape: Shape) -> Float[Tensor, "c h w"]:
    """The picture at any size: x and y run from -1 to 1 over it, and the distance is 0 at its centre.

    Three outputs are hue, saturation and brightness; otherwise each is one channel.
    """
    _, height, width = shape
    y, x = torch.meshgrid(_places(height), _places(width), indexing="ij")
    values = {0: x, 1: y, 2: torch.hypot(x, y), 3: torch.ones_like(x)}
    sources: dict[int, list[tuple[int, float]]] = {node: [] for node in genome.order}
    for (source, target), weight in genome.weights.items():
        sources[target].append((source, weight))
    for node in genome.order:
        total = torch.zeros_like(x)
        for source, weight in sources[node]:
            total.add_(values[source], alpha=weight)
        values[node] = ACTIVATIONS[genome.activations[node]](total)
    planes = (torch.stack([values[node] for node in genome.order[-genome.outputs :]]) + 1) / 2
    return as_rgb(planes) if genome.outputs == 3 else planes


def as_rgb(planes: Float[Tensor, "3 h w"]) -> Float[Tensor, "3 h w"]:
    """Hue, saturation and brightness, each in [0, 1], as red, green and blue."""
    hue, saturation, brightness = planes
    # How far the hue is from each channel, a trapezium over the circle: there the channel falls by brightness times saturation.
    sixths = torch.stack([(hue * 6 + offset) % 6 for offset in (5, 3, 1)])
    distance = torch.minimum(sixths, 4 - sixths).clamp(0, 1)
    colours: Tensor = brightness - brightness * saturation * distance
    return colours


def _places(count: int) -> Float[Tensor, "count"]:
    """The centres of so many pixels, evenly between -1 and 1."""
    return (torch.arange(count, dtype=torch.float32) + 0.5) * (2 / count) - 1


def _any_activation(draws: np.random.Generator) -> str:
    return NAMES[int(draws.integers(len(NAMES)))]


def _any_link(genome: Cppn, draws: np.random.Generator) -> Link:
    return list(genome.weights)[int(draws.integers(len(genome.weights)))]


def _add_node(genome: Cppn, draws: np.random.Generator) -> Cppn:
    """A node in the middle of a link: the way into it weighs 1, the way out as much as the link did, which goes."""
    if not genome.weights or len(genome.weights) >= MOST_LINKS:
        return genome
    source, target = _any_link(genome, draws)
    node = max((*genome.order, INPUTS - 1)) + 1
    place = genome.order.index(target) if target not in genome.order[-genome.outputs :] else len(genome.hidden)
    weights = {ends: weight for ends, weight in genome.weights.items() if ends != (source, target)}
    weights |= {(source, node): 1.0, (node, target): genome.weights[source, target]}
    activations = {**genome.activations, node: _any_activation(draws)}
    return replace(genome, order=(*genome.order[:place], node, *genome.order[place:]), activations=activations, weights=weights)


def _remove_node(genome: Cppn, draws: np.random.Generator) -> Cppn:
    """A hidden node goes, with its links."""
    if not genome.hidden:
        return genome
    node = genome.hidden[int(draws.integers(len(genome.hidden)))]
    return replace(
        genome,
        order=tuple(other for other in genome.order if other != node),
        activations={other: activation for other, activation in genome.activations.items() if other != node},
        weights={ends: weight for ends, weight in genome.weights.items() if node not in ends},
    )


def _add_link(genome: Cppn, draws: np.random.Generator) -> Cppn:
    """Two nodes that had none get a link, forward in the order."""
    target = genome.order[int(draws.integers(len(genome.order)))]
    before = (*range(INPUTS), *genome.hidden[: _reach(genome, target)])
    free = [source for source in before if (source, target) not in genome.weights]
    if not free or len(genome.weights) >= MOST_LINKS:
        return genome
    source = free[int(draws.integers(len(free)))]
    return replace(genome, weights={**genome.weights, (source, target): float(draws.uniform(*BOUNDS))})


def _reach(genome: Cppn, target: int) -> int:
    """How many of the hidden nodes come before a node."""
    return genome.hidden.index(target) if target in genome.hidden else len(genome.hidden)


def _remove_link(genome: Cppn, draws: np.random.Generator) -> Cppn:
    if not genome.weights:
        return genome
    gone = _any_link(genome, draws)
    return replace(genome, weights={ends: weight for ends, weight in genome.weights.items() if ends != gone})


def _redirect_link(genome: Cppn, draws: np.random.Generator) -> Cppn:
    """A link goes, and another comes."""
    return _add_link(_remove_link(genome, draws), draws) if genome.weights else genome


ENCODINGS.add(
    "cppn",
    Encoding(
        first_cppn,
        mutated_cppn,
        rendered_cppn,
        summary="a small network from place to colour: evolves to regular patterns",
        source="K. O. Stanley, Compositional pattern producing networks, 2007, https://doi.org/10.1007/s10710-007-9028-8",
    ),
)
