import pytest
import torch
from torch import nn

from neocog.layers import Unpool, unpool


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 3, 1), (2, 3, 0)])
def test_without_overlap_it_equals_torchs(kernel, stride, padding):
    maps = torch.randn(2, 3, 9, 8)
    pooled, switches = nn.MaxPool2d(kernel, stride, padding, return_indices=True)(maps)
    theirs = nn.MaxUnpool2d(kernel, stride, padding)(pooled, switches, output_size=(9, 8))
    assert torch.equal(unpool(pooled, switches, (9, 8)), theirs)
    assert torch.equal(Unpool()(pooled, switches, (9, 8)), theirs)


def test_every_maximum_goes_back_to_its_place():
    maps = torch.tensor([[[[1.0, 5, 2, 0], [3, 4, 7, 6]]]])
    pooled, switches = nn.MaxPool2d(2, return_indices=True)(maps)
    assert switches.tolist() == [[[[1, 6]]]]
    assert unpool(pooled, switches, (2, 4)).tolist() == [[[[0, 5, 0, 0], [0, 0, 7, 0]]]]


def test_where_windows_overlap_values_add_up():
    maps = torch.tensor([[[[0.0, 9, 0], [1, 2, 3], [0, 0, 4]]]])
    pooled, switches = nn.MaxPool2d(2, 1, return_indices=True)(maps)
    assert unpool(pooled, switches, (3, 3)).tolist() == [[[[0, 18, 0], [0, 2, 0], [0, 0, 4]]]]


def test_it_is_the_transpose_of_pooling_with_fixed_switches():
    maps = torch.randn(2, 3, 7, 7, dtype=torch.float64)
    pooled, switches = nn.MaxPool2d(3, 2, return_indices=True)(maps)
    other, sent = torch.randn_like(maps), torch.randn_like(pooled)
    taken = other.flatten(2).gather(2, switches.flatten(2)).view_as(pooled)
    torch.testing.assert_close((taken * sent).sum(), (other * unpool(sent, switches, (7, 7))).sum())


def test_it_runs_where_only_deterministic_algorithms_may():
    pooled, switches = nn.MaxPool2d(2, return_indices=True)(torch.randn(1, 1, 4, 4))
    torch.use_deterministic_algorithms(True)
    try:
        assert unpool(pooled, switches, (4, 4)).sum() == pooled.sum()
    finally:
        torch.use_deterministic_algorithms(False)
