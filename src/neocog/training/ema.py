"""Averaged weights: an exponential moving average over the steps of a training.

Polyak & Juditsky, "Acceleration of stochastic approximation by averaging", 1992; the exponential form and
its warm-up as in TensorFlow's ExponentialMovingAverage.
"""

import copy

import torch

from neocog.models.network import Network

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """A second network whose weights follow the trained one's.

    Args:
        model: the network that is trained.
        decay: share of the average that stays at each step, in (0, 1). Early on min(decay, (1 + step) / (10 + step))
            is used, so that the initial weights are soon forgotten.
    """

    def __init__(self, model: Network, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: Network, step: int) -> None:
        """Move towards the trained network. Statistics of batch norm are averaged too, counters copied.

        Args:
            model: the trained network.
            step: how many steps it has done.
        """
        decay = min(self._decay, (1 + step) / (10 + step))
        own, other = self.model.state_dict(), model.state_dict()
        moving = [name for name, tensor in own.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in moving], [other[name] for name in moving], 1 - decay)
        for name in own.keys() - set(moving):
            own[name].copy_(other[name])
