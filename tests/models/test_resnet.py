import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model
from neocog.models.resnet import resnet_key

NAMES = ["resnet18", "resnet34", "resnet50"]


@pytest.mark.parametrize("name", NAMES)
def test_torchvisions_weights_give_torchvisions_logits(name, with_weights_of, disturb):
    theirs = disturb(torchvision.models.get_model(name, weights=None))
    ours = with_weights_of(name, theirs).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[resnet_key(key)], tensor) for key, tensor in theirs.items())


def test_the_cifar_stem_keeps_the_resolution():
    model = create_model("resnet18_cifar", num_classes=10)
    assert [info.stride for info in model.stage_info] == [1, 1, 2, 4, 8]
    without_stem = MODELS["resnet18"].parameters - 64 * 3 * 49 - 513 * 1000
    assert sum(parameter.numel() for parameter in model.parameters()) == without_stem + 64 * 3 * 9 + 513 * 10


@pytest.mark.parametrize("key", ["layer1.0.relu", "blocks.0.conv1.weight", "layers.conv1.weight", ""])
def test_foreign_keys_that_are_not_torchvisions_are_harmless(key):
    assert resnet_key(key).removeprefix("stages.") == key
