"""Features that are known: where pictures come to lie, and which are each other's neighbours."""

import pytest
import torch
from torch import nn

from examine.handmade import asked, noise
from examine.requesting import data_of, request
from neocog.errors import DataError, UsageError
from neocog.examine.embedding import EmbeddingOptions, embedding
from neocog.examine.neighbours import NeighboursOptions, neighbours
from neocog.images import encode_png


def mean_and_spread():
    """A network whose penultimate features are the pixels themselves."""
    return asked({}, nn.Sequential(nn.Flatten(), nn.Linear(64, 3)), channels=(), size=8, classes=3)


def test_neighbours_equal_brute_force_and_a_picture_is_not_its_own():
    found = neighbours(request(mean_and_spread(), data_of(12), NeighboursOptions(count=3)))
    pixels = (noise(12, 8) / 255).flatten(1).double()
    far = torch.cdist(pixels, pixels).fill_diagonal_(float("inf"))
    for one in found.facts["pictures"]:
        own = int(one["picture"].split("[")[1][:-1])
        nearest = far[own].argsort()[:3]
        assert [other["index"] for other in one["neighbours"]] == nearest.tolist()
        assert [other["distance"] for other in one["neighbours"]] == pytest.approx(far[own][nearest].tolist(), rel=1e-5)
        assert [other["class"] for other in one["neighbours"]] == [str(index % 3) for index in nearest.tolist()]


def test_a_file_that_is_among_the_data_is_its_own_nearest(tmp_path):
    (tmp_path / "a.png").write_bytes(encode_png(noise(12, 8)[7]))
    found = neighbours(request(mean_and_spread(), data_of(12), NeighboursOptions(count=2), pictures=(tmp_path,)))
    (one,) = found.facts["pictures"]
    assert (one["picture"], one["neighbours"][0]["index"], one["neighbours"][0]["distance"]) == ("a.png", 7, 0)
    assert len(one["neighbours"]) == 2


def test_neighbours_want_data(tmp_path):
    def none():
        raise UsageError("data to evaluate on", "none", "name a dataset")

    (tmp_path / "a.png").write_bytes(encode_png(noise(1, 8)[0]))
    with pytest.raises(UsageError):
        neighbours(request(mean_and_spread(), none, NeighboursOptions(), pictures=(tmp_path,)))


def test_the_embedding_is_of_the_features():
    found = embedding(request(mean_and_spread(), data_of(12), EmbeddingOptions(perplexity=3), arrays=True))
    pixels = noise(12, 8) / 255
    assert torch.allclose(torch.from_numpy(found.arrays["features"]), pixels.flatten(1), atol=1e-6)
    centred = pixels.flatten(1).double() - pixels.flatten(1).double().mean(0)
    values = torch.linalg.svdvals(centred).square()
    assert found.facts["planes"]["pca"]["explained"] == pytest.approx(float(values[:2].sum() / values.sum()), rel=1e-5)
    far = torch.cdist(centred, centred).fill_diagonal_(float("inf"))
    classes = torch.arange(12) % 3
    assert found.facts["same_class_neighbours"] == pytest.approx(float((classes[far.argmin(1)] == classes).double().mean()))
    assert found.facts["features_are"] == "what enters head.1"


def test_three_pictures_are_too_few():
    with pytest.raises(DataError) as error:
        embedding(request(mean_and_spread(), data_of(3), EmbeddingOptions()))
    assert error.value.args == ("four pictures at least, to lay out", "3", "give more")
