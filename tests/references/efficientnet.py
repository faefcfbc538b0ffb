"""EfficientNet: torchvision's."""

from functools import partial

import torchvision

from references.reference import Reference

REFERENCES = {
    f"efficientnet_b{number}": Reference("torchvision", partial(torchvision.models.get_model, f"efficientnet_b{number}", weights=None))
    for number in range(8)
}
