import pytest
import torch
import torchvision
from torch import nn

from neocog.models import MODELS, create_model
from neocog.models.mobilenet_v3 import LARGE, SMALL, mobilenet_v3_large_key, mobilenet_v3_small_key

NAMES = ["mobilenet_v3_large", "mobilenet_v3_small"]


@pytest.mark.parametrize("name", NAMES)
def test_torchvisions_weights_give_torchvisions_logits(name, with_weights_of, disturb):
    theirs = disturb(torchvision.models.get_model(name, weights=None))
    ours = with_weights_of(name, theirs).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[MODELS[name].key_map(key)], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize("name", NAMES)
def test_batch_norms_have_torchvisions_constants(name):
    for network in (create_model(name), torchvision.models.get_model(name, weights=None)):
        norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
        assert {(norm.eps, norm.momentum) for norm in norms} == {(0.001, 0.01)}


@pytest.mark.parametrize(("rows", "count", "first", "last"), [(LARGE, 15, 16, 160), (SMALL, 11, 16, 96)])
def test_the_tables_are_whole(rows, count, first, last):
    assert len(rows) == count
    assert (rows[0].channels, rows[-1].channels) == (first, last)


@pytest.mark.parametrize(
    ("name", "maps"),
    [
        ("mobilenet_v3_large", [(2, 16), (2, 16), (4, 24), (8, 40), (16, 80), (16, 112), (32, 160), (32, 960)]),
        ("mobilenet_v3_small", [(2, 16), (4, 16), (8, 24), (16, 40), (16, 48), (32, 96), (32, 576)]),
    ],
)
def test_a_stage_is_what_has_equally_many_channels(name, maps):
    with torch.device("meta"):
        model = create_model(name)
    assert [(info.stride, info.channels) for info in model.stage_info] == maps
    assert model.output_layers == ("head.fc",)


@pytest.mark.parametrize("key_map", [mobilenet_v3_large_key, mobilenet_v3_small_key])
@pytest.mark.parametrize(
    "key", ["features.17.0.weight", "features.1.block.9.0.weight", "features.3.0.weight", "classifier.1.weight", "x", ""]
)
def test_keys_that_are_not_torchvisions_stay(key, key_map):
    assert key_map(key) == key


def test_the_parts_of_a_block_are_found_whether_it_has_them_or_not():
    assert mobilenet_v3_large_key("features.1.block.0.0.weight") == "stages.stage1.0.body.depthwise.conv.weight"
    assert mobilenet_v3_large_key("features.4.block.2.fc1.bias") == "stages.stage3.0.body.excitation.squeeze.bias"
    assert mobilenet_v3_small_key("features.1.block.1.fc2.bias") == "stages.stage1.0.body.excitation.excite.bias"
    assert mobilenet_v3_small_key("features.12.1.running_var") == "stages.last.norm.running_var"
    assert mobilenet_v3_small_key("classifier.3.weight") == "head.fc.weight"
