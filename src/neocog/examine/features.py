"""The penultimate features of pictures: what the last layer tells the classes apart by."""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from neocog.engine import forward, obeying
from neocog.examine.layers import find_layer
from neocog.examine.member import Asked
from neocog.examine.units import batches, exact, maps_of, short
from neocog.explain.embedding import entering
from neocog.progress import Progress
from neocog.run import Trained

__all__ = ["feature_words", "features_of", "features_of_images"]


def features_of(
    trained: Trained, asked: Asked, rows: Int64[Tensor, "n"], layer: str | None, progress: Progress
) -> Iterator[tuple[Int64[Tensor, "b"], Float[Tensor, "b f"]]]:
    """Indices and features of pictures of a dataset, batch by batch.

    Args:
        trained: the network.
        asked: the dataset.
        rows: which pictures.
        layer: as it was named; None for what enters the last layer. Of maps the means of their channels are taken.
        progress: told of every batch.
    """
    for batch in batches(trained, asked, rows, progress):
        yield batch.keys.cpu(), features_of_images(trained, batch.images, layer)


def features_of_images(trained: Trained, images: Float[Tensor, "b c h w"], layer: str | None) -> Float[Tensor, "b f"]:
    """The same of images in [0, 1]."""
    if layer is not None:
        maps = maps_of(trained, images, find_layer(trained, layer))
        return (maps.flatten(2).mean(2) if maps.ndim == 4 else maps).float().cpu().clone()
    plan = exact(trained.plan)
    with torch.inference_mode(), obeying(plan), entering(trained.model, _last(trained)) as found:
        forward(trained.model, images, plan)
    return found[-1].cpu().clone()


def feature_words(trained: Trained, layer: str | None) -> str:
    """What the features are, in a few words."""
    if layer is not None:
        return f"answers of {short(find_layer(trained, layer))}"
    return f"what enters {_last(trained)}"


def _last(trained: Trained) -> str:
    """The dotted name of the layer that gives the logits; the head where none learns them."""
    names = trained.model.output_layers
    return names[0] if names else "head"
