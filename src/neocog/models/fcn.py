"""Fully convolutional networks: any classification network scores every point of its maps, and learns to enlarge the scores.

J. Long, E. Shelhamer, T. Darrell, "Fully Convolutional Networks for Semantic Segmentation", 2014,
https://arxiv.org/abs/1411.4038, section 4

A 1x1 convolution scores the map at stride 32. `fcn32s` enlarges the scores at once; `fcn16s` enlarges them by 2, adds
scores of the map at stride 16, and enlarges by 16; `fcn8s` adds those at stride 8 too. The enlarging is a transposed
convolution of each class for itself that begins as bilinear interpolation (section 3.3).

These take any backbone whose maps have strides of powers of two, without its dense layers; where its coarsest map is
finer than stride 32, maxima of 2x2 pixels halve it further. Score layers begin with random weights: the paper begins
with zeros and finds no difference.

`fcn8s_2015` is the paper's own network (CVPR 2015, and the authors' definition voc-fcn8s): VGG-16 whose dense layers have
become convolutions. conv1_1 is padded by 100 so that images of any size leave something for the 7x7 convolution that
was the first dense layer. Scores of the fourth pooling are cropped by 5, those of the third by 9, and the enlarged
scores by 31 above and on the left, which puts each score over the pixels that it came from. Poolings round up, as in
Caffe. 134,368,799 parameters at 21 classes, where the paper counts 134 M: 134,260,544 are VGG-16's without its last
layer, 102,207 the three score layers', and 6,048 enlarge each class by itself. In the authors' definition each class is
also painted by all others, with weights that are zero and do not learn: 134,489,759.

torchvision's form, which dilates instead, is `fcn_resnet50`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.errors import UsageError
from neocog.images import Size
from neocog.layers import BilinearUpsampling, Reach, fit_to, initialise_for, reach, widest
from neocog.models.backbone import Backbone, backbone
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import PixelHead, PixelNetwork
from neocog.options import check, option

__all__ = ["PAPER", "FullyConvolutional", "Options", "fcn8s", "fcn8s_2015", "fcn16s", "fcn32s"]

PAPER = "J. Long, E. Shelhamer, T. Darrell, Fully Convolutional Networks for Semantic Segmentation, 2014, https://arxiv.org/abs/1411.4038"
COARSEST = 32

VGG_WIDTHS = (64, 128, 256, 512, 512)
VGG_DEPTHS = (2, 2, 3, 3, 3)
"""Channels and convolutions of each stage of VGG-16: column D of its table 1."""
DENSE = 4096  # channels of what were dense layers
PADDING = 100  # of the first convolution, in pixels
CROPS = {"stage4": 5, "stage3": 9}
"""Rows and columns above and on the left of each pooled map's scores that have no coarser ones over them."""
CROP = 31  # of the enlarged scores, in pixels


@dataclass(frozen=True)
class Options:
    """What the scores are made from.

    Attributes:
        backbone: a network for classification.
    """

    backbone: str = option("resnet18", "network for classification whose maps are scored")

    def __post_init__(self) -> None:
        check(self)


class Fusion(PixelHead):
    """Scores of maps at several strides, added and enlarged.

    Args:
        maps: the backbone.
        finest: stride of the finest map that is scored: 32, 16 or 8.
        outputs: classes.

    Raises:
        UsageError: the backbone has no map at one of the strides.
    """

    def __init__(self, maps: Backbone, finest: int, outputs: int) -> None:
        super().__init__()
        coarsest = maps.deepest
        if coarsest.stride > COARSEST:
            raise UsageError(f"maps no coarser than stride {COARSEST}", f"{maps.name}, stride {coarsest.stride}", "choose another backbone")
        halvings = (COARSEST // coarsest.stride).bit_length() - 1
        self.pool = nn.Sequential(*(nn.MaxPool2d(2, ceil_mode=True) for _ in range(halvings)))
        self.scores, self.ups = nn.ModuleDict(), nn.ModuleDict()
        self.sources: dict[str, str] = {}
        stride = COARSEST
        while stride >= finest:
            info = coarsest if stride == COARSEST else maps.at_stride(stride)
            if info is None:
                raise UsageError(f"a map at stride {stride}", f"{maps.name} without one", "choose another backbone, or fcn32s")
            name = f"stride{stride}"
            self.sources[name] = info.name
            self.scores[name] = nn.Conv2d(info.channels, outputs, 1)
            self.ups[name] = BilinearUpsampling(outputs, finest if stride == finest else 2)
            stride //= 2
        self.taps = tuple(dict.fromkeys(reversed(self.sources.values())))

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution."""
        total: Tensor | None = None
        for name, score in self.scores.items():
            given = maps[self.sources[name]]
            scores: Tensor = score(given if total is not None else self.pool(given))
            if total is not None:
                scores = scores + fit_to(total, (scores.shape[-2], scores.shape[-1]))
            total = self.ups[name](scores)
        assert total is not None
        return fit_to(total, size)

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """From the coarsest map to the finest."""
        total: Reach | None = None
        for name, score in self.scores.items():
            given = reaches[self.sources[name]]
            scores = reach(score, given if total is not None else reach(self.pool, given, side), side)
            total = reach(self.ups[name], scores if total is None else widest(scores, total), side)
        return total


class FullyConvolutional(PixelNetwork):
    """A backbone and the scores of its maps."""

    @property
    def output_layers(self) -> tuple[str, ...]:
        """All that have a row for each class: the score layers, and what enlarges each class."""
        return tuple(f"head.{kind}.{name}" for kind in ("scores", "ups") for name, _ in self.head.get_submodule(kind).named_children())


def fcn32s(spec: ModelSpec) -> Network:
    """Scores at stride 32 alone."""
    return _fcn(spec, 32)


def fcn16s(spec: ModelSpec) -> Network:
    """Scores at strides 32 and 16."""
    return _fcn(spec, 16)


def fcn8s(spec: ModelSpec) -> Network:
    """Scores at strides 32, 16 and 8."""
    return _fcn(spec, 8)


def _fcn(spec: ModelSpec, finest: int) -> Network:
    maps = backbone(spec.options.backbone, spec)
    head = Fusion(maps, finest, spec.num_classes)
    initialise_for(head, "relu")
    network = FullyConvolutional(spec, maps.stages, head, channels=maps.channels, least=maps.least)
    network.backbone = maps.name
    return network


class Skips(PixelHead):
    """The dense layers as convolutions, scores of three pooled maps, and their enlarging.

    Args:
        outputs: classes.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.taps = ("stage3", "stage4", "stage5")
        self.dense = nn.Sequential()
        for number, (before, kernel) in enumerate(((VGG_WIDTHS[-1], 7), (DENSE, 1)), start=6):
            self.dense.add_module(f"fc{number}", nn.Conv2d(before, DENSE, kernel))
            self.dense.add_module(f"activation{number}", nn.ReLU(inplace=True))
            self.dense.add_module(f"dropout{number}", nn.Dropout(0.5))
        widths = {"stage5": DENSE, "stage4": VGG_WIDTHS[3], "stage3": VGG_WIDTHS[2]}
        self.scores = nn.ModuleDict({name: nn.Conv2d(width, outputs, 1) for name, width in widths.items()})
        self.ups = nn.ModuleDict({name: BilinearUpsampling(outputs, 8 if name == "stage3" else 2, cut=False) for name in widths})

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution."""
        total = self.ups["stage5"](self.scores["stage5"](self.dense(maps["stage5"])))
        for name, offset in CROPS.items():
            scores = _cropped(self.scores[name](maps[name]), offset, (total.shape[-2], total.shape[-1]))
            total = self.ups[name](total + scores)
        return _cropped(total, CROP, size)

    def trace(self, reaches: Mapping[str, Reach], side: int) -> Reach | None:
        """From the coarsest map to the finest."""
        scores = reach(self.scores["stage5"], reach(self.dense, reaches["stage5"], side), side)
        total = reach(self.ups["stage5"], scores, side)
        for name in CROPS:
            total = reach(self.ups[name], widest(reach(self.scores[name], reaches[name], side), total), side)
        return total


def fcn8s_2015(spec: ModelSpec) -> Network:
    """Five stages that end in poolings, at strides 2 to 32, and the scores."""
    stages: dict[str, nn.Module] = {}
    before = spec.in_channels
    for number, (width, depth) in enumerate(zip(VGG_WIDTHS, VGG_DEPTHS, strict=True), start=1):
        stage = nn.Sequential()
        for index in range(1, depth + 1):
            stage.add_module(f"conv{index}", nn.Conv2d(before, width, 3, padding=1))
            stage.add_module(f"activation{index}", nn.ReLU(inplace=True))
            before = width
        stage.add_module("pool", nn.MaxPool2d(2, ceil_mode=True))
        stages[f"stage{number}"] = stage
    network = FullyConvolutional(spec, stages, Skips(spec.num_classes), channels=VGG_WIDTHS, surround=padded)
    network.backbone = "vgg16"
    initialise_for(network, "relu")
    return network


def padded(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
    """Zeros around the image, one row and column fewer than the first convolution adds to them."""
    return functional.pad(images, [PADDING - 1] * 4)


def _cropped(maps: Tensor, offset: int, size: Size) -> Tensor:
    return maps[..., offset : offset + size[0], offset : offset + size[1]]


for _build, _parameters in ((fcn32s, 11_273_301), (fcn16s, 11_214_522), (fcn8s, 11_201_439)):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=2014,
            paper=PAPER,
            preprocess=Preprocess((256, 256), (256, 256)),
            parameters=_parameters,
            tasks=("segment",),
            Options=Options,
            min_size=1,
            classes=21,
        ),
    )

MODELS.add_named(
    Entry(
        name="fcn8s_2015",
        build=fcn8s_2015,
        year=2015,
        paper=PAPER.replace("2014, https", "CVPR 2015, https"),
        preprocess=Preprocess((500, 500), (500, 500)),
        parameters=134_368_799,
        accuracy="62.7 % mean IoU on a part of VOC 2011's validation split (table 2)",
        tasks=("segment",),
        min_size=1,
        classes=21,
    ),
)
