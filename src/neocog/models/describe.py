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
from neocog.models.network import Network

__all__ = ["Description", "StageRow", "activation_bytes", "describe"]


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
        _kept_as_it_is(model, training=False),
        _outputs_noted(parts) as outputs,
        layers_watched(model, reaches, side) as layers,
    ):
        answer = functional_call(model, _state_on_meta(model), (_images(model, size, 1),))
        outputs.setdefault("head", answer)
        for name, head in model.auxiliary.items():
            functional_call(head, _state_on_meta(head), (outputs[f"stages.{name}"],))
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


def activation_bytes(model: Network, size: Size | None = None) -> int:
    """The memory that each image of a batch takes in training, from the forward pass to the backward pass.

    It is what autograd saves for the gradients of the parameters when the network, auxiliary heads too, runs in
    training mode in float32: outputs of layers as far as a derivative needs them, each tensor once however many
    layers keep it, and the image itself. Found as the difference between three images and two, so that
    what is kept once for a batch (weights, its statistics) is not in it; nor is the loss, nor the momentary
    memory of a single layer. 0 for what does not learn by gradient.

    Args:
        model: stays as it is.
        size: height and width of the image; None takes the network's own.
    """
    size = size or model.preprocess.size
    with _kept_as_it_is(model, training=True):
        return _saved_bytes(model, size, 3) - _saved_bytes(model, size, 2)


class _Training(nn.Module):
    """The network as training calls it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.network.forward_train(images)


def _saved_bytes(model: Network, size: Size, count: int) -> int:
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage.nbytes()
        return tensor.detach()  # held by the graph, so that no other storage takes its place

    state = {f"network.{name}": tensor for name, tensor in _state_on_meta(model).items()}
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = functional_call(_Training(model), state, (_images(model, size, count),))
    total = sum(storages.values())
    del outputs  # until here the graph lives
    return total


def _images(model: Network, size: Size, count: int) -> Tensor:
    return torch.empty(count, model.preprocess.channels, *size, device="meta")


def _state_on_meta(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and all buffers, as shapes."""
    parameters = {
        name: torch.empty_like(tensor, device="meta").requires_grad_(tensor.requires_grad) for name, tensor in model.named_parameters()
    }
    return {**parameters, **{name: torch.empty_like(tensor, device="meta") for name, tensor in model.named_buffers()}}


@contextlib.contextmanager
def _kept_as_it_is(model: nn.Module, *, training: bool) -> Iterator[None]:
    """In training or evaluation mode for a while; afterwards each module in its own."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.train(training)
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


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
