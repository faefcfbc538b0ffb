import pytest
import torch

from neocog.errors import UsageError
from neocog.layers import dropout


def test_what_stays_is_divided_by_the_share_that_stays():
    values = torch.tensor([[1.0, 2], [3, 4]])
    mask = torch.tensor([[True, False], [False, True]])
    assert dropout(values, 0.2, mask=mask).tolist() == [[1.25, 0], [0, 5]]


def test_the_share_and_the_expectation():
    values = torch.ones(400, 500)
    out = dropout(values, 0.3, generator=torch.Generator().manual_seed(0))
    # three standard deviations of a share of 200,000 draws
    assert (out == 0).float().mean().item() == pytest.approx(0.3, abs=3 * (0.21 / 200_000) ** 0.5)
    assert out.mean().item() == pytest.approx(1, abs=3 * (0.3 / 0.7 / 200_000) ** 0.5)


def test_equal_generators_drop_the_same_and_the_global_one_stays():
    values = torch.randn(5, 5)
    state = torch.get_rng_state()
    first, second = (dropout(values, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_mask_may_drop_whole_channels():
    mask = torch.tensor([True, False, True])[None, :, None, None]
    out = dropout(torch.ones(2, 3, 4, 4), mask=mask)
    assert out.amax((0, 2, 3)).tolist() == out.amin((0, 2, 3)).tolist() == [2, 0, 2]


def test_the_gradient_passes_where_values_stay():
    values = torch.randn(4, 4, requires_grad=True)
    mask = torch.rand(4, 4) > 0.5
    dropout(values, 0.5, mask=mask).sum().backward()
    assert torch.equal(values.grad, 2.0 * mask)


def test_the_ends_of_the_range():
    values = torch.randn(3, 3)
    assert torch.equal(dropout(values, 0.0), values)
    assert not dropout(values, 1.0).any()


def test_a_probability_out_of_range_is_refused():
    with pytest.raises(UsageError) as caught:
        dropout(torch.ones(2), 50)
    remedy = "to do: give the share of values that become 0, such as 0.5"
    assert str(caught.value) == f"expected: a probability in [0, 1]\nfound: 50\n{remedy}"
