"""A copy that answers the same, and leaves the network alone."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from examine.requesting import convolutional, request
from neocog.examine.pictures import Pictures
from neocog.examine.swift import folded, swiftly
from neocog.models import create_model


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet20", "densenet121"])
def test_folding_leaves_the_answers_as_they_are(name):
    torch.manual_seed(0)
    model = create_model(name, num_classes=5, image_size=(32, 32)).eval()
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 2)
    images = torch.rand(2, 3, 32, 32)
    less = folded(copy.deepcopy(model))
    with torch.no_grad():
        torch.testing.assert_close(less(images), model(images), rtol=1e-3, atol=1e-4)
    count, before = (sum(isinstance(part, nn.BatchNorm2d) for part in one.modules()) for one in (less, model))
    assert count < before


def test_the_same_question_is_answered_and_the_network_is_left_alone():
    trained = convolutional()
    before = copy.deepcopy(trained.model.state_dict())
    (shown,) = Pictures(request(trained))
    quick = swiftly(trained)(shown.objective)
    images = shown.batch.images
    assert quick is not shown.objective
    torch.testing.assert_close(quick.score(images), shown.objective.score(images), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        quick.select(torch.tensor([2, 0])).loss(images[[2, 0]]), shown.objective.loss(images)[[2, 0]], rtol=1e-4, atol=1e-5
    )
    assert all(torch.equal(value, before[key]) for key, value in trained.model.state_dict().items())


def test_questions_that_keep_to_their_plan_stay_as_they_are():
    trained = convolutional()
    other = object()
    assert swiftly(trained)(other) is other
    (shown,) = Pictures(request(trained))
    compiled = replace(trained, plan=replace(trained.plan, compiled=True))
    assert swiftly(compiled)(shown.objective) is shown.objective
