"""Random weights: what they are drawn from, that they are gone afterwards, and rank correlations against SciPy's."""

import copy
from itertools import pairwise

import pytest
import torch
from scipy import stats
from torch import nn

from explain.asking import explained, images, network
from neocog.explain.randomisation import layers_downwards, randomisation, randomised, rank_correlation

CLASSES = torch.tensor([0, 3, 1])


def draws(seed=0):
    return torch.Generator().manual_seed(seed)


def test_rank_correlations_are_scipys():
    first, second = torch.rand(4, 6, 7), torch.rand(4, 6, 7)
    second[1] = (second[1] * 3).round()  # ties
    second[2] = first[2].exp() * 4
    second[3] = -first[3]
    expected = [stats.spearmanr(one.flatten(), other.flatten()).statistic for one, other in zip(first, second, strict=True)]
    found = rank_correlation(first, second)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))
    assert found[2:].tolist() == [1.0, -1.0]


def test_a_flat_map_is_like_no_other():
    assert rank_correlation(torch.zeros(1, 3, 3), torch.rand(1, 3, 3)).item() == 0
    assert rank_correlation(torch.rand(1, 3, 3), torch.full((1, 3, 3), 2.0)).item() == 0


def test_layers_come_from_the_answer_down():
    assert layers_downwards(network()) == ["8", "4", "1", "0"]
    assert layers_downwards(nn.Sequential(nn.ReLU())) == []


def test_weights_are_drawn_with_the_mean_and_the_spread_of_their_own():
    module = nn.Sequential(nn.Linear(200, 300))
    with torch.no_grad():
        module[0].weight.normal_(0.5, 3.0)
        module[0].bias.fill_(0.25)
    before = copy.deepcopy(module.state_dict())
    with randomised(module, ["0"], draws()) as randomise:
        randomise(1)
        weight = module[0].weight.detach().clone()
        assert module[0].bias.eq(0.25).all()
    assert weight.mean().item() == pytest.approx(0.5, abs=0.05)
    assert weight.std().item() == pytest.approx(3.0, abs=0.05)
    assert abs(torch.corrcoef(torch.stack([weight.flatten(), before["0.weight"].flatten()]))[0, 1]) < 0.02
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_layers_are_randomised_one_after_the_other_and_stay_so():
    module = network()
    names = layers_downwards(module)
    changed = []
    before = copy.deepcopy(module.state_dict())
    with randomised(module, names, draws()) as randomise:
        for count in (1, 3, 4):
            randomise(count)
            changed.append({name for name in names if not torch.equal(module.state_dict()[f"{name}.bias"], before[f"{name}.bias"])})
        kept = module.state_dict()["8.weight"].clone()
        randomise(4)
        assert torch.equal(module.state_dict()["8.weight"], kept)
    assert changed == [{"8"}, {"8", "4"}, {"8", "4", "0"}]  # the norm's are all alike, and so are those drawn for them
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_the_weights_come_back_when_something_goes_wrong():
    module = network()
    before = copy.deepcopy(module.state_dict())

    def fail():
        with randomised(module, ["0"], draws()) as randomise:
            randomise(1)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def cascade(name, module, points=1, seed=0):
    pictures = images()

    def explain():
        return explained(name, module, pictures, CLASSES).maps

    return randomisation(module, explain, explain(), draws(seed), points)


def test_a_map_that_asks_no_network_stays_the_same_and_one_that_does_falls():
    module, pictures = network(), images()
    edges = pictures.sum(dim=1).diff(dim=1, append=torch.zeros(3, 1, 12))
    found = randomisation(module, lambda: edges, edges, draws(), points=4)
    assert found.correlations.tolist() == [[1.0] * 4] * 3
    assert cascade("saliency", module, 4).full.abs().mean() < 0.5


def test_the_cascade_ends_with_all_layers_and_its_points_are_spread():
    found = cascade("saliency", network(), points=3)
    assert (found.layers, found.randomised) == (4, (2, 3, 4))
    assert found.correlations.shape == (3, 3)
    assert cascade("saliency", network(), points=9).randomised == (1, 2, 3, 4)
    assert torch.equal(cascade("saliency", network()).full, cascade("saliency", network()).correlations[:, -1])
    assert all(first < second for first, second in pairwise(cascade("saliency", network(), points=7).randomised))


def test_the_seed_draws_the_weights():
    first, again, other = (cascade("saliency", network(), seed=seed).correlations for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_there_must_be_weights():
    with pytest.raises(ValueError, match="expected a module with weights, found none"):
        randomisation(nn.ReLU(), lambda: images()[:, 0], images()[:, 0], draws())
