import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch.nn import functional

from neocog.layers import at_least, fit_to, mirrored, placed, resized

SIDES = some.integers(1, 12)


def some_maps(height, width):
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(height * 100 + width))


@given(SIDES, SIDES, SIDES, SIDES)
def test_what_is_over_is_cut_and_what_lacks_is_the_border(height, width, rows, columns):
    maps = some_maps(height, width)
    padded = np.pad(maps.numpy(), [(0, 0), (0, 0), (0, rows), (0, columns)], mode="edge")
    assert torch.equal(fit_to(maps, (rows, columns)), torch.from_numpy(padded[:, :, :rows, :columns]))


def test_maps_of_the_size_are_passed_on():
    maps = some_maps(4, 5)
    assert fit_to(maps, (4, 5)) is maps
    assert at_least(maps, 4) is maps
    assert resized(maps, (4, 5)) is maps


@given(SIDES, SIDES, some.integers(0, 30), SIDES, SIDES)
def test_mirrored_is_numpys_reflection_however_often(height, width, margin, more_rows, more_columns):
    maps = some_maps(height, width)
    size = (height + 2 * margin + more_rows, width + 2 * margin + more_columns)
    around = [(0, 0), (0, 0), (margin, margin + more_rows), (margin, margin + more_columns)]
    assert torch.equal(mirrored(maps, margin, size), torch.from_numpy(np.pad(maps.numpy(), around, mode="reflect")))


def test_a_gradient_flows_back_from_the_mirror_image():
    maps = torch.ones(1, 1, 3, 3, requires_grad=True)
    mirrored(maps, 2, (7, 7)).sum().backward()
    assert maps.grad.sum() == 49
    assert maps.grad[0, 0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


@pytest.mark.parametrize("size", [(8, 12), (3, 4), (5, 20)])
def test_resized_is_bilinear_with_points_that_stand_for_squares(size):
    maps = some_maps(4, 6)
    assert torch.equal(resized(maps, size), functional.interpolate(maps, size, mode="bilinear", align_corners=False))
    assert torch.allclose(resized(torch.ones(1, 1, 4, 6), size), torch.ones(1, 1, *size))


@given(
    SIDES,
    SIDES,
    some.integers(1, 40),
    some.integers(1, 40),
    some.sampled_from([1, 2, 4, 8, 3]),
    some.integers(-40, 40),
    some.integers(-9, 30),
)
def test_points_are_where_they_lie_and_border_values_reach_outwards(height, width, rows, columns, stride, top, left):
    """NumPy's interpolation along one axis after the other; the first place may lie between two pixels where the stride is even."""
    first = (top / 2, left / 2) if stride % 2 == 0 else (float(top), float(left))
    maps = some_maps(height, width).double()
    expected = maps.numpy()
    for axis, (place, points, pixels) in enumerate(zip(first, (height, width), (rows, columns), strict=True), start=2):
        at = place + stride * np.arange(points)
        expected = np.apply_along_axis(lambda line, at=at, pixels=pixels: np.interp(np.arange(pixels), at, line), axis, expected)
    found = placed(maps, (rows, columns), stride=stride, first=first)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-12)
