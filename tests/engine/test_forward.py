"""The one forward function against torch's own operations: normalised exactly once, in each layout and precision."""

import dataclasses
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.engine import Plan, feature_maps, forward, forward_train, prepare
from neocog.models.network import Network

PREPROCESS = Preprocess((6, 5), (6, 5), mean=(0.1, 0.5, 0.9), std=(0.2, 0.25, 0.5))
PLANS = [Plan(layout=layout, precision=precision) for layout in ("contiguous", "channels_last") for precision in ("float32", "bfloat16")]


def network():
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    return Network({"only": nn.Sequential(nn.Conv2d(3, 4, 3))}, head, channels=(4,), preprocess=PREPROCESS, num_classes=2)


def by_hand(model, images, dtype):
    mean = torch.tensor([0.1, 0.5, 0.9]).reshape(1, 3, 1, 1)
    std = torch.tensor([0.2, 0.25, 0.5]).reshape(1, 3, 1, 1)
    convolution, linear = model.stages["only"][0], model.head[2]
    maps = functional.conv2d(((images - mean) / std).to(dtype), convolution.weight.to(dtype), convolution.bias.to(dtype))
    return functional.linear(maps.mean(dim=(2, 3)).to(dtype), linear.weight.to(dtype), linear.bias.to(dtype)).float()


@pytest.mark.parametrize("plan", PLANS, ids=Plan.describe)
def test_the_answer_is_that_of_torchs_operations_on_images_normalised_once(plan):
    model = prepare(network(), plan)
    images = torch.rand(3, 3, 6, 5)
    dtype = torch.bfloat16 if plan.precision == "bfloat16" else torch.float32
    with torch.no_grad():
        expected = by_hand(model, images, dtype)
        answers = [forward(model, images, plan), forward_train(model, images, plan)["logits"]]
    for answer in answers:
        assert answer.dtype == torch.float32
        torch.testing.assert_close(answer, expected, atol=1e-5 if dtype == torch.float32 else 0.02, rtol=0)


@pytest.mark.parametrize("plan", PLANS, ids=Plan.describe)
def test_images_and_weights_are_in_the_plans_layout_and_weights_stay_float32(plan):
    model = prepare(network(), plan)
    convolution, entered = model.stages["only"][0], []
    convolution.register_forward_pre_hook(lambda module, arguments: entered.append(arguments[0]))
    forward(model, torch.rand(2, 3, 6, 5), plan)
    layout = torch.channels_last if plan.layout == "channels_last" else torch.contiguous_format
    assert entered[0].is_contiguous(memory_format=layout)
    assert convolution.weight.is_contiguous(memory_format=layout)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_the_precisions_differ_and_autocast_ends_with_the_call():
    model, images = network(), torch.rand(8, 3, 6, 5)
    exact, rounded = (forward(model, images, plan) for plan in PLANS[:2])
    assert not torch.equal(exact, rounded)
    assert not torch.is_autocast_enabled("cpu")


def test_preparing_works_in_place_and_changes_no_value():
    model = network()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert prepare(model, PLANS[3]) is model
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_a_compiled_plan_compiles():
    class Compiling(Network):
        compiled = False

        def compile(self):
            self.compiled = True

    base = network()
    model = Compiling(dict(base.stages), base.head, channels=(4,), preprocess=PREPROCESS, num_classes=2)
    assert not prepare(model, PLANS[0]).compiled
    assert prepare(model, replace(PLANS[0], compiled=True)).compiled


def test_every_output_of_training_is_float32():
    class TwoHeads(Network):
        def forward_train(self, images):
            return {"logits": self(images), "aux1": self(images) * 2}

    base = network()
    model = TwoHeads(dict(base.stages), base.head, channels=(4,), preprocess=PREPROCESS, num_classes=2)
    outputs = forward_train(model, torch.rand(2, 3, 6, 5), dataclasses.replace(PLANS[1]))
    assert {name: output.dtype for name, output in outputs.items()} == {"logits": torch.float32, "aux1": torch.float32}


@pytest.mark.parametrize("plan", PLANS, ids=Plan.describe)
def test_feature_maps_are_those_of_images_normalised_once(plan):
    model, images = prepare(network(), plan), torch.rand(3, 3, 6, 5)
    with torch.no_grad():
        maps = feature_maps(model, images, plan, ["only"])
        pooled = functional.linear(maps["only"].mean(dim=(2, 3)), model.head[2].weight, model.head[2].bias)
        answer = forward(model, images, plan)
    assert maps["only"].dtype == torch.float32
    assert maps["only"].shape == (3, 4, 4, 3)
    torch.testing.assert_close(pooled, answer, atol=1e-5 if plan.precision == "float32" else 0.02, rtol=0)
