import pytest
import torch

from neocog.errors import RecipeError
from neocog.models import StageInfo, create_model, describe


def test_widths_are_those_that_are_asked_for():
    model = create_model("mlp", num_classes=3, in_channels=1, image_size=(8, 6), widths=[50, 20])
    assert sum(parameter.numel() for parameter in model.parameters()) == (48 + 1) * 50 + (50 + 1) * 20 + (20 + 1) * 3
    assert model.stage_info == (StageInfo("hidden1", 8, 50, 8), StageInfo("hidden2", 8, 20, 8))
    maps = model.feature_maps(torch.zeros(2, 1, 8, 6), ["hidden1", "hidden2"])
    assert [tuple(item.shape) for item in maps.values()] == [(2, 50), (2, 20)]


@pytest.mark.parametrize(("name", "reference"), [("relu", torch.relu), ("sigmoid", torch.sigmoid), ("tanh", torch.tanh)])
def test_it_computes_what_the_textbook_says(name, reference):
    model = create_model("mlp", num_classes=3, image_size=(4, 4), widths=(5,), activation=name)
    images = torch.randn(2, 3, 4, 4)
    first, second = model.stages["hidden1"].fc, model.head.fc
    hidden = reference(images.flatten(1) @ first.weight.T + first.bias)
    torch.testing.assert_close(model(images), hidden @ second.weight.T + second.bias)


@pytest.mark.parametrize("widths", [(), (3, 0)])
def test_impossible_widths_are_refused(widths):
    with pytest.raises(RecipeError) as caught:
        create_model("mlp", widths=widths)
    assert str(caught.value) == (
        f"expected: widths to be a list of whole numbers of at least 1\nfound: {widths}\n"
        "to do: give widths a list of whole numbers of at least 1; the default is [300]"
    )


def test_an_unknown_activation_is_refused():
    with pytest.raises(RecipeError) as caught:
        create_model("mlp", activation="step")
    assert str(caught.value) == (
        "expected: 'relu' or 'sigmoid' or 'tanh' for activation of the model mlp\nfound: 'step'\nto do: choose one of relu, sigmoid, tanh"
    )


@pytest.mark.parametrize("widths", [3, "3", (3.5,)])
def test_widths_of_another_kind_are_refused(widths):
    with pytest.raises(RecipeError) as caught:
        create_model("mlp", widths=widths)
    assert str(caught.value) == (
        f"expected: a list of whole numbers for widths of the model mlp\nfound: {widths!r}\nto do: give a value of that kind, as [300]"
    )


@pytest.mark.parametrize("widths", [(7,), (20, 30, 40)])
def test_multiply_adds_are_products_of_neighbouring_widths(widths):
    with torch.device("meta"):
        rows = describe(create_model("mlp", num_classes=3, in_channels=1, image_size=(8, 6), widths=widths)).rows
    expected = [before * after for before, after in zip((48, *widths), (*widths, 3), strict=True)]
    assert [row.multiply_adds for row in rows] == expected
    assert [row.parameters for row in rows] == [cost + width for cost, width in zip(expected, (*widths, 3), strict=True)]
