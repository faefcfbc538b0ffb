"""The memory that training takes: what autograd keeps of each image until the backward pass."""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from neocog.images import Size
from neocog.models.network import Network

__all__ = ["activation_bytes", "images_on_meta", "kept_as_it_is", "saved_for_backward", "state_on_meta"]


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
    with kept_as_it_is(model, training=True):
        few, more = (saved_for_backward(partial(_answer, model, size, count)) for count in (2, 3))
        return more - few


def saved_for_backward(run: Callable[[], Any], weights: Iterable[Tensor] = ()) -> int:
    """Bytes that autograd saves for a backward pass, each storage once.

    Args:
        run: a forward pass with gradients; what it returns is held until all is counted.
        weights: tensors that are there anyway, and are not counted.
    """
    there = {tensor.untyped_storage()._cdata for tensor in weights}
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in there:
            storages[storage._cdata] = storage.nbytes()
        return tensor.detach()  # held by the graph, so that no other storage takes its place

    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        outputs = run()
    total = sum(storages.values())
    del outputs  # until here the graph lives
    return total


class _Training(nn.Module):
    """The network as training calls it."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.network.forward_train(images)


def _answer(model: Network, size: Size, count: int) -> Any:
    state = {f"network.{name}": tensor for name, tensor in state_on_meta(model).items()}
    return functional_call(_Training(model), state, (images_on_meta(model, size, count),))


def images_on_meta(model: Network, size: Size, count: int) -> Tensor:
    """Images as shapes."""
    return torch.empty(count, model.preprocess.channels, *size, device="meta")


def state_on_meta(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and all buffers, as shapes."""
    parameters = {
        name: torch.empty_like(tensor, device="meta").requires_grad_(tensor.requires_grad) for name, tensor in model.named_parameters()
    }
    return {**parameters, **{name: torch.empty_like(tensor, device="meta") for name, tensor in model.named_buffers()}}


@contextlib.contextmanager
def kept_as_it_is(model: nn.Module, *, training: bool) -> Iterator[None]:
    """In training or evaluation mode for a while; afterwards each module in its own."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.train(training)
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
