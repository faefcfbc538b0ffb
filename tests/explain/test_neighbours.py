import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from neocog.explain.neighbours import nearest


def streamed(features, size):
    for rows in torch.arange(len(features)).split(size):
        yield rows + 100, features[rows]


@pytest.mark.parametrize("kind", ["euclidean", "cosine"])
@pytest.mark.parametrize("size", [7, 50])
def test_agrees_with_scikit_learn(kind, size):
    draws = torch.Generator().manual_seed(0)
    features, asked = torch.randn(50, 6, generator=draws), torch.randn(3, 6, generator=draws)
    found = nearest(asked, streamed(features, size), count=5, kind=kind)
    far, rows = NearestNeighbors(n_neighbors=5, metric=kind).fit(features.numpy()).kneighbors(asked.numpy())
    assert torch.equal(found.keys, torch.from_numpy(rows) + 100)
    assert torch.allclose(found.distances, torch.from_numpy(far).float(), atol=1e-5)


def test_equally_near_ones_keep_their_order_and_fewer_are_all():
    found = nearest(torch.zeros(1, 2), streamed(torch.tensor([[1.0, 0], [0, 1], [0, 0], [-1, 0]]), 1), count=9, kind="euclidean")
    assert found.keys.tolist() == [[102, 100, 101, 103]]
    assert found.distances.tolist() == [[0, 1, 1, 1]]
