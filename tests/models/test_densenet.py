import re

import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model
from neocog.models.densenet import densenet_key

NAMES = ["densenet121", "densenet161", "densenet169", "densenet201"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_counts_layers_with_weights(name):
    with torch.device("meta"):
        network = create_model(name)
    layers = [module for module in network.modules() if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear))]
    assert len(layers) == int(name.removeprefix("densenet"))


def test_maps_are_those_of_table_1():
    with torch.device("meta"):
        network = create_model("densenet121")
    maps = network.feature_maps(torch.empty(1, 3, 224, 224, device="meta"), list(network.stages))
    assert {name: tuple(tensor.shape[1:]) for name, tensor in maps.items()} == {
        "stem": (64, 112, 112),
        "block1": (64 + 6 * 32, 56, 56),
        "block2": (128 + 12 * 32, 28, 28),
        "block3": (256 + 24 * 32, 14, 14),
        "block4": (512 + 16 * 32, 7, 7),
    }


@pytest.mark.parametrize("name", ["densenet121", pytest.param("densenet161", marks=pytest.mark.slow)])
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[densenet_key(key)], tensor) for key, tensor in theirs.items())
    assert len(ours) == len(theirs)


def test_the_spelling_of_published_files_is_known_too(tmp_path):
    """They have norm.1 where torchvision's modules have norm1, and no count of batches."""
    theirs = torchvision.models.densenet121(weights=None)
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", key): tensor
        for key, tensor in theirs.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in state
    torch.save(state, tmp_path / "densenet121.pth")
    ours = create_model("densenet121", weights=tmp_path / "densenet121.pth").eval()
    assert ours.weights_report.lines() == []
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs.eval()(images), atol=1e-5, rtol=1e-4)


def test_the_smallest_image_is_torchvisions():
    for name in NAMES:
        assert MODELS[name].min_size == torchvision.models.get_model_weights(name).DEFAULT.meta["min_size"][0]


@pytest.mark.parametrize(
    "key",
    [
        "features.norm1.weight",
        "features.denseblock1.denselayer1.conv3.weight",
        "features.transition1.pool.weight",
        "classifiers.weight",
        "",
    ],
)
def test_keys_that_are_not_torchvisions_stay(key):
    assert densenet_key(key) == key
