"""A square of the image that is hidden."""

from dataclasses import dataclass, replace

import torch

from neocog.augment.member import AUGMENTATIONS, Change, Draw
from neocog.augment.recolour import mean_colour
from neocog.batch import Batch
from neocog.options import check, option

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Hide one square under the mean colour of its picture; its centre is anywhere in the image, so that it may stand over."""

    cutout_share: float = option(0.5, "side of the square, as a share of the image's shorter side", low=0, high=1)

    def __post_init__(self) -> None:
        check(self)


def _change(options: Options, draw: Draw, batch: Batch) -> Batch:
    height, width = batch.pixels.shape[2:]
    side = round(options.cutout_share * min(height, width))
    centre = draw.uniform(2)
    hidden = []
    for extent, at in ((height, centre[:, :1]), (width, centre[:, 1:])):
        first = torch.floor(at * extent) - side // 2
        positions = torch.arange(extent, device=at.device)
        hidden.append((positions >= first) & (positions < first + side))
    hole = (hidden[0][:, :, None] & hidden[1][:, None, :])[:, None]
    colour = mean_colour(batch)[:, :, None, None]
    fill = (colour * 255).round().to(torch.uint8) if batch.pixels.dtype == torch.uint8 else colour.to(batch.pixels.dtype)
    return replace(batch, pixels=torch.where(hole, fill, batch.pixels))


AUGMENTATIONS.add(
    "cutout",
    Change(
        Options,
        _change,
        stage="cutout",
        source="DeVries & Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017, https://arxiv.org/abs/1708.04552",
    ),
)
