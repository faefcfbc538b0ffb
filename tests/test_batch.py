"""Batches, fits, and how a network wants its images."""

import dataclasses
import json
from dataclasses import replace

import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from neocog.batch import Batch, Preprocess, fit_matrices, join
from neocog.errors import WeightsError
from neocog.targets import Boxes, BoxLists, Cleans, Labels, Masks


def batch(pixels, targets=None):
    count, _, height, width = pixels.shape
    return Batch(pixels, targets, torch.arange(count), torch.tensor([[height, width]] * count), torch.eye(3).repeat(count, 1, 1))


def test_images_are_float_in_the_unit_interval():
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    assert batch(pixels).images.flatten().tolist() == pytest.approx([0, 0.2, 1])
    assert pixels.flatten().tolist() == [0, 51, 255]
    floats = torch.rand(1, 1, 2, 2)
    assert batch(floats).images is floats
    assert len(batch(floats)) == 1


def test_a_batch_moves_with_all_that_is_in_it():
    boxes = Boxes(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64), (torch.zeros(3, 2), torch.zeros(4, 2)))
    for targets in (BoxLists((boxes,)), Labels(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64), torch.ones(1))):
        moved = batch(torch.zeros(1, 3, 4, 4), targets).to("meta")
        tensors = [moved.pixels, moved.keys, moved.source_sizes, moved.to_input]
        if isinstance(moved.targets, BoxLists):
            tensors += [moved.targets.pictures[0].corners, *moved.targets.pictures[0].outlines]
        else:
            tensors += [moved.targets.classes, moved.targets.share]
        assert {tensor.device.type for tensor in tensors} == {"meta"}


def test_a_batch_is_split_with_all_that_is_in_it():
    boxes = tuple(Boxes(torch.full((number, 4), float(number)), torch.arange(number)) for number in range(5))
    masks = Masks(torch.arange(5)[:, None, None].expand(5, 4, 4), void=9)
    for targets in (BoxLists(boxes), masks, None):
        whole = replace(batch(torch.rand(5, 3, 4, 4), targets), valid=torch.rand(5, 4, 4) < 0.5)
        parts = whole.split([2, 3])
        assert [part.keys.tolist() for part in parts] == [[0, 1], [2, 3, 4]]
        for name in ("pixels", "source_sizes", "to_input", "valid"):
            assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(whole, name))
        if isinstance(targets, Masks):
            assert torch.equal(torch.cat([part.targets.classes for part in parts]), masks.classes)
            assert {part.targets.void for part in parts} == {9}
        elif targets is not None:
            assert [len(boxes.corners) for part in parts for boxes in part.targets.pictures] == [0, 1, 2, 3, 4]


def corners(matrix, height, width):
    return (matrix @ torch.tensor([[0.0, 0, 1], [width, height, 1]]).T).T[:, :2].flatten().tolist()


@pytest.mark.parametrize(
    ("fit", "expected"),
    [
        ("cover", [-8, 0, 24, 16]),  # 20 by 40 scaled by 0.8
        ("letterbox", [0, 4, 16, 12]),
        ("crop", [-12, -2, 28, 18]),
        ("native", [0, 0, 40, 20]),
    ],
)
def test_fits(fit, expected):
    matrix = fit_matrices(fit, torch.tensor([[20, 40]]), (16, 16))[0]
    assert corners(matrix, 20, 40) == pytest.approx(expected, abs=1e-5)


def test_each_picture_has_its_own_matrix():
    matrices = fit_matrices("letterbox", torch.tensor([[10, 20], [20, 10], [5, 5]]), (10, 10))
    assert matrices[:, 0, 0].tolist() == pytest.approx([0.5, 0.5, 2.0])
    assert torch.equal(matrices[:, 0, 0], matrices[:, 1, 1])


def test_normalising_is_torchvision_s():
    preprocess = Preprocess((4, 4), (5, 5))
    images = torch.rand(2, 3, 4, 4)
    theirs = oracle.normalize(images, list(preprocess.mean), list(preprocess.std))
    assert torch.allclose(preprocess.normalise(images), theirs, atol=1e-6)


def test_preprocess_survives_json():
    preprocess = Preprocess((224, 200), (256, 228), channels=1, mean=(0.3,), std=(0.2,), interpolation="bicubic")
    assert Preprocess.from_dict(json.loads(json.dumps(preprocess.to_dict()))) == preprocess
    assert dataclasses.fields(Preprocess)[0].name in preprocess.to_dict()


SENSIBLE = Preprocess((4, 4), (5, 5)).to_dict()


@pytest.mark.parametrize(
    ("values", "expected", "found"),
    [
        (3, "size, resize, channels, mean, std, interpolation of the images", "3"),
        ({}, "size, resize, channels, mean, std, interpolation of the images", "none"),
        ({"colour": 1}, "size, resize, channels, mean, std, interpolation of the images", "colour"),
        (SENSIBLE | {"size": [4, 0]}, "a height and a width for size of the images", "[4, 0]"),
        (SENSIBLE | {"size": [4, 4.0]}, "a height and a width for size of the images", "[4, 4.0]"),
        (SENSIBLE | {"resize": [5]}, "a height and a width for resize of the images", "[5]"),
        (SENSIBLE | {"resize": [5, 3]}, "resize of the images to cover 4x4", "5x3"),
        (SENSIBLE | {"channels": 2}, "1, 3 or 4 for channels of the images", "2"),
        (SENSIBLE | {"channels": True}, "1, 3 or 4 for channels of the images", "True"),
        (SENSIBLE | {"mean": ["0", 0, 0]}, "a list of numbers for mean of the images", "['0', 0, 0]"),
        (SENSIBLE | {"mean": [10**400, 0, 0]}, "a list of numbers for mean of the images", str([10**400, 0, 0])),
        (SENSIBLE | {"mean": [0.0, 0.0]}, "mean and std for 3 channels of the images", "2 and 3"),
        (SENSIBLE | {"std": [1, float("nan"), 1]}, "a list of numbers above 0 for std of the images", "[1, nan, 1]"),
        (SENSIBLE | {"std": [1, -1, 1]}, "a list of numbers above 0 for std of the images", "[1, -1, 1]"),
        (SENSIBLE | {"std": []}, "a list of numbers above 0 for std of the images", "[]"),
        (SENSIBLE | {"interpolation": "lanczos"}, "bilinear, bicubic or nearest for interpolation of the images", "'lanczos'"),
        (SENSIBLE | {"interpolation": ["nearest"]}, "bilinear, bicubic or nearest for interpolation of the images", "['nearest']"),
    ],
)
def test_preprocessing_that_makes_no_sense_is_refused(values, expected, found):
    with pytest.raises(WeightsError) as caught:
        Preprocess.from_dict(values)
    assert (caught.value.expected, caught.value.found) == (expected, found)
    assert caught.value.remedy == "get the file again from where it was made"


def test_batches_that_are_joined_are_what_was_parted():
    pixels = torch.arange(5 * 12, dtype=torch.uint8).reshape(5, 1, 3, 4)
    sizes, matrices = torch.full((5, 2), 3), torch.eye(3).repeat(5, 1, 1)
    whole = Batch(pixels, Cleans(pixels.clone(), False), torch.arange(5), sizes, matrices, torch.ones(5, 3, 4, dtype=torch.bool))
    again = join(whole.split([2, 3]))
    assert torch.equal(again.pixels, whole.pixels)
    assert torch.equal(again.targets.pixels, whole.targets.pixels)
    assert not again.targets.disturbed
    assert torch.equal(again.keys, whole.keys)
    assert torch.equal(again.valid, whole.valid)
    assert join([whole]) is whole


def test_what_is_joined_may_differ_in_type_and_padding():
    flat = torch.full((1, 1, 2, 2), 255, dtype=torch.uint8)
    deep = torch.full((1, 1, 2, 2), 65535).to(torch.uint16)
    facts = (torch.arange(1), torch.full((1, 2), 2), torch.eye(3)[None])
    first = Batch(flat, Cleans(flat), *facts, torch.zeros(1, 2, 2, dtype=torch.bool))
    second = Batch(torch.ones(1, 1, 2, 2), Cleans(deep), *facts)
    joined = join([first, second])
    assert joined.pixels.unique().tolist() == [1.0]
    assert joined.targets.pixels.unique().tolist() == [1.0]
    assert joined.valid.flatten(1).all(dim=1).tolist() == [False, True]


def test_restored_images_return_to_their_scale():
    preprocess = Preprocess((4, 4), (4, 4), mean=(0.1, 0.2, 0.3), std=(0.5, 0.25, 2.0))
    images = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(preprocess.denormalise(preprocess.normalise(images)), images)
