import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model, describe
from neocog.models.googlenet import googlenet_key

TABLE_1 = {
    "conv1": (2.7, 34),
    "conv2": (112, 360),
    "inception3a": (159, 128),
    "inception3b": (380, 304),
    "inception4a": (364, 73),
    "inception4b": (437, 88),
    "inception4c": (463, 100),
    "inception4d": (580, 119),
    "inception4e": (840, 170),
    "inception5a": (1072, 54),
    "inception5b": (1388, 71),
    "head": (1000, 1),
}
"""Of each row: parameters in K, multiply-adds in millions."""
ALEXNET = 60_965_224  # parameters
NAMES = ["googlenet", "googlenet_2014"]


@pytest.fixture(scope="module")
def paper():
    with torch.device("meta"):
        return create_model("googlenet_2014")


def weights(part):
    return sum(parameter.numel() for parameter in part.parameters() if parameter.ndim > 1)


def test_parameters_are_those_of_table_1(paper):
    counted = {name: weights(paper.head if name == "head" else paper.stages[name]) / 1024 for name in TABLE_1}
    off = {name: round(counted[name], 1) for name, (count, _) in TABLE_1.items() if counted[name] != pytest.approx(count, rel=0.02)}
    assert off == {"conv1": 9.2, "inception4c": 497.5, "inception5a": 1018.0}
    assert pytest.approx(2700, rel=0.01) == 3 * 8 * 49 + 24 * 64
    assert sum(count for count, _ in TABLE_1.values()) == pytest.approx(6797.7)
    assert sum(counted.values()) == pytest.approx(6826.4, abs=0.05)


def test_multiply_adds_are_those_of_table_1(paper):
    counted = {row.name: row.multiply_adds / 1e6 for row in describe(paper).rows if row.name in TABLE_1}
    assert counted.keys() == TABLE_1.keys()
    off = {name: round(counted[name]) for name, (_, count) in TABLE_1.items() if abs(counted[name] - count) > 1}
    assert off == {"conv1": 118, "inception5a": 51}
    assert round((3 * 8 * 49 + 24 * 64) * 112**2 / 1e6) == 34
    assert sum(count for _, count in TABLE_1.values()) == 1502


def test_it_has_8_7_times_fewer_parameters_than_alexnet_and_not_12(paper):
    everything = sum(parameter.numel() for parameter in paper.parameters())
    auxiliary = sum(parameter.numel() for parameter in paper.auxiliary.parameters())
    last = sum(parameter.numel() for parameter in paper.head.parameters())
    classifies = everything - auxiliary
    assert (everything, auxiliary, classifies) == (13_378_280, 6_379_728, 6_998_552)
    ratios = [round(ALEXNET / count, 1) for count in (classifies, classifies - last, everything)]
    assert ratios == [8.7, 10.2, 4.6]
    assert round(60e6 / 5e6) == 12


@pytest.mark.parametrize("name", NAMES)
def test_maps_are_as_large_as_in_table_1(name):
    with torch.device("meta"):
        network = create_model(name)
    maps = network.feature_maps(torch.empty(1, 3, 224, 224, device="meta"), list(network.stages))
    sides = {"conv1": 112, "conv2": 56, "inception3b": 28, "inception4e": 14, "inception5b": 7}
    assert {stage: maps[stage].shape[-1] for stage in sides} == sides
    widths = [tensor.shape[1] for tensor in maps.values()]
    assert widths == [64, 192, 256, 480, 512, 512, 512, 528, 832, 832, 1024]
    assert list(network.auxiliary) == ["inception4a", "inception4d"]
    assert network.auxiliary_weight == 0.3
    assert [network.auxiliary[stage].dropout.p for stage in network.auxiliary] == [0.7, 0.7]
    assert network.auxiliary["inception4a"].pool(maps["inception4a"]).shape == (1, 512, 4, 4)


def test_the_papers_has_no_batch_norm_and_two_local_response_norms(paper):
    kinds = [type(module).__name__ for module in paper.modules()]
    assert "BatchNorm2d" not in kinds
    assert kinds.count("LocalResponseNorm") == 2
    assert paper.head.dropout.p == 0.4


@pytest.mark.parametrize("name", NAMES)
def test_auxiliary_classifiers_learn_from_images_of_other_sizes_too(name):
    torch.manual_seed(0)
    network = create_model(name, num_classes=3, image_size=(64, 96))
    outputs = network.forward_train(torch.randn(2, 3, 64, 96))
    sum(output.square().sum() for output in outputs.values()).backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in network.auxiliary.parameters())


def test_torchvision_counts_without_auxiliary_classifiers():
    with torch.device("meta"):
        network = create_model("googlenet")
    auxiliary = sum(parameter.numel() for parameter in network.auxiliary.parameters())
    published = torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1.meta["num_params"]
    assert MODELS["googlenet"].parameters - auxiliary == published == 6_624_904


def test_the_initial_weights_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.googlenet(weights=None, init_weights=True).state_dict()
    torch.manual_seed(0)
    ours = create_model("googlenet").state_dict()
    assert all(torch.equal(ours[googlenet_key(key)], tensor) for key, tensor in theirs.items())
    assert len(ours) == len(theirs)


def test_images_are_scaled_as_the_published_weights_want_them():
    """torchvision normalises twice: as for all of its networks, and then by what undoes that."""
    images = torch.rand(1, 3, 8, 8)
    preset = torchvision.models.GoogLeNet_Weights.IMAGENET1K_V1.transforms()
    theirs = torchvision.models.googlenet(weights=None, init_weights=False, transform_input=True)
    normalised = torchvision.transforms.functional.normalize(images, preset.mean, preset.std)
    ours = MODELS["googlenet"].preprocess
    torch.testing.assert_close(ours.normalise(images), theirs._transform_input(normalised), atol=1e-5, rtol=1e-5)
    assert (ours.size, ours.resize) == ((224, 224), (256, 256)) == (tuple(preset.crop_size * 2), tuple(preset.resize_size * 2))


@pytest.mark.parametrize("key", ["conv4.conv.weight", "inception3a.branch5.conv.weight", "conv1.relu.weight", "aux3.fc1.weight", "x", ""])
def test_keys_that_are_not_torchvisions_stay(key):
    assert googlenet_key(key) == key
