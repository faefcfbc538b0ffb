import pytest
import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

from neocog.layers import ConvolutionUnit


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
