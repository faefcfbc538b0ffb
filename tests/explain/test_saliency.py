"""The derivative by the pixels: by hand, by finite differences, and captum's."""

import pytest
import torch
from captum.attr import Saliency
from torch import nn

from explain.asking import explained, images, network


def test_a_linear_network_answers_with_its_weights():
    module = nn.Sequential(nn.Flatten(), nn.Linear(12, 2, bias=False))
    weights = torch.tensor([[1.0, -2, 0, 4], [0, 0, -5, 1], [-3, 1, 1, 1]])  # channels by pixels
    with torch.no_grad():
        module[1].weight[1] = weights.flatten()
    maps = explained("saliency", module, images(1, 2), torch.tensor([1])).maps
    assert maps.tolist() == [[[3, 2], [5, 4]]]  # the largest of the channels


def test_it_is_the_slope_that_finite_differences_find():
    module, picture = network("silu").double(), images(1, 6).double()
    maps = explained("saliency", module, picture, torch.tensor([2])).maps[0]
    slopes = torch.zeros(3, 6, 6, dtype=torch.float64)
    for place in range(slopes.numel()):
        step = torch.zeros(picture.numel(), dtype=torch.float64)
        step[place] = 1e-5
        step = step.view_as(picture)
        with torch.no_grad():
            slopes.view(-1)[place] = (module(picture + step) - module(picture - step))[0, 2] / 2e-5
    torch.testing.assert_close(maps, slopes.abs().amax(dim=0), rtol=1e-5, atol=1e-8)


def test_captum_answers_the_same():
    module, pictures, classes = network(), images(), torch.tensor([0, 3, 1])
    theirs = Saliency(module).attribute(pictures.clone().requires_grad_(), target=classes).amax(dim=1)
    torch.testing.assert_close(explained("saliency", module, pictures, classes).maps, theirs, rtol=1e-5, atol=1e-7)


def test_the_slope_of_the_loss_can_be_asked_for():
    module, picture, classes = network(), images(1), torch.tensor([4])
    leaf = picture.clone().requires_grad_()
    nn.functional.cross_entropy(module(leaf), classes).backward()
    found = explained("saliency", module, picture, classes, of="loss").maps
    torch.testing.assert_close(found, leaf.grad.abs().amax(dim=1))
    assert not torch.allclose(found, explained("saliency", module, picture, classes).maps)


def test_another_class_has_another_map():
    first, second = (explained("saliency", network(), images(1), torch.tensor([number])).maps for number in (0, 1))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("count", [1, 4])
def test_the_mean_over_noise_is_saliency_where_the_slope_is_constant(count):
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16, 2))
    plain, smooth = (
        explained(name, module, images(2, 4), torch.tensor([0, 1]), **options).maps
        for name, options in (("saliency", {}), ("smooth_grad", {"samples": count}))
    )
    torch.testing.assert_close(plain, smooth)
