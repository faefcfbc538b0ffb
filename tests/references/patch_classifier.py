"""The network of a window, on the window around every pixel, cut out of the mirrored picture one by one."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from references.reference import Reference
from references.written import Written, key

KERNELS = (4, 5, 4, 4)


class SecondWindows(Written):
    def __init__(self) -> None:
        super().__init__()
        for number, side in enumerate(KERNELS, start=1):
            self.declare(f"stages.stage{number}.conv", 48, 48 if number > 1 else 1, side, side)
        self.declare("head.body.hidden", 200, 48, 3, 3)
        self.declare("head.body.conv", 2, 200, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        around = np.pad(images.numpy(), [(0, 0), (0, 0), (47, 47), (47, 47)], mode="reflect")
        answers = torch.empty(len(images), 2, height, width)
        for row in range(height):
            for column in range(width):
                maps = torch.from_numpy(around[:, :, row : row + 95, column : column + 95])
                for number in range(1, 5):
                    maps = functional.max_pool2d(self.conv(maps, f"stages.stage{number}.conv").relu(), 2)
                hidden = maps.flatten(1) @ self.named("head.body.hidden.weight").flatten(1).T + self.named("head.body.hidden.bias")
                logits = hidden.relu() @ self.named("head.body.conv.weight").flatten(1).T + self.named("head.body.conv.bias")
                answers[:, :, row, column] = logits
        return answers


REFERENCES = {"patch_classifier": Reference("second implementation", SecondWindows, key, size=(5, 6))}
