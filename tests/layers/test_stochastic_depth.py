import pytest
import torch
import torchvision

from neocog.layers import StochasticDepth


def test_equals_torchvisions_by_the_same_seed():
    maps = torch.randn(16, 3, 4, 4)
    torch.manual_seed(0)
    theirs = torchvision.ops.stochastic_depth(maps, 0.3, "row")
    torch.manual_seed(0)
    ours = StochasticDepth(0.3)(maps)
    assert torch.equal(ours, theirs)
    assert 0 < (ours == 0).all(dim=(1, 2, 3)).sum() < 16


def test_the_mean_stays():
    torch.manual_seed(0)
    draws = 20_000
    kept = StochasticDepth(0.2)(torch.ones(draws, 1, 1, 1))
    assert set(kept.flatten().tolist()) == {0.0, 1.25}
    deviation = (0.2 / 0.8 / draws) ** 0.5
    assert kept.mean().item() == pytest.approx(1, abs=4 * deviation)


@pytest.mark.parametrize(("p", "training"), [(0.5, False), (0.0, True)])
def test_nothing_is_left_out_in_evaluation_or_with_probability_0(p, training):
    maps = torch.randn(4, 2, 3, 3)
    state = torch.get_rng_state()
    assert StochasticDepth(p).train(training)(maps) is maps
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("p", [-0.1, 1, 1.5])
def test_a_probability_out_of_range_is_refused(p):
    with pytest.raises(ValueError, match=rf"^expected a probability of leaving out that is at least 0 and below 1, found {p}$"):
        StochasticDepth(p)


def test_the_probability_is_printed():
    assert repr(StochasticDepth(0.125)) == "StochasticDepth(p=0.125)"
