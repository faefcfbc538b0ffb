"""Views of pictures: what every member inherits by being in the registry, and each against another library or plain slices."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional
from torchvision.transforms import functional as torchvision

from neocog.augment import place
from neocog.batch import Batch, Preprocess
from neocog.engine.tiles import Region
from neocog.errors import UsageError
from neocog.evaluation.views import VIEWS, Orientation, View, canvas_of, chosen, orientations, see, see_whole

SIZE = (8, 10)
CANVASES = {"as large": (8, 10), "larger": (12, 16), "by an odd margin": (11, 13)}


def pictures(canvas, count=3):
    pixels = torch.randint(0, 256, (count, 3, *canvas), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    return Batch(pixels, None, torch.arange(count), torch.tensor([canvas]).repeat(count, 1), torch.eye(3).repeat(count, 1, 1))


def views(batch, *names):
    return [view.pixels for view in see(batch, names, SIZE)]


def as_set(tensors):
    return sorted(bytes(tensor.contiguous().numpy()) for tensor in tensors)


@pytest.mark.parametrize("canvas", CANVASES.values(), ids=CANVASES)
@pytest.mark.parametrize("name", VIEWS)
class TestConformance:
    def test_the_first_view_is_what_is_seen_without(self, name, canvas):
        batch = pictures(canvas)
        assert torch.equal(views(batch, name)[0], place(batch, "crop", SIZE).pixels)

    def test_views_only_move_pixels(self, name, canvas):
        for view in see(pictures(canvas), [name], SIZE):
            assert view.pixels.shape == (3, 3, *SIZE)
            assert view.pixels.dtype == torch.uint8
            values = [set(pixels.flatten().tolist()) for pixels in (view.pixels[0], pictures(canvas).pixels[0])]
            assert values[0] <= values[1]

    def test_a_view_does_not_depend_on_the_batch_and_leaves_it_alone(self, name, canvas):
        batch = pictures(canvas)
        whole = views(batch, name)
        assert torch.equal(batch.pixels, pictures(canvas).pixels)
        row = Batch(batch.pixels[1:2], None, batch.keys[1:2], batch.source_sizes[1:2], batch.to_input[1:2])
        for one, of_all in zip(views(row, name), whole, strict=True):
            assert torch.equal(one[0], of_all[1])

    def test_the_map_to_the_input_is_kept(self, name, canvas):
        """A pixel's new place is where its colour is found."""
        batch = pictures(canvas)
        middle = torch.tensor([canvas[1] // 2 + 0.5, canvas[0] // 2 + 0.5, 1.0])
        for view in see(batch, [name], SIZE):
            x, y, _ = (view.to_input[0] @ middle).tolist()
            if 0 <= x < SIZE[1] and 0 <= y < SIZE[0]:
                assert torch.equal(view.pixels[0, :, int(y), int(x)], batch.pixels[0, :, canvas[0] // 2, canvas[1] // 2])


@pytest.mark.parametrize("name", VIEWS)
def test_members_explain_themselves(name):
    assert VIEWS[name].summary
    assert not VIEWS[name].summary.endswith(".")
    assert len(views(pictures((12, 16)), name)) == int(VIEWS[name].summary.split(" views")[0].split()[-1])
    assert len(set(as_set(views(pictures((12, 16)), name)))) == len(views(pictures((12, 16)), name))  # no two are the same


def test_flip_is_torchs():
    plain, mirrored = views(pictures(SIZE), "flip")
    assert torch.equal(mirrored, plain.flip(3))


def test_quarter_turns_of_a_square_are_torchs():
    batch = pictures((9, 9))
    found = [view.pixels for view in see(batch, ["quarter_turn"], (9, 9))]
    for number, view in enumerate(found):
        assert torch.equal(view, torch.rot90(batch.pixels, number, (2, 3)))


def test_quarter_turns_of_an_oblong_input_keep_its_middle():
    plain, once, _, _ = views(pictures(SIZE), "quarter_turn")
    assert torch.equal(once[:, :, 0:8, 1:9], torch.rot90(plain[:, :, 0:8, 1:9], 1, (2, 3)))


@pytest.mark.parametrize("names", [(), ("flip",), ("quarter_turn",), ("flip", "quarter_turn")])
def test_whole_pictures_are_laid_as_their_views_show_them(names):
    """Both ways to make a view agree where both can."""
    batch = pictures((9, 9))
    laid = [seen.batch.pixels for seen in see_whole(batch, names, "native", (1, 1))]
    assert all(map(torch.equal, laid, [view.pixels for view in see(batch, names, (9, 9))]))
    assert len(set(as_set(laid))) == len(laid) == len(orientations(names))


def test_every_orientation_comes_back_and_knows_where_regions_lie():
    ways = orientations(("flip", "quarter_turn"))
    assert len(set(ways)) == 8
    assert ways[0] == Orientation()
    picture = torch.arange(5 * 7).reshape(5, 7)
    region = Region(1, 2, 4, 4)
    for way in ways:
        laid = way.of(picture)
        assert tuple(laid.shape) == way.of_size((5, 7))
        assert torch.equal(way.inverse.of(laid), picture)
        assert torch.equal(way.of_region(region, (5, 7)).of(laid), way.of(region.of(picture)))
        assert way.inverse.of_region(way.of_region(region, (5, 7)), way.of_size((5, 7))) == region


def test_oblong_pictures_are_turned_whole():
    batch = pictures((6, 11))
    found = list(see_whole(batch, ["quarter_turn"], "native", (1, 1)))
    assert [tuple(seen.batch.pixels.shape[2:]) for seen in found] == [(6, 11), (11, 6), (6, 11), (11, 6)]
    for turns, seen in enumerate(found):
        assert torch.equal(seen.batch.pixels, torch.rot90(batch.pixels, turns, (2, 3)))
        assert torch.equal(seen.moved_back(seen.batch.pixels), batch.pixels)


def test_crops_are_torchvisions_five():
    batch = pictures((12, 16))
    assert as_set(views(batch, "crops")) == as_set(torchvision.five_crop(batch.pixels, list(SIZE)))


@pytest.mark.parametrize("names", [("crops", "flip"), ("flip", "crops")])
def test_with_flip_they_are_its_ten(names):
    batch = pictures((12, 16))
    assert as_set(views(batch, *names)) == as_set(torchvision.ten_crop(batch.pixels, list(SIZE)))


def test_shifts_reflect_what_is_not_there():
    batch = pictures((64, 96), count=1)
    found = [view.pixels for view in see(batch, ["shift"], (64, 96))]
    padded = functional.pad(batch.pixels, (3, 3, 2, 2), mode="reflect")
    places = [(3, 2), (0, 2), (6, 2), (3, 0), (3, 4)]  # as it is; to the right, to the left, down, up
    assert len(found) == len(places)
    for view, (left, top) in zip(found, places, strict=True):
        assert torch.equal(view, padded[:, :, top : top + 64, left : left + 96])


def test_shifts_show_real_pixels_where_there_are_any():
    batch = pictures((12, 16))
    found = views(batch, "shift")
    for view, (left, top) in zip(found, [(3, 2), (2, 2), (4, 2), (3, 1), (3, 3)], strict=True):
        assert torch.equal(view, batch.pixels[:, :, top : top + 8, left : left + 10])


def test_members_combine_in_any_order_each_once():
    batch = pictures((12, 16))
    found = views(batch, "shift", "flip", "crops", "flip")
    assert len(found) == 5 * 2 * 5
    assert all(map(torch.equal, found, views(batch, "crops", "flip", "shift")))
    assert as_set(views(batch, "flip", "shift")) == as_set([*views(batch, "shift"), *(view.flip(3) for view in views(batch, "shift"))])
    assert len(views(batch)) == 1


@pytest.mark.parametrize(
    ("size", "resize", "canvas"),
    [
        ((224, 224), (224, 224), (256, 256)),
        ((224, 224), (232, 232), (232, 232)),
        ((32, 32), (32, 32), (36, 36)),
        ((8, 16), (8, 16), (10, 18)),
        ((224, 224), (300, 224), (300, 256)),
    ],
)
def test_crops_need_a_margin(size, resize, canvas):
    preprocess = Preprocess(size, resize)
    assert canvas_of(["crops", "flip"], preprocess) == canvas
    assert canvas_of(["flip", "shift"], preprocess) == canvas_of([], preprocess) == resize


def test_an_unknown_view_is_named():
    with pytest.raises(UsageError) as caught:
        chosen(["flipp"])
    assert str(caught.value) == "expected: the name of a view\nfound: 'flipp'\nto do: did you mean flip?"


def test_only_one_member_may_cut_windows(monkeypatch):
    VIEWS.names()  # so that all are there
    tiles: View = replace(VIEWS["crops"], summary="tiles")
    monkeypatch.setitem(VIEWS._members, "tiles", tiles)
    with pytest.raises(UsageError) as caught:
        chosen(["flip", "tiles", "crops"])
    assert str(caught.value) == "expected: one view that cuts windows out\nfound: crops and tiles\nto do: leave all but one away"


def test_the_members_asked_for_are_there():
    assert {"flip", "crops", "quarter_turn", "shift"} <= set(VIEWS)
