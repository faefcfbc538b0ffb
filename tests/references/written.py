"""A bag of named tensors and what networks do with them, for references that are written out step by step."""

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Written", "key"]


def key(name: str) -> str:
    """The names are ours, with bars where we have dots: a parameter's name must have none."""
    return name.replace("|", ".")


class Written(nn.Module):
    """Tensors by name. A subclass declares them in its constructor and uses them in `forward`."""

    def declare(self, name: str, *shape: int, bias: bool = True) -> None:
        self.register_parameter(f"{name}.weight".replace(".", "|"), nn.Parameter(torch.empty(shape)))
        if bias:
            self.register_parameter(f"{name}.bias".replace(".", "|"), nn.Parameter(torch.empty(shape[0])))

    def declare_unit(self, name: str, *shape: int) -> None:
        self.declare(f"{name}.conv", *shape, bias=False)
        self.declare(f"{name}.norm", shape[0])
        for part in ("running_mean", "running_var"):
            self.register_buffer(f"{name}.norm.{part}".replace(".", "|"), torch.empty(shape[0]))

    def named(self, name: str) -> Tensor | None:
        return getattr(self, name.replace(".", "|"), None)

    def conv(self, maps: Tensor, name: str, padding: int = 0, dilation: int = 1) -> Tensor:
        return functional.conv2d(maps, self.named(f"{name}.weight"), self.named(f"{name}.bias"), padding=padding, dilation=dilation)

    def unit(self, maps: Tensor, name: str, padding: int = 1) -> Tensor:
        """Convolution, batch normalisation, rectifier."""
        maps = functional.conv2d(maps, self.named(f"{name}.conv.weight"), padding=padding)
        parts = (self.named(f"{name}.norm.{part}") for part in ("running_mean", "running_var", "weight", "bias"))
        return functional.batch_norm(maps, *parts, training=self.training).relu()
