import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from torch import nn

from neocog.explain.embedding import aligned, entering, neighbours_kept, principal_plane, tsne_plane


def groups(count=20, of=3, features=8, apart=12.0):
    draws = torch.Generator().manual_seed(0)
    middles = apart * torch.randn(of, features, generator=draws)
    return torch.cat([middle + torch.randn(count, features, generator=draws) for middle in middles])


def test_components_agree_with_scikit_learn():
    features = groups() @ torch.randn(8, 8, generator=torch.Generator().manual_seed(1))
    plane, theirs = principal_plane(features), PCA(2).fit(features.double().numpy())
    other = theirs.transform(features.double().numpy())
    signs = np.sign((plane.places.numpy() * other).sum(0))
    assert np.allclose(plane.places.numpy(), other * signs, atol=1e-3)
    assert plane.figures["explained"] == pytest.approx(theirs.explained_variance_ratio_.sum(), rel=1e-6)


def test_features_without_spread_lie_in_one_point():
    plane = principal_plane(torch.ones(5, 3))
    assert plane.places.abs().max() == 0
    assert plane.figures == {"explained": 0.0}
    assert principal_plane(torch.arange(4.0)[:, None]).places[:, 1].abs().max() == 0  # one feature makes a line


def test_tsne_keeps_groups_together_and_draws_nothing_anew():
    features = groups()
    plane = tsne_plane(features, perplexity=10, seed=0)
    assert torch.equal(plane.places, tsne_plane(features, perplexity=10, seed=0).places)
    far = torch.cdist(plane.places, plane.places).fill_diagonal_(float("inf"))
    labels = torch.arange(3).repeat_interleave(20)
    assert (labels[far.argmin(1)] == labels).all()
    assert plane.figures["divergence"] > 0
    assert tsne_plane(features[:4], perplexity=30, seed=0).figures["perplexity"] == 1.0


def test_a_layout_may_begin_at_another():
    features = groups()
    first = tsne_plane(features, perplexity=10, seed=0)
    again = tsne_plane(features, perplexity=10, seed=0, start=first.places)
    assert neighbours_kept(first.places, again.places) > 0.5


def test_kept_neighbours_are_counted():
    features = groups()
    assert neighbours_kept(features, features[:, :2] * 0 + torch.arange(60.0)[:, None]) < 1
    line = torch.arange(30.0)[:, None]
    assert neighbours_kept(line, torch.cat([line, torch.zeros(30, 1)], 1)) == 1.0
    assert neighbours_kept(torch.zeros(1, 3), torch.zeros(1, 2)) == 1.0
    plane = principal_plane(features).places
    assert neighbours_kept(features, plane) > 0.3
    assert trustworthiness(features.numpy(), plane.numpy()) > 0.9  # another measure agrees that groups stay


def test_layouts_are_laid_on_one_another():
    places = torch.randn(9, 2, generator=torch.Generator().manual_seed(0))
    turn = torch.tensor([[0.0, -1.0], [1.0, 0.0]])
    moved = 3 * places @ turn * torch.tensor([1.0, -1.0]) + 5  # turned, mirrored, scaled, moved
    assert torch.allclose(aligned(moved, places), places, atol=1e-5)
    assert torch.equal(aligned(torch.zeros(4, 2), torch.ones(4, 2)), torch.ones(4, 2))


def test_what_enters_a_layer_is_seen():
    module = nn.Sequential(nn.Conv2d(1, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    images = torch.rand(4, 1, 6, 6)
    with entering(module, "3") as found:
        module(images)
    assert torch.allclose(found[0], module[:3](images))
    with entering(module, "1") as found:
        module(images)
    assert torch.allclose(found[0], module[0](images).mean((2, 3)))
    assert not module[3]._forward_pre_hooks
