"""Averaged weights, which a training evaluates and keeps in place of its own.

B. Polyak, A. Juditsky, "Acceleration of stochastic approximation by averaging", 1992, https://doi.org/10.1137/0330046
M. Zhang, J. Lucas, G. Hinton, J. Ba, "Lookahead Optimizer: k steps forward, 1 step back", 2019,
https://arxiv.org/abs/1907.08610
P. Izmailov, D. Podoprikhin, T. Garipov, D. Vetrov, A. G. Wilson, "Averaging Weights Leads to Wider Optima and Better
Generalization", 2018, https://arxiv.org/abs/1803.05407
"""

import contextlib
import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator

import torch
from torch import Tensor, nn

from neocog.models.network import Network, folded_norms

__all__ = ["AveragedWeights", "ExponentialAverage", "Lookahead", "renew_norms"]

PACE = 0.5  # of Lookahead: the paper's alpha, which it finds robust


class AveragedWeights(ABC):
    """A second network whose weights follow the trained one's.

    Args:
        model: the network that is trained.

    Attributes:
        model: the network with the averaged weights.
    """

    def __init__(self, model: Network) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False)

    @abstractmethod
    def update(self, model: Network, step: int) -> None:
        """Take in the trained network after a step.

        Args:
            model: the trained network.
            step: how many steps it had done before this one.
        """

    @torch.no_grad()
    def _move(self, model: Network, share: float) -> None:
        """Move by a share of the way towards the trained network; statistics of batch norm move too, counters are copied."""
        own, other = self.model.state_dict(), model.state_dict()
        moving = [name for name, tensor in own.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([own[name] for name in moving], [other[name] for name in moving], share)
        for name in own.keys() - set(moving):
            own[name].copy_(other[name])


class ExponentialAverage(AveragedWeights):
    """An exponential moving average over the steps, in the form and with the warm-up of TensorFlow's ExponentialMovingAverage.

    Args:
        model: the network that is trained.
        decay: share of the average that stays at each step, in (0, 1). Early on min(decay, (1 + step) / (10 + step))
            is used, so that the initial weights are soon forgotten.
    """

    def __init__(self, model: Network, decay: float) -> None:
        super().__init__(model)
        self._decay = decay

    def update(self, model: Network, step: int) -> None:
        self._move(model, 1 - min(self._decay, (1 + step) / (10 + step)))


class Lookahead(AveragedWeights):
    """Slow weights that go half way to the trained ones every few steps; the trained ones then start again from there.

    Args:
        model: the network that is trained; `update` changes it.
        steps: between two meetings, the paper's k.
    """

    def __init__(self, model: Network, steps: int) -> None:
        super().__init__(model)
        self._steps = steps

    def update(self, model: Network, step: int) -> None:
        if (step + 1) % self._steps == 0:
            self._move(model, PACE)
            with torch.no_grad():
                for own, slow in zip(model.parameters(), self.model.parameters(), strict=True):
                    own.copy_(slow)


@torch.no_grad()
def renew_norms(model: Network, forwards: Iterable[Callable[[], Tensor]]) -> None:
    """Give batch norms the statistics that their weights see, as averaging needs it (Izmailov et al., section 3.2).

    Mean and variance of each norm become the averages over the given batches of pictures. Batch norms whose
    statistics are folded into their weights stay as they are.

    Args:
        model: its norms' statistics are replaced; its mode stays.
        forwards: each runs the model on one batch, in training mode.
    """
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.track_running_stats]
    fixed = set(map(id, folded_norms(model)))
    norms = [norm for norm in norms if id(norm) not in fixed]
    if not norms:
        return
    with _cumulative(norms), _only_norms_in_training(model, norms):
        for forward in forwards:
            forward()


@contextlib.contextmanager
def _cumulative(norms: list[nn.modules.batchnorm._BatchNorm]) -> Iterator[None]:
    """Statistics that start empty and weigh every batch the same."""
    momenta = [norm.momentum for norm in norms]
    counts = [norm.num_batches_tracked.clone() for norm in norms if norm.num_batches_tracked is not None]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        for norm, count in zip([norm for norm in norms if norm.num_batches_tracked is not None], counts, strict=True):
            norm.num_batches_tracked.copy_(count)  # type: ignore[union-attr]


@contextlib.contextmanager
def _only_norms_in_training(model: Network, norms: list[nn.modules.batchnorm._BatchNorm]) -> Iterator[None]:
    """Dropout would change what the norms see."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    for norm in norms:
        norm.training = True
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
