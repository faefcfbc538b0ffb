"""The nonlinearities that a person can choose by name."""

from collections.abc import Callable
from typing import Literal

from torch import nn

from neocog.errors import UsageError
from neocog.registry import closest

__all__ = ["Activation", "activation"]

Activation = Literal["relu", "sigmoid", "tanh"]

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {"relu": lambda: nn.ReLU(inplace=True), "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def activation(name: str) -> nn.Module:
    """A fresh module of the nonlinearity of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in ACTIVATIONS:
        raise UsageError("the name of an activation", repr(name), closest(name, sorted(ACTIVATIONS)))
    return ACTIVATIONS[name]()
