"""SegNet with torch's own pooling and unpooling, which hand on the places of the maxima."""

from torch import Tensor
from torch.nn import functional

from references.reference import Reference
from references.written import Written, key

ENCODER = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
DECODER = ((512, 512, 512), (512, 512, 256), (256, 256, 128), (128, 64), (64,))


class SecondSegnet(Written):
    def __init__(self) -> None:
        super().__init__()
        before = 3
        for prefix, numbers, table in (("stages", range(1, 6), ENCODER), ("head.stages", range(5, 0, -1), DECODER)):
            for number, widths in zip(numbers, table, strict=True):
                for index, width in enumerate(widths, start=1):
                    self.declare_unit(f"{prefix}.stage{number}.unit{index}", width, before, 3, 3)
                    before = width
        self.declare("head.conv", 11, 64, 3, 3)

    def forward(self, images: Tensor) -> Tensor:
        maps, places = images, []
        for number, widths in enumerate(ENCODER, start=1):
            for index in range(1, len(widths) + 1):
                maps = self.unit(maps, f"stages.stage{number}.unit{index}")
            size = maps.shape
            maps, indices = functional.max_pool2d(maps, 2, return_indices=True)
            places.append((indices, size))
        for number, widths in zip(range(5, 0, -1), DECODER, strict=True):
            indices, size = places.pop()
            maps = functional.max_unpool2d(maps, indices, 2, output_size=size)
            for index in range(1, len(widths) + 1):
                maps = self.unit(maps, f"head.stages.stage{number}.unit{index}")
        return self.conv(maps, "head.conv", padding=1)


REFERENCES = {"segnet": Reference("second implementation", SecondSegnet, key, size=(45, 70))}
