import numpy as np
import pytest
import torch
from torch import nn

from neocog.errors import UsageError
from neocog.layers import LocalContrastNorm, Reach, reach


def one_by_one(maps, size, sigma):
    """The formula of the paper at every place, with the weights of what lies inside the picture scaled to sum 1."""
    maps = maps.double().numpy()
    channels, height, width = maps.shape
    half = size // 2
    squares = np.subtract.outer(range(size), [half] * 1)[:, 0] ** 2
    window = np.exp(-(squares[:, None] + squares[None]) / (2 * sigma**2))

    def weighted(values, y, x):
        total = weights = 0.0
        for p in range(-half, half + 1):
            for q in range(-half, half + 1):
                if 0 <= y + p < height and 0 <= x + q < width:
                    total += window[p + half, q + half] * values[:, y + p, x + q].sum()
                    weights += window[p + half, q + half] * channels
        return total / weights

    places = [(y, x) for y in range(height) for x in range(width)]
    centred, deviation = np.empty_like(maps), np.empty((height, width))
    for y, x in places:
        centred[:, y, x] = maps[:, y, x] - weighted(maps, y, x)
    for y, x in places:
        deviation[y, x] = np.sqrt(weighted(centred**2, y, x))
    return torch.from_numpy(centred / np.maximum(deviation, deviation.mean())).float()


@pytest.mark.parametrize(("size", "sigma"), [(5, 1.0), (3, 0.75), (9, 2.25)])
def test_equals_the_formula(size, sigma):
    maps = torch.randn(2, 3, 8, 7)
    expected = torch.stack([one_by_one(one, size, sigma) for one in maps])
    torch.testing.assert_close(LocalContrastNorm(size, sigma)(maps), expected, rtol=1e-4, atol=1e-5)
    if sigma == size / 4:
        torch.testing.assert_close(LocalContrastNorm(size)(maps), expected, rtol=1e-4, atol=1e-5)


def test_brightness_and_contrast_of_the_picture_do_not_matter():
    maps = torch.randn(1, 3, 16, 16)
    norm = LocalContrastNorm()
    torch.testing.assert_close(norm(maps * 5 + 20), norm(maps), rtol=1e-3, atol=1e-4)


def test_a_constant_picture_gives_0_and_a_finite_gradient():
    maps = torch.full((1, 2, 12, 12), 0.7, requires_grad=True)
    out = LocalContrastNorm()(maps)
    assert out.abs().max() < 1e-2
    out.sum().backward()
    assert maps.grad.isfinite().all()


def test_samples_do_not_depend_on_one_another():
    maps = torch.randn(3, 2, 9, 9)
    norm = LocalContrastNorm(5)
    torch.testing.assert_close(norm(maps)[:1], norm(maps[:1]))


def test_flat_noise_is_not_blown_up():
    maps = torch.randn(1, 1, 40, 40)
    maps[..., :20] *= 0.01
    out = LocalContrastNorm(5)(maps)
    assert out[..., :15].abs().mean() < 0.05 * out[..., 25:].abs().mean()


def test_an_even_window_is_refused():
    with pytest.raises(UsageError) as caught:
        LocalContrastNorm(8)
    assert str(caught.value) == "expected: a window with a middle: an odd size\nfound: 8\nto do: use 7 or 9"
    with pytest.raises(UsageError, match="found: 0\nto do: use 9"):
        LocalContrastNorm(0)


def test_it_has_a_reach_and_no_weights_to_save():
    norm = LocalContrastNorm(5)
    assert reach(nn.Sequential(nn.MaxPool2d(2), norm), Reach(), 32) == Reach(2, 18, 18, -8, -8)
    assert norm.state_dict() == {}
    assert repr(norm) == "LocalContrastNorm(size=5)"
