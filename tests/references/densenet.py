"""Densely connected networks: torchvision's."""

from functools import partial

import torchvision

from references.reference import Reference

REFERENCES = {
    f"densenet{depth}": Reference("torchvision", partial(torchvision.models.get_model, f"densenet{depth}", weights=None))
    for depth in (121, 161, 169, 201)
}
