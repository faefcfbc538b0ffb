"""What a training measures of its pictures."""

import pytest
import torch

from neocog.batch import Preprocess
from neocog.data.arrays import ArrayDataset
from neocog.data.open import open_dataset
from neocog.evaluation import read_material
from neocog.progress import Silent
from neocog.tasks import TASKS
from neocog.training import normalisation
from neocog.training.normalisation import measured


def material_of(dataset, preprocess):
    kind = TASKS[dataset.task]
    return read_material(dataset, kind(kind.Options(), dataset.class_names), preprocess, allow_bad=False, progress=Silent())


def measured_of(pixels, rows):
    channels, *size = pixels.shape[1:]
    known = Preprocess(tuple(size), tuple(size), channels, (0.5,) * channels, (0.5,) * channels)
    dataset = ArrayDataset("x", pixels, torch.zeros(len(pixels), dtype=torch.int64), ("a",), mirrored=True, licence="")
    return measured(known, material_of(dataset, known), rows)


@pytest.mark.parametrize(("count", "chosen"), [(7, 7), (200, 200), (201, 101), (399, 200), (1000, 200)])
@pytest.mark.parametrize("channels", [1, 3])
def test_mean_and_std_are_those_of_at_most_so_many_pictures(count, chosen, channels, monkeypatch):
    monkeypatch.setattr(normalisation, "PICTURES_MEASURED", 200)
    pixels = torch.randint(0, 256, (1200, channels, 5, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = torch.randperm(1200, generator=torch.Generator().manual_seed(1))[:count]
    found = measured_of(pixels, rows)
    used = pixels[rows[:: -(-count // 200)]].double() / 255
    assert len(used) == chosen
    assert found.mean == pytest.approx(used.mean((0, 2, 3)).tolist(), abs=6e-5)
    assert found.std == pytest.approx(used.std((0, 2, 3), correction=0).tolist(), abs=6e-5)


def test_where_source_pixels_are_read_they_are_measured_too():
    dataset = open_dataset("shapes", task="segment", size=(20, 24))
    known = Preprocess((20, 24), (20, 24))
    rows = torch.arange(0, 60, 3)
    found = measured(known, material_of(dataset, known), rows)
    pixels = torch.stack([dataset.picture(row) for row in rows.tolist()]).double() / 255
    assert found.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=6e-5)
    assert found.std == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist(), abs=6e-5)


def test_pictures_of_one_colour_have_a_std_all_the_same():
    found = measured_of(torch.full((10, 1, 4, 4), 51, dtype=torch.uint8), torch.arange(10))
    assert (found.mean, found.std) == ((0.2,), (0.001,))


def test_measuring_needs_memory_for_a_few_pictures_only(monkeypatch):
    largest = []
    bincount = torch.bincount

    def counted(values, **options):
        largest.append(values.numel())
        return bincount(values, **options)

    monkeypatch.setattr(torch, "bincount", counted)
    measured_of(torch.zeros(1000, 3, 4, 4, dtype=torch.uint8), torch.arange(1000))
    assert max(largest) == 64 * 16
