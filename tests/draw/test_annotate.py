"""Annotated pictures: the picture stays as it is, the bars are as long as the confidences."""

import pytest
import torch

from neocog.draw.annotate import LONGEST_SIDE, MARGIN, NARROWEST, annotate
from neocog.draw.palette import RIGHT, RULE


def bar_lengths(drawn):
    """Pixels of the filled and of the whole bar, in each row that has a bar."""
    filled = (drawn == torch.tensor(RIGHT, dtype=torch.uint8)[:, None, None]).all(dim=0).sum(dim=1)
    rest = (drawn == torch.tensor(RULE, dtype=torch.uint8)[:, None, None]).all(dim=0).sum(dim=1)
    rows = (filled + rest) >= 50
    starts = rows & ~torch.roll(rows, 1)
    return [(int(filled[i]), int(filled[i] + rest[i])) for i in starts.nonzero().flatten()]


def test_a_picture_of_fair_size_stands_on_top_unchanged():
    picture = torch.randint(0, 256, (3, 300, 400), dtype=torch.uint8)
    drawn = annotate(picture, [("cat", 0.9)])
    assert drawn.shape[2] == 400
    assert torch.equal(drawn[:, :300], picture)


def test_bars_are_as_long_as_the_confidences():
    drawn = annotate(torch.zeros(3, 400, 400, dtype=torch.uint8), [("a", 1.0), ("b", 0.25), ("c", 0.0)])
    assert bar_lengths(drawn) == [(100, 100), (25, 100), (0, 100)]


def test_small_pictures_grow_by_a_whole_factor():
    picture = torch.randint(0, 256, (1, 8, 8), dtype=torch.uint8)
    drawn = annotate(picture, [("7", 1.0)])
    left = (NARROWEST - 224) // 2
    assert torch.equal(drawn[:, :224, left : left + 224], picture.repeat_interleave(28, 1).repeat_interleave(28, 2).expand(3, -1, -1))


def test_large_pictures_shrink():
    drawn = annotate(torch.zeros(3, 3000, 2000, dtype=torch.uint8), [])
    assert drawn.shape[1] <= LONGEST_SIDE + 2 * MARGIN


@pytest.mark.parametrize("name", ["cat", "a class whose name is far too long for any picture", "W" * 30])
def test_names_keep_clear_of_bars_and_margins(name):
    drawn = annotate(torch.zeros(3, 300, 300, dtype=torch.uint8), [(name, 0.5)], note=name * 3)
    panel = drawn[:, 300:]
    assert (panel[:, :, :MARGIN] == 255).all()
    assert (panel[:, :, -MARGIN + 1 :] == 255).all()
    assert (panel[:, -3:] == 255).all()
    assert len(bar_lengths(drawn)) == 1
