import torch
from torch import nn

from neocog.layers import set_batch_norms


def test_all_batch_norms_get_the_constants_and_obey_them():
    module = nn.Sequential(nn.BatchNorm2d(1), nn.ReLU(), nn.Sequential(nn.BatchNorm2d(1)))
    set_batch_norms(module, epsilon=3.0, momentum=0.25)
    assert [(norm.eps, norm.momentum) for norm in (module[0], module[2][0])] == [(3.0, 0.25)] * 2
    maps = torch.tensor([-1.0, 1.0]).reshape(2, 1, 1, 1)  # mean 0, variance 1, so that all is divided by 2
    torch.testing.assert_close(module[0](maps), maps / 2)
    torch.testing.assert_close(module[0].running_var, torch.tensor([0.75 * 1 + 0.25 * 2]))  # with Bessel's correction
