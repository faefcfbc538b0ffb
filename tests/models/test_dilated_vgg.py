from itertools import pairwise

import pytest
import torch
from torch import nn

from neocog.models import MODELS, create_model, describe, dilated_vgg, fcn, vgg, write_weights
from neocog.models.dilated_vgg import CONTEXT_WIDTHS, Context, surround


def on_meta(name, **options):
    with torch.device("meta"):
        return create_model(name, **options)


CONVOLUTIONS = 14_714_688
"""Of VGG-16, with biases."""


def test_the_large_field_of_view_in_closed_form():
    dense = 1024 * (9 * 512 + 1) + 1024 * 1025 + 21 * 1025
    assert CONVOLUTIONS + dense == MODELS["deeplab_v1"].parameters
    assert round(MODELS["deeplab_v1"].parameters / 1e6, 1) == 20.5


def test_the_context_module_in_closed_form():
    front = MODELS["vgg16"].parameters - 4097 * 1000 + 4097 * 21
    context = 7 * (9 * 21 * 21 + 21) + 21 * 21 + 21
    assert front + context == MODELS["dilated_context"].parameters
    assert 7 * 9 + 1 == 64  # kernels for each pair of classes: the paper's 64 C²


def test_maps_stay_at_stride_8():
    for name in ("deeplab_v1", "dilated_context"):
        assert [info.stride for info in on_meta(name).stage_info] == [1, 2, 4, 8, 8]


def test_the_map_of_321_pixels_has_41_points():
    maps = on_meta("deeplab_v1").feature_maps(torch.empty(1, 3, 321, 321, device="meta"), ["stage5"])
    assert maps["stage5"].shape == (1, 512, 41, 41)


def test_the_field_of_view_is_as_large_as_the_paper_says():
    """fc6 sees 3 points, 12 apart, of a map at stride 8: table 1's 224 pixels more than the convolutions before it."""
    rows = {row.name: row for row in describe(on_meta("deeplab_v1")).layers if row.stage == "head"}
    assert rows["body.fc6"].receptive_field - rows["body.pool"].receptive_field == 2 * 12 * 8


def test_an_image_of_528_pixels_enters_as_900():
    assert surround(torch.empty(1, 3, 528, 528, device="meta")).shape == (1, 3, 900, 900)
    rows = {row.name: row for row in describe(on_meta("dilated_context"), (528, 528)).layers if row.stage == "head"}
    assert rows["body.front.scores"].output == (21, 66, 66)


@pytest.mark.parametrize("context", ["basic", "large"])
def test_the_context_module_sees_67_points(context):
    head = on_meta("dilated_context", context=context).head
    rates = [layer.dilation[0] for name, layer in head.body.named_children() if name.startswith("context")]
    assert rates == [1, 1, 2, 4, 8, 16, 1, 1]
    assert 1 + 2 * sum(rates[:-1]) == 67  # table 1


def test_the_large_context_module_in_closed_form():
    widths = [1, 2, 2, 4, 8, 16, 32, 32, 1]  # table 1, in numbers of classes
    pairs = [before * after for before, after in pairwise(widths)]
    counted = 21**2 * (9 * sum(pairs[:-1]) + pairs[-1]) + 21 * sum(widths[1:])
    large, alone = (parameters_of(on_meta("dilated_context", context=context)) for context in ("large", "none"))
    assert large - alone == counted
    assert MODELS["dilated_context"].parameters - alone == 64 * 21**2 + 8 * 21


def parameters_of(network):
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("context", ["basic", "large"])
def test_the_context_module_begins_by_changing_nothing(context):
    """The large one but for its noise, which is all that is smaller than half of what passes a class through."""
    torch.manual_seed(0)
    body = Context(nn.Identity(), 5, CONTEXT_WIDTHS[context]).body
    for layer in body.children():
        if isinstance(layer, nn.Conv2d):
            noise = layer.weight.abs() < 5 / layer.out_channels / 2
            assert bool(layer.weight[noise].any()) == (context == "large")
            layer.weight.data[noise] = 0
    scores = torch.randint(2**16, (2, 5, 9, 7)) / 2**16  # whose sums over 32 channels are exact
    assert torch.equal(body(scores), scores)


@pytest.fixture
def narrow(monkeypatch):
    """The networks with a few channels."""
    monkeypatch.setattr(dilated_vgg, "DENSE", 8)
    monkeypatch.setattr(dilated_vgg, "WIDTHS", (4, 4, 4, 4, 4))


@pytest.mark.parametrize("context", ["basic", "large"])
def test_the_front_end_is_learnt_alone_and_then_with_its_context(narrow, tmp_path, context):
    torch.manual_seed(0)
    front = create_model("dilated_context", context="none", class_names=("road", "sky", "tree"))
    write_weights(tmp_path / "w", front.state_dict(), {"model": "dilated_context", "class_names": ["road", "sky", "tree"]})
    whole = create_model("dilated_context", context=context, weights=tmp_path / "w", class_names=("road", "sky", "tree"))
    state = whole.state_dict()
    assert all(torch.equal(state[key], tensor) for key, tensor in front.state_dict().items())
    assert all(key.startswith("head.body.context") for key in whole.weights_report.missing)
    assert len(whole.weights_report.missing) == 16
    write_weights(tmp_path / "whole", state, {"model": "dilated_context"})
    again = create_model("dilated_context", context=context, weights=tmp_path / "whole", num_classes=3)
    assert again.weights_report.lines() == []


def test_the_front_end_alone_changes_its_classes_and_the_whole_does_not(narrow):
    assert create_model("dilated_context", context="none").output_layers == ("head.body.front.scores",)
    assert create_model("dilated_context").output_layers == ()


def test_the_basic_context_begins_with_the_front_ends_answer(narrow):
    """Where scores are not below zero, which the context module cuts off."""
    torch.manual_seed(0)
    whole = create_model("dilated_context", num_classes=3).eval()
    front = create_model("dilated_context", num_classes=3, context="none").eval()
    nn.init.constant_(whole.head.body.front.scores.bias, 100.0)
    front.load_state_dict({key: tensor for key, tensor in whole.state_dict().items() if "context" not in key})
    image = torch.rand(1, 3, 16, 24)
    with torch.inference_mode():
        assert torch.equal(whole(image), front(image))


@pytest.mark.parametrize("name", ["deeplab_v1", "dilated_context", "fcn8s_2015"])
def test_the_stages_begin_with_those_of_vgg16(name, narrow, tmp_path, monkeypatch):
    monkeypatch.setattr(fcn, "DENSE", 8)
    monkeypatch.setattr(fcn, "VGG_WIDTHS", (4, 4, 4, 4, 4))
    monkeypatch.setattr(vgg, "WIDTHS", (4, 4, 4, 4, 4))
    torch.manual_seed(0)
    source = create_model("vgg16", num_classes=7).state_dict()
    write_weights(tmp_path / "w", source, {"model": "vgg16"})
    model = create_model(name, weights=tmp_path / "w", num_classes=3)
    for key, tensor in model.stages.state_dict().items():
        assert torch.equal(tensor, source[f"stages.{key}"])
    assert all(key.startswith("head.") for key in model.weights_report.missing)
