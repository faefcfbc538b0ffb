from pathlib import Path

import pytest
import torch
from torch import nn

from neocog.models import create_model
from neocog.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


def counts(model):
    return [sum(p.numel() for p in module.parameters()) for module in model.modules() if isinstance(module, (nn.Conv2d, nn.Linear))]


def test_parameters_in_closed_form():
    model = create_model("convnetjs_cifar10")
    assert counts(model) == [16 * (75 + 1), 20 * (16 * 25 + 1), 20 * (20 * 25 + 1), 10 * (20 * 16 + 1)]
    assert sum(counts(model)) == 22_466
    model = create_model("convnetjs_mnist", in_channels=1)
    assert counts(model) == [8 * (25 + 1), 16 * (8 * 25 + 1), 10 * (16 * 16 + 1)]
    assert sum(counts(model)) == 5_994


@pytest.mark.parametrize(
    ("name", "channels", "shapes", "points"),
    [
        ("convnetjs_cifar10", 3, [(16, 32, 32), (20, 16, 16), (20, 8, 8)], 20 * 4 * 4),
        ("convnetjs_mnist", 1, [(8, 24, 24), (16, 12, 12)], 16 * 4 * 4),
    ],
)
def test_maps_have_the_sizes_that_the_pages_show(name, channels, shapes, points):
    model = create_model(name, in_channels=channels)
    maps = model.feature_maps(torch.zeros(1, channels, *model.preprocess.size), list(model.stages))
    assert [tuple(item.shape[1:]) for item in maps.values()] == shapes
    assert model.head.fc.in_features == points


def test_pixels_are_on_the_pages_scales():
    ends = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    assert create_model("convnetjs_cifar10").preprocess.normalise(ends.expand(2, 3, 1, 1))[:, 0].flatten().tolist() == [-0.5, 0.5]
    mnist = create_model("convnetjs_mnist", in_channels=1).preprocess
    assert mnist.normalise(ends).flatten().tolist() == [0.0, 1.0]
    assert (mnist.size, mnist.resize) == ((24, 24), (28, 28))  # a window of the picture, not all of it made smaller
    assert create_model("convnetjs_mnist", image_size=(24, 24)).preprocess.resize == (28, 28)


def test_initial_weights_are_convnetjs_s():
    torch.manual_seed(0)
    model = create_model("convnetjs_cifar10")
    for name, fan_in in (("stages.conv2.conv", 16 * 25), ("stages.conv3.conv", 20 * 25), ("head.fc", 320)):
        layer = model.get_submodule(name)
        assert layer.weight.std().item() == pytest.approx(fan_in**-0.5, rel=0.05)
        assert layer.bias.unique().tolist() == pytest.approx([0.0 if name == "head.fc" else 0.1])


@pytest.mark.parametrize(("name", "batch", "decay"), [("cifar10", 4, 0.0001), ("mnist", 20, 0.001)])
def test_the_recipes_train_as_the_pages_do(name, batch, decay):
    recipe = read_recipe(RECIPES / f"convnetjs_{name}.toml")
    assert (recipe.model, recipe.batch_size, recipe.optimizer, recipe.schedule) == (f"convnetjs_{name}", batch, "adadelta", "constant")
    assert recipe.optimizer_options == {"rho": 0.95, "eps": 1e-8}
    assert recipe.learning_rate == 1.0
    assert recipe.weight_decay == pytest.approx(decay / batch)  # ConvNetJS divides the decay by the batch with the gradient
