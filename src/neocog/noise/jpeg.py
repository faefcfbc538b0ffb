"""What JPEG loses: blocks, and rings around edges."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor
from torch.nn import functional

from neocog.noise.member import NOISES, Noise, check_levels, drawn
from neocog.options import option

__all__ = ["Options"]

BLOCK = 8  # pixels a side


@dataclass(frozen=True)
class Options:
    """The picture as it comes back from JPEG, in 8 bits; where its blocks begin is drawn."""

    jpeg_quality: tuple[int, ...] = option(
        (10,), "JPEG's quality, from 1 to 100; two are a range, drawn for each picture", low=1, high=100, ordered=True
    )

    def __post_init__(self) -> None:
        check_levels(self, "jpeg_quality")


def _disturb(options: Options, picture: Float[Tensor, "c h w"], generator: torch.Generator) -> Float[Tensor, "c h w"]:
    quality = round(drawn(options.jpeg_quality, generator))
    # A patch must not tell by its own corner where the blocks begin: in a whole picture nothing does.
    top, left = torch.randint(BLOCK, (2,), generator=generator, device=picture.device).tolist()
    framed = functional.pad(picture[None], (left, 0, top, 0), mode="replicate")[0]
    return _compressed(framed, quality)[:, top:, left:].to(picture.device)


def _compressed(picture: Tensor, quality: int) -> Tensor:
    array = (picture * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
    file = io.BytesIO()
    Image.fromarray(array[0] if len(array) == 1 else array.transpose(1, 2, 0)).save(file, "JPEG", quality=quality)
    decoded = np.atleast_3d(np.asarray(Image.open(file))).transpose(2, 0, 1)
    return torch.from_numpy(decoded.astype(np.float32)) / 255


NOISES.add("jpeg", Noise(Options, _disturb, source="G. K. Wallace, The JPEG Still Picture Compression Standard, 1992"))
