"""What every kind of noise must be; a new one is tested by existing."""

import dataclasses

import pytest
import torch

from neocog.errors import RecipeError
from neocog.noise import NOISES


def picture(channels=3, seed=0):
    return torch.rand(channels, 33, 21, generator=torch.Generator().manual_seed(seed))


def draws(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=list(NOISES))
def noise(request):
    return NOISES[request.param]


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_type_and_repeatability(noise, channels):
    clean = picture(channels)
    kept = clean.clone()
    first, again, other = (noise.disturb(noise.Options(), clean, draws(seed)) for seed in (1, 1, 2))
    assert first.shape == clean.shape
    assert first.dtype == torch.float32
    assert torch.isfinite(first).all()
    assert torch.equal(first, again)
    assert not torch.equal(first, clean)
    assert not torch.equal(first, other)
    assert torch.equal(clean, kept)  # not changed in place


def test_a_picture_of_one_pixel(noise):
    assert noise.disturb(noise.Options(), torch.full((1, 1, 1), 0.5), draws(0)).shape == (1, 1, 1)


def test_one_documented_option_that_is_a_level_or_a_range(noise):
    (field,) = dataclasses.fields(noise.Options)
    assert field.metadata["help"]
    assert noise.Options.__dataclass_params__.frozen
    assert noise.Options.__doc__
    assert noise.source
    (level,) = field.default
    noise.Options(**{field.name: (level, level)})
    with pytest.raises(RecipeError) as caught:
        noise.Options(**{field.name: (level, level, level)})
    assert str(caught.value) == (
        f"expected: {field.name} to be one value or a range\nfound: 3 values\nto do: give {field.name} one value, or the lowest and highest"
    )


def test_a_range_of_one_level_is_that_level(noise):
    (field,) = dataclasses.fields(noise.Options)
    (level,) = field.default
    single, both = noise.Options(), noise.Options(**{field.name: (level, level)})
    assert torch.equal(noise.disturb(single, picture(), draws(3)), noise.disturb(both, picture(), draws(3)))


def test_no_member_shares_its_option():
    names = [field.name for name in NOISES for field in dataclasses.fields(NOISES[name].Options)]
    assert len(set(names)) == len(names)
