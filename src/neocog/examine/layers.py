"""Which module of a network is meant by the name of a layer."""

from collections.abc import Sequence

import torch
from torch import nn

from neocog.engine import feature_maps, obeying
from neocog.errors import UsageError
from neocog.registry import closest
from neocog.run import Trained

__all__ = ["find_layer", "last_map"]

STAGES = "stages."
MOST_SHOWN = 40


def find_layer(trained: Trained, name: str) -> str:
    """The dotted name of a module of `trained.model`.

    Args:
        trained: the network.
        name: of a stage ("layer4"), of a module inside one ("layer4.1.conv2"), or of any module of the network ("head.fc").

    Raises:
        UsageError: there is none; the message lists the stages.
    """
    containers = (nn.ModuleDict, nn.ModuleList)  # which compute nothing
    modules = {known for known, module in trained.model.named_modules() if known and not isinstance(module, containers)}
    for known in (STAGES + name, name):
        if known in modules:
            return known
    raise UsageError(f"the name of a layer of {trained.name}", repr(name), _remedy(trained.model.stages, name, sorted(modules)))


def last_map(trained: Trained, method: str) -> str:
    """The dotted name of the last stage that tells places apart, or of the last with a map where none does.

    Args:
        trained: the network.
        method: which looks for it, for the error.

    Raises:
        UsageError: no stage has a map.
    """
    model, plan, names = trained.model, trained.plan, list(trained.model.stages)
    size, channels = trained.preprocess.size, trained.preprocess.channels
    with torch.no_grad(), obeying(plan):
        maps = feature_maps(model, torch.zeros(1, channels, *size, device=plan.device), plan, names)
    flat = [name for name in names if maps[name].ndim == 4]
    if not flat:
        raise UsageError(f"a network with feature maps, for {method}", f"{trained.name}, which has none", "choose another method")
    spread = [name for name in flat if maps[name][0, 0].numel() > 1]
    return STAGES + (spread or flat)[-1]


def _remedy(stages: nn.ModuleDict, name: str, modules: Sequence[str]) -> str:
    names = list(stages)
    if not names:
        return closest(name, modules)
    near = closest(name, list(dict.fromkeys([*names, *(known.removeprefix(STAGES) for known in modules)])))
    suggestion = f"{near} Its" if near.startswith("did you mean") else "its"
    more = ", …" if len(names) > MOST_SHOWN else ""
    return f"{suggestion} stages are {', '.join(names[:MOST_SHOWN])}{more}; a module inside one has a dotted name, as {_inside(stages)}"


def _inside(stages: nn.ModuleDict) -> str:
    """Of the stages' own modules the first."""
    return next((name for name, _ in stages.named_modules() if "." in name), next(iter(stages)))
