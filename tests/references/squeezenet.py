"""SqueezeNets: torchvision's."""

from functools import partial

import torchvision

from references.reference import Reference

REFERENCES = {
    name: Reference("torchvision", partial(torchvision.models.get_model, name, weights=None)) for name in ("squeezenet1_0", "squeezenet1_1")
}
