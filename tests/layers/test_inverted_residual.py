import pytest
import torch
from torchvision.models.mobilenetv2 import InvertedResidual as Theirs

from neocog.layers import InvertedResidual


@pytest.mark.parametrize(
    ("channels", "out", "stride", "expansion"), [(8, 8, 1, 6), (8, 12, 1, 6), (8, 8, 2, 6), (8, 4, 1, 1), (8, 8, 1, 1)]
)
def test_equals_torchvisions_block(channels, out, stride, expansion):
    theirs = Theirs(channels, out, stride, expansion)
    ours = InvertedResidual(channels, out, stride=stride, expansion=expansion)
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    images = torch.randn(2, channels, 7, 7)
    assert torch.equal(ours(images), theirs(images))
