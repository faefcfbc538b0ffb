"""What the driver climbs, for classes and for units."""

import pytest
import torch
from torch import nn

from examine.handmade import asked
from examine.requesting import convolutional, request
from neocog.errors import UsageError
from neocog.examine.activation_maximisation import MaximisationOptions, activation_maximisation


def templates():
    """Two classes whose weights are each other's negatives."""
    layer = nn.Linear(16, 2, bias=False)
    with torch.no_grad():
        layer.weight[0] = torch.randn(16, generator=torch.Generator().manual_seed(0))
        layer.weight[1] = -layer.weight[0]
    return asked({}, nn.Sequential(nn.Flatten(), layer), channels=(), size=4)


def climbed(trained, **more):
    options = MaximisationOptions(**{"steps": 150, "rate": 1.0, "jitter": 0, "penalty": 0.0, "basis": "pixels", **more.pop("options", {})})
    return activation_maximisation(request(trained, options=options, arrays=True, **more))


def test_each_class_gets_the_picture_of_its_weights_signs():
    trained = templates()
    found = climbed(trained)
    best = (trained.model.head[1].weight.view(2, 1, 4, 4) > 0).float()
    assert (torch.from_numpy(found.arrays["images"]) - best).abs().max() < 0.05
    for row, unit in zip(found.facts["units"], (0, 1), strict=True):
        assert row["after"] > row["before"]
        scores = trained.model(torch.from_numpy(found.arrays["images"])[unit][None])[0]
        assert row["confidence"] == pytest.approx(scores.softmax(0)[unit].item(), abs=1e-5)
        assert row["name"] == trained.class_names[unit]


def test_one_class_can_be_asked_about_and_units_of_a_layer():
    one = climbed(templates(), about=1)
    assert [row["name"] for row in one.facts["units"]] == ["1"]
    units = climbed(convolutional(), layer="first", options={"units": (3, 1), "steps": 10})
    assert [row["unit"] for row in units.facts["units"]] == [3, 1]
    assert all(row["after"] > row["before"] for row in units.facts["units"])
    assert units.facts["units"][0]["confidence"] is None


def test_a_unit_is_climbed_by_the_mean_of_its_map():
    trained = convolutional()
    found = climbed(trained, layer="second", options={"units": (2,), "steps": 5})
    images = torch.from_numpy(found.arrays["images"])
    mean = trained.model.feature_maps(images, ["second"])["second"][0, 2].mean()
    assert found.facts["units"][0]["after"] == pytest.approx(mean.item(), abs=1e-5)


def test_a_class_and_a_layer_are_one_too_many():
    with pytest.raises(UsageError) as error:
        climbed(convolutional(), layer="first", about=1)
    assert error.value.args == ("a layer or a class to climb", "both", "leave --layer or --class away")


def test_a_unit_that_is_shut_on_the_first_picture_is_told():
    trained = convolutional()
    with torch.no_grad():
        trained.model.stages["first"][0].bias[:2] = torch.tensor([10.0, -100.0])
    found = climbed(trained, layer="first", options={"units": (0, 1), "steps": 3})
    assert "not moved: unit 1; a rectifier that is shut on the first picture has no gradient" in found.lines
