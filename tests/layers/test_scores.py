import pytest
import torch
from torchvision.models.segmentation.deeplabv3 import ASPP
from torchvision.models.segmentation.fcn import FCNHead

from neocog.layers import DilatedPyramid, Reach, convolutional_scores


def same_weights(ours, theirs):
    ours.load_state_dict(dict(zip(ours.state_dict(), theirs.state_dict().values(), strict=True)))
    return ours.eval(), theirs.eval()


def test_scores_equal_torchvisions():
    torch.manual_seed(0)
    ours, theirs = same_weights(convolutional_scores(16, 5), FCNHead(16, 5))
    maps = torch.rand(2, 16, 6, 7)
    assert torch.equal(ours(maps), theirs(maps))


@pytest.mark.parametrize("rates", [(2, 3), (12, 24, 36)])
def test_the_pyramid_equals_torchvisions(rates):
    torch.manual_seed(0)
    theirs = ASPP(8, rates, 4)
    ours, theirs = same_weights(DilatedPyramid(8, rates, 4), theirs)
    maps = torch.rand(2, 8, 6, 7)
    torch.testing.assert_close(ours(maps), theirs(maps))


def test_it_reaches_as_far_as_its_widest_branch():
    assert DilatedPyramid(8, (6, 12, 18), 4).reach(Reach(16, 100, 90), 500)[:3] == (16, 100 + 36 * 16, 90 + 36 * 16)
