"""Mirror images."""

import torch
from jaxtyping import Float
from torch import Tensor

from neocog.evaluation.views.view import VIEWS, View
from neocog.images import Size


def _maps(canvas: Size, size: Size) -> Float[Tensor, "2 3 3"]:
    mirrored = torch.tensor([[-1.0, 0.0, size[1]], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    return torch.stack([torch.eye(3, dtype=torch.float64), mirrored])


VIEWS.add("flip", View("as it is and mirrored left to right: 2 views", _maps, mirrors=True, whole=True))
