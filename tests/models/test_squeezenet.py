import pytest
import torch
import torchvision
from torch import nn

from neocog.images import cover, decode
from neocog.layers import Reach, reach
from neocog.models import MODELS, create_model, imagenet_classes
from neocog.models.squeezenet import Fire

NAMES = ["squeezenet1_0", "squeezenet1_1"]
TABLE_1 = {
    "conv1": 14_208,
    "fire2": 11_920,
    "fire3": 12_432,
    "fire4": 45_344,
    "fire5": 49_440,
    "fire6": 104_880,
    "fire7": 111_024,
    "fire8": 188_992,
    "fire9": 197_184,
    "conv10": 513_000,
}
"""Parameters of each layer."""
FILES = {"squeezenet1_0": "squeezenet1_0-deepcompression-tv.pth", "squeezenet1_1": "squeezenet1_1-ncnn-tv.pth"}


def test_parameters_are_those_of_table_1():
    with torch.device("meta"):
        network = create_model("squeezenet1_0")
    modules = {"conv1": network.stages["conv1"], "conv10": network.head.conv10}
    modules |= {name.rpartition(".")[2]: module for name, module in network.named_modules() if isinstance(module, Fire)}
    assert {name: sum(parameter.numel() for parameter in module.parameters()) for name, module in modules.items()} == TABLE_1
    assert sum(TABLE_1.values()) == MODELS["squeezenet1_0"].parameters == 1_248_424


@pytest.mark.parametrize(("side", "sides"), [(224, [109, 54, 27, 13]), (227, [111, 55, 27, 13])])
def test_maps_of_table_1_are_those_of_227_pixels(side, sides):
    with torch.device("meta"):
        network = create_model("squeezenet1_0")
    maps = network.feature_maps(torch.empty(1, 3, side, side, device="meta"), list(network.stages))
    assert [tensor.shape[-1] for tensor in maps.values()] == sides


def test_version_1_1_has_2_4_times_less_work():
    assert MODELS["squeezenet1_0"].multiply_adds / MODELS["squeezenet1_1"].multiply_adds == pytest.approx(2.35, abs=0.05)


def test_a_fire_module_rectifies_both_expansions():
    fire = Fire(6, 2, 4)
    maps = torch.randn(2, 6, 5, 5)
    before = maps.clone()
    squeezed = fire.squeeze(maps).relu()
    expected = torch.cat([fire.expand1x1(squeezed).relu(), fire.expand3x3(squeezed).relu()], dim=1)
    torch.testing.assert_close(fire(maps), expected)
    assert torch.equal(maps, before)
    assert reach(fire, Reach(4, 7, 7), 64) == Reach(4, 15, 15, -4, -4)


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[MODELS[name].key_map(key)], tensor) for key, tensor in theirs.items())
    assert len(ours) == len(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_the_smallest_image_is_torchvisions(name):
    assert MODELS[name].min_size == torchvision.models.get_model_weights(name).DEFAULT.meta["min_size"][0]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["features.2.weight", "features.3.expand.weight", "features.13.squeeze.weight", "classifier.0.weight", ""])
def test_keys_that_are_not_torchvisions_stay(name, key):
    assert MODELS[name].key_map(key) == key


def test_the_last_convolution_is_replaced_for_other_classes(tmp_path):
    torch.manual_seed(0)
    theirs = torchvision.models.squeezenet1_1(weights=None)
    torch.save(theirs.state_dict(), tmp_path / "squeezenet.pth")
    network = create_model("squeezenet1_1", num_classes=3, weights=tmp_path / "squeezenet.pth")
    assert network.weights_report.lines() == ["last layer new"]
    assert isinstance(network.head.conv10, nn.Conv2d)
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 3)


@pytest.mark.realdata
@pytest.mark.parametrize("name", NAMES)
def test_published_weights_fit_and_recognise_photos(name, real_data):
    trained = create_model(name, weights=real_data / "weights" / FILES[name]).eval()
    assert trained.weights_report.lines() == []
    assert trained.weights_report.class_names == tuple(item.name for item in imagenet_classes())
    folders = sorted(path for path in (real_data / "imagenet-sample").iterdir() if path.is_dir())[:24]
    pictures = [cover(decode(next(folder.iterdir()).read_bytes()), (256, 256))[:, 16:240, 16:240] for folder in folders]
    with torch.inference_mode():
        best = trained(trained.preprocess.normalise(torch.stack(pictures).float() / 255)).argmax(dim=1).tolist()
    right = sum(imagenet_classes()[index].wnid == folder.name for index, folder in zip(best, folders, strict=True))
    assert right > len(folders) // 2
