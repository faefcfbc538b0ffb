"""torchvision's fully convolutional network: a dilated ResNet-50, two convolutions to the classes, bilinear enlarging.

J. Long, E. Shelhamer, T. Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2014,
https://arxiv.org/abs/1411.4038

Nothing is added of finer maps and nothing learns to enlarge; instead the last two stages of ResNet dilate where they
strode, so that the map that is scored is at stride 8. A second head scores the map before the last stage, for a second
loss in training. Published weights are for 21 classes, VOC's and background.
"""

from collections.abc import Callable

from neocog.batch import Preprocess
from neocog.layers import convolutional_scores, initialise_for
from neocog.models.backbone import backbone
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.fcn import PAPER
from neocog.models.network import Network
from neocog.models.pixelwise import Enlarged, PixelNetwork
from neocog.models.resnet import resnet_key

__all__ = ["fcn_resnet50", "fcn_resnet50_key", "layers_of_scores", "scores_key"]

STRIDE = 8


def fcn_resnet50(spec: ModelSpec) -> Network:
    """ResNet-50 at stride 8, scored at its last map, and at the one before in training."""
    maps = backbone("resnet50", spec).dilated(STRIDE)
    before, last = maps.infos[-2:]
    head = Enlarged(last.name, convolutional_scores(last.channels, spec.num_classes))
    auxiliary = {before.name: convolutional_scores(before.channels, spec.num_classes)}
    network = PixelNetwork(spec, maps.stages, head, channels=maps.channels, least=maps.least, auxiliary=auxiliary)
    network.backbone = maps.name
    for scores in (network.head, network.auxiliary):
        initialise_for(scores, "relu")
    return network


def scores_key(key: str, layers: dict[str, str], backbone_key: Callable[[str], str]) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is.

    Args:
        key: torchvision's.
        layers: our layers of the heads by torchvision's names.
        backbone_key: turns keys of the backbone, without their first word, into ours.
    """
    if key.startswith("backbone."):
        return backbone_key(key.removeprefix("backbone."))
    layer, _, tensor = key.rpartition(".")
    return f"{layers[layer]}.{tensor}" if layer in layers else key


def layers_of_scores(theirs: str, ours: str) -> dict[str, str]:
    """Our layers of `convolutional_scores` by torchvision's names."""
    return {f"{theirs}.0": f"{ours}.unit.conv", f"{theirs}.1": f"{ours}.unit.norm", f"{theirs}.4": f"{ours}.conv"}


FOREIGN_LAYERS = {**layers_of_scores("classifier", "head.body"), **layers_of_scores("aux_classifier", "auxiliary.layer3")}


def fcn_resnet50_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    return scores_key(key, FOREIGN_LAYERS, resnet_key)


MODELS.add_named(
    Entry(
        name="fcn_resnet50",
        build=fcn_resnet50,
        year=2014,
        paper=PAPER,
        preprocess=Preprocess((520, 520), (520, 520)),
        parameters=35_322_218,
        tasks=("segment",),
        min_size=1,
        classes=21,
        key_map=fcn_resnet50_key,
    ),
)
