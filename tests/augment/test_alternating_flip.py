import torch


def test_every_picture_is_mirrored_in_every_second_epoch(make_batch, with_members):
    batch = make_batch(200, 4, 5)
    epochs = [with_members(batch, alternating_flip=None, epoch=epoch).to_input[:, 0, 0] < 0 for epoch in range(4)]
    assert 70 < epochs[0].sum() < 130
    assert torch.equal(epochs[1], ~epochs[0])
    assert torch.equal(epochs[2], epochs[0])
    assert torch.equal(epochs[3], epochs[1])


def test_mirror_images_are_exact(make_batch, with_members):
    batch = make_batch(20, 4, 5)
    moved = with_members(batch, alternating_flip=None)
    mirrored = moved.to_input[:, 0, 0] < 0
    assert torch.equal(moved.pixels[mirrored], batch.pixels[mirrored].flip(3))
    assert torch.equal(moved.pixels[~mirrored], batch.pixels[~mirrored])
