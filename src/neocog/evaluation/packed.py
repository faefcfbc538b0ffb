"""Answers that are pictures, packed: as they are, those of a large split would fill the memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from neocog.draw.mask import mask_file
from neocog.images import decode, decode_mask, encode_png
from neocog.targets import Clean, Mask, Prediction

__all__ = ["Packed", "pack"]


@dataclass(frozen=True)
class Packed:
    """One answer.

    Attributes:
        file: bytes of a PNG: class numbers of a mask, or a restored picture.
        is_mask: which of the two.
        depth: bits per channel of a restored picture.
        row: what tables say of it: height, width and metrics of this answer by itself.
    """

    file: bytes
    is_mask: bool
    depth: int
    row: dict[str, Any]

    @property
    def answer(self) -> Mask | Clean:
        """The mask or the picture."""
        if self.is_mask:
            return Mask(decode_mask(self.file))
        return Clean(decode(self.file, channels="native", depth=16 if self.depth == 16 else 8))

    @property
    def prediction(self) -> Prediction:
        """The answer as a network gives it, without confidences."""
        return Prediction(self.answer)


def pack(prediction: Prediction, figures: Mapping[str, float]) -> Packed | Prediction:
    """Pack a mask or a picture; another answer stays as it is.

    Args:
        prediction: of a network.
        figures: metrics of this answer by itself.
    """
    answer = prediction.answer
    if isinstance(answer, Mask):
        height, width = answer.classes.shape
        return Packed(mask_file(answer), True, 16, {"height": height, "width": width, **figures})
    if isinstance(answer, Clean):
        height, width = answer.picture.shape[-2:]
        return Packed(encode_png(answer.picture), False, answer.picture.element_size() * 8, {"height": height, "width": width, **figures})
    return prediction
