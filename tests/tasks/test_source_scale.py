"""Maps at the input's scale resampled at the source's pixels, against torch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.batch import fit_matrices
from neocog.tasks import source_scale
from neocog.tasks.source_scale import rows_at_source


def whole(maps, matrix, size):
    return torch.cat(list(rows_at_source(maps, matrix, size)), dim=1)


@pytest.mark.parametrize("source", [(36, 48), (18, 24), (90, 120), (9, 12), (1, 1)])
def test_an_input_that_the_picture_fills_is_resized_as_torch_does(source):
    maps = torch.randn(3, 18, 24)
    matrix = torch.diag(torch.tensor([24 / source[1], 18 / source[0], 1.0]))
    expected = functional.interpolate(maps[None], size=source, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(whole(maps, matrix, source), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("source", [(20, 60), (60, 20), (30, 31)])
def test_what_a_letterbox_adds_has_no_part_in_the_answer(source):
    size = (18, 24)
    (matrix,) = fit_matrices("letterbox", torch.tensor([source]), size)
    height, width = (round(side * float(matrix[0, 0])) for side in source)
    matrix = torch.tensor([[width / source[1], 0, (24 - width) // 2], [0, height / source[0], (18 - height) // 2], [0, 0, 1]])
    left, top = int(matrix[0, 2]), int(matrix[1, 2])
    maps = torch.full((2, *size), 1e6)
    inner = torch.randn(2, height, width)
    maps[:, top : top + height, left : left + width] = inner
    expected = functional.interpolate(inner[None], size=source, mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(whole(maps, matrix, source), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("source", [(36, 48), (90, 120), (20, 60), (60, 20), (18, 31)])
def test_resized_as_a_whole_or_by_weights_it_is_the_same(source, monkeypatch):
    height, width = (max(1, round(side * min(18 / source[0], 24 / source[1]))) for side in source)
    matrix = torch.tensor([[width / source[1], 0, (24 - width) // 2], [0, height / source[0], (18 - height) // 2], [0, 0, 1]])
    maps = torch.randn(3, 18, 24)
    at_once = whole(maps, matrix, source)
    monkeypatch.setattr(source_scale, "VALUES_AT_ONCE", 3 * source[0] * source[1] - 1)
    torch.testing.assert_close(at_once, whole(maps, matrix, source), rtol=1e-4, atol=1e-5)


def test_maps_at_the_source_s_own_scale_stay_as_they_are():
    maps = torch.randn(3, 7, 9)
    (rows,) = rows_at_source(maps, torch.eye(3), (7, 9))
    assert rows is maps


def test_moved_by_whole_pixels_they_are_cut_out():
    maps = torch.randn(2, 10, 12)
    matrix = torch.tensor([[1.0, 0, 3], [0, 1, 2], [0, 0, 1]])
    torch.testing.assert_close(whole(maps, matrix, (6, 8)), maps[:, 2:8, 3:11])


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 50))
def test_it_does_not_matter_how_many_rows_come_at_once(rows):
    maps, matrix = torch.randn(2, 9, 12), torch.diag(torch.tensor([12 / 31, 9 / 23, 1.0]))
    expected = whole(maps, matrix, (23, 31))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source_scale, "VALUES_AT_ONCE", rows * 2 * 31)
        parts = list(rows_at_source(maps, matrix, (23, 31)))
    assert max(part.shape[1] for part in parts) <= rows
    torch.testing.assert_close(torch.cat(parts, dim=1), expected)
