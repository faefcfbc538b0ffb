"""Windows of random area and shape, against torchvision's rules."""

import math

import pytest
import torch
from torchvision.transforms.v2 import RandomResizedCrop

from neocog.augment.random_resized_crop import Options, windows
from neocog.errors import RecipeError
from neocog.random import uniform


def draw(options, height, width, count=4000):
    return windows(options, uniform(0, "test", 0, torch.arange(count), 22), torch.tensor([[float(height), float(width)]]).repeat(count, 1))


def test_windows_lie_in_the_picture_on_whole_pixels():
    x1, y1, x2, y2 = (drawn := draw(Options(), 50, 70)).unbind(1)
    assert torch.equal(drawn, drawn.round())
    assert x1.min() == 0
    assert y1.min() == 0
    assert x2.max() == 70
    assert y2.max() == 50
    assert ((x2 > x1) & (y2 > y1)).all()


def test_areas_and_aspects_are_spread_as_torchvision_s():
    torch.manual_seed(0)
    picture = torch.empty(3, 200, 200)
    theirs = [RandomResizedCrop(1).make_params([picture]) for _ in range(4000)]
    their_areas = torch.tensor([params["height"] * params["width"] / 40000 for params in theirs])
    their_aspects = torch.tensor([math.log(params["width"] / params["height"]) for params in theirs])
    x1, y1, x2, y2 = draw(Options(), 200, 200).unbind(1)
    areas = (x2 - x1) * (y2 - y1) / 40000
    aspects = ((x2 - x1) / (y2 - y1)).log()
    shares = torch.linspace(0.02, 0.98, 25, dtype=torch.float64)
    assert (areas.quantile(shares) - their_areas.double().quantile(shares)).abs().max() < 0.04
    assert (aspects.quantile(shares) - their_aspects.double().quantile(shares)).abs().max() < 0.04


@pytest.mark.parametrize(("height", "width"), [(10, 300), (300, 10)])
def test_where_nothing_fits_the_middle_is_taken_as_torchvision_does(height, width):
    options = Options(crop_area=(0.9, 1.0))
    params = RandomResizedCrop(1, scale=(0.9, 1.0)).make_params([torch.empty(3, height, width)])
    expected = [params["left"], params["top"], params["left"] + params["width"], params["top"] + params["height"]]
    assert (draw(options, height, width, 5) == torch.tensor(expected)).all()


def test_the_whole_picture_when_nothing_else_is_admitted():
    assert (draw(Options(crop_area=(1.0, 1.0), crop_aspect=(1.0, 1.0)), 32, 32, 5) == torch.tensor([0, 0, 32, 32])).all()


def test_pictures_of_one_pixel():
    assert (draw(Options(), 1, 1, 5) == torch.tensor([0, 0, 1, 1])).all()


def test_windows_of_uint8_pictures_stay_uint8(make_batch, with_members):
    batch = make_batch(8, 40, 60)
    moved = with_members(batch, (32, 32), random_resized_crop=None, flip=None)
    assert moved.pixels.dtype == torch.uint8
    assert moved.valid is None
    assert moved.pixels.shape == (8, 3, 32, 32)


def test_windows_lie_in_the_real_pictures_of_a_padded_batch(make_batch, with_members):
    batch = make_batch(sizes=[(20, 40), (40, 12)] * 10)
    batch.pixels[batch.valid[:, None].expand_as(batch.pixels)] = 255
    assert (with_members(batch, (16, 16), random_resized_crop=None).pixels == 255).all()


def test_an_area_out_of_bounds_is_refused():
    with pytest.raises(RecipeError) as caught:
        Options(crop_area=(0.5, 0.2))
    assert str(caught.value) == (
        "expected: crop_area to be 2 numbers from 0.0001 to 1, the lower first\n"
        "found: (0.5, 0.2)\n"
        "to do: give crop_area 2 numbers from 0.0001 to 1, the lower first; the default is [0.08, 1.0]"
    )
