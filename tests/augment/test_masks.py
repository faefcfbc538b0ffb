"""A picture and its mask move together, whatever is drawn."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from neocog.augment import AUGMENTATIONS, augment, place
from neocog.augment.member import Change, Geometry
from neocog.batch import Batch
from neocog.errors import UsageError
from neocog.targets import Masks, pad_to_one_size

VOID = 255
REACH = 3
LEVELS = torch.tensor([30, 90, 150, 210], dtype=torch.uint8)  # the grey of each class
MOVING = [name for name in AUGMENTATIONS if isinstance(AUGMENTATIONS[name], Geometry)]
WINDOWS = [name for name in MOVING if AUGMENTATIONS[name].window]
STAYING = [name for name in AUGMENTATIONS if name not in MOVING]
MIXING = [name for name in STAYING if isinstance(AUGMENTATIONS[name], Change) and AUGMENTATIONS[name].stage == "mix"]
SIZES = [(48, 64), (64, 40), (60, 60)]


def batch_of(seed, sizes=SIZES):
    """Pictures in blocks of grey, each block of the class that its grey says."""
    numbers = torch.Generator().manual_seed(seed)
    masks = []
    for height, width in sizes:
        blocks = torch.randint(0, 4, (-(-height // 16), -(-width // 16)), generator=numbers)
        masks.append(blocks.repeat_interleave(16, 0).repeat_interleave(16, 1)[:height, :width])
    pixels = pad_to_one_size([LEVELS[mask].expand(3, -1, -1) for mask in masks], fill=0)
    valid = pad_to_one_size([torch.ones(size, dtype=torch.bool) for size in sizes], fill=0)
    targets = Masks(pad_to_one_size(masks, fill=VOID), VOID)
    count = len(sizes)
    return Batch(
        pixels, targets, torch.arange(count), torch.tensor(sizes), torch.eye(3).repeat(count, 1, 1), None if valid.all() else valid
    )


def inside_a_class(masks):
    """Pixels so far from another class that no enlargement here mixes its grey in."""
    planes = masks.float()[:, None]
    most, least = (functional.max_pool2d(functional.pad(sign * planes, [REACH] * 4, value=1e3), 2 * REACH + 1, 1) for sign in (1, -1))
    return (most == -least)[:, 0] & (masks != VOID)


def agrees(batch):
    """Whether every pixel that is well inside a class has that class's grey."""
    masks = batch.targets.classes
    if batch.valid is not None:
        assert (masks[~batch.valid] == VOID).all()
    expected = LEVELS.float()[masks.clamp(max=3)] / 255
    differences = (batch.images - expected[:, None]).abs().amax(1)
    return bool((differences[inside_a_class(masks)] < 0.02).all())


def test_at_first_they_agree():
    assert inside_a_class(batch_of(0).targets.classes).any()
    assert agrees(batch_of(0))


@settings(max_examples=60, deadline=None)
@given(
    names=st.sets(st.sampled_from(MOVING), min_size=1, max_size=4),
    fit=st.sampled_from(["letterbox", "crop", "cover"]),
    size=st.sampled_from([(48, 64), (80, 80), (62, 34)]),
    seed=st.integers(0, 1000),
    epoch=st.integers(0, 5),
)
def test_after_any_motion_they_agree(names, fit, size, seed, epoch):
    if len(names & set(WINDOWS)) > 1:
        names = names - set(WINDOWS[1:])
    members = {name: AUGMENTATIONS[name].Options() for name in names}
    moved = augment(batch_of(seed), members, fit=fit, size=size, seed=seed, epoch=epoch, step=0)
    assert moved.targets.classes.shape[1:] == moved.pixels.shape[2:] == size
    assert agrees(moved)


@pytest.mark.parametrize("fit", ["letterbox", "crop", "cover"])
def test_where_nothing_is_drawn_they_agree(fit):
    assert agrees(place(batch_of(1), fit, (40, 48)))


@pytest.mark.parametrize("name", [name for name in STAYING if name not in MIXING])
def test_what_moves_nothing_leaves_masks_alone(name):
    batch = batch_of(2, [(24, 32)] * 3)
    changed = augment(batch, {name: AUGMENTATIONS[name].Options()}, fit="letterbox", size=(24, 32), seed=1, epoch=0, step=0)
    assert torch.equal(changed.targets.classes, batch.targets.classes)


@pytest.mark.parametrize("name", MIXING)
def test_masks_are_not_mixed(name):
    with pytest.raises(UsageError, match="pictures with one label each"):
        augment(batch_of(3), {name: AUGMENTATIONS[name].Options()}, fit="letterbox", size=(24, 32), seed=1, epoch=0, step=0)
