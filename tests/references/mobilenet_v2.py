"""MobileNetV2: torchvision's."""

from functools import partial

import torchvision

from references.reference import Reference

REFERENCES = {"mobilenet_v2": Reference("torchvision", partial(torchvision.models.mobilenet_v2, weights=None))}
