"""U-Net written out level by level; the paper's form with its tile mirrored by NumPy; both without their skips' help."""

from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from references.reference import Reference
from references.written import Written, key

LEVELS = 5


def doubled(maps: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Every value painted over a square of 2x2, which is what a transposed convolution of that kernel and stride does."""
    painted = torch.einsum("bnij,noyx->boiyjx", maps, weight)
    return painted.flatten(4, 5).flatten(2, 3) + bias[:, None, None]


class SecondUnet(Written):
    def __init__(self, base: int, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        widths = [base * 2**level for level in range(LEVELS)]
        for level, width in enumerate(widths):
            self.declare_unit(f"stages.stage{level + 1}.unit1", width, widths[level - 1] if level else 1, 3, 3)
            self.declare_unit(f"stages.stage{level + 1}.unit2", width, width, 3, 3)
        for step, width in enumerate(reversed(widths[:-1])):
            self.declare(f"head.steps.{step}.up", 2 * width, width, 2, 2, bias=False)
            self.register_parameter(f"head|steps|{step}|up|bias", torch.nn.Parameter(torch.empty(width)))
            self.declare_unit(f"head.steps.{step}.units.unit1", width, (1 + skips) * width, 3, 3)
            self.declare_unit(f"head.steps.{step}.units.unit2", width, width, 3, 3)
        self.declare("head.conv", 2, base, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps, kept = images, []
        for level in range(1, LEVELS + 1):
            if level > 1:
                # With a row and a column of nothing at the end, an odd size is halved upwards.
                odd = (0, maps.shape[3] % 2, 0, maps.shape[2] % 2)
                maps = functional.max_pool2d(functional.pad(maps, odd, value=-torch.inf), 2)
            maps = self.unit(self.unit(maps, f"stages.stage{level}.unit1"), f"stages.stage{level}.unit2")
            kept.append(maps)
        for step, skip in enumerate(reversed(kept[:-1])):
            up = f"head.steps.{step}.up"
            maps = doubled(maps, self.named(f"{up}.weight"), self.named(f"{up}.bias"))
            if self.skips:
                maps = torch.cat([skip, maps[:, :, : skip.shape[2], : skip.shape[3]]], dim=1)
            maps = self.unit(self.unit(maps, f"head.steps.{step}.units.unit1"), f"head.steps.{step}.units.unit2")
        return self.conv(maps, "head.conv")[:, :, : images.shape[2], : images.shape[3]]


class SecondUnet2015(Written):
    def __init__(self) -> None:
        super().__init__()
        widths = [64, 128, 256, 512, 1024]
        for level, width in enumerate(widths):
            self.declare(f"stages.stage{level + 1}.conv1", width, widths[level - 1] if level else 1, 3, 3)
            self.declare(f"stages.stage{level + 1}.conv2", width, width, 3, 3)
        for step, width in enumerate(reversed(widths[:-1])):
            self.declare(f"head.ups.{step}", 2 * width, width, 2, 2, bias=False)
            self.register_parameter(f"head|ups|{step}|bias", torch.nn.Parameter(torch.empty(width)))
            self.declare(f"head.convolutions.{step}.conv1", width, 2 * width, 3, 3)
            self.declare(f"head.convolutions.{step}.conv2", width, width, 3, 3)
        self.declare("head.conv", 2, 64, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        more = [next(extra for extra in range(16) if (side + extra) % 16 == 4) for side in (height, width)]
        around = [(0, 0), (0, 0), (92, 92 + more[0]), (92, 92 + more[1])]
        maps, kept = torch.from_numpy(np.pad(images.numpy(), around, mode="reflect")), []
        for level in range(1, LEVELS + 1):
            maps = functional.max_pool2d(maps, 2) if level > 1 else maps
            maps = self.conv(self.conv(maps, f"stages.stage{level}.conv1").relu(), f"stages.stage{level}.conv2").relu()
            kept.append(maps)
        for step, skip in enumerate(reversed(kept[:-1])):
            maps = doubled(maps, self.named(f"head.ups.{step}.weight"), self.named(f"head.ups.{step}.bias"))
            rows, columns = ((whole - part) // 2 for whole, part in zip(skip.shape[2:], maps.shape[2:], strict=True))
            maps = torch.cat([skip[:, :, rows : rows + maps.shape[2], columns : columns + maps.shape[3]], maps], dim=1)
            names = (f"head.convolutions.{step}.conv{number}" for number in (1, 2))
            for name in names:
                maps = self.conv(maps, name).relu()
        return self.conv(maps, "head.conv")[:, :, :height, :width]


BASE = 8
SECOND = "second implementation"
REFERENCES = {
    "unet": Reference(SECOND, partial(SecondUnet, BASE, True), key, size=(37, 50), options={"base": BASE}),
    "encoder_decoder": Reference(SECOND, partial(SecondUnet, BASE, False), key, size=(37, 50), options={"base": BASE}),
    "unet_2015": Reference(SECOND, SecondUnet2015, key, size=(20, 9)),
}
