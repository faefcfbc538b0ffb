import functools

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from neocog.layers import Reach
from neocog.models import MODELS, activation_bytes, create_model, describe, fold

PUBLISHED = [name for name in torchvision.models.list_models(module=torchvision.models) if name in MODELS]
MANY_KINDS = [
    "alexnet",
    "densenet121",
    "efficientnet_b0",
    "googlenet_2014",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "resnet18",
    "resnext50_32x4d",
    "squeezenet1_1",
    "vgg11",
]
FLOAT = 4  # bytes


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **{"in_channels": MODELS[name].channels[0], **arguments})


@functools.cache
def described(name):
    """At the entry's own choices."""
    return describe(on_meta(name))


@pytest.mark.parametrize("name", PUBLISHED)
def test_multiply_adds_are_those_that_torchvision_publishes(name):
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    counted = described(name).multiply_adds / 1e9
    assert counted == pytest.approx(meta["_ops"], rel=0.01, abs=0.0006)  # published to three decimals


@pytest.mark.parametrize("name", MANY_KINDS)
def test_multiply_adds_are_half_of_what_torch_counts_as_it_computes(name):
    network = on_meta(name).eval()
    images = torch.empty(1, network.preprocess.channels, *network.preprocess.size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(images)
    assert 2 * describe(network).multiply_adds == counter.get_total_flops()


def test_lenet5_by_hand():
    rows = describe(create_model("lenet5", in_channels=1)).rows
    assert [(row.name, row.output, row.receptive_field, row.parameters, row.multiply_adds) for row in rows] == [
        ("c1", (6, 28, 28), 5, 156, 28 * 28 * 6 * 25),
        ("c3", (16, 10, 10), 14, 2_416, 10 * 10 * 16 * 6 * 25),
        ("head", (10,), None, 59_134, 400 * 120 + 120 * 84 + 84 * 10),
    ]


def test_the_layers_of_lenet5_by_hand():
    layers = fold(describe(create_model("lenet5", in_channels=1)).layers)
    assert [(row.stage, row.name, row.kind, row.kernel, row.stride, row.input, row.output, row.receptive_field) for row in layers] == [
        ("c1", "conv", "conv + relu", (5, 5), (1, 1), (1, 28, 28), (6, 28, 28), 5),
        ("c3", "pool", "max pool", (2, 2), (2, 2), (6, 28, 28), (6, 14, 14), 6),
        ("c3", "conv", "conv + relu", (5, 5), (1, 1), (6, 14, 14), (16, 10, 10), 14),
        ("head", "pool", "max pool", (2, 2), (2, 2), (16, 10, 10), (16, 5, 5), 16),
        ("head", "c5", "linear + relu", None, None, (400,), (120,), None),
        ("head", "f6", "linear + relu", None, None, (120,), (84,), None),
        ("head", "fc", "linear", None, None, (84,), (10,), None),
    ]
    assert [row.parameters for row in layers] == [156, 0, 2_416, 0, 48_120, 10_164, 850]
    assert [row.multiply_adds for row in layers] == [117_600, 0, 240_000, 0, 48_000, 10_080, 840]
    assert [row.output_bytes // FLOAT for row in layers] == [4_704, 1_176, 1_600, 400, 120, 84, 10]


def test_receptive_fields_of_branches_and_of_what_stands_around_them():
    layers = {f"{row.stage}.{row.name}": row for row in described("resnet18").layers}
    assert layers["layer2.0.body.1.conv"].receptive_field == 67
    assert layers["layer2.0.shortcut.conv"].receptive_field == 43
    assert layers["layer2.0.activation"].receptive_field == 67  # of the sum of both
    assert layers["layer4.1.activation"].receptive_field == 435  # as Araujo et al. 2019 have it
    assert layers["head.pool"].receptive_field is None
    assert layers["head.fc"].receptive_field is None


def test_norms_fold_into_the_layer_before_them_and_totals_stay():
    description = described("resnet18")
    folded = fold(description.layers)
    assert folded[0].kind == "conv + batch norm + relu"
    assert folded[0].parameters == 7 * 7 * 3 * 64 + 2 * 64
    assert sum(row.parameters for row in folded) == description.parameters
    assert sum("conv" in row.kind or "linear" in row.kind for row in folded) == 18 + 3  # three shortcuts have weights


@pytest.mark.parametrize("name", MODELS.names())
def test_the_sums_are_those_of_the_rows(name):
    description = described(name)
    answering = [row for row in description.rows if not row.training_only]
    assert description.multiply_adds == sum(row.multiply_adds for row in answering) > 0
    assert description.parameters == sum(row.parameters for row in description.rows) == sum(row.parameters for row in description.layers)
    assert all(row.output and row.name for row in description.rows)
    assert {row.stage for row in description.layers} <= {row.name for row in description.rows}


def test_grouped_convolutions_count_their_own_channels_only():
    rows = {row.name: row for row in describe(create_model("mobilenet_v2"), (32, 32)).rows}
    assert rows["stage1"].output == (16, 16, 16)
    assert rows["stage1"].multiply_adds == 16 * 16 * (32 * 9 + 32 * 16)


def test_the_image_size_can_be_another():
    small, large = describe(on_meta("resnet18"), (64, 96)), describe(on_meta("resnet18", image_size=(64, 96)))
    assert small == large
    assert small.rows[0].output == (64, 32, 48)


class Upsampler(nn.Module):
    """Layers that no registered network has: a transposed convolution, one that tells its work, one called twice."""

    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2)
        self.twice = nn.Conv2d(6, 6, 1)
        self.codes = Codes()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, maps):
        return self.codes(self.twice(self.twice(self.up(maps)))) * self.scale

    def reach(self, before, side):
        return Reach(before.stride, before.height + 4, before.width + 4)


class Codes(nn.Module):
    def forward(self, maps):
        return maps.square()

    def multiply_adds(self, output):
        return output.numel()


def test_layers_of_other_kinds():
    network = create_model("small_convnet", image_size=(16, 16))
    network.stages = nn.ModuleDict({"up": nn.Sequential(nn.Conv2d(3, 4, 1), Upsampler())})
    network.head = nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())
    description = describe(network)
    rows = [(row.name, row.kind, row.parameters, row.multiply_adds, row.receptive_field) for row in description.layers]
    points = 33 * 33
    assert rows == [
        ("0", "conv", 16, 16 * 16 * 4 * 3, 1),
        ("1.up", "transposed conv", 4 * 3 * 9 + 6, 16 * 16 * 4 * 3 * 9, 5),
        ("1.twice", "conv", 42, points * 36, 5),
        ("1.twice", "conv", 0, points * 36, 5),
        ("1.codes", "codes", 0, points * 6, 5),
        ("1", "upsampler", 1, 0, 5),
        ("0", "global max pool", 0, 0, None),
        ("1", "flatten", 0, 0, None),
    ]
    assert description.multiply_adds == sum(row[3] for row in rows)


def test_windows_of_layers_that_are_not_torchs_own():
    rows = {row.name: row for row in described("lenet5_1998").layers if row.stage == "c3"}
    assert (rows["conv"].kind, rows["conv"].kernel, rows["conv"].stride) == ("table convolution", (5, 5), (1, 1))
    assert rows["conv"].multiply_adds == 60 * 25 * 100  # 60 connections of maps


def test_auxiliary_heads_are_told_and_not_counted_as_work():
    network = create_model("small_convnet", num_classes=3, image_size=(32, 32))
    plain = describe(network)
    stage = network.stage_info[0]
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(stage.channels, 3))
    network.auxiliary = nn.ModuleDict({stage.name: head})
    description = describe(network)
    row = description.rows[-1]
    assert (row.name, row.output, row.parameters, row.multiply_adds, row.training_only) == (
        f"auxiliary.{stage.name}",
        (3,),
        3 * stage.channels + 3,
        3 * stage.channels,
        True,
    )
    assert description.multiply_adds == plain.multiply_adds
    assert description.parameters == plain.parameters + row.parameters
    assert [layer.stage for layer in description.layers][-1] == row.name
    assert activation_bytes(network) > activation_bytes(create_model("small_convnet", num_classes=3, image_size=(32, 32)))


def test_a_head_may_hide_how_it_is_built():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(16 * 5 * 5 * 4, 10)

        def forward(self, maps):
            return self.fc(maps.flatten(1))

    network = create_model("lenet5", in_channels=1)
    network.head = Hidden()
    last = describe(network).layers[-1]
    assert (last.name, last.receptive_field) == ("fc", None)


@pytest.mark.parametrize(("side", "points", "weights"), [(227, 55, 44_892_064_800), (224, 54, 42_138_206_208)])
def test_the_first_layer_of_alexnet_as_a_dense_one(side, points, weights):
    first = next(row for row in describe(on_meta("alexnet_2012", image_size=(side, side))).layers if row.multiply_adds)
    assert first.output == (96, points, points)
    assert first.parameters == 34_944
    assert first.dense_parameters == weights == (side * side * 3) * (points**2 * 96)


def test_what_weighs_nothing_has_no_dense_form():
    assert {row.kind for row in described("resnet18").layers if row.dense_parameters is None} == {
        "batch norm",
        "relu",
        "max pool",
        "global avg pool",
        "flatten",
    }


def test_memory_of_activations_by_hand():
    assert activation_bytes(on_meta("softmax_regression")) == FLOAT * 784  # the image, for the gradient of the weights
    assert activation_bytes(on_meta("mlp")) == FLOAT * (784 + 300)  # and the hidden units, for relu and the last layer alike
    # Image, C1, S2 and its indices of 8 bytes, C3, S4 and its indices, C5, F6.
    assert activation_bytes(on_meta("lenet5")) == FLOAT * (784 + 4_704 + 1_600 + 120 + 84) + (FLOAT + 8) * (1_176 + 400)


@pytest.mark.parametrize("name", ["resnet20", "mobilenet_v2"])
def test_memory_of_activations_is_what_real_tensors_take(name):
    network = create_model(name, image_size=(32, 32))

    def kept(count):
        seen = {}

        def note(tensor):
            seen[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor.detach()

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            outputs = network.forward_train(torch.rand(count, 3, 32, 32))
        assert outputs
        return sum(seen.values())

    assert activation_bytes(network) == kept(3) - kept(2)


def test_memory_of_the_weights_is_that_of_the_state():
    description = described("resnet20")
    norms = 2 * (16 * 7 + 32 * 6 + 64 * 6)
    assert description.buffers == norms + 19  # mean and variance of 19 norms, and how many batches each has seen
    assert description.state_bytes == FLOAT * (269_722 + norms) + 8 * 19


@pytest.mark.parametrize("measure", [describe, activation_bytes])
def test_the_network_stays_as_it_is(measure):
    network = create_model("resnet20")
    network.stages["stem"].eval()
    modes = [module.training for module in network.modules()]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    measure(network)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in network.parameters())


def test_hooks_are_taken_away_when_the_size_does_not_fit():
    network = create_model("softmax_regression")
    with pytest.raises(RuntimeError):
        describe(network, (5, 5))
    assert not any(module._forward_hooks for module in network.modules())
