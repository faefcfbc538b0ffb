"""VGG-16 whose last poolings do not stride: DeepLab with its large field of view, and the front end with a context module.

`deeplab_v1`: L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, "Semantic Image Segmentation with Deep
Convolutional Nets and Fully Connected CRFs", 2014, https://arxiv.org/abs/1412.7062, section 3 and table 1
(DeepLab-LargeFOV). The last two poolings have stride 1, so that maps stay at stride 8, and what follows them is
dilated (the hole algorithm); all poolings are of 3x3 pixels, as in the authors' network. The first dense layer is a 3x3
convolution of dilation 12 with 1024 channels, the second has 1024 channels too. 20,505,429 parameters at 21 classes
(the paper: 20.5 M). The scores are enlarged bilinearly; the fully connected CRF of the paper is a function of its own.

`dilated_context`: F. Yu, V. Koltun, "Multi-Scale Context Aggregation by Dilated Convolutions", 2015,
https://arxiv.org/abs/1511.07122, sections 3 and 4. The last two poolings are left out, not only their strides; no
convolution of the front end is padded, and the image is continued by its mirror image instead, 186 pixels on each side.
Then seven 3x3 convolutions over the scores themselves, of dilation 1, 1, 2, 4, 8, 16 and 1, each truncated at zero, and
a 1x1 convolution: table 1's context module, in its basic form with as many channels as classes, in its large one with
2, 2, 4, 8, 16, 32 and 32 times as many. Initial weights of it pass every class through (equations 4 and 5). The paper
leaves open how large the large form's noise is, which tells the channels of a class apart; here it is a hundredth of the
weights that pass. The front end is learnt first, `context = "none"`, and its weights then begin the whole.

Both take weights of `vgg16` into their stages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.layers import fit_to, identity_convolution, initialise_for, mirrored
from neocog.models.entry import ALL_TRAITS, MODELS, Entry, ModelSpec
from neocog.models.network import Network
from neocog.models.pixelwise import Enlarged, PixelNetwork
from neocog.options import NoOptions, check, option

__all__ = ["Options", "deeplab_v1", "dilated_context"]

WIDTHS = (64, 128, 256, 512, 512)
DEPTHS = (2, 2, 3, 3, 3)
"""Channels and convolutions of each stage: column D of VGG's table 1."""
STRIDE = 8
STRIDING_POOLS = 3  # as many lead to stride 8
LARGE_FIELD = 1024  # channels of what were dense layers
LARGE_RATE = 12
DENSE = 4096
CONTEXT_RATES = (1, 1, 2, 4, 8, 16, 1)
CONTEXT_WIDTHS = {"basic": (1,) * 7, "large": (2, 2, 4, 8, 16, 32, 32), "none": ()}
"""Table 1: channels of each layer of a context module but its last, in numbers of classes."""
NOISE = 0.01  # of the large form's initial weights, in parts of those that pass a class through
MARGIN = 186  # pixels on each side that the front end loses


def deeplab_v1(spec: ModelSpec) -> Network:
    """Stages at strides 1, 2, 4, 8 and 8, and the dense layers as dilated convolutions."""
    stages = {f"stage{number}": _stage(spec.in_channels, number, padded=True) for number in range(1, len(WIDTHS) + 1)}
    body = nn.Sequential()
    body.add_module("pool", nn.MaxPool2d(3, stride=1, padding=1))
    _add_dense(body, "fc6", nn.Conv2d(WIDTHS[-1], LARGE_FIELD, 3, padding=LARGE_RATE, dilation=LARGE_RATE))
    _add_dense(body, "fc7", nn.Conv2d(LARGE_FIELD, LARGE_FIELD, 1))
    body.add_module("scores", nn.Conv2d(LARGE_FIELD, spec.num_classes, 1))
    network = PixelNetwork(spec, stages, Enlarged("stage5", body), channels=WIDTHS)
    network.backbone = "vgg16"
    initialise_for(network, "relu")
    return network


@dataclass(frozen=True)
class Options:
    """What stands over the front end.

    Attributes:
        context: the context module of the paper's table 1, or none, to learn the front end alone.
    """

    context: Literal["basic", "large", "none"] = option("basic", "context module over the front end's scores")

    def __post_init__(self) -> None:
        check(self)


def dilated_context(spec: ModelSpec) -> Network:
    """Stages at strides 1, 2, 4, 8 and 8 without padding, the scores, and their context."""
    options: Options = spec.options
    stages = {f"stage{number}": _stage(spec.in_channels, number, padded=False) for number in range(1, len(WIDTHS) + 1)}
    body = nn.Sequential()
    _add_dense(body, "fc6", nn.Conv2d(WIDTHS[-1], DENSE, 7, dilation=4))
    _add_dense(body, "fc7", nn.Conv2d(DENSE, DENSE, 1))
    body.add_module("scores", nn.Conv2d(DENSE, spec.num_classes, 1))
    head = Context(body, spec.num_classes, CONTEXT_WIDTHS[options.context])
    alone = options.context == "none"
    network = (PixelNetwork if alone else ContextNetwork)(spec, stages, head, channels=WIDTHS, surround=surround)
    network.backbone = "vgg16"
    if not alone:
        network.learnt_before = ("stages.", "head.body.front.")
    initialise_for(network.stages, "relu")
    initialise_for(body, "relu")
    return network


class Context(Enlarged):
    """The scores of the front end seen in their surroundings, at the image's size.

    Args:
        scores: from the last stage's map to the front end's scores.
        classes: how many scores there are.
        widths: channels of the context module's 3x3 convolutions, in numbers of classes; () leaves it out.
    """

    def __init__(self, scores: nn.Module, classes: int, widths: Sequence[int]) -> None:
        body = nn.Sequential()
        body.add_module("front", scores)
        before, noise = classes, NOISE if any(width > 1 for width in widths) else 0.0
        for number, (width, rate) in enumerate(zip(widths, CONTEXT_RATES, strict=False), start=1):
            layer = identity_convolution(before, width * classes, 3, classes=classes, dilation=rate, noise=noise)
            body.add_module(f"context{number}", layer)
            body.add_module(f"activation{number}", nn.ReLU(inplace=True))
            before = width * classes
        if widths:
            body.add_module(f"context{len(widths) + 1}", identity_convolution(before, classes, 1, classes=classes, noise=noise))
        super().__init__("stage5", body)

    def forward(self, maps: Mapping[str, Tensor], size: Size) -> Float[Tensor, "b k h w"]:
        """The logits at full resolution: every score stands for 8 x 8 pixels."""
        whole = (-(-size[0] // STRIDE) * STRIDE, -(-size[1] // STRIDE) * STRIDE)
        return fit_to(super().forward(maps, whole), size)


class ContextNetwork(PixelNetwork):
    """The context module mixes classes with one another: only its equal can take its weights."""

    @property
    def output_layers(self) -> tuple[str, ...]:
        """None can be replaced by itself."""
        return ()


def surround(images: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c i j"]:
    """The mirrored image, with as many rows and columns more as make its size one that the poolings halve evenly."""
    height, width = (-(-side // STRIDE) * STRIDE + 2 * MARGIN for side in images.shape[-2:])
    return mirrored(images, MARGIN, (height, width))


def _stage(in_channels: int, number: int, *, padded: bool) -> nn.Sequential:
    """A stage of VGG-16, begun by its pooling.

    Args:
        in_channels: of the image.
        number: of the stage, from 1.
        padded: DeepLab's: convolutions keep the size, poolings are of 3x3 pixels, and the fourth is there, at stride 1.
    """
    stage = nn.Sequential()
    if number > 1 and (padded or number <= STRIDING_POOLS + 1):
        stride = 2 if number <= STRIDING_POOLS + 1 else 1
        stage.add_module("pool", nn.MaxPool2d(3, stride, 1) if padded else nn.MaxPool2d(2))
    dilation = 2 if number == len(WIDTHS) else 1
    before = WIDTHS[number - 2] if number > 1 else in_channels
    for index in range(1, DEPTHS[number - 1] + 1):
        conv = nn.Conv2d(before, WIDTHS[number - 1], 3, padding=dilation if padded else 0, dilation=dilation)
        stage.add_module(f"conv{index}", conv)
        stage.add_module(f"activation{index}", nn.ReLU(inplace=True))
        before = WIDTHS[number - 1]
    return stage


def _add_dense(body: nn.Sequential, name: str, layer: nn.Module) -> None:
    """A layer that was dense in VGG, with its rectifier and dropout."""
    number = name.removeprefix("fc")
    body.add_module(name, layer)
    body.add_module(f"activation{number}", nn.ReLU(inplace=True))
    body.add_module(f"dropout{number}", nn.Dropout(0.5))


for _build, _year, _paper, _parameters, _accuracy, _traits, _options in (
    (
        deeplab_v1,
        2014,
        "L.-C. Chen, G. Papandreou, I. Kokkinos, K. Murphy, A. L. Yuille, Semantic Image Segmentation with Deep Convolutional Nets and "
        "Fully Connected CRFs, 2014, https://arxiv.org/abs/1412.7062",
        20_505_429,
        "62.25 % mean IoU on the validation split of VOC 2012, 67.64 % with the CRF (table 1)",
        ALL_TRAITS,
        NoOptions,
    ),
    (
        dilated_context,
        2015,
        "F. Yu, V. Koltun, Multi-Scale Context Aggregation by Dilated Convolutions, 2015, https://arxiv.org/abs/1511.07122",
        134_374_973,
        "",
        ALL_TRAITS - {"transfer"},
        Options,
    ),
):
    MODELS.add_named(
        Entry(
            name=_build.__name__,
            build=_build,
            year=_year,
            paper=_paper,
            preprocess=Preprocess((321, 321), (321, 321)),
            parameters=_parameters,
            accuracy=_accuracy,
            tasks=("segment",),
            Options=_options,
            min_size=1,
            classes=21,
            traits=_traits,
        ),
    )
