"""The gradient's support against networks whose receptive fields are known."""

import torch
from torch import nn

from neocog.explain.receptive_field import Point, probe
from neocog.explain.top_patches import Window, window_of
from neocog.layers import Reach, reach


def probed(module, image, row, column, copies=8, layer="0"):
    window = window_of(reach(module.get_submodule(layer), Reach(), max(image.shape)), row, column)
    return window, probe(
        module, module, image, point=Point(layer, row, column, window), copies=copies, generator=torch.Generator().manual_seed(0)
    )


def test_the_support_is_the_window():
    module = nn.Sequential(nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 5, stride=2, padding=2)))
    window, found = probed(module, torch.rand(2, 21, 21), 5, 5)
    assert window == Window(7, 7, 14, 14)
    assert found.support == window
    assert (found.field > 0).sum() == 49
    edge, found = probed(module, torch.rand(2, 21, 21), 0, 10)
    assert edge == Window(-3, 17, 4, 24)
    assert found.support == edge.within(21, 21)


def test_maxima_need_several_copies():
    module = nn.Sequential(nn.MaxPool2d(4, stride=1))
    image = torch.rand(1, 12, 12)
    assert probed(module, image, 2, 2, copies=1)[1].support == Window(*found_maximum(image))
    assert probed(module, torch.full((1, 12, 12), 0.5), 2, 2, copies=200)[1].support == Window(2, 2, 6, 6)


def found_maximum(image):
    place = int(image[0, 2:6, 2:6].argmax())
    row, column = 2 + place // 4, 2 + place % 4
    return row, column, row + 1, column + 1


def test_the_effective_field_holds_most_of_the_gradient():
    layer = nn.Conv2d(1, 1, 7, bias=False)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[0, 0, 2:5, 2:5] = 1.0
        layer.weight[0, 0, 0, 0] = 0.1  # hardly anything, but something
    window, found = probed(nn.Sequential(layer), torch.rand(1, 15, 15), 4, 4)
    assert found.support == Window(4, 4, 9, 9)
    assert window == Window(4, 4, 11, 11)
    assert found.effective == Window(6, 6, 9, 9)


def test_a_dense_layer_sees_everything_and_a_dead_one_nothing():
    module = nn.Sequential(nn.Flatten(), nn.Linear(16, 3), nn.ReLU())
    point = Point("2", 0, 0, Window(0, 0, 4, 4))
    draws = torch.Generator().manual_seed(0)
    assert probe(module, module, torch.rand(1, 4, 4), point=point, copies=8, generator=draws).support == Window(0, 0, 4, 4)
    nn.init.constant_(module[1].bias, -100.0)
    found = probe(module, module, torch.rand(1, 4, 4), point=point, copies=8, generator=draws)
    assert (found.support, found.effective) == (None, None)


def test_nothing_of_the_network_changes():
    module = nn.Sequential(nn.Conv2d(1, 2, 3))
    probed(module, torch.rand(1, 6, 6), 0, 0)
    assert module[0].weight.grad is None
    assert not module[0]._forward_hooks
