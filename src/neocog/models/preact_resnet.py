"""Residual networks whose normalisation and activation come before each convolution, so that shortcuts carry sums untouched.

K. He, X. Zhang, S. Ren, J. Sun, "Identity Mappings in Deep Residual Networks", 2016, https://arxiv.org/abs/1603.05027,
figure 4 (e) and the appendix

The paper's own networks have 110, 164 and 1001 layers for CIFAR and 101, 152 and 200 for ImageNet. This one has
resnet18's stem, widths and depths and is for ImageNet, with the paper's rules for what must differ: the first unit takes
the activation that follows the first convolution, before it splits into body and shortcut; a last activation stands
before the average; a shortcut whose ends differ is a bare 1x1 convolution of the activated maps.

Many implementations of this name are for pictures of 32 pixels instead, as resnet18_cifar is of resnet18, and some leave
out the last activation. timm's resnetv2_18 normalises after the stem's pooling instead of before it, on the body's side
only. The maps of layer1 to layer4 are sums that no activation has seen; those of `last` are activated.
Initial weights of the convolutions are He's.
"""

from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Preprocess
from neocog.layers import ConvolutionUnit, Reach, initialise_convolutions, pooled_classifier, reach, widest
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["PreActivationUnit", "preact_resnet18"]

WIDTHS = (64, 128, 256, 512)
DEPTHS = (2, 2, 2, 2)


def _normalised(channels: int) -> nn.Sequential:
    """Batch normalisation and relu."""
    layers = nn.Sequential()
    layers.add_module("norm", nn.BatchNorm2d(channels))
    layers.add_module("activation", nn.ReLU(inplace=True))
    return layers


class PreActivationUnit(nn.Module):
    """body(relu(norm(x))) + x, where the body is convolution, norm, relu, convolution.

    Where shapes differ a 1x1 convolution of the activated maps stands in x's place.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        stride: of the first convolution and of the shortcut.
        activated: the input has been normalised and activated already, as the first unit's is.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int, *, activated: bool = False) -> None:
        super().__init__()
        self.before = nn.Identity() if activated else _normalised(in_channels)
        self.body = nn.Sequential()
        self.body.add_module("conv1", nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False))
        self.body.add_module("between", _normalised(out_channels))
        self.body.add_module("conv2", nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False))
        agree = stride == 1 and in_channels == out_channels
        self.shortcut = None if agree else nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """The sum of both branches, without an activation."""
        active = self.before(maps)
        out: Tensor = self.body(active)
        out += maps if self.shortcut is None else self.shortcut(active)
        return out

    def reach(self, before: Reach, side: int) -> Reach:
        """As the wider branch: see `neocog.layers.reach`."""
        active = reach(self.before, before, side)
        out = reach(self.body, active, side)
        return out if self.shortcut is None else widest(out, reach(self.shortcut, active, side))


def preact_resnet18(spec: ModelSpec) -> Network:
    """18 layers with weights: a 7x7 stem, four layers of two units, and the last activation."""
    stages: dict[str, nn.Module] = {
        "stem": ConvolutionUnit(spec.in_channels, WIDTHS[0], 7, stride=2, activation=nn.ReLU(inplace=True)),
    }
    channels = WIDTHS[0]
    for number, (width, depth) in enumerate(zip(WIDTHS, DEPTHS, strict=True), start=1):
        layer = nn.Sequential()
        if number == 1:
            layer.add_module("pool", nn.MaxPool2d(3, stride=2, padding=1))
        for index in range(depth):
            stride = 2 if number > 1 and index == 0 else 1
            layer.add_module(str(index), PreActivationUnit(channels, width, stride, activated=number == 1 and index == 0))
            channels = width
        stages[f"layer{number}"] = layer
    stages["last"] = _normalised(channels)
    head = pooled_classifier(channels, spec.num_classes)
    widths = (WIDTHS[0], *WIDTHS, channels)
    network = Network(stages, head, channels=widths, preprocess=spec.preprocess, num_classes=spec.num_classes)
    initialise_convolutions(network)
    return network


MODELS.add_named(
    Entry(
        name="preact_resnet18",
        build=preact_resnet18,
        year=2016,
        paper="K. He, X. Zhang, S. Ren, J. Sun, Identity Mappings in Deep Residual Networks, 2016, https://arxiv.org/abs/1603.05027",
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=11_687_720,
    ),
)
