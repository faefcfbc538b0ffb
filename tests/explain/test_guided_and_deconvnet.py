"""Both rules for the way back: by hand on one unit, and captum's on networks of relu."""

import warnings

import pytest
import torch
from captum.attr import Deconvolution, GuidedBackprop
from torch import nn

from explain.asking import NETWORKS, Asking, explained, images, network
from neocog.explain.backward_rules import Backward
from neocog.explain.gradient import gradient

CLASSES = torch.tensor([0, 3, 1])
THEIRS = {"guided_backprop": GuidedBackprop, "deconvnet": Deconvolution}
RULES = {"guided_backprop": "guided", "deconvnet": "deconvnet"}


@pytest.mark.parametrize("name", THEIRS)
def test_captum_answers_the_same(name):
    module, pictures = network(), images()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it sets hooks
        theirs = THEIRS[name](network()).attribute(pictures.clone().requires_grad_(), target=CLASSES)
    with Backward(RULES[name]):
        ours = gradient(Asking(module, CLASSES), pictures)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(explained(name, module, pictures, CLASSES).maps, theirs.abs().amax(dim=1), rtol=1e-5, atol=1e-7)


def test_relus_of_one_layer_by_hand():
    """Four units: active or not, wanted (+1) or not (-1)."""

    class Four(nn.Module):
        def forward(self, maps):
            return (torch.relu(maps.flatten(1)) * torch.tensor([1.0, -1, 1, -1])).sum(dim=1, keepdim=True)

    pictures = torch.tensor([[[[0.5, 0.5], [-0.5, -0.5]]]])
    objective = Asking(Four(), torch.tensor([0]))
    expected = {None: [1, -1, 0, 0], "guided": [1, 0, 0, 0], "deconvnet": [1, 0, 1, 0]}
    assert gradient(objective, pictures).flatten().tolist() == expected[None]
    for rule in ("guided", "deconvnet"):
        with Backward(rule):
            assert gradient(objective, pictures).flatten().tolist() == expected[rule]


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("pair", [("relu", "relu in place")])
def test_in_place_or_not_is_the_same(name, pair):
    first, second = (explained(name, network(kind), images(), CLASSES).maps for kind in pair)
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("name", THEIRS)
def test_without_a_rectifier_both_are_the_gradient(name):
    first, second = (explained(method, network("tanh"), images(), CLASSES).maps for method in (name, "saliency"))
    torch.testing.assert_close(first, second)


@pytest.mark.parametrize("name", THEIRS)
@pytest.mark.parametrize("kind", [kind for kind in NETWORKS if kind != "tanh"])
def test_with_one_they_are_not(name, kind):
    first, second = (explained(method, network(kind), images(), CLASSES).maps for method in (name, "saliency"))
    assert not torch.allclose(first, second, rtol=0.01)
