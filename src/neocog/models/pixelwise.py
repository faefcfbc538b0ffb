"""What networks have in common that answer for every pixel: stages in order, then a head that sees several of their maps."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from neocog.images import Size
from neocog.layers import Reach, at_least, fit_to, placed, reach, resized
from neocog.models.entry import ModelSpec
from neocog.models.network import Network

__all__ = ["Enlarged", "PixelHead", "PixelNetwork", "Placed", "Surround"]

Surround = Callable[[Tensor], Tensor]
"""Gives the stages more than the image, "b c h w" to "b c i j", where their convolutions are not padded."""


class PixelHead(nn.Module, ABC):
    """From the maps of some stages to an answer for every pixel.

    Attributes:
        taps: the stages whose maps it sees, in the order of the network.
    """

    taps: tuple[str, ...] = ()

    @abstractmethod
    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The answer at a height and width, which are those of the image."""

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """The reach of the answer, given those of the stages' maps: see `neocog.layers.reach`; None where it is not reckoned."""
        return None


class PixelNetwork(Network):
    """A network that gives logits "b classes height width" for segmentation, or the restored images for denoising.

    It takes images of any size; `feature_maps` shows its stages the image alone, without what `least` and `surround` add.
    To restore, the head's answer is subtracted from the image: it learns the noise.

    Args:
        spec: what is asked for.
        stages: as in `Network`.
        head: from the stages' maps to the answer.
        channels: of each stage's feature map.
        least: the lowest and narrowest image that the stages work on, in pixels; smaller ones are continued by their
            last row and column while they pass through.
        surround: gives the stages more than the image; the head answers for the image alone.
        auxiliary: as in `Network`; their answers are resized to the image.
    """

    head: PixelHead

    def __init__(
        self,
        spec: ModelSpec,
        stages: Mapping[str, nn.Module],
        head: PixelHead,
        *,
        channels: Sequence[int],
        least: int = 1,
        surround: Surround | None = None,
        auxiliary: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__(stages, head, channels=channels, preprocess=spec.preprocess, num_classes=spec.num_classes, auxiliary=auxiliary)
        self.denoises = spec.task == "denoise"
        self.least = least
        self.surround = surround
        self.auxiliary_weight = 0.5 if auxiliary else 0.0  # as torchvision trains them

    def forward(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Logits of every pixel, or the restored images, of normalised images."""
        return self.answers(images, ())["logits"]

    def forward_train(self, images: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """The answer as "logits", and "aux1", "aux2", ... of auxiliary heads where there are any; all at the images' size."""
        return self.answers(images, tuple(self.auxiliary))

    def answers(self, images: Tensor, auxiliary: Sequence[str]) -> dict[str, Tensor]:
        """The answer as "logits", and those of some auxiliary heads, by the names of their stages."""
        size = (images.shape[-2], images.shape[-1])
        maps = at_least(images, self.least)
        whole = (maps.shape[-2], maps.shape[-1])
        if self.surround is not None:
            maps = self.surround(maps)
        kept: dict[str, Tensor] = {}
        for name, stage in self.stages.items():
            maps = stage(maps)
            if name in self.head.taps or name in auxiliary:
                kept[name] = maps
        answer = fit_to(self.head({name: kept[name] for name in self.head.taps}, whole), size)
        extra = (fit_to(resized(self.auxiliary[name](kept[name]), whole), size) for name in auxiliary)
        logits = images - answer if self.denoises else answer
        return {"logits": logits, **{f"aux{number}": output for number, output in enumerate(extra, start=1)}}


class Enlarged(PixelHead):
    """Scores of one stage's map, brought to the image's size by bilinear interpolation.

    Args:
        tap: the stage.
        body: from its map to the scores.
    """

    def __init__(self, tap: str, body: nn.Module) -> None:
        super().__init__()
        self.taps = (tap,)
        self.body = body

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution."""
        return resized(self.body(maps[self.taps[0]]), size)

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """That of the scores, before they are enlarged."""
        return reach(self.body, reaches[self.taps[0]], side)


class Placed(Enlarged):
    """Scores of one stage's map, brought to the image's size by bilinear interpolation from where the map's points lie.

    `Enlarged` spreads the points evenly over the image, whose squares they then stand for. Where windows are not padded, a
    map has fewer points than that: they begin inside of the image and end there.

    Args:
        tap: the stage.
        body: from its map to the scores, point by point or padded.
        points: of the map.
    """

    def __init__(self, tap: str, body: nn.Module, points: Reach) -> None:
        super().__init__(tap, body)
        self.stride, self.first = points.stride, points.centre

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution; beyond the outermost points theirs."""
        return placed(self.body(maps[self.taps[0]]), size, stride=self.stride, first=self.first)
