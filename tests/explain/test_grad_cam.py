"""Weighted feature maps: by hand, and captum's."""

import copy

import pytest
import torch
from captum.attr import LayerGradCam
from torch import nn
from torch.nn import functional

from explain.asking import Asking, explained, images, network
from neocog.errors import UsageError
from neocog.explain.grad_cam import class_activations


def test_two_maps_whose_weights_are_known():
    module = nn.Sequential(nn.Identity(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        module[3].weight.copy_(torch.tensor([[1.0, -2.0], [4.0, 8.0]]))
    pictures = torch.tensor([[[[0.4, 0.8], [0.0, 0.2]], [[0.1, 0.2], [0.5, 0.0]]]])
    maps = class_activations(module, Asking(module, torch.tensor([1])), pictures, "0")
    # the score's slope by each of four places is a quarter of the weight
    torch.testing.assert_close(maps, pictures[:, 0] * 1.0 + pictures[:, 1] * 2.0)
    other = class_activations(module, Asking(module, torch.tensor([0])), pictures, "0")
    torch.testing.assert_close(other, (0.25 * pictures[:, 0] - 0.5 * pictures[:, 1]).relu())


LAYERS = [("relu", "2"), ("relu", "4"), ("relu", "1"), ("relu in place", "1"), ("relu6", "4"), ("silu", "5"), ("functions", "second")]


@pytest.mark.parametrize(("kind", "layer"), LAYERS)
def test_captum_answers_the_same(kind, layer):
    module, pictures, classes = network(kind), images(), torch.tensor([0, 3, 1])
    plain = out_of_place(module)  # captum would keep a map that what follows has changed
    theirs = LayerGradCam(plain, plain.get_submodule(layer)).attribute(pictures, target=classes, relu_attributions=True)
    ours = class_activations(module, Asking(module, classes), pictures, layer)
    torch.testing.assert_close(ours, theirs[:, 0], rtol=1e-5, atol=1e-7)


def out_of_place(module):
    """The same network with activations that leave their inputs as they are."""
    plain = copy.deepcopy(module)
    for part in plain.modules():
        if hasattr(part, "inplace"):
            part.inplace = False
    return plain


def test_the_map_is_enlarged_to_the_image():
    module, pictures, classes = network(), images(), torch.tensor([0, 3, 1])
    small = class_activations(module, Asking(module, classes), pictures, "4")
    found = explained("grad_cam", module, pictures, classes, layer="4").maps
    torch.testing.assert_close(found, functional.interpolate(small[:, None], (12, 12), mode="bilinear")[:, 0])


REMEDY = "choose a convolutional layer, or a whole stage"


@pytest.mark.parametrize(
    ("layer", "expected", "found"),
    [
        ("7", "a layer with a map, for grad_cam", "7, whose output has the shape (32,)"),
        ("0", "a layer that the answer depends on, for grad_cam", "0"),
        ("1", "a layer that the network uses once, for grad_cam", "1, used 2 times"),
        ("unused", "a layer that the network uses once, for grad_cam", "unused, used 0 times"),
    ],
)
def test_layers_that_have_no_meaning_are_refused(layer, expected, found):
    module = network()

    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            for name, part in module.named_children():
                setattr(self, name, part)
            self.unused = nn.Conv2d(3, 3, 1)

        def forward(self, maps):
            getattr(self, "0")(maps)
            rest = getattr(self, "1")(torch.cat([maps, maps], dim=1)) + getattr(self, "1")(torch.cat([maps, maps], dim=1))
            for name in ("3", "4", "5", "6", "7", "8"):
                rest = getattr(self, name)(rest)
            return rest

    with pytest.raises(UsageError) as error:
        explained("grad_cam", Odd(), images(), torch.tensor([0, 3, 1]), layer=layer)
    assert error.value.args == (expected, found, REMEDY)


def test_a_layer_must_be_named():
    from neocog.explain.grad_cam import grad_cam
    from neocog.options import NoOptions

    with pytest.raises(UsageError) as error:
        grad_cam(network(), Asking(network(), torch.tensor([0])), images(1), NoOptions(), layer=None, generator=torch.Generator())
    assert error.value.args == ("the name of a layer, for grad_cam", "none", "name one")
