import torch
from torch.nn import functional


def cut(padded, offsets, size):
    return torch.stack([picture[:, y : y + size, x : x + size] for picture, (x, y) in zip(padded, offsets, strict=True)])


def test_crops_are_slices_of_the_padded_picture(make_batch, with_members):
    batch = make_batch(300, 8)
    for reflect, mode in ((False, "constant"), (True, "reflect")):
        moved = with_members(batch, pad_and_crop={"crop_padding": 3, "crop_reflect": reflect}, flip={"flip_probability": 0.0})
        offsets = (3 - moved.to_input[:, :2, 2]).long().tolist()
        assert torch.equal(moved.pixels, cut(functional.pad(batch.pixels, (3, 3, 3, 3), mode=mode), offsets, 8))
        assert moved.pixels.dtype == torch.uint8


def test_all_places_are_as_likely(make_batch, with_members):
    moved = with_members(make_batch(4900, 3), pad_and_crop={"crop_padding": 3})
    offsets = (moved.to_input[:, :2, 2] + 3).long()
    counts = torch.bincount(offsets[:, 0] * 7 + offsets[:, 1], minlength=49)
    assert counts.min() > 60
    assert counts.max() < 140


def test_with_a_mirror_image_too(make_batch, with_members):
    batch = make_batch(50, 8)
    moved = with_members(batch, pad_and_crop=None, flip=None)
    for before, after, matrix in zip(batch.pixels, moved.pixels, moved.to_input, strict=True):
        mirrored = matrix[0, 0] < 0
        dx, dy = (matrix[:2, 2] - torch.tensor([8.0 if mirrored else 0.0, 0.0])).long().tolist()
        source = before.flip(2) if mirrored else before
        assert torch.equal(after, functional.pad(source, (8, 8, 8, 8))[:, 8 - dy : 16 - dy, 8 - dx : 16 - dx])


def test_no_padding_no_change(make_batch, with_members):
    batch = make_batch()
    assert torch.equal(with_members(batch, pad_and_crop={"crop_padding": 0}).pixels, batch.pixels)
