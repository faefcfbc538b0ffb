"""GoogLeNet: torchvision's, and the paper's in tensors and functions alone.

The paper's convolutions are sums over shifted views of the padded map, so that no convolution of torch takes
part; its poolings are taken from windows.
"""

from functools import partial

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from references.reference import Reference

TABLE = """
3a 192  64  96 128 16  32  32
3b 256 128 128 192 32  96  64
4a 480 192  96 208 16  48  64
4b 512 160 112 224 24  64  64
4c 512 128 128 256 24  64  64
4d 512 112 144 288 32  64  64
4e 528 256 160 320 32 128 128
5a 832 256 160 320 32 128 128
5b 832 384 192 384 48 128 128
"""


def convolve(maps: Tensor, weight: Tensor, bias: Tensor, stride: int = 1) -> Tensor:
    side = weight.shape[-1]
    height, width = (-(-length // stride) for length in maps.shape[-2:])
    padded = functional.pad(maps, [side // 2] * 4)
    total = bias[:, None, None]
    for row in range(side):
        for column in range(side):
            view = padded[:, :, row : row + stride * height : stride, column : column + stride * width : stride]
            total = total + torch.einsum("oc,bchw->bohw", weight[:, :, row, column], view)
    return total.clamp(min=0)


def windows(maps: Tensor, side: int, stride: int) -> Tensor:
    return maps.unfold(2, side, stride).unfold(3, side, stride)


def largest(maps: Tensor, stride: int) -> Tensor:
    """3x3 windows; at stride 2 they stand over the right and the bottom edge, at stride 1 over all four."""
    edges = [1, 1, 1, 1] if stride == 1 else [0, 1, 0, 1]
    return windows(functional.pad(maps, edges, value=float("-inf")), 3, stride).amax(dim=(-1, -2))


def damped(maps: Tensor) -> Tensor:
    squares = functional.pad(maps * maps, [0, 0, 0, 0, 2, 2])
    energy = sum(squares[:, shift : shift + maps.shape[1]] for shift in range(5))
    return maps / (2 + 1e-4 * energy) ** 0.75


class SecondGoogLeNet(nn.Module):
    """Table 1 with the auxiliary classifiers of section 5, without dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.tensors = nn.ParameterDict()
        self.layer("conv1", 64, 3, 7)
        self.layer("conv2_reduce", 64, 64, 1)
        self.layer("conv2", 192, 64, 3)
        for row in TABLE.split("\n")[1:-1]:
            name, *numbers = row.split()
            before, one, three_reduce, three, five_reduce, five, pool = map(int, numbers)
            self.layer(f"{name}_1", one, before, 1)
            self.layer(f"{name}_3_reduce", three_reduce, before, 1)
            self.layer(f"{name}_3", three, three_reduce, 3)
            self.layer(f"{name}_5_reduce", five_reduce, before, 1)
            self.layer(f"{name}_5", five, five_reduce, 5)
            self.layer(f"{name}_pool", pool, before, 1)
        for name, channels in (("4a", 512), ("4d", 528)):
            self.layer(f"aux{name}_conv", 128, channels, 1)
            self.layer(f"aux{name}_fc1", 1024, 2048)
            self.layer(f"aux{name}_fc2", 1000, 1024)
        self.layer("fc", 1000, 1024)

    def layer(self, name: str, outputs: int, inputs: int, side: int = 0) -> None:
        self.tensors[f"{name}_weight"] = nn.Parameter(torch.empty(outputs, inputs, *[side] * 2 if side else ()))
        self.tensors[f"{name}_bias"] = nn.Parameter(torch.empty(outputs))

    def conv(self, name: str, maps: Tensor, stride: int = 1) -> Tensor:
        return convolve(maps, self.tensors[f"{name}_weight"], self.tensors[f"{name}_bias"], stride)

    def dense(self, name: str, vectors: Tensor) -> Tensor:
        return vectors @ self.tensors[f"{name}_weight"].T + self.tensors[f"{name}_bias"]

    def module(self, name: str, maps: Tensor) -> Tensor:
        three = self.conv(f"{name}_3", self.conv(f"{name}_3_reduce", maps))
        five = self.conv(f"{name}_5", self.conv(f"{name}_5_reduce", maps))
        return torch.cat([self.conv(f"{name}_1", maps), three, five, self.conv(f"{name}_pool", largest(maps, 1))], dim=1)

    def auxiliary(self, name: str, maps: Tensor) -> Tensor:
        pooled = self.conv(f"aux{name}_conv", windows(maps, 5, 3).mean(dim=(-1, -2)))
        return self.dense(f"aux{name}_fc2", self.dense(f"aux{name}_fc1", pooled.flatten(1)).clamp(min=0))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        maps = damped(largest(self.conv("conv1", images, 2), 2))
        maps = largest(damped(self.conv("conv2", self.conv("conv2_reduce", maps))), 2)
        found = {}
        for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b"):
            if name in ("4a", "5a"):
                maps = largest(maps, 2)
            maps = self.module(name, maps)
            if name in ("4a", "4d") and self.training:
                found[f"aux{len(found) + 1}"] = self.auxiliary(name, maps)
        return {"logits": self.dense("fc", maps.mean(dim=(2, 3))), **found}


PLACES = {"1": "1x1", "3_reduce": "3x3.reduce", "3": "3x3.conv", "5_reduce": "5x5.reduce", "5": "5x5.conv", "pool": "pool.project"}
STEM = {"conv1": "stages.conv1.conv", "conv2_reduce": "stages.conv2.reduce.conv", "conv2": "stages.conv2.conv.conv", "fc": "head.fc"}


def second_key(key: str) -> str:
    layer, _, tensor = key.removeprefix("tensors.").rpartition("_")
    if layer in STEM:
        return f"{STEM[layer]}.{tensor}"
    module, _, place = layer.partition("_")
    if module.startswith("aux"):
        return f"auxiliary.inception{module.removeprefix('aux')}.{place}{'.conv' if place == 'conv' else ''}.{tensor}"
    return f"stages.inception{module}.branches.{PLACES[place]}.conv.{tensor}"


def torchvisions(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    if not module.training:
        return {"logits": module(images)}
    found = module(images)
    return {"logits": found.logits, "aux1": found.aux_logits1, "aux2": found.aux_logits2}


REFERENCES = {
    "googlenet": Reference(
        "torchvision",
        partial(torchvision.models.googlenet, weights=None, aux_logits=True, init_weights=False),
        outputs=torchvisions,
    ),
    "googlenet_2014": Reference("second implementation", SecondGoogLeNet, second_key, lambda module, images: module(images)),
}
