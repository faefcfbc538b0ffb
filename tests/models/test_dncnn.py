import pytest
import torch

from neocog.errors import RecipeError
from neocog.models import MODELS, create_model, describe


@pytest.mark.parametrize(("name", "depth", "released"), [("dncnn", 17, 557_057), ("dncnn_blind", 20, 668_225)])
def test_parameters_are_the_papers_without_what_the_norms_subtract(name, depth, released):
    first, last = 64 * 9 + 64, 64 * 9 + 1
    middle = 64 * 64 * 9 + 2 * 64
    assert MODELS[name].parameters == first + (depth - 2) * middle + last
    assert released - MODELS[name].parameters == (depth - 2) * 64


@pytest.mark.parametrize(("name", "depth"), [("dncnn", 17), ("dncnn_blind", 20)])
def test_it_sees_two_pixels_more_with_each_layer(name, depth):
    with torch.device("meta"):
        network = create_model(name, in_channels=1)
    assert len(network.stages) == depth - 1
    assert network.stage_info[-1].receptive_field == 2 * (depth - 1) + 1
    assert sum("conv" in row.kind for row in describe(network).layers) == depth


def test_depth_and_width_can_be_chosen():
    network = create_model("dncnn", in_channels=1, depth=3, width=5)
    kernels = [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim == 4]
    assert kernels == [
        (5, 1, 3, 3),
        (5, 5, 3, 3),
        (1, 5, 3, 3),
    ]
    with pytest.raises(RecipeError, match="depth"):
        create_model("dncnn", depth=2)


def test_the_noise_is_subtracted():
    torch.manual_seed(0)
    network = create_model("dncnn", in_channels=1, depth=3, width=4).eval()
    images = torch.rand(2, 1, 7, 9)
    noise = network.head({"layer2": network.stages["layer2"](network.stages["layer1"](images))}, (7, 9))
    assert torch.equal(network(images), images - noise)


def test_pixels_keep_their_scale():
    network = create_model("dncnn", in_channels=1)
    images = torch.rand(1, 1, 5, 5)
    assert network.keeps_scale
    assert torch.equal(network.preprocess.normalise(images), images)
    assert create_model("dncnn").preprocess.std == (1.0, 1.0, 1.0)


def test_a_number_of_classes_means_nothing_to_it():
    assert create_model("dncnn", num_classes=9, in_channels=3, depth=3).num_classes == 3
