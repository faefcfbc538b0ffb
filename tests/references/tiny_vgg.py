"""Tiny VGG layer by layer, its convolutions as matrix products."""

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

NAMES = {
    "conv_1_1": "stages.block1.conv1",
    "conv_1_2": "stages.block1.conv2",
    "conv_2_1": "stages.block2.conv1",
    "conv_2_2": "stages.block2.conv2",
    "output": "head.fc",
}


class SecondTinyVgg(nn.Module):
    """The names are those that CNN Explainer shows."""

    def __init__(self) -> None:
        super().__init__()
        for name in NAMES:
            shape = (10, 1690) if name == "output" else (10, 3 if name == "conv_1_1" else 10, 3, 3)
            self.register_parameter(f"{name}_weight", nn.Parameter(torch.empty(shape)))
            self.register_parameter(f"{name}_bias", nn.Parameter(torch.empty(10)))

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for name in list(NAMES)[:4]:
            maps = convolve(maps, getattr(self, f"{name}_weight"), getattr(self, f"{name}_bias")).clamp(min=0)
            if name.endswith("_2"):
                maps = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax(dim=(3, 5))
        return maps.flatten(1) @ self.output_weight.T + self.output_bias


def key(name: str) -> str:
    layer, _, tensor = name.rpartition("_")
    return f"{NAMES[layer]}.{tensor}"


REFERENCES = {"tiny_vgg": Reference("second implementation", SecondTinyVgg, key)}
