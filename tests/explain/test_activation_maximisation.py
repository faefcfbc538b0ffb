import math

import pytest
import torch
from torch import nn

from neocog.errors import RecipeError
from neocog.explain.activation_maximisation import ActivationMaximisationOptions, laplacian_penalty, maximise

SHAPE = (1, 2, 6, 6)


def climbed(score, shape=SHAPE, seed=0, **options):
    return maximise(score, shape, ActivationMaximisationOptions(**options), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("basis", "rate"), [("pixels", 0.3), ("fourier", 1.0)])
def test_of_a_linear_unit_the_best_picture_is_its_weights_signs(basis, rate):
    weights = torch.randn(2, 6, 6, generator=torch.Generator().manual_seed(3))
    found = climbed(lambda images: (images * weights).sum((1, 2, 3)), basis=basis, steps=600, rate=rate, jitter=0, penalty=0.0)
    best = (weights > 0).float()
    assert (found.images[0] - best).abs().mean() < 0.05
    assert float(found.scores) == pytest.approx(float((best * weights).sum()), rel=0.02)
    assert found.before < found.scores
    assert found.course[-1] > found.course[0]


def test_every_pixel_stays_within_bounds_and_a_seed_reproduces():
    def score(images):
        return 1e3 * images.sum((1, 2, 3))

    one, same, other = climbed(score, steps=20), climbed(score, steps=20), climbed(score, steps=20, seed=1)
    assert one.images.min() >= 0
    assert one.images.max() <= 1
    assert torch.equal(one.images, same.images)
    assert not torch.equal(one.images, other.images)


def test_images_climb_by_themselves():
    """Two images together are what each is with the same start."""
    weights = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(3))
    both = climbed(lambda images: (images * weights).sum((1, 2, 3)), shape=(2, 2, 6, 6), jitter=0, steps=30)
    alone = weights * torch.tensor([1.0, 0.0])[:, None, None, None]
    first = climbed(lambda images: (images * alone).sum((1, 2, 3)), shape=(2, 2, 6, 6), jitter=0, steps=30)
    assert torch.allclose(both.images[0], first.images[0], atol=1e-6)


def test_the_penalty_is_the_mean_squared_laplacian():
    images = torch.rand(2, 3, 5, 7, dtype=torch.float64)
    kernel = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=torch.float64).expand(3, 1, 3, 3)
    around = nn.functional.pad(images, (1, 1, 1, 1), mode="circular")
    brute = nn.functional.conv2d(around, kernel, groups=3).square().mean((1, 2, 3))
    assert torch.allclose(laplacian_penalty(images), 255 * brute)
    wave = torch.cos(2 * math.pi * torch.arange(8) / 8).expand(1, 1, 8, 8)  # an eigenvector: 2 cos(2 pi / 8) - 2
    assert float(laplacian_penalty(wave)) == pytest.approx(255 * (2 * math.cos(math.pi / 4) - 2) ** 2 / 2, rel=1e-5)


def test_the_penalty_makes_the_picture_smooth_and_jitter_makes_it_bear_shifts():
    weights = torch.randn(1, 1, 12, 12, generator=torch.Generator().manual_seed(0))

    def score(images):
        return (images * weights).sum((1, 2, 3))

    rough, smooth = (climbed(score, (1, 1, 12, 12), penalty=weight, jitter=0, steps=150) for weight in (0.0, 5.0))
    assert laplacian_penalty(smooth.images) < 0.2 * laplacian_penalty(rough.images)
    still, shaken = (climbed(score, (1, 1, 12, 12), penalty=0.0, jitter=pixels, steps=150) for pixels in (0, 3))

    def worst(found):
        return min(float(score(found.images.roll((down, across), (2, 3)))) for down in range(-3, 4) for across in range(-3, 4))

    assert worst(shaken) > worst(still)


def test_a_batch_norm_network_is_left_as_it_was():
    module = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Flatten()).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    climbed(lambda images: module(images).sum(1), steps=5)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_options_are_held_to_their_bounds():
    with pytest.raises(RecipeError) as error:
        ActivationMaximisationOptions(steps=0)
    words = "a whole number of at least 1"
    assert str(error.value) == f"expected: steps to be {words}\nfound: 0\nto do: give steps {words}; the default is 256"
