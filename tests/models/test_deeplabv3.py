import pytest
import torch
import torchvision

from neocog.errors import RecipeError, UsageError
from neocog.models import MODELS, create_model, describe

OF_TORCHVISION = ("deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large")


def theirs_of(name, **options):
    return torchvision.models.get_model(name, weights=None, weights_backbone=None, aux_loss=True, **options)


def on_meta(name, **options):
    with torch.device("meta"):
        return create_model(name, **options)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_a_torchvision_file_fits(name, with_weights_of, disturb):
    theirs = disturb(theirs_of(name, num_classes=4))
    ours = with_weights_of(name, theirs, num_classes=4).eval()
    images = torch.rand(1, 3, 45, 70)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images)["out"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(ours.forward_train(images)["aux1"], theirs(images)["aux"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_counts_are_torchvisions(name):
    (weights,) = torchvision.models.get_model_weights(name)
    assert MODELS[name].parameters == weights.meta["num_params"]
    counted = sum(row.multiply_adds for row in describe(on_meta(name)).rows)  # torchvision runs the second head in evaluation too
    assert round(counted / 1e9, 3) == weights.meta["_ops"]


@pytest.mark.parametrize(("stride", "rates"), [(8, [12, 24, 36]), (16, [6, 12, 18])])
def test_rates_follow_the_stride(stride, rates):
    network = on_meta("deeplabv3", map_stride=stride)
    assert network.stage_info[-1].stride == stride
    assert [branch.conv.dilation[0] for branch in network.head.body.pyramid.branches] == [1, *rates]


def test_parameters_in_closed_form():
    stages = MODELS["resnet18"].parameters - 513 * 1000
    pyramid = 2 * 512 * 256 + 3 * 9 * 512 * 256 + 5 * 256 * 256 + 6 * 2 * 256
    assert stages + pyramid + 9 * 256 * 256 + 2 * 256 + 257 * 21 == MODELS["deeplabv3"].parameters


@pytest.mark.parametrize("backbone", ["vgg11_bn", "mobilenet_v2", "efficientnet_b0", "resnet50"])
def test_any_backbone_whose_layers_can_be_dilated(backbone):
    network = on_meta("deeplabv3", backbone=backbone, num_classes=5).eval()
    for size in ((1, 1), (75, 50)):
        assert network(torch.empty(1, 3, *size, device="meta")).shape == (1, 5, *size)


def test_others_are_refused():
    with pytest.raises(UsageError, match="found: AvgPool2d up to stride 32"):
        on_meta("deeplabv3", backbone="densenet121", map_stride=8)


def test_the_stride_is_8_or_16():
    with pytest.raises(RecipeError, match="8 or 16"):
        on_meta("deeplabv3", map_stride=4)


def test_the_second_head_of_mobilenet_sees_the_first_map_at_stride_8():
    network = on_meta("deeplabv3_mobilenet_v3_large")
    assert list(network.auxiliary) == ["stage3"]
    infos = {info.name: info for info in network.stage_info}
    assert [name for name in infos if name.startswith("stage3")] == ["stage3", "stage3_rest"]
    assert (infos["stage3"].stride, infos["stage3"].channels) == (8, 40)
    assert max(info.stride for info in infos.values()) == 16
    assert network.head.body.pyramid.branches[1].conv.dilation == (12, 12)
