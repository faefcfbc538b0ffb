"""GoogLeNet, the winner of ILSVRC 2014: nine Inception modules, no dense layers but the classifiers.

C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke, A. Rabinovich, "Going
Deeper with Convolutions", 2014, https://arxiv.org/abs/1409.4842, table 1 and section 5

`googlenet_2014` is the paper's: biases and no batch normalisation, local response normalisation (figure 3),
5x5 branches, auxiliary classifiers on 4a and 4d that begin with 5x5 average pooling at stride 3, dropout of 40 %
and 70 %. What the paper leaves open: the constants of the normalisation are those of AlexNet, "same" padding is
symmetric in convolutions and at the right and bottom edge in poolings, initial weights are He's, and where an
auxiliary classifier's map is not 14 to 16 points wide it is averaged to 4x4.

Of its 13,378,280 parameters the auxiliary classifiers, which only training needs, hold 6,379,728. The paper says
12 times fewer than AlexNet's 60,965,224; that is 60 million by 5 (the numbers that the authors give in
"Rethinking the Inception Architecture", section 1), and no way of counting gives 5 million. The 6,998,552 that
classify are 8.7 times fewer; without the last linear layer it is 10.2 times, with auxiliary classifiers 4.6 times.

Table 1 counts weights without biases, 1,024 to its K, and sums to 6,798 K; ours, counted so, to 6,826 K. Its row of
the 7x7 convolution (2.7 K, 34 M multiply-adds; ours 9.2 K and 118 M) comes to that of a separable one with 8 filters
a channel: 3 * 8 * 49 + 24 * 64 = 2,712. Its parameters of 4c (463 K, ours 498 K) do not agree with its own
multiply-adds (100 M, ours 100 M), and 5a is 5 % smaller here in both. So the table's 1.50 G multiply-adds are
1.58 G here.

`googlenet` is torchvision's: batch normalisation, 3x3 kernels in the branches called 5x5, dropout of 20 %, and
auxiliary classifiers that average to 4x4 and normalise too. Its published weights want images scaled to [-1, 1],
which is what its mean and standard deviation of 0.5 do; they leave the auxiliary classifiers untrained. torchvision
counts 6,624,904 parameters, without the auxiliary classifiers; all are 13,004,888. Initial weights equal those that
torchvision draws with init_weights=True.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from neocog.batch import Preprocess
from neocog.layers import (
    AuxiliaryPool,
    AverageTo,
    InceptionWidths,
    LocalResponseNorm,
    inception_module,
    initialise_for,
    initialise_truncated,
    normalised_unit,
    pooled_classifier,
)
from neocog.models.entry import MODELS, Entry, ModelSpec
from neocog.models.network import Network

__all__ = ["googlenet", "googlenet_2014"]

PAPER = (
    "C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, V. Vanhoucke, A. Rabinovich, "
    "Going Deeper with Convolutions, 2014, https://arxiv.org/abs/1409.4842"
)
STEM = (64, 64, 192)
"""channels of the 7x7 convolution, and of the 1x1 and the 3x3 one after the first pooling"""
MODULES = {
    "3a": InceptionWidths(64, 96, 128, 16, 32, 32),
    "3b": InceptionWidths(128, 128, 192, 32, 96, 64),
    "4a": InceptionWidths(192, 96, 208, 16, 48, 64),
    "4b": InceptionWidths(160, 112, 224, 24, 64, 64),
    "4c": InceptionWidths(128, 128, 256, 24, 64, 64),
    "4d": InceptionWidths(112, 144, 288, 32, 64, 64),
    "4e": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5a": InceptionWidths(256, 160, 320, 32, 128, 128),
    "5b": InceptionWidths(384, 192, 384, 48, 128, 128),
}
POOLED_FIRST = ("3a", "4a", "5a")  # modules behind a pooling that halves the map
AUXILIARY = ("4a", "4d")
AUXILIARY_WEIGHT = 0.3
SIDE, REDUCED, HIDDEN = 4, 128, 1024  # of an auxiliary classifier: its map, the channels of that, its dense layer


def plain_unit(in_channels: int, out_channels: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """A convolution with bias that keeps the size at stride 1, and relu."""
    unit = nn.Sequential()
    unit.add_module("conv", nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2))
    unit.add_module("activation", nn.ReLU(inplace=True))
    return unit


@dataclass(frozen=True)
class Form:
    """In what the paper's network and torchvision's differ.

    Attributes:
        unit: makes a convolution with what follows it, of (in_channels, out_channels, kernel, stride=...).
        largest: kernel of the branches called 5x5.
        last_pool: kernel of the pooling before 5a.
        normalisation: makes what stands around the second convolution, by its name.
        auxiliary_pool: makes what auxiliary classifiers begin with.
        dropout: before the classifier.
    """

    unit: Callable[..., nn.Module] = plain_unit
    largest: int = 5
    last_pool: int = 3
    normalisation: Callable[[], nn.Module] | None = LocalResponseNorm
    auxiliary_pool: Callable[[], nn.Module] = field(default=lambda: AuxiliaryPool(SIDE, SIDE))
    dropout: float = 0.4


def googlenet_2014(spec: ModelSpec) -> Network:
    """Table 1: two convolutions and nine modules at strides 2 to 32, and a linear layer; two auxiliary classifiers."""
    network = _googlenet(spec, Form())
    initialise_for(network, "relu")
    return network


def googlenet(spec: ModelSpec) -> Network:
    """The same with batch normalisation and 3x3 kernels in the place of 5x5 ones."""
    form = Form(normalised_unit, largest=3, last_pool=2, normalisation=None, auxiliary_pool=lambda: AverageTo(SIDE), dropout=0.2)
    network = _googlenet(spec, form)
    for part in (network.stages, network.auxiliary, network.head):
        initialise_truncated(part, std=0.01)
    return network


def _googlenet(spec: ModelSpec, form: Form) -> Network:
    stages: dict[str, nn.Module] = {"conv1": form.unit(spec.in_channels, STEM[0], 7, stride=2), "conv2": _second_stage(form)}
    channels = STEM[-1]
    for name, widths in MODULES.items():
        stage = stages[f"inception{name}"] = nn.Sequential()
        if name in POOLED_FIRST:
            stage.add_module("pool", nn.MaxPool2d(form.last_pool if name == "5a" else 3, stride=2, ceil_mode=True))
        stage.add_module("branches", inception_module(channels, widths, form.unit, largest=form.largest))
        channels = widths.channels
    auxiliary = {f"inception{name}": _auxiliary(MODULES[name].channels, spec.num_classes, form) for name in AUXILIARY}
    network = Network(
        stages,
        pooled_classifier(channels, spec.num_classes, dropout=form.dropout),
        channels=(STEM[0], STEM[-1], *(widths.channels for widths in MODULES.values())),
        preprocess=spec.preprocess,
        num_classes=spec.num_classes,
        auxiliary=auxiliary,
    )
    network.auxiliary_weight = AUXILIARY_WEIGHT
    return network


def _second_stage(form: Form) -> nn.Sequential:
    first, reduced, last = STEM
    stage = nn.Sequential()
    stage.add_module("pool", nn.MaxPool2d(3, stride=2, ceil_mode=True))
    if form.normalisation:
        stage.add_module("norm1", form.normalisation())
    stage.add_module("reduce", form.unit(first, reduced, 1))
    stage.add_module("conv", form.unit(reduced, last, 3))
    if form.normalisation:
        stage.add_module("norm2", form.normalisation())
    return stage


def _auxiliary(channels: int, num_classes: int, form: Form) -> nn.Sequential:
    head = nn.Sequential()
    head.add_module("pool", form.auxiliary_pool())
    head.add_module("conv", form.unit(channels, REDUCED, 1))
    head.add_module("flatten", nn.Flatten())
    head.add_module("fc1", nn.Linear(REDUCED * SIDE**2, HIDDEN))
    head.add_module("activation", nn.ReLU(inplace=True))
    head.add_module("dropout", nn.Dropout(0.7))
    head.add_module("fc2", nn.Linear(HIDDEN, num_classes))
    return head


def _foreign_units() -> dict[str, str]:
    """Ours for each of torchvision's units of convolution and batch norm."""
    units = {"conv1": "stages.conv1", "conv2": "stages.conv2.reduce", "conv3": "stages.conv2.conv"}
    branches = {"1": "1x1", "2.0": "3x3.reduce", "2.1": "3x3.conv", "3.0": "5x5.reduce", "3.1": "5x5.conv", "4.1": "pool.project"}
    for name in MODULES:
        units.update({f"inception{name}.branch{theirs}": f"stages.inception{name}.branches.{ours}" for theirs, ours in branches.items()})
    return units | {f"aux{number}.conv": f"auxiliary.inception{name}.conv" for number, name in enumerate(AUXILIARY, start=1)}


FOREIGN_UNITS = _foreign_units()
FOREIGN_LINEARS = {"fc": "head.fc"}
for _number, _name in enumerate(AUXILIARY, start=1):
    FOREIGN_LINEARS.update({f"aux{_number}.{layer}": f"auxiliary.inception{_name}.{layer}" for layer in ("fc1", "fc2")})
PARTS = {"conv": "conv", "bn": "norm"}


def googlenet_key(key: str) -> str:
    """Our key of a tensor from torchvision's; an unknown one as it is."""
    layer, _, tensor = key.rpartition(".")
    if layer in FOREIGN_LINEARS:
        return f"{FOREIGN_LINEARS[layer]}.{tensor}"
    unit, _, part = layer.rpartition(".")
    return f"{FOREIGN_UNITS[unit]}.{PARTS[part]}.{tensor}" if unit in FOREIGN_UNITS and part in PARTS else key


COMMON: dict[str, Any] = {"year": 2014, "paper": PAPER}

MODELS.add_named(
    Entry(
        name="googlenet_2014",
        build=googlenet_2014,
        preprocess=Preprocess((224, 224), (256, 256)),
        parameters=13_378_280,
        accuracy="10.07 % top-5 error, one network, one crop, ILSVRC-2014 validation (table 3)",
        min_size=31,
        **COMMON,
    ),
)

MODELS.add_named(
    Entry(
        name="googlenet",
        build=googlenet,
        preprocess=Preprocess((224, 224), (256, 256), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        parameters=13_004_888,
        multiply_adds=1_498_000_000,
        min_size=15,
        key_map=googlenet_key,
        **COMMON,
    ),
)
