"""Segmenting pictures in their own pixels, of any size: tile by tile, so that no more than the answer fills the memory."""

from collections.abc import Sequence

import torch

from neocog.batch import Batch
from neocog.evaluation.cost import Stopwatch
from neocog.evaluation.ensemble import Ensemble
from neocog.images import Picture
from neocog.targets import Mask, Prediction

__all__ = ["segment_in_tiles"]


def segment_in_tiles(ensemble: Ensemble, picture: Picture, watches: Sequence[Stopwatch]) -> Prediction:
    """The class of each pixel and its probability in half precision.

    Args:
        ensemble: one network that segments pictures at their own scale or several, and the views.
        picture: with the networks' channels.
        watches: of the networks; they go on by the seconds that it takes.
    """
    height, width = picture.shape[-2:]
    classes, scores = torch.zeros(height, width, dtype=torch.uint16), torch.zeros(height, width, dtype=torch.float16)
    for region, outputs in ensemble.by_tiles(picture[None], watches):
        core, size = region.of(picture), torch.tensor([region.size])
        part = ensemble.first.task.decode(outputs, Batch(core[None], None, torch.zeros(1, dtype=torch.int64), size, torch.eye(3)[None]))[0]
        if not isinstance(part.answer, Mask) or part.scores is None:
            raise TypeError(f"segmentation answers with masks, found {type(part.answer).__name__}")
        region.of(classes).copy_(part.answer.classes)
        region.of(scores).copy_(part.scores)
    return Prediction(Mask(classes), scores)
