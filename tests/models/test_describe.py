import pytest
import torch
import torchvision

from neocog.models import create_model, describe


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "vgg16", "mobilenet_v2"])
def test_totals_are_those_that_torchvision_publishes(name):
    with torch.device("meta"):
        description = describe(create_model(name))
    meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
    assert description.parameters == meta["num_params"]
    assert description.multiply_adds / 1e9 == pytest.approx(meta["_ops"], abs=0.0006)


def test_lenet5_by_hand():
    rows = describe(create_model("lenet5", in_channels=1)).rows
    assert [(row.name, row.output, row.receptive_field, row.parameters, row.multiply_adds) for row in rows] == [
        ("c1", (6, 28, 28), 5, 156, 28 * 28 * 6 * 25),
        ("c3", (16, 10, 10), 14, 2_416, 10 * 10 * 16 * 6 * 25),
        ("head", (10,), None, 59_134, 400 * 120 + 120 * 84 + 84 * 10),
    ]


def test_grouped_convolutions_count_their_own_channels_only():
    rows = {row.name: row for row in describe(create_model("mobilenet_v2"), (32, 32)).rows}
    assert rows["stage1"].output == (16, 16, 16)
    assert rows["stage1"].multiply_adds == 16 * 16 * (32 * 9 + 32 * 16)


def test_the_sums_are_those_of_the_rows():
    description = describe(create_model("small_convnet", num_classes=3))
    assert description.parameters == sum(row.parameters for row in description.rows)
    assert description.multiply_adds == sum(row.multiply_adds for row in description.rows)


def test_the_network_stays_as_it_is():
    network = create_model("resnet20")
    network.stages["stem"].eval()
    modes = [module.training for module in network.modules()]
    before = {key: value.clone() for key, value in network.state_dict().items()}
    describe(network)
    assert [module.training for module in network.modules()] == modes
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


def test_hooks_are_taken_away_when_the_size_does_not_fit():
    network = create_model("softmax_regression")
    with pytest.raises(RuntimeError):
        describe(network, (5, 5))
    assert not any(module._forward_hooks for module in network.modules())
