"""DeepLabv3: torchvision's; over resnet18 torchvision's parts, dilated by hand."""

from functools import partial

import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3

from references.reference import Reference, segmented
from references.torchvision_keys import resnet_key


def over_resnet18() -> nn.Module:
    """resnet18 whose last layer strides no more; its convolutions after the first look twice as far."""
    net = torchvision.models.resnet18(weights=None)
    first, second = net.layer4
    first.conv1.stride = first.downsample[0].stride = (1, 1)
    for conv in (first.conv2, second.conv1, second.conv2):
        conv.dilation = conv.padding = (2, 2)
    return Aligned(IntermediateLayerGetter(net, {"layer4": "out"}), DeepLabHead(512, 21, (6, 12, 18)))


class Aligned(DeepLabV3):
    """Points 16 pixels apart, the first one on the first pixel, as all windows are odd and padded by half."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        scores = self.classifier(self.backbone(images)["out"])
        rows, columns = (16 * (side - 1) + 1 for side in scores.shape[2:])
        scores = functional.interpolate(scores, (rows, columns), mode="bilinear", align_corners=True)
        height, width = images.shape[2:]
        around = functional.pad(scores, (0, max(width - columns, 0), 0, max(height - rows, 0)), mode="replicate")
        return {"out": around[..., :height, :width]}


HEAD = {
    "classifier.0.convs.4.1": "pyramid.whole.conv",
    "classifier.0.convs.4.2": "pyramid.whole.norm",
    "classifier.0.project.0": "pyramid.project.conv",
    "classifier.0.project.1": "pyramid.project.norm",
    "classifier.1": "unit.conv",
    "classifier.2": "unit.norm",
    "classifier.4": "conv",
    **{f"classifier.0.convs.{number}.0": f"pyramid.branches.{number}.conv" for number in range(4)},
    **{f"classifier.0.convs.{number}.1": f"pyramid.branches.{number}.norm" for number in range(4)},
}


def key(name: str) -> str:
    if name.startswith("backbone."):
        return resnet_key(name.removeprefix("backbone."))
    layer, _, tensor = name.rpartition(".")
    return f"head.body.{HEAD[layer]}.{tensor}"


SIZE = (75, 50)
REFERENCES = {
    "deeplabv3": Reference("second implementation", over_resnet18, key, outputs=segmented, size=SIZE),
    **{
        name: Reference(
            "torchvision",
            partial(torchvision.models.get_model, name, weights=None, weights_backbone=None, num_classes=21, aux_loss=True),
            outputs=segmented,
            size=SIZE,
        )
        for name in ("deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large")
    },
}
