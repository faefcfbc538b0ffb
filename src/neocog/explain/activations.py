"""What the layers of a network answer to pictures: watching them, and counting the units that say nothing.

A unit is a channel of a layer's output: a feature map, or one number of a dense layer.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from neocog.layers import ScaledTanh

__all__ = ["Activity", "UnitCounts", "bounds_of", "is_activation", "watched"]

CLOSE = 0.01  # of the distance between a function's bounds: as near counts as at them
MOSTLY = 0.95  # share of a unit's answers that makes it saturated
SAME = 1e-6  # of the layer's largest answer: what differs less is the same

BOUNDED = (nn.Hardtanh, nn.Tanh, nn.Sigmoid, nn.Hardsigmoid, nn.Softsign, ScaledTanh)  # ReLU6 is a Hardtanh
UNBOUNDED = (nn.ReLU, nn.LeakyReLU, nn.PReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Softplus, nn.RReLU)
FAR = 1e30


def bounds_of(module: nn.Module) -> tuple[float, float] | None:
    """Between which values a bounded activation function lies; None for any other module."""
    if not isinstance(module, BOUNDED):
        return None
    low, high = module.forward(torch.tensor([-FAR, FAR])).tolist()  # not called: hooks are none of this
    return low, high


def is_activation(module: nn.Module) -> bool:
    """Whether it is an activation function, bounded or not."""
    return isinstance(module, BOUNDED + UNBOUNDED)


@contextlib.contextmanager
def watched(module: nn.Module, layers: Mapping[str, Callable[[Tensor], None]]) -> Iterator[None]:
    """While it is open, each call of a layer hands its output to a function, before anything can change it in place.

    Args:
        module: the whole network.
        layers: what to call, by the layer's dotted name.

    Raises:
        AttributeError: there is no layer of that name.
    """

    def hook(take: Callable[[Tensor], None]) -> Callable[..., None]:
        def hand_over(layer: nn.Module, inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                take(output)

        return hand_over

    handles = [module.get_submodule(name).register_forward_hook(hook(take)) for name, take in layers.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class UnitCounts:
    """Which units of a layer say nothing, or always the same.

    Attributes:
        dead: they gave the same value at every place of every picture; after a rectifier that value is 0.
        always_on: they were above 0 at every place of every picture, and not dead: a rectifier that never rectifies.
        saturated: at least 95 % of their values lie within 1 % of a bound of the activation function, and they are not
            dead; None where the layer's values have no bounds. A bound of 0 is a unit's rest and does not count.
        active: share of each unit's values that were above 0, in [0, 1].
        largest: each unit's largest value.
        smallest: each unit's smallest value.
        mean: each unit's mean value.
    """

    dead: Bool[Tensor, "u"]
    always_on: Bool[Tensor, "u"]
    saturated: Bool[Tensor, "u"] | None
    active: Float[Tensor, "u"]
    largest: Float[Tensor, "u"]
    smallest: Float[Tensor, "u"]
    mean: Float[Tensor, "u"]


class Activity:
    """Counts what a layer's units answer, batch by batch; its memory does not grow with the pictures.

    Args:
        bounds: of the layer's values, where its activation function has them; see `bounds_of`.
    """

    def __init__(self, bounds: tuple[float, float] | None = None) -> None:
        self._bounds = bounds
        self._values = 0
        self._sums: tuple[Tensor, Tensor, Tensor] | None = None  # of values, of those above 0, of those at a bound
        self._ends: tuple[Tensor, Tensor] | None = None

    def update(self, outputs: Float[Tensor, "b u *places"]) -> None:
        """Take in the answers to a batch of pictures."""
        units = outputs.detach().transpose(0, 1).flatten(1).float()
        self._values += units.shape[1]
        sums = units.sum(1, dtype=torch.float64).cpu(), (units > 0).sum(1).cpu(), self._at_bounds(units).cpu()
        low, high = units.amin(1).cpu(), units.amax(1).cpu()
        if self._sums is None or self._ends is None:
            self._sums, self._ends = sums, (low, high)
            return
        self._sums = self._sums[0] + sums[0], self._sums[1] + sums[1], self._sums[2] + sums[2]
        self._ends = torch.minimum(self._ends[0], low), torch.maximum(self._ends[1], high)

    def counts(self) -> UnitCounts:
        """What came of all batches so far.

        Raises:
            ValueError: there was none.
        """
        if self._sums is None or self._ends is None:
            raise ValueError("expected at least one batch, found none")
        (total, above, at_bounds), (low, high) = self._sums, self._ends
        dead = high - low <= SAME * float(torch.maximum(high.abs(), low.abs()).max())
        saturated = None if self._bounds is None else (at_bounds >= MOSTLY * self._values) & ~dead
        mean = (total / self._values).float()
        return UnitCounts(dead, (low > 0) & ~dead, saturated, above.float() / self._values, high, low, mean)

    def _at_bounds(self, units: Tensor) -> Tensor:
        """How many values of each unit lie at a bound that is not 0."""
        if self._bounds is None:
            return torch.zeros(len(units), dtype=torch.int64)
        margin = CLOSE * (self._bounds[1] - self._bounds[0])
        return torch.stack([(units - bound).abs() <= margin for bound in self._bounds if bound]).any(0).sum(1)
