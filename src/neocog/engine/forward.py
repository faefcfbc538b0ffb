"""The one place where images meet a network: normalised, in the plan's layout and precision."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.engine.plan import Plan
from neocog.models.network import Network

__all__ = ["feature_maps", "forward", "forward_train", "prepare"]


def prepare(model: Network, plan: Plan) -> Network:
    """Move a network to the plan's device and layout, in place; compile it where the plan says so."""
    model.to(plan.device, memory_format=_memory_format(plan))  # type: ignore[call-overload]
    if plan.compiled:
        model.compile()
    return model


def forward(model: Network, images: Float[Tensor, "b c h w"], plan: Plan) -> Tensor:
    """The network's answer about images, as float32.

    Args:
        model: prepared for the plan; in evaluation mode unless the caller wants otherwise.
        images: in [0, 1], not normalised, on the plan's device.
        plan: how to compute.
    """
    with _autocast(plan):
        outputs = model(_entering(model, images, plan))
    return _leaving(model, cast(Tensor, outputs).float())


def forward_train(model: Network, images: Float[Tensor, "b c h w"], plan: Plan) -> dict[str, Tensor]:
    """The network's outputs in training, each as float32, "logits" and whatever else it has ("aux1", …)."""
    with _autocast(plan):
        outputs = model.forward_train(_entering(model, images, plan))
    return {name: _leaving(model, output.float()) for name, output in outputs.items()}


def feature_maps(model: Network, images: Float[Tensor, "b c h w"], plan: Plan, names: Sequence[str]) -> dict[str, Tensor]:
    """What stages of the network make of images, each as float32; see `Network.feature_maps`."""
    with _autocast(plan):
        maps = model.feature_maps(_entering(model, images, plan), names)
    return {name: found.float() for name, found in maps.items()}


def _entering(model: Network, images: Tensor, plan: Plan) -> Tensor:
    return model.preprocess.normalise(images).contiguous(memory_format=_memory_format(plan))


def _leaving(model: Network, outputs: Tensor) -> Tensor:
    """Restored images back on the scale [0, 1]; other answers as they are."""
    return model.preprocess.denormalise(outputs) if model.task == "denoise" else outputs


def _memory_format(plan: Plan) -> torch.memory_format:
    return torch.channels_last if plan.layout == "channels_last" else torch.contiguous_format


def _autocast(plan: Plan) -> AbstractContextManager[object]:
    return torch.autocast(plan.device, dtype=torch.bfloat16, enabled=plan.precision == "bfloat16")
