import pytest
import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from neocog.layers import ConvolutionUnit, identity_convolution


@pytest.mark.parametrize(("kernel", "stride", "groups"), [(3, 1, 1), (1, 1, 1), (7, 2, 1), (3, 2, 4)])
def test_equals_torchvisions_unit(kernel, stride, groups):
    theirs = Conv2dNormActivation(4, 8, kernel, stride=stride, groups=groups)
    ours = ConvolutionUnit(4, 8, kernel, stride=stride, groups=groups, activation=nn.ReLU())
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, 4, 9, 11)
    assert torch.equal(ours(images), theirs(images))


def test_without_activation_the_unit_is_linear():
    unit = ConvolutionUnit(2, 3).eval()
    images = torch.randn(1, 2, 5, 5)
    torch.testing.assert_close(unit(-images), -unit(images))


def test_a_dilated_unit_keeps_the_size():
    unit = ConvolutionUnit(3, 4, dilation=5)
    assert (unit.conv.dilation, unit.conv.padding) == ((5, 5), (5, 5))
    assert unit(torch.rand(1, 3, 6, 7)).shape == (1, 4, 6, 7)


@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 8), (5, 2)])
def test_an_identity_convolution_changes_nothing_until_it_learns(kernel, dilation):
    maps = torch.rand(2, 4, 9, 7)
    layer = identity_convolution(4, 4, kernel, classes=4, dilation=dilation)
    assert torch.equal(layer(maps), maps)
    assert sum(parameter.numel() for parameter in layer.parameters()) == 16 * kernel**2 + 4


@pytest.mark.parametrize(("before", "after"), [(3, 6), (6, 6), (6, 12), (12, 3), (9, 6)])
def test_equation_5_element_by_element(before, after):
    classes = 3
    layer = identity_convolution(before, after, 3, classes=classes)
    expected = torch.zeros(after, before, 3, 3)
    for b in range(after):
        for a in range(before):
            if a * classes // before == b * classes // after:
                expected[b, a, 1, 1] = classes / after
    assert torch.equal(layer.weight, expected)
    assert not layer.bias.any()


def test_the_noise_is_a_part_of_what_passes_and_leaves_that_alone():
    torch.manual_seed(0)
    quiet = identity_convolution(40, 80, 3, classes=10)
    noisy = identity_convolution(40, 80, 3, classes=10, noise=0.01)
    passing = quiet.weight > 0
    assert torch.equal(noisy.weight[passing], quiet.weight[passing])
    others = noisy.weight[~passing].detach()
    assert float(others.std()) == pytest.approx(0.01 * 10 / 80, rel=0.03)
    assert abs(float(others.mean())) < 4 * 0.01 * 10 / 80 / len(others) ** 0.5
