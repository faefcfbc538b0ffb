import pytest
import torch

from neocog.errors import RecipeError
from neocog.models import StageInfo, create_model, describe


def test_layers_have_the_papers_counts():
    model = create_model("locally_connected", in_channels=1)
    rows = describe(model).rows
    assert [(row.name, row.output, row.parameters) for row in rows] == [
        ("hidden1", (1, 8, 8), 8 * 8 * (3 * 3 + 1)),
        ("hidden2", (1, 4, 4), 4 * 4 * (5 * 5 + 1)),
        ("head", (10,), 10 * (4 * 4 + 1)),
    ]
    assert [row.multiply_adds for row in rows] == [64 * 9, 16 * 25, 160]
    assert model.stage_info == (StageInfo("hidden1", 2, 1, 3), StageInfo("hidden2", 4, 1, 11))
    assert model.loss == "squared_error"


@pytest.mark.parametrize("size", [(4, 4), (9, 12), (28, 28)])
def test_any_size_and_any_number_of_maps(size):
    model = create_model("locally_connected", num_classes=3, image_size=size, maps=2)
    half, quarter = ([-(-side // step) for side in size] for step in (2, 4))
    expected = half[0] * half[1] * 2 * (27 + 1) + quarter[0] * quarter[1] * 2 * (50 + 1) + 3 * (quarter[0] * quarter[1] * 2 + 1)
    assert sum(parameter.numel() for parameter in model.parameters()) == expected
    assert model(torch.randn(2, 3, *size)).shape == (2, 3)


def test_initial_weights_are_even_within_the_papers_bounds():
    model = create_model("locally_connected", in_channels=1, image_size=(64, 64), maps=4)
    for layer, inputs in ((model.stages["hidden1"].local, 9), (model.stages["hidden2"].local, 100), (model.head.fc, 1024)):
        assert float(layer.weight.detach().abs().max()) == pytest.approx(2.4 / inputs, rel=0.01)
        assert not layer.bias.any()


def test_maps_of_none_are_refused():
    with pytest.raises(RecipeError) as caught:
        create_model("locally_connected", maps=0)
    assert str(caught.value) == (
        "expected: maps to be a whole number of at least 1\nfound: 0\nto do: give maps a whole number of at least 1; the default is 1"
    )
