"""DeepLabv3: a dilated backbone, and a pyramid of dilated convolutions over its last map.

L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017,
https://arxiv.org/abs/1706.05587

`deeplabv3_resnet50` and `deeplabv3_mobilenet_v3_large` are torchvision's: stride 8 and 16, rates 12, 24 and 36 for both,
a second head for a second loss in training, on ResNet's map before the last stage and on MobileNet's first map at
stride 8. MobileNet's third stage is cut after that map, so that the head may stand there. `deeplabv3` takes any backbone, at
stride 16 with the paper's rates 6, 12 and 18, or at stride 8 with twice those (section 3.3), without a second head.

The scores are enlarged by bilinear interpolation: in torchvision's spread evenly over the image, in `deeplabv3` from where
the map's points lie, of which the paper's crops of 513 pixels have one on the first and one on the last pixel at either
stride. It matters where windows are not padded, as Inception-v3's, or poolings of 2x2 pixels that stride no more: of
299 x 299 pixels inception_v3 at stride 16 has 15 x 15 points, from pixel 37 to pixel 261, which would else be drawn out to
the border. Pixels beyond the outermost points have their scores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, DilatedPyramid, Reach, convolutional_scores, initialise_for
from neocog.models.backbone import Backbone, backbone
from neocog.models.entry import MODELS, Entry, ModelSpec, same_key
from neocog.models.fcn_resnet50 import layers_of_scores, scores_key
from neocog.models.mobilenet_v3 import mobilenet_v3_large_key
from neocog.models.network import Network, stage_info_of
from neocog.models.pixelwise import Enlarged, PixelNetwork, Placed
from neocog.models.resnet import resnet_key
from neocog.options import NoOptions, check, option

__all__ = [
    "Options",
    "deeplabv3",
    "deeplabv3_mobilenet_v3_large",
    "deeplabv3_mobilenet_v3_large_key",
    "deeplabv3_resnet50",
    "deeplabv3_resnet50_key",
]

WIDTH = 256  # channels of the pyramid and of the convolution after it
RATES_AT_16 = (6, 12, 18)
RATES_OF_TORCHVISION = (12, 24, 36)
CUT_STAGE, CUT_REST = "stage3", "stage3_rest"


@dataclass(frozen=True)
class Options:
    """What the pyramid stands on.

    Attributes:
        backbone: a network for classification whose maps have strides of powers of two.
        map_stride: of the map that the pyramid sees, in pixels.
    """

    backbone: str = option("resnet18", "network for classification whose last map the pyramid sees")
    map_stride: Literal[8, 16] = option(16, "stride of that map in pixels")

    def __post_init__(self) -> None:
        check(self)


def deeplabv3(spec: ModelSpec) -> Network:
    """Any backbone, dilated to one stride, with the paper's rates for it."""
    options: Options = spec.options
    maps = backbone(options.backbone, spec).dilated(options.map_stride)
    return _deeplab(spec, maps, [rate * 16 // options.map_stride for rate in RATES_AT_16], points=maps.reach)


def deeplabv3_resnet50(spec: ModelSpec) -> Network:
    """ResNet-50 at stride 8."""
    maps = backbone("resnet50", spec).dilated(8)
    return _deeplab(spec, maps, RATES_OF_TORCHVISION, auxiliary="layer3")


def deeplabv3_mobilenet_v3_large(spec: ModelSpec) -> Network:
    """MobileNetV3 at stride 16."""
    maps = _cut(backbone("mobilenet_v3_large", spec).dilated(16, strided_too=True))
    return _deeplab(spec, maps, RATES_OF_TORCHVISION, auxiliary=CUT_STAGE)


def _cut(maps: Backbone) -> Backbone:
    """MobileNet's stages with the third in two: its first block, and the others."""
    stages: dict[str, nn.Module] = {}
    channels: list[int] = []
    for info, stage in zip(maps.infos, maps.stages.values(), strict=True):
        assert isinstance(stage, nn.Sequential)
        stages |= {CUT_STAGE: stage[:1], CUT_REST: stage[1:]} if info.name == CUT_STAGE else {info.name: stage}
        channels += [info.channels] * (2 if info.name == CUT_STAGE else 1)
    return Backbone(maps.name, stages, stage_info_of(stages, channels, 1), maps.least)


def _deeplab(
    spec: ModelSpec, maps: Backbone, rates: Sequence[int], *, auxiliary: str | None = None, points: Reach | None = None
) -> Network:
    """The pyramid over a backbone.

    Args:
        spec: what is asked for.
        maps: the backbone.
        rates: dilations of the pyramid's convolutions.
        auxiliary: the stage whose map a second head sees; None without one.
        points: of the last map, where scores are enlarged from; None spreads them evenly over the image.
    """
    body = nn.Sequential()
    body.add_module("pyramid", DilatedPyramid(maps.deepest.channels, rates, WIDTH))
    body.add_module("unit", ConvolutionUnit(WIDTH, WIDTH, activation=nn.ReLU(inplace=True)))
    body.add_module("conv", nn.Conv2d(WIDTH, spec.num_classes, 1))
    seconds = {info.name: convolutional_scores(info.channels, spec.num_classes) for info in maps.infos if info.name == auxiliary}
    head = Enlarged(maps.deepest.name, body) if points is None else Placed(maps.deepest.name, body, points)
    network = PixelNetwork(spec, maps.stages, head, channels=maps.channels, least=maps.least, auxiliary=seconds)
    network.backbone = maps.name
    if CUT_REST in maps.stages:
        network.backbone_key = _cut_key
    for scores in (network.head, network.auxiliary):
        initialise_for(scores, "relu")
    return network


def _layers_of_heads(auxiliary: str) -> dict[str, str]:
    """Our layers of both heads by torchvision's names."""
    parts = {f"convs.{number}": f"branches.{number}" for number in range(len(RATES_OF_TORCHVISION) + 1)} | {"project": "project"}
    layers: dict[str, str] = {}
    for theirs, ours in parts.items():
        layers |= {f"{theirs}.0": f"{ours}.conv", f"{theirs}.1": f"{ours}.norm"}
    number = len(RATES_OF_TORCHVISION) + 1
    layers |= {f"convs.{number}.1": "whole.conv", f"convs.{number}.2": "whole.norm"}
    layers = {f"classifier.0.{theirs}": f"head.body.pyramid.{ours}" for theirs, ours in layers.items()}
    layers |= {"classifier.1": "head.body.unit.conv", "classifier.2": "head.body.unit.norm", "classifier.4": "head.body.conv"}
    return layers | layers_of_scores("aux_classifier", f"auxiliary.{auxiliary}")


LAYERS_OF_HEADS = {name: _layers_of_heads(name) for name in ("layer3", CUT_STAGE)}


def deeplabv3_resnet50_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    return scores_key(key, LAYERS_OF_HEADS["layer3"], resnet_key)


def deeplabv3_mobilenet_v3_large_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    return scores_key(key, LAYERS_OF_HEADS[CUT_STAGE], lambda feature: _cut_key(mobilenet_v3_large_key(f"features.{feature}")))


def _cut_key(key: str) -> str:
    """A key of our MobileNet, with all blocks of the third stage but the first in a stage of their own."""
    start = f"stages.{CUT_STAGE}."
    return key if not key.startswith(start) or key.startswith(f"{start}0.") else f"stages.{CUT_REST}.{key.removeprefix(start)}"


for _build, _parameters, _options, _key_map in (
    (deeplabv3, 15_904_085, Options, same_key),
    (deeplabv3_resnet50, 42_004_074, NoOptions, deeplabv3_resnet50_key),
    (deeplabv3_mobilenet_v3_large, 11_029_328, NoOptions, deeplabv3_mobilenet_v3_large_key),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2017,
            paper="L.-C. Chen, G. Papandreou, F. Schroff, H. Adam, Rethinking Atrous Convolution for Semantic Image Segmentation, 2017, "
            "https://arxiv.org/abs/1706.05587",
            preprocess=Preprocess((520, 520), (520, 520)),
            parameters=_parameters,
            tasks=("segment",),
            Options=_options,
            min_size=1,
            classes=21,
            key_map=_key_map,
        ),
    )
