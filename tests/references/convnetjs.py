"""ConvNetJS's demonstration networks from the definitions of layers on their pages, convolutions as matrix products."""

from functools import partial

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

CIFAR10 = (("conv", 16), ("pool", 2), ("conv", 20), ("pool", 2), ("conv", 20), ("pool", 2), ("softmax", 10))
MNIST = (("conv", 8), ("pool", 2), ("conv", 16), ("pool", 3), ("softmax", 10))


class SecondConvnetjs(nn.Module):
    """Built from a page's list; the linear layer is ConvNetJS's own addition before a softmax."""

    def __init__(self, definitions: tuple[tuple[str, int], ...], depth: int, side: int) -> None:
        super().__init__()
        self.definitions = definitions
        self.filters, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for number, (kind, value) in enumerate(definitions):
            if kind == "pool":
                side //= value
                continue
            self.filters[f"{kind}{number}"] = torch.empty((value, depth, 5, 5) if kind == "conv" else (value, depth * side**2))
            self.biases[f"{kind}{number}"] = torch.empty(value)
            depth = value

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for number, (kind, value) in enumerate(self.definitions):
            name = f"{kind}{number}"
            if kind == "conv":
                maps = convolve(maps, self.filters[name], self.biases[name], padding=2).clamp(min=0)
            elif kind == "pool":
                maps = maps.unflatten(3, (-1, value)).unflatten(2, (-1, value)).amax(dim=(3, 5))
            else:
                maps = maps.flatten(1) @ self.filters[name].T + self.biases[name]
        return maps


def key(name: str) -> str:
    kind, _, layer = name.partition(".")
    place = "head.fc" if layer.startswith("softmax") else f"stages.conv{int(layer.removeprefix('conv')) // 2 + 1}.conv"
    return f"{place}.{'weight' if kind == 'filters' else 'bias'}"


REFERENCES = {
    "convnetjs_cifar10": Reference("second implementation", partial(SecondConvnetjs, CIFAR10, 3, 32), key),
    "convnetjs_mnist": Reference("second implementation", partial(SecondConvnetjs, MNIST, 1, 24), key),
}
