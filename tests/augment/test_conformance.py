"""What every augmentation inherits by being in the registry."""

import dataclasses
from collections import Counter
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neocog.augment import AUGMENTATIONS, augment
from neocog.augment.member import Change, Geometry
from neocog.batch import Batch
from neocog.targets import Labels

NAMES = AUGMENTATIONS.names()
MIXING = [name for name in NAMES if isinstance(AUGMENTATIONS[name], Change) and AUGMENTATIONS[name].stage == "mix"]
OWN = [name for name in NAMES if name not in MIXING]
EXACT = [name for name in NAMES if isinstance(AUGMENTATIONS[name], Geometry) and AUGMENTATIONS[name].exact]


def pictures(count=8, height=12, width=12):
    pixels = torch.randint(0, 256, (count, 3, height, width), generator=torch.Generator().manual_seed(3), dtype=torch.uint8)
    classes = torch.arange(count)
    sizes = torch.tensor([[height, width]]).repeat(count, 1)
    return Batch(pixels, Labels(classes, classes, torch.ones(count)), classes * 31, sizes, torch.eye(3).repeat(count, 1, 1))


def take(batch, rows):
    labels = Labels(*(tensor[rows] for tensor in (batch.targets.classes, batch.targets.others, batch.targets.share)))
    return replace(
        batch,
        pixels=batch.pixels[rows],
        targets=labels,
        keys=batch.keys[rows],
        source_sizes=batch.source_sizes[rows],
        to_input=batch.to_input[rows],
    )


def apply(batch, *names, epoch=0, step=0, size=(12, 12), seed=5):
    return augment(
        batch, {name: AUGMENTATIONS[name].Options() for name in names}, fit="cover", size=size, seed=seed, epoch=epoch, step=step
    )


@pytest.mark.parametrize("name", NAMES)
def test_images_stay_in_range(name):
    batch = apply(pictures(), name)
    assert batch.pixels.shape == (8, 3, 12, 12)
    assert batch.images.dtype == torch.float32
    assert batch.images.min() >= 0
    assert batch.images.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_same_numbers_again_and_others_later(name):
    first, again = apply(pictures(), name), apply(pictures(), name)
    assert torch.equal(first.pixels, again.pixels)
    later = apply(pictures(), name, epoch=1, step=1)
    assert not torch.equal(first.images, later.images)
    if name != "alternating_flip":  # in the first epoch its halves depend on the seed, and by chance may agree
        assert not torch.equal(first.images, apply(pictures(), name, seed=6).images)


@pytest.mark.parametrize("name", NAMES)
def test_the_loader_s_pixels_are_not_written_to(name):
    batch = pictures()
    floats = replace(batch, pixels=batch.images)
    before = floats.pixels.clone()
    apply(floats, name)
    assert torch.equal(floats.pixels, before)


@pytest.mark.parametrize("name", NAMES)
def test_float_pixels_work_as_uint8_do(name):
    batch = pictures()
    ours = apply(replace(batch, pixels=batch.images), name).images
    assert torch.allclose(ours, apply(batch, name).images, atol=1.01 / 255)  # windows of uint8 are rounded


@pytest.mark.parametrize("name", OWN)
@settings(max_examples=8, deadline=None)
@given(rows=st.lists(st.integers(0, 7), min_size=1, max_size=8, unique=True))
def test_a_picture_s_change_does_not_depend_on_its_batch(name, rows):
    whole = apply(pictures(), name)
    part = apply(take(pictures(), torch.tensor(rows)), name)
    assert torch.equal(part.images, whole.images[torch.tensor(rows)])
    assert torch.equal(part.to_input, whole.to_input[torch.tensor(rows)])


@settings(max_examples=8, deadline=None)
@given(rows=st.permutations(range(8)), names=st.lists(st.sampled_from(OWN), min_size=2, max_size=5, unique=True))
def test_neither_does_that_of_several_members_together(rows, names):
    order = torch.tensor(list(rows))
    assert torch.equal(apply(take(pictures(), order), *names).images, apply(pictures(), *names).images[order])


@pytest.mark.parametrize("name", EXACT)
def test_exact_members_keep_uint8_and_only_move_values(name):
    batch = apply(pictures(), name)
    assert batch.pixels.dtype == torch.uint8
    for before, after in zip(pictures().pixels, batch.pixels, strict=True):
        surplus = Counter(after.flatten().tolist()) - Counter(before.flatten().tolist())
        assert set(surplus) <= {0}  # black from outside


@pytest.mark.parametrize("name", NAMES)
def test_options_explain_themselves(name):
    options = AUGMENTATIONS[name].Options
    assert dataclasses.is_dataclass(options)
    assert options.__dataclass_params__.frozen
    assert (options.__doc__ or "").split("\n")[0].endswith(".")
    for field in dataclasses.fields(options):
        assert field.metadata["help"]
        assert isinstance(field.default, bool | int | float | tuple)


def test_no_two_members_share_an_option():
    names = Counter(field.name for name in NAMES for field in dataclasses.fields(AUGMENTATIONS[name].Options))
    assert [name for name, count in names.items() if count > 1] == []


def test_the_members_asked_for_are_there():
    asked = "flip alternating_flip pad_and_crop random_resized_crop rotation translation scale shear color_jitter gaussian_noise"
    assert set(asked.split()) | {"salt_and_pepper", "cutout", "mixup", "cutmix", "quarter_turn"} <= set(NAMES)
