"""Batches that are made for several steps at once are those that each step alone would have."""

import pytest
import torch

import neocog
from neocog.run import RunFolder
from neocog.training import batches, loop
from training.kills import results

PICTURE = 8 * 8  # values of a digit
CHOICES = {"model": "softmax_regression", "epochs": 1, "batch_size": 100, "speed": "exact", "progress": False}
AUGMENT = {
    "exact moves": ("alternating_flip", "pad_and_crop", "cutout"),
    "windows and colours": ("flip", "random_resized_crop", "color_jitter", "cutout"),
    "general moves and noise": ("rotation", "translation", "gaussian_noise", "salt_and_pepper"),
    "mixing": ("pad_and_crop", "mixup", "cutmix"),
    "nothing": (),
}


def trained(out, **more):
    neocog.train("digits", out=out / "run", **{**CHOICES, **more})
    return results(out / "run")


@pytest.fixture
def made(monkeypatch):
    """How many pictures are changed together, each time."""
    counts, each = [], batches._each

    def counted(job, rows):
        counts.append(len(rows))
        return each(job, rows)

    monkeypatch.setattr(batches, "_each", counted)
    return counts


@pytest.fixture
def checked(monkeypatch, made):
    """Compares every batch with the one that is made for its step alone; of how many pictures they are."""
    counts, batch_of = [], batches.Ahead.batch

    def batch(ahead, rows):
        given, before = batch_of(ahead, rows), len(made)
        alone = batches.training_batch(ahead._job, rows)
        del made[before:]
        assert torch.equal(given.images, alone.images)
        assert torch.equal(given.keys, rows)
        for name in ("source_sizes", "to_input"):
            assert torch.equal(getattr(given, name), getattr(alone, name))
        for name in ("classes", "others", "share"):
            assert torch.equal(getattr(given.targets, name), getattr(alone.targets, name))
        counts.append(len(rows))
        return given

    monkeypatch.setattr(batches.Ahead, "batch", batch)
    return counts


@pytest.mark.parametrize("augment", AUGMENT)
def test_every_bit_is_that_of_the_step_alone(augment, tmp_path, monkeypatch, made, checked):
    monkeypatch.setattr(batches, "VALUES_AHEAD", 250 * 3 * PICTURE)
    trained(tmp_path, augment=AUGMENT[augment], channels=3, micro_batch=60 if augment == "mixing" else 0)
    assert max(checked) == (60 if augment == "mixing" else 96)
    assert max(checked) < max(made) <= 250


def test_small_pictures_of_a_whole_epoch_are_made_together(tmp_path, made, checked):
    trained(tmp_path)
    assert max(made) == sum(checked) > 1400


def test_large_ones_are_made_when_their_step_comes(tmp_path, monkeypatch, made, checked):
    monkeypatch.setattr(batches, "VALUES_AHEAD", 99 * PICTURE)
    trained(tmp_path)
    assert max(made[-len(checked) :]) == max(checked) == 96


def test_a_step_that_is_done_anew_in_smaller_parts_has_its_own_pictures(tmp_path, monkeypatch, checked):
    loss = loop.batch_loss

    def scarce(job, batch):
        if job.state.step >= 3 and len(batch) > 40:
            raise MemoryError
        return loss(job, batch)

    monkeypatch.setattr(loop, "batch_loss", scarce)
    trained(tmp_path, augment=("pad_and_crop", "gaussian_noise", "mixup"))
    assert RunFolder(tmp_path / "run").plan().micro_batch == 24
    assert max(checked[-8:]) == 24


def test_networks_that_do_not_learn_by_gradient_have_the_same_pictures_too(tmp_path, made, checked):
    trained(tmp_path, model="perceptron", augment=("pad_and_crop",))
    assert max(made) == sum(checked) > 1400


def test_how_many_are_made_together_changes_no_file_of_a_run(tmp_path, monkeypatch):
    together = trained(tmp_path / "together", augment=("rotation", "cutout", "cutmix"))
    monkeypatch.setattr(batches, "VALUES_AHEAD", 0)
    assert trained(tmp_path / "alone", augment=("rotation", "cutout", "cutmix")) == together
