"""A network's scores without gradients, computed as fast as float32 goes: what asks for hundreds of them need not wait longer."""

import copy
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Protocol, runtime_checkable

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neocog.engine import Plan, prepare
from neocog.models.network import Network
from neocog.objective import Objective
from neocog.run import Trained

__all__ = ["folded", "swiftly"]


@runtime_checkable
class Replans(Protocol):
    """What an objective has whose scores can be computed by another plan."""

    def computed_by(self, model: Network, plan: Plan) -> Objective:
        """The same question; `fooled` is computed as before."""
        ...


def swiftly(trained: Trained) -> Callable[[Objective], Objective]:
    """Gives to a question about the network the same one about a copy: channels last, batch norms folded into convolutions.

    The copy keeps the weights of now. A question that cannot be computed by another plan stays as it is, and so does every one
    about a compiled network.
    """
    if trained.plan.compiled:
        return lambda objective: objective
    plan = replace(trained.plan, layout="channels_last", precision="float32")
    model = prepare(folded(copy.deepcopy(trained.model)), plan).eval()
    return lambda objective: objective.computed_by(model, plan) if isinstance(objective, Replans) else objective


def folded(model: Network) -> Network:
    """The network with every batch norm that follows a convolution in a sequence folded into it, in place; for evaluation."""
    for module in list(model.modules()):
        if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
            for (name, first), (following, second) in pairwise(list(module.named_children())):
                if type(first) is nn.Conv2d and type(second) is nn.BatchNorm2d and second.running_mean is not None:
                    setattr(module, name, fuse_conv_bn_eval(first, second))
                    setattr(module, following, nn.Identity())
    return model
