import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model
from neocog.models.inception_v3 import inception_v3_key


@pytest.fixture(scope="module")
def network():
    with torch.device("meta"):
        return create_model("inception_v3")


def test_maps_are_as_large_as_in_table_1(network):
    maps = network.feature_maps(torch.empty(1, 3, 299, 299, device="meta"), list(network.stages))
    shapes = {name: tuple(tensor.shape[1:]) for name, tensor in maps.items()}
    assert shapes == {
        "conv1": (64, 147, 147),
        "conv2": (192, 71, 71),
        "mixed5": (288, 35, 35),
        "mixed6": (768, 17, 17),
        "mixed7": (2048, 8, 8),
    }
    assert network.stages["mixed7"].a(maps["mixed6"]).shape == (1, 1280, 8, 8)


def test_fewer_than_25_million_parameters_classify(network):
    auxiliary = sum(parameter.numel() for parameter in network.auxiliary.parameters())
    assert auxiliary == 768 * 128 + 2 * 128 + 128 * 768 * 25 + 2 * 768 + 768 * 1000 + 1000
    assert MODELS["inception_v3"].parameters - auxiliary == 23_834_568
    assert torchvision.models.Inception_V3_Weights.IMAGENET1K_V1.meta["num_params"] == MODELS["inception_v3"].parameters


def test_two_3x3_kernels_see_as_far_as_one_5x5_and_save_28_percent(network):
    """Section 3.1."""
    module = network.stages["mixed5"].b
    assert module["5x5"][1].conv.kernel_size == (5, 5)
    assert [unit.conv.kernel_size for unit in module["double3x3"][1:]] == [(3, 3), (3, 3)]
    assert pytest.approx(0.28) == 1 - 2 * 3 * 3 / (5 * 5)


def test_the_auxiliary_classifier_counts_0_4_and_is_batch_normalised(network):
    assert network.auxiliary_weight == 0.4
    assert list(network.auxiliary) == ["mixed6"]
    assert network.auxiliary["mixed6"].conv1.norm.eps == 0.001


@pytest.mark.parametrize("size", [(75, 75), (128, 160), (299, 203)])
def test_the_auxiliary_classifier_works_on_images_of_other_sizes(size):
    torch.manual_seed(0)
    with torch.device("meta"):
        network = create_model("inception_v3", num_classes=3)
        outputs = network.forward_train(torch.empty(2, 3, *size))
    assert {name: output.shape for name, output in outputs.items()} == {"logits": (2, 3), "aux1": (2, 3)}


def test_the_initial_weights_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.inception_v3(weights=None, init_weights=True).state_dict()
    torch.manual_seed(0)
    ours = create_model("inception_v3").state_dict()
    assert all(torch.equal(ours[inception_v3_key(key)], tensor) for key, tensor in theirs.items())
    assert len(ours) == len(theirs)


def test_images_are_prepared_as_the_published_weights_want_them():
    images = torch.rand(1, 3, 8, 8)
    preset = torchvision.models.Inception_V3_Weights.IMAGENET1K_V1.transforms()
    normalised = torchvision.transforms.functional.normalize(images, preset.mean, preset.std)
    scales = torch.tensor(preset.std)[:, None, None] / 0.5
    shifts = (torch.tensor(preset.mean)[:, None, None] - 0.5) / 0.5
    ours = MODELS["inception_v3"].preprocess
    torch.testing.assert_close(ours.normalise(images), normalised * scales + shifts, atol=1e-5, rtol=1e-5)
    assert (ours.size, ours.resize) == ((299, 299), (342, 342)) == (tuple(preset.crop_size * 2), tuple(preset.resize_size * 2))


@pytest.mark.parametrize(
    "key",
    ["Conv2d_5a_3x3.conv.weight", "Mixed_5b.branch9.conv.weight", "Mixed_5b.branch1x1.relu.weight", "AuxLogits.conv2.bn.bias", "x", ""],
)
def test_keys_that_are_not_torchvisions_stay(key):
    assert inception_v3_key(key) == key
