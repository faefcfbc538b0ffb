"""Weights of classes in a loss, as the tasks that name classes take them."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.errors import RecipeError
from neocog.models.network import Network

__all__ = ["require_one_for_each", "weights_on", "with_auxiliary_heads"]


def require_one_for_each(weights: Sequence[float], class_names: Sequence[str]) -> None:
    """Check that there is a weight for each class, or none at all.

    Raises:
        RecipeError: there are more or fewer.
    """
    if weights and len(weights) != len(class_names):
        expected, found = f"{len(class_names)} class_weights, one for each class", str(len(weights))
        raise RecipeError(expected, found, f"give one each for {', '.join(class_names)}")


def weights_on(device: torch.device, weights: Sequence[float]) -> Float[Tensor, "k"] | None:
    """The weights as losses take them; None where all classes weigh 1."""
    return torch.tensor(weights, device=device) if weights else None


def with_auxiliary_heads(model: Network, losses: Mapping[str, Tensor]) -> Tensor:
    """The loss of a network with that of its auxiliary heads, which count by the network's weight for them.

    Args:
        model: the network.
        losses: by the outputs' names, "logits" among them.
    """
    others = [loss for name, loss in losses.items() if name != "logits"]
    return losses["logits"] + model.auxiliary_weight * sum(others) if others else losses["logits"]
