"""Inception-v3: torchvision's, with its auxiliary classifier."""

from functools import partial

import torchvision
from torch import Tensor, nn

from references.reference import Reference


def outputs(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    if not module.training:
        return {"logits": module(images)}
    logits, auxiliary = module(images)
    return {"logits": logits, "aux1": auxiliary}


REFERENCES = {
    "inception_v3": Reference("torchvision", partial(torchvision.models.inception_v3, weights=None, init_weights=False), outputs=outputs)
}
