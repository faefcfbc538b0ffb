from dataclasses import replace

import pytest
import torch

from neocog.augment.recolour import mean_colour, recolour
from neocog.errors import UsageError
from neocog.targets import Cleans

SWAP = torch.tensor([[0.0, 1, 0, 0.1], [1, 0, 0, 0], [0, 0, 1, 0]])


def test_one_matrix_maps_all_pixels_and_cuts_at_the_ends(make_batch):
    batch = make_batch(2, 6)
    red, green, blue = batch.images.unbind(1)
    changed = recolour(batch, lambda mean: SWAP.expand(len(mean), 3, 4))
    assert torch.allclose(changed.pixels, torch.stack([(green + 0.1).clamp(max=1), red, blue], dim=1), atol=1e-6)


def test_memory_layout_is_kept_and_makes_no_difference(make_batch):
    batch = make_batch(2, 6)
    last = replace(batch, pixels=batch.pixels.contiguous(memory_format=torch.channels_last))
    changed = recolour(last, lambda mean: SWAP.expand(2, 3, 4)).pixels
    assert changed.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(changed, recolour(batch, lambda mean: SWAP.expand(2, 3, 4)).pixels, atol=1e-6)


def test_means_and_changes_leave_padding_out(make_batch):
    batch = make_batch(sizes=[(4, 6), (6, 3)])
    mean = mean_colour(batch)
    assert torch.allclose(mean[0], batch.images[0, :, :4, :6].mean(dim=(1, 2)))
    assert torch.allclose(mean[1], batch.images[1, :, :6, :3].mean(dim=(1, 2)))
    changed = recolour(batch, lambda mean: SWAP.expand(2, 3, 4))
    assert (changed.pixels[0, :, 4:] == 0).all()


def test_grey_pictures_keep_the_luma_of_the_result(make_batch):
    batch = make_batch(1, 5, channels=1)
    half_red = torch.tensor([[[0.5, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]])
    assert torch.allclose(recolour(batch, lambda mean: half_red).pixels, batch.images * (1 - 0.5 * 0.299), atol=1e-6)


def test_clean_pictures_change_too(make_batch):
    pixels = make_batch(2, 6).pixels
    changed = recolour(make_batch(2, 6, targets=Cleans(pixels.clone())), lambda mean: SWAP.expand(2, 3, 4))
    assert torch.equal(changed.targets.pixels, changed.pixels)


def test_two_channels_are_refused(make_batch):
    with pytest.raises(UsageError) as caught:
        recolour(make_batch(1, 4, channels=2), lambda mean: SWAP[None])
    assert (
        str(caught.value)
        == "expected: pictures of 1 or 3 channels for changes of colour\nfound: 2 channels\nto do: leave changes of colour away"
    )
