import pytest
import torch

from neocog.errors import RecipeError
from neocog.models import create_model, describe


def described(**options):
    with torch.device("meta"):
        return describe(create_model("mobilenet_v1", **options))


def test_parameters_have_a_closed_form():
    pairs = [(32, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), *[(512, 512)] * 5, (512, 1024), (1024, 1024)]
    convolutions = 9 * 3 * 32 + sum(9 * into + into * out for into, out in pairs)
    norms = 2 * (32 + sum(into + out for into, out in pairs))
    assert described().parameters == convolutions + norms + 1025 * 1000 == 4_231_976


@pytest.mark.parametrize(("width", "millions", "multiply_adds"), [(1.0, 4.2, 569), (0.75, 2.6, 325), (0.5, 1.3, 149), (0.25, 0.5, 41)])
def test_the_width_multiplier_saves_what_the_paper_says(width, millions, multiply_adds):
    """Table 6."""
    found = described(width=width)
    assert round(found.parameters / 1e6, 1) == millions
    assert found.multiply_adds / 1e6 == pytest.approx(multiply_adds, abs=1)


@pytest.mark.parametrize(("side", "multiply_adds"), [(224, 569), (192, 418), (160, 290), (128, 186)])
def test_so_does_the_resolution_multiplier(side, multiply_adds):
    """Table 7."""
    found = described(image_size=(side, side))
    assert found.multiply_adds / 1e6 == pytest.approx(multiply_adds, abs=1)
    assert found.parameters == described().parameters


def test_the_share_of_1x1_convolutions_is_the_papers():
    """Table 2: 94.86 % of the multiply-adds and 74.59 % of the parameters, without those of normalisation and biases."""
    with torch.device("meta"):
        model = create_model("mobilenet_v1")
    layers = [pair.pointwise.conv for name, stage in model.stages.items() if name != "stem" for pair in stage]
    points = [112**2, *[56**2] * 2, *[28**2] * 2, *[14**2] * 6, *[7**2] * 2]
    parameters = sum(layer.weight.numel() for layer in layers)
    multiply_adds = sum(layer.weight.numel() * count for layer, count in zip(layers, points, strict=True))
    assert multiply_adds / describe(model).multiply_adds == pytest.approx(0.9486, abs=1e-4)
    matrices = sum(parameter.numel() for parameter in model.parameters() if parameter.ndim > 1)
    assert parameters / matrices == pytest.approx(0.7459, abs=1e-4)


def test_maps_are_as_large_as_in_table_1():
    assert [row.output for row in described().rows] == [
        (32, 112, 112),
        (64, 112, 112),
        (128, 56, 56),
        (256, 28, 28),
        (512, 14, 14),
        (1024, 7, 7),
        (1000,),
    ]


def test_no_layer_has_fewer_than_8_channels_and_others_are_rounded_down():
    with torch.device("meta"):
        model = create_model("mobilenet_v1", width=0.11)
    assert [info.channels for info in model.stage_info] == [8, 8, 14, 28, 56, 112]


def test_a_width_of_0_is_refused():
    with pytest.raises(RecipeError) as caught:
        create_model("mobilenet_v1", width=0)
    assert str(caught.value) == "expected: width to be a number above 0\nfound: 0.0\nto do: give width a number above 0; the default is 1.0"
