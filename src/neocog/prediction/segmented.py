"""Segmenting pictures in their own pixels, of any size: tile by tile, so that no more than the answer fills the memory."""

import torch

from neocog.batch import Batch
from neocog.engine.tiles import answers_by_tiles
from neocog.images import Picture
from neocog.run import Trained
from neocog.targets import Mask, Prediction

__all__ = ["segment_in_tiles"]


def segment_in_tiles(trained: Trained, picture: Picture) -> Prediction:
    """The class of each pixel and its probability in half precision.

    Args:
        trained: a network that segments pictures at their own scale.
        picture: with the network's channels.
    """
    height, width = picture.shape[-2:]
    classes, scores = torch.zeros(height, width, dtype=torch.uint16), torch.zeros(height, width, dtype=torch.float16)
    for tile, outputs in answers_by_tiles(trained.model.eval(), trained.plan, picture[None]):
        core = tile.core.of(picture)
        size = torch.tensor([core.shape[-2:]])
        part = trained.task.decode(outputs, Batch(core[None], None, torch.zeros(1, dtype=torch.int64), size, torch.eye(3)[None]))[0]
        if not isinstance(part.answer, Mask) or part.scores is None:
            raise TypeError(f"segmentation answers with masks, found {type(part.answer).__name__}")
        tile.core.of(classes).copy_(part.answer.classes)
        tile.core.of(scores).copy_(part.scores)
    return Prediction(Mask(classes), scores)
