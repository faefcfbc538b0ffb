"""DnCNN written out: the noise is what a chain of convolutions makes of the image."""

from functools import partial

from torch import Tensor

from references.reference import Reference
from references.written import Written, key


class SecondDncnn(Written):
    def __init__(self, depth: int) -> None:
        super().__init__()
        self.depth = depth
        self.declare("stages.layer1.0", 64, 1, 3, 3)
        for number in range(2, depth):
            self.declare_unit(f"stages.layer{number}", 64, 64, 3, 3)
        self.declare("head.conv", 1, 64, 3, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps = self.conv(images, "stages.layer1.0", padding=1).relu()
        for number in range(2, self.depth):
            maps = self.unit(maps, f"stages.layer{number}")
        return images - self.conv(maps, "head.conv", padding=1)


REFERENCES = {
    "dncnn": Reference("second implementation", partial(SecondDncnn, 17), key, size=(21, 30)),
    "dncnn_blind": Reference("second implementation", partial(SecondDncnn, 20), key, size=(21, 30)),
}
