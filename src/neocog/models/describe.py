"""What a network is made of, stage by stage and layer by layer: sizes, parameters, and the work and memory that one image costs."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from neocog.images import Size
from neocog.models.layer_rows import LayerRow, layers_watched, reaches_of, receptive_field_of
from neocog.models.memory import images_on_meta, kept_as_it_is, state_on_meta
from neocog.models.network import Network

__all__ = ["Description", "StageRow", "describe"]


@dataclass(frozen=True)
class StageRow:
    """One stage, the head, or an auxiliary head.

    Attributes:
        name: of the stage; "head"; "auxiliary." and the stage whose map it sees.
        output: shape of its output for one image, without the batch; () of a part that took no part.
        receptive_field: the longer side of the window of the image, in pixels, that a point of the output
            depends on; None where it sees everything.
        parameters: how many it has.
        multiply_adds: multiplications with addition in its layers, for one image.
        training_only: whether it is an auxiliary head.
    """

    name: str
    output: tuple[int, ...]
    receptive_field: int | None
    parameters: int
    multiply_adds: int
    training_only: bool = False


@dataclass(frozen=True)
class Description:
    """All rows in order, and their sums.

    Attributes:
        rows: the stages, the head, the auxiliary heads.
        layers: every call of a layer, in the order in which they are made; auxiliary heads after the head.
        parameters: of all parts, auxiliary heads too.
        buffers: learnt and measured values that are no parameters: statistics of norms, all that a learner knows.
        multiply_adds: of one answer; auxiliary heads give none.
        state_bytes: memory of parameters and buffers.
    """

    rows: tuple[StageRow, ...]
    layers: tuple[LayerRow, ...]
    parameters: int
    buffers: int
    multiply_adds: int
    state_bytes: int


def describe(model: Network, size: Size | None = None) -> Description:
    """Send one image of a size through a network without computing anything.

    Args:
        model: stays as it is.
        size: height and width of the image; None takes the network's own.
    """
    size = size or model.preprocess.size
    side = max(size)
    reaches = reaches_of(model, side)
    parts: dict[str, nn.Module] = {
        **{f"stages.{name}": stage for name, stage in model.stages.items()},
        "head": model.head,
        **{f"auxiliary.{name}": head for name, head in model.auxiliary.items()},
    }
    with (
        torch.no_grad(),
        kept_as_it_is(model, training=False),
        _outputs_noted(parts) as outputs,
        layers_watched(model, reaches, side) as layers,
    ):
        answer = functional_call(model, state_on_meta(model), (images_on_meta(model, size, 1),))
        outputs.setdefault("head", answer)
        for name, head in model.auxiliary.items():
            functional_call(head, state_on_meta(head), (outputs[f"stages.{name}"],))
    rows = []
    for name, part in parts.items():
        shape = tuple(outputs[name].shape[1:]) if name in outputs else ()
        field = None if len(shape) == 1 else receptive_field_of(name, shape, reaches, side)
        rows.append(_row(name, part, shape, field, layers))
    state_dict = model.state_dict()
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return Description(
        tuple(rows),
        tuple(layers),
        parameters,
        sum(tensor.numel() for tensor in state_dict.values()) - parameters,
        sum(layer.multiply_adds for layer in layers if not layer.stage.startswith("auxiliary.")),
        sum(tensor.numel() * tensor.element_size() for tensor in state_dict.values()),
    )


@contextlib.contextmanager
def _outputs_noted(parts: Mapping[str, nn.Module]) -> Iterator[dict[str, Tensor]]:
    outputs: dict[str, Tensor] = {}

    def note(name: str) -> Any:
        def hook(module: nn.Module, inputs: Any, output: Tensor) -> None:
            outputs[name] = output

        return hook

    handles = [part.register_forward_hook(note(name)) for name, part in parts.items()]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def _row(name: str, part: nn.Module, shape: tuple[int, ...], receptive_field: int | None, layers: Sequence[LayerRow]) -> StageRow:
    stage = name.removeprefix("stages.")
    return StageRow(
        stage,
        shape,
        receptive_field,
        sum(parameter.numel() for parameter in part.parameters()),
        sum(layer.multiply_adds for layer in layers if layer.stage == stage),
        training_only=name.startswith("auxiliary."),
    )
