"""Tiles cover a picture once, and what is computed in them is what the whole picture gives."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from neocog.batch import Preprocess
from neocog.engine import Plan
from neocog.engine.tiles import WINDOW, Neighbourhood, Parting, Region, answers_by_tiles, neighbourhood, parting_for, stream, tiles
from neocog.models import create_model
from neocog.models.network import Network


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)), halo=st.integers(0, 6), grid=st.sampled_from([1, 2, 4]), room=st.integers(0, 30)
)
def test_the_cores_cover_every_pixel_once(size, halo, grid, room):
    window = 2 * halo + 2 * grid + room
    counts = torch.zeros(size, dtype=torch.int64)
    for tile in tiles(size, window, halo, grid):
        tile.core.of(counts).add_(1)
        assert tile.inner.size == tile.core.size
        assert max(tile.window.size) <= window
        assert tile.window.top % grid == tile.window.left % grid == 0
    assert (counts == 1).all()


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)), halo=st.integers(0, 6), grid=st.sampled_from([1, 2, 4]), room=st.integers(0, 30)
)
def test_a_window_reaches_beyond_its_core_by_the_halo_or_to_the_edge(size, halo, grid, room):
    for tile in tiles(size, 2 * halo + 2 * grid + room, halo, grid):
        window, core = tile.window, tile.core
        for near, far in ((window.top, core.top), (window.left, core.left)):
            assert near == 0 or far - near >= halo
        for near, far, edge in ((core.bottom, window.bottom, size[0]), (core.right, window.right, size[1])):
            assert far == edge or far - near >= halo


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)), halo=st.integers(0, 6), grid=st.sampled_from([1, 2, 4]), room=st.integers(0, 30)
)
def test_the_window_of_a_core_is_found_again(size, halo, grid, room):
    """Also where the picture is turned round: then a core may lie anywhere, and its window begins on the grid all the same."""
    parting = Parting(2 * halo + 2 * grid + room, Neighbourhood(halo, grid))
    for tile in parting.tiles(size):
        assert parting.window_of(tile.core, size) == tile.window
        turned = Region(size[0] - tile.core.bottom, size[1] - tile.core.right, size[0] - tile.core.top, size[1] - tile.core.left)
        window = parting.window_of(turned, size)
        assert window.top % grid == window.left % grid == 0
        for near, far in ((window.top, turned.top), (window.left, turned.left)):
            assert near == 0 or far - near >= halo
        for near, far, edge in ((turned.bottom, window.bottom, size[0]), (turned.right, window.right, size[1])):
            assert far == edge or far - near >= halo
        for side, length in zip(window.size, size, strict=True):
            assert min(parting.window, length) <= side < parting.window + grid
        inner = turned.within(window)
        assert inner.size == turned.size
        assert (inner.top, inner.left) == (turned.top - window.top, turned.left - window.left)


def test_networks_are_parted_as_the_farthest_seeing_wants_it():
    near, far = (create_model("dncnn", in_channels=1, depth=depth, width=2) for depth in (3, 6))
    assert parting_for([near], (40, WINDOW)) is None
    assert parting_for([near], (40, WINDOW + 1)) == Parting(WINDOW, Neighbourhood(3, 1))
    assert parting_for([near, far], (WINDOW + 1, 3)) == Parting(WINDOW, Neighbourhood(6, 1))
    assert parting_for([near, Strided()], (WINDOW + 1, 3)).reach.grid == 4
    assert parting_for([near, Global()], (WINDOW + 1, 3)) is None


def test_windows_have_one_size_wherever_the_picture_is_large_enough():
    assert {tile.window.size for tile in tiles((1000, 700), 256, 17)} == {(256, 256)}


def test_a_small_picture_is_one_tile():
    (tile,) = tiles((30, 40), 64, 10)
    assert tile.window == tile.core == Region(0, 0, 30, 40)


def test_tiles_come_row_by_row():
    rows = [tile.core.top for tile in tiles((100, 100), 40, 5)]
    assert all(before <= after for before, after in pairwise(rows))


def test_a_window_without_room_is_refused():
    with pytest.raises(ValueError, match="expected a window of at least 22 pixels for a halo of 10, found 21"):
        tiles((100, 100), 21, 10)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_a_convolution_by_tiles_is_that_of_the_whole_picture(dtype):
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(2, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 3, 3, padding=1, dilation=1)).to(dtype)
    picture = torch.rand(1, 2, 75, 91, dtype=dtype)
    joined = torch.zeros(1, 3, 75, 91, dtype=dtype)
    with torch.no_grad():
        whole = layers(picture)
        for tile, answer in stream(layers, picture, tiles((75, 91), 24, 3)):
            tile.core.of(joined).copy_(answer)
    torch.testing.assert_close(joined, whole, rtol=0, atol=1e-12 if dtype == torch.float64 else 1e-6)


def test_too_small_a_halo_shows():
    layers = nn.Conv2d(1, 1, 7, padding=3)
    picture = torch.rand(1, 1, 60, 60)
    joined = torch.zeros(1, 1, 60, 60)
    with torch.no_grad():
        for tile, answer in stream(layers, picture, tiles((60, 60), 24, 2)):
            tile.core.of(joined).copy_(answer)
        assert (joined - layers(picture)).abs().max() > 1e-3


class Strided(Network):
    """Looks at a coarser map, as a U-Net does: the answer depends on where the grid lies."""

    def __init__(self):
        stages = {"down": nn.Conv2d(1, 2, 3, stride=2, padding=1), "pool": nn.MaxPool2d(2)}
        head = nn.Sequential(nn.Upsample(scale_factor=4), nn.Conv2d(2, 1, 3, padding=1))
        super().__init__(stages, head, channels=(2, 2), preprocess=Preprocess((32, 32), (32, 32), 1, (0.0,), (1.0,)), num_classes=1)
        self.task = "denoise"


class Global(Strided):
    """Sees all of the picture everywhere."""

    def forward(self, images):
        return images + images.mean(dim=(2, 3), keepdim=True)


def test_how_far_a_chain_of_convolutions_sees():
    for depth in (3, 5):
        found = neighbourhood(create_model("dncnn", in_channels=1, depth=depth, width=3))
        assert (found.halo, found.grid) == (depth, 1)  # each layer of 3x3 sees one pixel farther


def test_how_far_a_strided_network_sees_is_never_told_too_short():
    torch.manual_seed(0)
    network = Strided().double().eval()
    found = neighbourhood(network)
    assert found.grid == 4
    picture = torch.rand(1, 1, 120, 100, dtype=torch.float64)
    joined = torch.zeros_like(picture)
    with torch.no_grad():
        for tile, answer in stream(network, picture, tiles((120, 100), 48, found.halo, found.grid)):
            tile.core.of(joined).copy_(answer)
        torch.testing.assert_close(joined, network(picture), rtol=0, atol=1e-12)


def test_a_network_that_sees_everything_has_no_tiles():
    network = Global().train()
    assert neighbourhood(network) is None
    assert network.training  # as before
    picture = torch.rand(1, 1, 8, WINDOW + 100)
    (only,) = answers_by_tiles(network.eval(), Plan(), picture)
    assert only[0].core.size == (8, WINDOW + 100)


def test_large_pictures_of_any_kind_are_answered_by_tiles():
    torch.manual_seed(0)
    network = create_model("dncnn", in_channels=1, depth=3, width=2).eval()
    deep = torch.randint(0, 65536, (1, 1, 40, WINDOW + 60)).to(torch.uint16)
    found = list(answers_by_tiles(network, Plan(), deep))
    assert len(found) == 2
    joined = torch.cat([answer for _, answer in found], dim=3)
    with torch.no_grad():
        torch.testing.assert_close(joined, network(deep.to(torch.float32) / 65535), rtol=0, atol=1e-5)
