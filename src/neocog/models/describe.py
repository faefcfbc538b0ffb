"""What a network is made of, stage by stage: sizes, parameters, and the work that one image costs."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from neocog.images import Size
from neocog.models.network import Network

__all__ = ["Description", "StageRow", "describe"]


@dataclass(frozen=True)
class StageRow:
    """One stage, or the head.

    Attributes:
        name: of the stage; "head".
        output: shape of its output for one image, without the batch.
        receptive_field: side of the window of the image, in pixels, that a point of the output depends on;
            None for the head, which sees everything.
        parameters: how many it has.
        multiply_adds: multiplications with addition in its convolutions and linear layers, for one image.
    """

    name: str
    output: tuple[int, ...]
    receptive_field: int | None
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Description:
    """All rows in order, and their sums."""

    rows: tuple[StageRow, ...]
    parameters: int
    multiply_adds: int


def describe(model: Network, size: Size | None = None) -> Description:
    """Run one image of a size through a network without computing anything.

    Args:
        model: stays as it is.
        size: height and width of the image; None takes the network's own.
    """
    work: Counter[str] = Counter()
    shapes: dict[str, tuple[int, ...]] = {}
    handles = [
        module.register_forward_hook(_count(work, name))
        for name, module in model.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
    ]
    parts = {**model.stages, "head": model.head}
    handles += [part.register_forward_hook(_note_shape(shapes, name)) for name, part in parts.items()]
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        state = {name: torch.empty_like(tensor, device="meta") for name, tensor in model.state_dict().items()}
        image = torch.empty(1, model.preprocess.channels, *(size or model.preprocess.size), device="meta")
        with torch.no_grad():
            functional_call(model, state, (image,))
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            module.training = mode
    fields = {info.name: info.receptive_field for info in model.stage_info}
    rows = tuple(
        StageRow(name, shapes[name], fields.get(name), _parameters(part), _share(work, name if name == "head" else f"stages.{name}"))
        for name, part in parts.items()
    )
    return Description(rows, _parameters(model), sum(work.values()))


Hook = Callable[[nn.Module, Any, Tensor], None]


def _count(work: Counter[str], name: str) -> Hook:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        weight = module.weight
        assert isinstance(weight, Tensor)
        # Each output value is a sum over one row of weights.
        work[name] += output.numel() * weight[0].numel()

    return hook


def _note_shape(shapes: dict[str, tuple[int, ...]], name: str) -> Hook:
    def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
        shapes[name] = tuple(output.shape[1:])

    return hook


def _parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _share(work: Counter[str], prefix: str) -> int:
    return sum(count for name, count in work.items() if name == prefix or name.startswith(f"{prefix}."))
