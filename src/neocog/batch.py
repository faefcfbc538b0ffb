"""A batch on its way from pictures to a network, and how a network wants its images."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, Literal, get_args

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from neocog.errors import WeightsError
from neocog.images import Interpolation, Size
from neocog.targets import Targets

__all__ = ["Batch", "Fit", "Preprocess", "fit_matrices", "join"]

Fit = Literal["cover", "letterbox", "crop", "native"]
"""How a picture meets the input size; it is never squashed.

cover: scaled until it covers the input, what stands over is cut (classification).
letterbox: scaled until it fits inside the input, the rest is padding (detection).
crop: a window of the input's size at the picture's own scale (segmentation's and denoising's training).
native: the picture as it is; the input takes its size (segmentation's and denoising's prediction).
"""


def _is_size(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)


def _are_numbers(value: Any) -> bool:
    """Whether all are finite, and within what a float can hold: JSON's whole numbers have no end."""
    most = sys.float_info.max
    return isinstance(value, list) and bool(value) and all(type(one) in (int, float) and -most <= one <= most for one in value)


FIELDS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("size", _is_size, "a height and a width"),
    ("resize", _is_size, "a height and a width"),
    ("channels", lambda value: type(value) is int and value in (1, 3, 4), "1, 3 or 4"),
    ("mean", _are_numbers, "a list of numbers"),
    ("std", lambda value: _are_numbers(value) and min(value) > 0, "a list of numbers above 0"),
    ("interpolation", lambda value: value in get_args(Interpolation), "bilinear, bicubic or nearest"),
)
"""Of `Preprocess`: what JSON must have for them."""


@dataclass(frozen=True)
class Batch:
    """Pictures and their targets, as the loader gives them and as augmentation changes them.

    Attributes:
        pixels: uint8 in [0, 255], or float in [0, 1]; padded at the right and at the bottom to one size.
        targets: in the coordinates of `pixels`; None when nothing is known.
        keys: which sample of the dataset each picture is.
        source_sizes: height and width of each picture's file, upright.
        to_input: maps source pixel coordinates (x, y, 1) to coordinates of `pixels`; the centre of the first
            pixel is (0.5, 0.5) in both.
        valid: True where `pixels` shows the picture, False where it is padding.
    """

    pixels: UInt8[Tensor, "b c h w"] | Float[Tensor, "b c h w"]
    targets: Targets | None
    keys: Int64[Tensor, "b"]
    source_sizes: Int64[Tensor, "b 2"]
    to_input: Float[Tensor, "b 3 3"]
    valid: Bool[Tensor, "b h w"] | None = None

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def images(self) -> Float[Tensor, "b c h w"]:
        """The pixels as float32 in [0, 1], not normalised."""
        return self.pixels.to(torch.float32).div_(255) if self.pixels.dtype == torch.uint8 else self.pixels

    def to(self, device: str | torch.device) -> "Batch":
        """The same batch with its tensors on a device."""

        def move(value: Any) -> Any:
            if isinstance(value, Tensor):
                return value.to(device, non_blocking=True)
            if isinstance(value, tuple):
                return tuple(move(item) for item in value)
            if hasattr(value, "__dataclass_fields__"):
                return replace(value, **{name: move(getattr(value, name)) for name in value.__dataclass_fields__})
            return value

        return replace(self, **{name: move(getattr(self, name)) for name in self.__dataclass_fields__})

    def split(self, counts: Sequence[int]) -> "list[Batch]":
        """The batch in parts of so many pictures one after another; their tensors are views of the batch's."""

        def cut(value: Any) -> list[Any]:
            if isinstance(value, Tensor):
                return list(value.split(list(counts)))
            if isinstance(value, tuple):  # an item a picture
                ends = list(accumulate(counts))
                return [value[end - count : end] for count, end in zip(counts, ends, strict=True)]
            if hasattr(value, "__dataclass_fields__"):
                columns = {name: cut(getattr(value, name)) for name in value.__dataclass_fields__}
                return [replace(value, **dict(zip(columns, row, strict=True))) for row in zip(*columns.values(), strict=True)]
            return [value] * len(counts)

        return cut(self)


@dataclass(frozen=True)
class Preprocess:
    """How the weights' network wants its images. Belongs to the weights; saved in runs and exports.

    Attributes:
        size: height and width of the network's input.
        resize: height and width of the canvas that a picture is made to cover before the centre crop to
            `size`; equal to `size` when nothing is cropped.
        channels: 1 (grey), 3 (RGB) or 4.
        mean: per channel, on the scale [0, 1].
        std: per channel, on the scale [0, 1].
        interpolation: filter of the resizing.
    """

    size: Size
    resize: Size
    channels: int = 3
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    interpolation: Interpolation = "bilinear"

    def normalise(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Subtract the mean and divide by the standard deviation. Called by the engine's forward alone."""
        mean, std = self._statistics(images)
        return (images - mean) / std

    def denormalise(self, images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The inverse of `normalise`, for networks that answer with images."""
        mean, std = self._statistics(images)
        return images * std + mean

    def _statistics(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, each "c 1 1", in the images' type and on their device."""
        mean, std = (torch.tensor(values, dtype=images.dtype, device=images.device)[:, None, None] for values in (self.mean, self.std))
        return mean, std

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, values: Any) -> "Preprocess":
        """The inverse of `to_dict`.

        Raises:
            WeightsError: a field is missing or unknown, or no images can be as it says.
        """
        if not isinstance(values, dict) or set(values) != set(cls.__dataclass_fields__):
            raise _wrong(
                f"{', '.join(cls.__dataclass_fields__)} of the images", ", ".join(values) if isinstance(values, dict) else repr(values)
            )
        for name, admits, expected in FIELDS:
            if not admits(values[name]):
                raise _wrong(f"{expected} for {name} of the images", repr(values[name]))
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        made = cls(**fields)
        if not len(made.mean) == len(made.std) == made.channels:
            raise _wrong(f"mean and std for {made.channels} channels of the images", f"{len(made.mean)} and {len(made.std)}")
        if made.resize[0] < made.size[0] or made.resize[1] < made.size[1]:
            raise _wrong(f"resize of the images to cover {made.size[0]}x{made.size[1]}", f"{made.resize[0]}x{made.resize[1]}")
        return made


def join(batches: Sequence[Batch]) -> Batch:
    """Batches one after another as one, their pictures all of one size; `Batch.split` parts it again.

    Pixels of several types become float in [0, 1].
    """

    def joined(values: list[Any]) -> Any:
        first = values[0]
        if isinstance(first, Tensor):
            kinds = {value.dtype for value in values}
            return torch.cat(values if len(kinds) == 1 else [_as_float(value) for value in values])
        if isinstance(first, tuple):
            return tuple(item for value in values for item in value)
        if hasattr(first, "__dataclass_fields__"):
            return replace(first, **{name: joined([getattr(value, name) for value in values]) for name in first.__dataclass_fields__})
        return first

    if len(batches) == 1:
        return batches[0]
    if any(batch.valid is not None for batch in batches):
        batches = [batch if batch.valid is not None else replace(batch, valid=_all_valid(batch)) for batch in batches]
    whole: Batch = joined(list(batches))
    return whole


def _as_float(pixels: Tensor) -> Tensor:
    return pixels if pixels.is_floating_point() else pixels.to(torch.float32).div_(torch.iinfo(pixels.dtype).max)


def _all_valid(batch: Batch) -> Bool[Tensor, "b h w"]:
    return torch.ones(len(batch), *batch.pixels.shape[2:], dtype=torch.bool, device=batch.pixels.device)


def _wrong(expected: str, found: str) -> WeightsError:
    return WeightsError(expected, found or "none", "get the file again from where it was made")


def fit_matrices(fit: Fit, sizes: Float[Tensor, "b 2"] | Int64[Tensor, "b 2"], size: Size) -> Float[Tensor, "b 3 3"]:
    """The affine maps from pixel coordinates (x, y, 1) of pictures to those of the network's input.

    Args:
        fit: see `Fit`. "crop" takes the window in the middle.
        sizes: height and width of each picture.
        size: height and width of the input.
    """
    picture = sizes.to(torch.float64)
    inputs = torch.tensor(size, dtype=torch.float64, device=sizes.device)
    ratios = inputs / picture
    scale = {"cover": ratios.amax(dim=1), "letterbox": ratios.amin(dim=1)}.get(fit, torch.ones_like(ratios[:, 0]))
    offset = torch.zeros_like(ratios) if fit == "native" else (inputs - picture * scale[:, None]) / 2
    matrices = torch.eye(3, dtype=torch.float64, device=sizes.device).repeat(len(sizes), 1, 1)
    matrices[:, 0, 0] = matrices[:, 1, 1] = scale
    matrices[:, 0, 2], matrices[:, 1, 2] = offset[:, 1], offset[:, 0]
    return matrices.to(torch.float32)
