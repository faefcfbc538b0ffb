"""DeepLab with its large field of view, and the front end with its context module, layer by layer."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from references.reference import Reference
from references.written import Written, key

ROWS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))


class SecondVgg(Written):
    def __init__(self) -> None:
        super().__init__()
        before = 3
        for number, widths in enumerate(ROWS, start=1):
            for index, width in enumerate(widths, start=1):
                self.declare(f"stages.stage{number}.conv{index}", width, before, 3, 3)
                before = width

    def row(self, maps: Tensor, number: int, padding: int, dilation: int = 1) -> Tensor:
        for index in range(1, len(ROWS[number - 1]) + 1):
            maps = self.conv(maps, f"stages.stage{number}.conv{index}", padding, dilation).relu()
        return maps


class SecondLargeField(SecondVgg):
    def __init__(self) -> None:
        super().__init__()
        self.declare("head.body.fc6", 1024, 512, 3, 3)
        self.declare("head.body.fc7", 1024, 1024, 1, 1)
        self.declare("head.body.scores", 21, 1024, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for number in (1, 2, 3):
            maps = functional.max_pool2d(self.row(maps, number, 1), 3, 2, 1)
        maps = functional.max_pool2d(self.row(maps, 4, 1), 3, 1, 1)
        maps = functional.max_pool2d(self.row(maps, 5, 2, 2), 3, 1, 1)
        maps = self.conv(maps, "head.body.fc6", 12, 12).relu()
        scores = self.conv(self.conv(maps, "head.body.fc7").relu(), "head.body.scores")
        return functional.interpolate(scores, images.shape[2:], mode="bilinear")


class SecondContext(SecondVgg):
    def __init__(self) -> None:
        super().__init__()
        self.declare("head.body.front.fc6", 4096, 512, 7, 7)
        self.declare("head.body.front.fc7", 4096, 4096, 1, 1)
        self.declare("head.body.front.scores", 21, 4096, 1, 1)
        for number in range(1, 9):
            self.declare(f"head.body.context{number}", 21, 21, *((3, 3) if number < 8 else (1, 1)))

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        around = [(0, 0), (0, 0), (186, 186 - height % -8), (186, 186 - width % -8)]
        maps = torch.from_numpy(np.pad(images.numpy(), around, mode="reflect"))
        for number in (1, 2, 3):
            maps = functional.max_pool2d(self.row(maps, number, 0), 2)
        maps = self.row(self.row(maps, 4, 0), 5, 0, 2)
        maps = self.conv(maps, "head.body.front.fc6", dilation=4).relu()
        maps = self.conv(self.conv(maps, "head.body.front.fc7").relu(), "head.body.front.scores")
        for number, rate in enumerate((1, 1, 2, 4, 8, 16, 1), start=1):
            maps = self.conv(maps, f"head.body.context{number}", rate, rate).relu()
        scores = self.conv(maps, "head.body.context8")
        return functional.interpolate(scores, scale_factor=8, mode="bilinear")[:, :, :height, :width]


REFERENCES = {
    "deeplab_v1": Reference("second implementation", SecondLargeField, key, size=(75, 50)),
    "dilated_context": Reference("second implementation", SecondContext, key, size=(20, 9)),
}
