"""Fully convolutional networks: torchvision's; others with its ResNet or its VGG, scored and enlarged step by step."""

from functools import partial

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional

from references.reference import Reference, segmented
from references.torchvision_keys import resnet_key


def enlarged(scores: Tensor, kernel: Tensor, scale: int) -> Tensor:
    """Each class painted by its own kernel, and the rim cut away."""
    return functional.conv_transpose2d(scores, kernel, stride=scale, padding=scale // 2, groups=scores.shape[1])


class SecondFcn(nn.Module):
    """Scores of resnet18's layers 4, 3 and 2, as many as `strides` has."""

    def __init__(self, strides: tuple[int, ...]) -> None:
        super().__init__()
        self.net = torchvision.models.resnet18(weights=None)
        del self.net.fc
        self.strides = strides
        widths = {32: 512, 16: 256, 8: 128}
        scales = {stride: 2 if stride > strides[-1] else strides[-1] for stride in strides}
        self.score = nn.ModuleDict({f"stride{stride}": nn.Conv2d(widths[stride], 21, 1) for stride in strides})
        self.up = nn.ParameterDict({f"stride{stride}": torch.empty(21, 1, 2 * scale, 2 * scale) for stride, scale in scales.items()})

    def forward(self, images: Tensor) -> Tensor:
        net, kept = self.net, {}
        maps = net.layer1(net.maxpool(net.relu(net.bn1(net.conv1(images)))))
        for stride, layer in ((8, net.layer2), (16, net.layer3), (32, net.layer4)):
            maps = kept[stride] = layer(maps)
        total = None
        for stride in self.strides:
            scores = self.score[f"stride{stride}"](kept[stride])
            if total is not None:
                scores = scores + total[:, :, : scores.shape[2], : scores.shape[3]]
            kernel = self.up[f"stride{stride}"]
            total = enlarged(scores, kernel, kernel.shape[-1] // 2)
        return total[:, :, : images.shape[2], : images.shape[3]]


def key(name: str) -> str:
    if name.startswith("net."):
        return resnet_key(name.removeprefix("net."))
    kind, _, rest = name.partition(".")
    return f"head.scores.{rest}" if kind == "score" else f"head.ups.{rest}.weight"


class SecondFcn2015(nn.Module):
    """torchvision's vgg16 with Caffe's rounding, its dense layers as convolutions; names and crops are voc-fcn8s's."""

    def __init__(self) -> None:
        super().__init__()
        self.features = torchvision.models.vgg16(weights=None).features
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                layer.ceil_mode = True
        self.features[0].padding = (100, 100)
        self.fc6, self.fc7 = nn.Conv2d(512, 4096, 7), nn.Conv2d(4096, 4096, 1)
        self.score_fr, self.score_pool4, self.score_pool3 = (nn.Conv2d(width, 21, 1) for width in (4096, 512, 256))
        self.upscore2, self.upscore_pool4 = (nn.ConvTranspose2d(21, 21, 4, stride=2, groups=21, bias=False) for _ in range(2))
        self.upscore8 = nn.ConvTranspose2d(21, 21, 16, stride=8, groups=21, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        pool3 = self.features[:17](images)
        pool4 = self.features[17:24](pool3)
        pool5 = self.features[24:](pool4)
        upscore2 = self.upscore2(self.score_fr(self.fc7(self.fc6(pool5).relu()).relu()))
        fused = self.upscore_pool4(upscore2 + self.score_pool4(pool4)[:, :, 5 : 5 + upscore2.shape[2], 5 : 5 + upscore2.shape[3]])
        fused = self.upscore8(fused + self.score_pool3(pool3)[:, :, 9 : 9 + fused.shape[2], 9 : 9 + fused.shape[3]])
        return fused[:, :, 31 : 31 + images.shape[2], 31 : 31 + images.shape[3]]


CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
PLACES = ((1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3), (4, 1), (4, 2), (4, 3), (5, 1), (5, 2), (5, 3))
LAYERS_2015 = {
    **{f"features.{place}": f"stages.stage{s}.conv{c}" for place, (s, c) in zip(CONVOLUTIONS, PLACES, strict=True)},
    "fc6": "head.dense.fc6",
    "fc7": "head.dense.fc7",
    "score_fr": "head.scores.stage5",
    "score_pool4": "head.scores.stage4",
    "score_pool3": "head.scores.stage3",
    "upscore2": "head.ups.stage5",
    "upscore_pool4": "head.ups.stage4",
    "upscore8": "head.ups.stage3",
}


def key_2015(name: str) -> str:
    layer, _, tensor = name.rpartition(".")
    return f"{LAYERS_2015[layer]}.{tensor}"


SECOND = "second implementation"
SIZE = (75, 50)
REFERENCES = {
    "fcn32s": Reference(SECOND, partial(SecondFcn, (32,)), key, size=SIZE),
    "fcn16s": Reference(SECOND, partial(SecondFcn, (32, 16)), key, size=SIZE),
    "fcn8s": Reference(SECOND, partial(SecondFcn, (32, 16, 8)), key, size=SIZE),
    "fcn8s_2015": Reference(SECOND, SecondFcn2015, key_2015, size=SIZE),
    "fcn_resnet50": Reference(
        "torchvision",
        partial(torchvision.models.get_model, "fcn_resnet50", weights=None, weights_backbone=None, num_classes=21, aux_loss=True),
        outputs=segmented,
        size=SIZE,
    ),
}
