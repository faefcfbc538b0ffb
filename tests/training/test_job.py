"""What a training measures of its pictures."""

import pytest
import torch

from neocog.batch import Preprocess
from neocog.training import job


@pytest.mark.parametrize(("count", "chosen"), [(7, 7), (200, 200), (201, 101), (399, 200), (1000, 200)])
@pytest.mark.parametrize("channels", [1, 3])
def test_mean_and_std_are_those_of_at_most_so_many_pictures(count, chosen, channels, monkeypatch):
    monkeypatch.setattr(job, "PICTURES_MEASURED", 200)
    pixels = torch.randint(0, 256, (1200, channels, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = torch.randperm(1200, generator=torch.Generator().manual_seed(1))[:count]
    known = Preprocess((5, 6), (5, 6), channels, (0.5,) * channels, (0.5,) * channels)
    measured = job._measured(known, pixels, rows)
    used = pixels[rows[:: -(-count // 200)]].double() / 255
    assert len(used) == chosen
    assert measured.mean == pytest.approx(used.mean((0, 2, 3)).tolist(), abs=6e-5)
    assert measured.std == pytest.approx(used.std((0, 2, 3), correction=0).tolist(), abs=6e-5)


def test_pictures_of_one_colour_have_a_std_all_the_same():
    pixels = torch.full((10, 1, 4, 4), 51, dtype=torch.uint8)
    measured = job._measured(Preprocess((4, 4), (4, 4), 1, (0.5,), (0.5,)), pixels, torch.arange(10))
    assert (measured.mean, measured.std) == ((0.2,), (0.001,))


def test_measuring_needs_memory_for_a_few_pictures_only(monkeypatch):
    largest = []
    bincount = torch.bincount

    def counted(values, **options):
        largest.append(values.numel())
        return bincount(values, **options)

    monkeypatch.setattr(torch, "bincount", counted)
    job._measured(Preprocess((4, 4), (4, 4)), torch.zeros(1000, 3, 4, 4, dtype=torch.uint8), torch.arange(1000))
    assert max(largest) == 64 * 16
