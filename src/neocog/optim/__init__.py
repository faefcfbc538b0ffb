"""How weights follow their gradients: optimizers, and schedules of the learning rate."""

from neocog.optim.build import build_optimizer, load_optimizer_state, optimizer_state, set_learning_rate
from neocog.optim.optimizers import OPTIMIZERS
from neocog.optim.schedules import SCHEDULES, learning_rate_factor

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "build_optimizer",
    "learning_rate_factor",
    "load_optimizer_state",
    "optimizer_state",
    "set_learning_rate",
]
