"""The picture written as a JPEG file of low quality and read again."""

import io

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from neocog.attack.corruptions.member import CORRUPTIONS, Corruption
from neocog.augment.member import Draw

__all__: list[str] = []


def _corrupt(images: Float[Tensor, "b c h w"], quality: float, draw: Draw) -> Float[Tensor, "b c h w"]:
    """In colour, with halved chroma as is usual; images without three channels one channel after the other."""
    levels = (images * 255).round().clamp(0, 255).to(torch.uint8).cpu()
    planes = levels if images.shape[1] == 3 else levels.flatten(0, 1)[:, None]
    read = torch.stack([_through_file(picture, round(quality)) for picture in planes])
    return read.view(levels.shape).to(images) / 255


def _through_file(picture: UInt8[Tensor, "c h w"], quality: int) -> UInt8[Tensor, "c h w"]:
    array = picture.numpy()
    image = Image.fromarray(array[0] if len(array) == 1 else np.ascontiguousarray(array.transpose(1, 2, 0)))
    file = io.BytesIO()
    image.save(file, format="JPEG", quality=quality)
    read = np.atleast_3d(np.array(Image.open(file)))
    return torch.from_numpy(np.ascontiguousarray(read.transpose(2, 0, 1)))


CORRUPTIONS.add(
    "jpeg",
    Corruption(
        _corrupt,
        amounts=(80, 65, 58, 50, 40),
        amounts_of_large=(25, 18, 15, 10, 7),
        unit="quality",
        summary="written as a JPEG of low quality",
        source="Hendrycks and Dietterich 2019, JPEG compression",
    ),
)
