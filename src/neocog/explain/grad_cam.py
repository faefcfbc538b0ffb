"""Where a layer sees what the answer is about: its feature maps, each weighted by how much the score wants it.

R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: Visual Explanations from Deep Networks via
Gradient-based Localization", 2017, https://arxiv.org/abs/1610.02391, equations 1 and 2.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.errors import UsageError
from neocog.explain.backward_rules import captured
from neocog.explain.member import EXPLAINERS, Attribution, Explainer
from neocog.objective import Objective
from neocog.options import NoOptions

__all__ = ["class_activations", "grad_cam"]

REMEDY = "choose a convolutional layer, or a whole stage"


def grad_cam(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    options: NoOptions,
    *,
    layer: str | None = None,
    generator: torch.Generator,
) -> Attribution:
    """See Explainer. The layer's map is enlarged to the image bilinearly.

    Raises:
        UsageError: no layer is named, or its output is not one map "b channels h w" that the score depends on.
    """
    if layer is None:
        raise UsageError("the name of a layer, for grad_cam", "none", "name one")
    maps = class_activations(module, objective, images, layer)
    height, width = images.shape[2:]
    return Attribution(functional.interpolate(maps[:, None], (height, width), mode="bilinear", align_corners=False)[:, 0], signed=False)


def class_activations(
    module: nn.Module, objective: Objective, images: Float[Tensor, "b c h w"], layer: str
) -> Float[Tensor, "b rows columns"]:
    """The rectified sum of a layer's maps, each weighted by the mean derivative of the score by it.

    Raises:
        UsageError: as `grad_cam`.
    """
    with torch.enable_grad(), captured(module, layer) as found:
        score = objective.score(images.detach().requires_grad_())
    if len(found) != 1:
        raise UsageError("a layer that the network uses once, for grad_cam", f"{layer}, used {len(found)} times", REMEDY)
    (maps,) = found
    if maps.ndim != 4:
        raise UsageError("a layer with a map, for grad_cam", f"{layer}, whose output has the shape {tuple(maps.shape[1:])}", REMEDY)
    if not score.requires_grad or not maps.requires_grad:
        raise UsageError("a network whose answer has a gradient", "one without", "choose a method that asks for none, as occlusion")
    (slopes,) = torch.autograd.grad(score, maps, torch.ones_like(score), allow_unused=True)
    if slopes is None:
        raise UsageError("a layer that the answer depends on, for grad_cam", layer, REMEDY)
    return (slopes.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1).relu().detach()


EXPLAINERS.add(
    "grad_cam",
    Explainer(
        grad_cam,
        NoOptions,
        summary="where the feature maps that the score wants are strong: coarse, but of the decision",
        source="R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, Grad-CAM, 2017, https://arxiv.org/abs/1610.02391",
        layered=True,
    ),
)
