"""One map a picture, against torchvision, slicing and drawn shapes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn import functional
from torchvision.transforms.v2 import functional as oracle

from neocog.augment import warp
from neocog.augment.geometry import picture_sizes
from neocog.augment.member import Frame, about_centre, identity
from neocog.augment.rotation import rotate
from neocog.augment.scale import zoom
from neocog.augment.shear import slant
from neocog.batch import Batch
from neocog.targets import Boxes, BoxLists, Cleans, Masks


def shift(dx, dy):
    matrix = identity(1, torch.device("cpu"))
    matrix[0, 0, 2], matrix[0, 1, 2] = dx, dy
    return matrix


def smooth(height=40, width=56):
    """A picture without sharp edges, so that rasters can be compared."""
    coarse = torch.rand(1, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    return functional.interpolate(coarse, size=(height, width), mode="bicubic", align_corners=False).clamp(0, 1)


def as_batch(images, targets=None):
    count, _, height, width = images.shape
    return Batch(images, targets, torch.arange(count), torch.tensor([[height, width]] * count), torch.eye(3).repeat(count, 1, 1))


def inner(valid, margin=2):
    """True where the picture reaches some pixels further in every direction."""
    hidden = functional.pad((~valid).float()[:, None], [margin] * 4, value=1)
    return functional.max_pool2d(hidden, 2 * margin + 1, 1)[:, 0] == 0


MOTIONS = {
    "rotation": (lambda frame: rotate(torch.tensor([25.0]), frame), {"angle": 25.0}),
    "rotation back": (lambda frame: rotate(torch.tensor([-70.0]), frame), {"angle": -70.0}),
    "enlarging": (lambda frame: zoom(torch.tensor([1.7]), frame), {"scale": 1.7}),
    "shrinking": (lambda frame: zoom(torch.tensor([0.6]), frame), {"scale": 0.6}),
    "slant of verticals": (lambda frame: slant(torch.tensor([[20.0, 0.0]]), frame), {"shear": [-20.0, 0.0]}),
    "slant of horizontals": (lambda frame: slant(torch.tensor([[0.0, 15.0]]), frame), {"shear": [0.0, -15.0]}),
    "shift": (lambda frame: shift(5.0, -3.0), {"translate": [5, -3]}),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_motions_are_torchvision_s(name):
    matrices, arguments = MOTIONS[name]
    images = smooth()
    ours = warp(as_batch(images), matrices(Frame(torch.tensor([[40, 56]]), (40, 56))), (40, 56))
    arguments = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], **arguments}
    theirs = oracle.affine(images, **arguments, interpolation=oracle.InterpolationMode.BILINEAR)
    shown = inner(ours.valid)[:, None] if ours.valid is not None else torch.ones(1, 1, 40, 56, dtype=torch.bool)
    assert shown.float().mean() > 0.1
    difference = (ours.images - theirs).abs() * shown
    assert difference.max() < 1e-4


def test_rotation_is_pillow_s():
    images = (smooth() * 255).round().to(torch.uint8)
    ours = warp(as_batch(images), rotate(torch.tensor([30.0]), Frame(torch.tensor([[40, 56]]), (40, 56))), (40, 56))
    picture = Image.fromarray(images[0].permute(1, 2, 0).numpy())
    theirs = oracle.pil_to_tensor(picture.rotate(-30, resample=Image.Resampling.BILINEAR))  # Pillow turns the other way
    difference = (ours.images[0] * 255 - theirs).abs() * inner(ours.valid)
    assert difference.max() <= 1.5


def test_identity_changes_nothing():
    batch = as_batch(torch.randint(0, 256, (3, 3, 9, 11), dtype=torch.uint8))
    moved = warp(batch, identity(3, torch.device("cpu")), (9, 11))
    assert torch.equal(moved.pixels, batch.pixels)
    assert moved.valid is None
    assert torch.equal(moved.to_input, batch.to_input)


DIHEDRAL = [
    ([1, 0, 0, 1], lambda x: x),
    ([-1, 0, 0, 1], lambda x: x.flip(-1)),
    ([1, 0, 0, -1], lambda x: x.flip(-2)),
    ([-1, 0, 0, -1], lambda x: x.rot90(2, (-2, -1))),
    ([0, -1, 1, 0], lambda x: x.rot90(-1, (-2, -1))),
    ([0, 1, -1, 0], lambda x: x.rot90(1, (-2, -1))),
    ([0, 1, 1, 0], lambda x: x.mT),
    ([0, -1, -1, 0], lambda x: x.mT.flip((-2, -1))),
]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_flips_and_turns_are_exact(layout):
    pixels = torch.randint(0, 256, (8, 3, 10, 10), dtype=torch.uint8).contiguous(memory_format=layout)
    classes = pixels[:, 0].long()
    linear = torch.tensor([numbers for numbers, _ in DIHEDRAL], dtype=torch.float64).view(-1, 2, 2)
    moved = warp(as_batch(pixels, Masks(classes)), about_centre(linear, (10, 10)), (10, 10))
    assert moved.pixels.dtype == torch.uint8
    assert moved.pixels.is_contiguous(memory_format=layout)
    for i, (_, expected) in enumerate(DIHEDRAL):
        assert torch.equal(moved.pixels[i], expected(pixels[i]))
        assert torch.equal(moved.targets.classes[i], expected(classes[i]))


def test_a_quarter_turn_may_change_height_and_width():
    pixels = torch.randint(0, 256, (1, 3, 6, 10), dtype=torch.uint8)
    matrix = torch.tensor([[[0.0, -1, 6], [1, 0, 0], [0, 0, 1]]])
    moved = warp(as_batch(pixels), matrix, (10, 6))
    assert torch.equal(moved.pixels, pixels.rot90(-1, (2, 3)))
    assert moved.valid is None


@settings(max_examples=30, deadline=None)
@given(dx=st.integers(-30, 30), dy=st.integers(-30, 30), size=st.tuples(st.integers(1, 20), st.integers(1, 20)))
def test_whole_shifts_are_slices(dx, dy, size):
    pixels = torch.randint(1, 256, (2, 1, 9, 13), dtype=torch.uint8)
    moved = warp(as_batch(pixels), shift(dx, dy).repeat(2, 1, 1), size)
    expected = functional.pad(pixels, (60, 60, 60, 60))[:, :, 60 - dy : 60 - dy + size[0], 60 - dx : 60 - dx + size[1]]
    assert torch.equal(moved.pixels, expected)
    shown = torch.ones(2, *size, dtype=torch.bool) if moved.valid is None else moved.valid
    assert torch.equal(shown, expected[:, 0] > 0)


def test_reflection_is_that_of_padding():
    pixels = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8)
    matrices = torch.cat([shift(3, -2), shift(-1, 4)])
    moved = warp(as_batch(pixels), matrices, (8, 8), reflect=True)
    padded = functional.pad(pixels, (4, 4, 4, 4), mode="reflect")
    assert torch.equal(moved.pixels[0], padded[0, :, 6:14, 1:9])
    assert torch.equal(moved.pixels[1], padded[1, :, 0:8, 5:13])
    assert (moved.valid.sum(dim=(1, 2)) == torch.tensor([5 * 6, 7 * 4])).all()


def test_reflection_between_pixels_too(make_batch):
    pixels = smooth(12, 12)
    moved = warp(as_batch(pixels), shift(3.5, 0), (12, 12), reflect=True).images
    padded = functional.pad(pixels, (4, 0, 0, 0), mode="reflect")
    assert torch.allclose(moved, (padded[..., :12] + padded[..., 1:13]) / 2, atol=1e-5)


def test_reflection_in_pictures_of_unequal_size(make_batch):
    batch = make_batch(sizes=[(8, 6), (5, 9)])
    moved = warp(batch, torch.cat([shift(2, 1), shift(-3, 2)]), (8, 8), reflect=True)
    one = functional.pad(batch.pixels[:1, :, :8, :6], (5, 5, 5, 5), mode="reflect")[0, :, 4:12, 3:11]
    two = functional.pad(batch.pixels[1:, :, :5, :9], (4, 4, 4, 4), mode="reflect")[0, :, 2:10, 7:15]
    assert torch.equal(moved.pixels[0], one)
    assert torch.equal(moved.pixels[1], two)


def test_windows_of_whole_pixels_are_resized_as_torchvision_does():
    pixels = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8)
    matrices = identity(2, torch.device("cpu"))
    for matrix, (left, top, width, height) in zip(matrices, [(3, 5, 30, 20), (10, 0, 12, 40)], strict=True):
        matrix[0, 0], matrix[1, 1] = 16 / width, 24 / height
        matrix[0, 2], matrix[1, 2] = -left * 16 / width, -top * 24 / height
    moved = warp(as_batch(pixels), matrices, (24, 16))
    assert moved.pixels.dtype == torch.uint8
    for i, (left, top, width, height) in enumerate([(3, 5, 30, 20), (10, 0, 12, 40)]):
        assert torch.equal(moved.pixels[i], oracle.resized_crop(pixels[i], top, left, height, width, [24, 16], antialias=True))


def test_mirrored_windows_are_mirror_images():
    pixels = torch.randint(0, 256, (1, 3, 20, 20), dtype=torch.uint8)
    plain = torch.tensor([[[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1]]])
    mirrored = torch.tensor([[[-0.5, 0, 10], [0, 0.5, 0], [0, 0, 1]]])
    assert torch.equal(warp(as_batch(pixels), mirrored, (10, 10)).pixels, warp(as_batch(pixels), plain, (10, 10)).pixels.flip(3))


def test_strong_shrinking_averages():
    stripes = torch.arange(64).remainder(2).float().expand(1, 1, 64, 64)
    frame = Frame(torch.tensor([[64, 64]]), (64, 64))
    matrices = rotate(torch.tensor([7.0]), frame) @ zoom(torch.tensor([0.2]), frame)
    moved = warp(as_batch(stripes.contiguous()), matrices, (64, 64))
    shown = moved.images[inner(moved.valid, 1)[:, None]]
    assert len(shown) > 50
    assert (shown - 0.5).abs().max() < 0.02


def test_shrinking_pictures_of_unequal_size_takes_no_padding_in(make_batch):
    batch = make_batch(sizes=[(31, 45), (50, 23)])
    batch.pixels[batch.valid[:, None].expand_as(batch.pixels)] = 255
    matrices = torch.diag(torch.tensor([0.21, 0.21, 1.0])).repeat(2, 1, 1)
    moved = warp(batch, matrices, (12, 12))
    assert torch.allclose(moved.images, moved.valid[:, None].float().expand(-1, 3, -1, -1), atol=1e-5)


def test_enlarging_darkens_no_border():
    moved = warp(as_batch(torch.ones(1, 1, 5, 5)), torch.tensor([[[3.3, 0.1, -0.2], [0, 3.3, -0.2], [0, 0, 1]]]), (16, 16))
    assert torch.allclose(moved.images, torch.ones(1, 1, 16, 16))


def test_masks_take_the_nearest_class_and_void_outside():
    classes = torch.randint(0, 5, (1, 12, 12))
    matrices = about_centre(torch.tensor([[[2.0, 0], [0, 2.0]]]), (24, 24)) @ shift(6, 6)
    moved = warp(as_batch(torch.zeros(1, 3, 12, 12), Masks(classes, void=9)), matrices, (24, 24))
    assert torch.equal(moved.targets.classes, classes.repeat_interleave(2, 1).repeat_interleave(2, 2))
    turned = warp(
        as_batch(torch.zeros(1, 3, 12, 12), Masks(classes, void=9)),
        rotate(torch.tensor([45.0]), Frame(torch.tensor([[12, 12]]), (12, 12))),
        (12, 12),
    )
    assert turned.targets.classes[0, 0, 0] == 9
    assert torch.equal(turned.targets.classes == 9, ~turned.valid)


def test_clean_pictures_go_with_the_disturbed_ones():
    images = smooth()
    moved = warp(
        as_batch(images, Cleans(images.clone())), rotate(torch.tensor([20.0]), Frame(torch.tensor([[40, 56]]), (40, 56))), (40, 56)
    )
    assert torch.equal(moved.pixels, moved.targets.pixels)


def test_maps_of_different_kinds_in_one_batch_are_as_each_alone():
    pixels = torch.randint(0, 256, (4, 3, 20, 20), dtype=torch.uint8)
    frame = Frame(torch.tensor([[20, 20]]), (20, 20))
    window = torch.tensor([[[2.0, 0, -8], [0, 2.0, -6], [0, 0, 1]]], dtype=torch.float64)
    matrices = torch.cat([shift(2, 3), window, rotate(torch.tensor([10.0]), frame), zoom(torch.tensor([0.3]), frame)])
    together = warp(as_batch(pixels), matrices, (20, 20))
    assert together.pixels.dtype == torch.float32
    for i in range(4):
        assert torch.equal(together.images[i], warp(as_batch(pixels[i : i + 1]), matrices[i : i + 1], (20, 20)).images[0])


@settings(max_examples=25, deadline=None)
@given(
    degrees=st.floats(-180, 180),
    factor=st.floats(0.6, 1.6),
    dx=st.floats(-20, 20),
    box=st.tuples(st.integers(8, 30), st.integers(8, 30), st.integers(8, 30), st.integers(8, 30)),
)
def test_boxes_go_where_their_masks_go(degrees, factor, dx, box):
    left, top, width, height = box
    classes = torch.zeros(1, 64, 64, dtype=torch.int64)
    classes[0, top : top + height, left : left + width] = 1
    frame = Frame(torch.tensor([[64, 64]]), (64, 64))
    matrices = shift(dx, 0) @ rotate(torch.tensor([degrees]), frame) @ zoom(torch.tensor([factor]), frame)
    corners = torch.tensor([[left, top, left + width, top + height]]).float()
    batch = as_batch(torch.zeros(1, 1, 64, 64))
    mask = warp(Batch(**{**vars(batch), "targets": Masks(classes)}), matrices, (64, 64)).targets.classes[0] == 1
    moved = warp(
        Batch(**{**vars(batch), "targets": BoxLists((Boxes(corners, torch.tensor([3])),))}), matrices, (64, 64), min_visible=0
    ).targets.pictures[0]
    # Where the frame cuts it, what is left of a corner may be narrower than a pixel over several rows.
    if mask.sum() < 4 or moved.corners.min() <= 0 or moved.corners.max() >= 64:
        return
    rows, columns = mask.any(1).nonzero()[:, 0], mask.any(0).nonzero()[:, 0]
    hull = torch.tensor([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
    # a corner may reach between the centres of pixels; 1.5 pixels for a right angle at the sharpest
    assert (moved.corners[0] - hull).abs().max() < 1.6
    assert moved.classes.tolist() == [3]


def test_picture_sizes_come_from_what_is_valid(make_batch):
    assert picture_sizes(make_batch(2, 5, 7)).tolist() == [[5, 7], [5, 7]]
    assert picture_sizes(make_batch(sizes=[(5, 7), (9, 2)])).tolist() == [[5, 7], [9, 2]]


def test_to_input_leads_from_the_source():
    batch = as_batch(torch.zeros(1, 1, 10, 10))
    batch = Batch(**{**vars(batch), "to_input": torch.tensor([[[0.5, 0, 1], [0, 0.5, 2], [0, 0, 1]]])})
    moved = warp(batch, rotate(torch.tensor([90.0]), Frame(torch.tensor([[10, 10]]), (10, 10))), (10, 10))
    point = moved.to_input[0] @ torch.tensor([4.0, 6.0, 1.0])  # (3, 5) on the canvas
    assert torch.allclose(point, torch.tensor([5.0, 3.0, 1.0]), atol=1e-5)
    assert math.isclose(float(moved.to_input[0, 2, 2]), 1)
