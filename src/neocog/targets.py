"""What is known about a picture (a target), what a network answers (a prediction), and targets of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int64, UInt8, UInt16
from torch import Tensor

from neocog.images import Picture, to_one_depth

__all__ = [
    "BoxLists",
    "Boxes",
    "Clean",
    "Cleans",
    "Label",
    "Labels",
    "Mask",
    "Masks",
    "Prediction",
    "Target",
    "Targets",
    "TaskName",
    "pad_to_one_size",
    "stack",
]

TaskName = Literal["classify", "detect", "segment", "denoise"]
"""What is asked of a picture: its class, its instances, the class of every pixel, itself without noise."""


@dataclass(frozen=True)
class Label:
    """The one class of a picture, as an index into the dataset's class names."""

    index: int


@dataclass(frozen=True)
class Boxes:
    """The instances in a picture.

    Attributes:
        corners: x1, y1, x2, y2 in pixels of the picture.
        classes: an index into the class names for each box.
        outlines: for each box the polygon of its instance (points by 2, x then y) where one is known, else empty.
    """

    corners: Float[Tensor, "n 4"]
    classes: Int64[Tensor, "n"]
    outlines: tuple[Float[Tensor, "_ 2"], ...] = ()


@dataclass(frozen=True)
class Mask:
    """The class of every pixel.

    Attributes:
        classes: an index into the class names for each pixel.
        void: the index that means "not labelled", which no loss or metric counts.
    """

    classes: UInt16[Tensor, "h w"]
    void: int | None = None


@dataclass(frozen=True)
class Clean:
    """The picture as it was before it was disturbed.

    Attributes:
        picture: without noise.
        disturbed: whether the picture that it belongs to has noise; else that one is clean too, and the task disturbs it.
    """

    picture: Picture
    disturbed: bool = True


Target = Label | Boxes | Mask | Clean


@dataclass(frozen=True)
class Prediction:
    """A network's answer about one picture, in the pixels of the source.

    Attributes:
        answer: in the form of a target.
        scores: confidences in [0, 1]: a label's "classes" (they sum to 1), boxes' "n", a mask's "h w"; None
            for a restored picture.
    """

    answer: Target
    scores: Float[Tensor, "..."] | None = None


@dataclass(frozen=True)
class Labels:
    """The labels of a batch, each possibly a mixture of two (mixup, cutmix).

    Attributes:
        classes: the class of each picture.
        others: the class that is mixed in.
        share: how much of the picture is of `classes`, in [0, 1]; the rest is of `others`.
    """

    classes: Int64[Tensor, "b"]
    others: Int64[Tensor, "b"]
    share: Float[Tensor, "b"]


@dataclass(frozen=True)
class BoxLists:
    """The boxes of a batch: their number differs from picture to picture."""

    pictures: tuple[Boxes, ...]


@dataclass(frozen=True)
class Masks:
    """The masks of a batch, padded with `void` to one size.

    Attributes:
        classes: signed, so that it can index and be a cross-entropy's target.
        void: the index that means "not labelled".
    """

    classes: Int64[Tensor, "b h w"]
    void: int = 65535


@dataclass(frozen=True)
class Cleans:
    """The clean pictures of a batch, padded to one size.

    Attributes:
        pixels: uint8, uint16, or float in [0, 1].
        disturbed: see `Clean`; of all pictures.
    """

    pixels: Float[Tensor, "b c h w"] | UInt8[Tensor, "b c h w"] | UInt16[Tensor, "b c h w"]
    disturbed: bool = True


Targets = Labels | BoxLists | Masks | Cleans


def stack(targets: Sequence[Target]) -> Targets:
    """Bring the targets of several pictures, all of one kind, into a batch's form.

    Pictures of unequal size are padded at the right and at the bottom: masks with void, clean pictures with 0.

    Raises:
        TypeError: the targets are not all of one kind.
    """
    kinds = {type(target) for target in targets}
    if len(kinds) != 1:
        raise TypeError(f"expected targets of one kind, found {sorted(kind.__name__ for kind in kinds)}")
    labels = [target for target in targets if isinstance(target, Label)]
    if labels:
        classes = torch.tensor([label.index for label in labels], dtype=torch.int64)
        return Labels(classes, classes.clone(), torch.ones(len(labels)))
    boxes = tuple(target for target in targets if isinstance(target, Boxes))
    if boxes:
        return BoxLists(boxes)
    masks = [target for target in targets if isinstance(target, Mask)]
    if masks:
        void = next((mask.void for mask in masks if mask.void is not None), Masks.void)
        return Masks(pad_to_one_size([mask.classes.to(torch.int64) for mask in masks], fill=void), void)
    cleans = [target for target in targets if isinstance(target, Clean)]
    pictures = to_one_depth([clean.picture for clean in cleans])
    return Cleans(pad_to_one_size(pictures, fill=0), all(clean.disturbed for clean in cleans))


def pad_to_one_size(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Stack tensors "... h w" of unequal size, padded at the right and at the bottom."""
    height, width = max(t.shape[-2] for t in tensors), max(t.shape[-1] for t in tensors)
    if all(t.shape[-2:] == (height, width) for t in tensors):
        return torch.stack(list(tensors))
    padded = tensors[0].new_full((len(tensors), *tensors[0].shape[:-2], height, width), fill)
    for row, tensor in zip(padded, tensors, strict=True):
        row[..., : tensor.shape[-2], : tensor.shape[-1]] = tensor
    return padded
