"""A batch on its way from pictures to a network, and how a network wants its images."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float, Int64, UInt8
from torch import Tensor

from neocog.images import Size
from neocog.targets import Targets

__all__ = ["Batch", "Fit", "Interpolation", "Preprocess", "fit_matrices"]

Fit = Literal["cover", "letterbox", "crop", "native"]
"""How a picture meets the input size; it is never squashed.

cover: scaled until it covers the input, what stands over is cut (classification).
letterbox: scaled until it fits inside the input, the rest is padding (detection).
crop: a window of the input's size at the picture's own scale (segmentation's and denoising's training).
native: the picture as it is; the input takes its size (segmentation's and denoising's prediction).
"""

Interpolation = Literal["bilinear", "bicubic", "nearest"]


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


@dataclass(frozen=True)
class Preprocess:
    """How the weights' network wants its images. Belongs to the weights; saved in runs and exports.

    Attributes:
        size: height and width of the network's input.
        resize: height and width of the canvas that a picture is made to cover before the centre crop to
            `size`; equal to `size` when nothing is cropped.
        channels: 1 (grey) or 3 (RGB).
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
        mean = torch.tensor(self.mean, dtype=images.dtype, device=images.device)[:, None, None]
        std = torch.tensor(self.std, dtype=images.dtype, device=images.device)[:, None, None]
        return (images - mean) / std

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {name: list(value) if isinstance(value := getattr(self, name), tuple) else value for name in self.__dataclass_fields__}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Preprocess":
        """The inverse of `to_dict`."""
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
        return cls(**fields)


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
