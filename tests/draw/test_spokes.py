import pytest
import torch

from neocog.draw.palette import WRONG
from neocog.draw.spokes import orientation_bars, spokes


def drawn(histograms, turn):
    sheet = spokes(torch.zeros(1, 16, 16, dtype=torch.uint8), histograms, turn=turn, side=160)
    return (sheet.float() - torch.tensor(WRONG).float()[:, None, None]).abs().sum(0) < 60


@pytest.mark.parametrize(("direction", "half"), [(0, "right"), (1, "below"), (2, "left"), (3, "above")])
def test_a_spoke_goes_in_its_direction(direction, half):
    histograms = torch.zeros(1, 1, 4)
    histograms[0, 0, direction] = 1.0
    found = drawn(histograms, 360)
    counts = {"right": found[:, 90:], "left": found[:, :70], "below": found[90:], "above": found[:70]}
    assert counts[half].sum() > 50
    assert max(int(other.sum()) for name, other in counts.items() if name != half) == 0


def test_lines_go_both_ways_and_lengths_are_in_proportion():
    histograms = torch.zeros(2, 2, 2)
    histograms[0, 0, 0], histograms[1, 1, 1] = 1.0, 0.5
    found = drawn(histograms, 180)
    across, down = found[:80, :80].any(0).sum(), found[80:, 80:].any(1).sum()
    assert down == pytest.approx(across / 2, abs=3)
    assert found[:80, 80:].sum() == found[80:, :80].sum() == 0
    assert drawn(torch.zeros(1, 1, 4), 360).sum() == 0


def test_bars_are_as_high_as_their_counts():
    sheet = orientation_bars([0, 2, 4, 0])
    assert sheet.shape[0] == 3
    same = orientation_bars([0, 0, 0, 0])  # none at all
    assert same.shape == sheet.shape
