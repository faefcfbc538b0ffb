"""The project's own small network, a second time: convolutions as matrix products, pooling by hand."""

import torch
from torch import Tensor, nn

from references.reference import Reference
from references.unfolded import convolve

WIDTHS = (32, 32, 64, 64, 128, 128)


class SecondSmallConvnet(nn.Module):
    """Six convolutions in a row, each normalised; the third and the fifth see halved maps."""

    def __init__(self) -> None:
        super().__init__()
        before = (3, *WIDTHS[:-1])
        self.kernels = nn.ParameterList(torch.empty(width, maps, 3, 3) for width, maps in zip(WIDTHS, before, strict=True))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in WIDTHS)
        self.classes = nn.Linear(WIDTHS[-1], 10)

    def forward(self, images: Tensor) -> Tensor:
        maps = images
        for number, (kernels, norm) in enumerate(zip(self.kernels, self.norms, strict=True)):
            if number in (2, 4):
                maps = maps.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).amax(dim=(3, 5))
            maps = norm(convolve(maps, kernels, padding=1)).clamp(min=0)
        return self.classes(maps.mean(dim=(2, 3)))


def key(name: str) -> str:
    kind, number, *tensor = name.split(".")
    if kind == "classes":
        return f"head.fc.{number}"
    unit = f"stages.block{int(number) // 2 + 1}.unit{int(number) % 2 + 1}"
    return f"{unit}.conv.weight" if kind == "kernels" else f"{unit}.norm.{tensor[0]}"


REFERENCES = {"small_convnet": Reference("second implementation", SecondSmallConvnet, key)}
