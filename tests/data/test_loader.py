"""Batches, from gathered pixels and from sources."""

import pytest
import torch

from neocog.batch import fit_matrices
from neocog.data.loader import Loader, order
from neocog.data.open import open_dataset
from neocog.data.pixels import gather
from neocog.targets import BoxLists, Cleans, Labels, Masks


def indices(*numbers):
    return torch.tensor(numbers, dtype=torch.int64)


def test_order_is_a_permutation_of_seed_and_epoch_alone():
    assert sorted(order(100, 0, 0).tolist()) == list(range(100))
    assert torch.equal(order(100, 3, 4), order(100, 3, 4))
    assert not torch.equal(order(100, 3, 4), order(100, 3, 5))
    assert not torch.equal(order(100, 3, 4), order(100, 4, 4))
    assert order(0, 0, 0).tolist() == []


def test_gathered_pixels(two_classes):
    dataset = open_dataset(two_classes)
    gathered = gather(dataset, canvas=(16, 16), channels=3)
    batch = Loader(dataset, gathered, 3).batch(indices(12, 3, 3))
    assert torch.equal(batch.pixels, gathered.pixels[[12, 3, 3]])
    assert batch.keys.tolist() == [12, 3, 3]
    assert isinstance(batch.targets, Labels)
    assert batch.targets.classes.tolist() == batch.targets.others.tolist() == [1, 0, 0]
    assert batch.targets.share.tolist() == [1, 1, 1]
    assert batch.source_sizes.tolist() == [[20, 24]] * 3
    assert torch.equal(batch.to_input, fit_matrices("cover", batch.source_sizes, (16, 16)))
    assert batch.valid is None


def test_to_input_says_where_a_source_pixel_went(folder):
    import io

    from PIL import Image

    image = Image.new("L", (80, 40))
    image.paste(255, (36, 10, 44, 20))
    file = io.BytesIO()
    image.save(file, "PNG")
    dataset = open_dataset(folder({"a/1.png": file.getvalue(), "b/1.png": file.getvalue()}))
    batch = Loader(dataset, gather(dataset, canvas=(20, 20), channels=1), 1).batch(indices(0))
    bright = batch.pixels[0, 0].double()
    rows, columns = torch.meshgrid(torch.arange(20) + 0.5, torch.arange(20) + 0.5, indexing="ij")
    centre = torch.stack([(bright * columns).sum(), (bright * rows).sum()]) / bright.sum()
    mapped = batch.to_input[0] @ torch.tensor([40.0, 15.0, 1.0])
    assert torch.allclose(centre.float(), mapped[:2], atol=0.05)


def test_other_channels_than_gathered_are_refused(two_classes):
    dataset = open_dataset(two_classes)
    with pytest.raises(ValueError, match="expected gathered pixels with 1 channels, found 3"):
        Loader(dataset, gather(dataset, canvas=(8, 8), channels=3), 1)


def test_gathered_pixels_without_labels_are_refused():
    dataset = open_dataset("shapes", "detect", count=4)
    loader = Loader(dataset, gather(dataset, canvas=(64, 64), channels=3), 3)
    with pytest.raises(ValueError, match="expected labels for gathered pixels, found the task detect"):
        loader.batch(indices(0))


@pytest.mark.parametrize(("task", "kind"), [("classify", Labels), ("detect", BoxLists), ("segment", Masks), ("denoise", Cleans)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sources_of_every_kind(task, kind, channels):
    dataset = open_dataset("shapes", task, count=10, size=(24, 32))
    loader = Loader(dataset, None, channels)
    batch = loader.batch(indices(7, 2))
    assert isinstance(batch.targets, kind)
    assert tuple(batch.pixels.shape) == (2, channels, 24, 32)
    assert batch.source_sizes.tolist() == [[24, 32]] * 2
    assert torch.equal(batch.to_input, torch.eye(3).repeat(2, 1, 1))
    assert batch.valid is None
    again = loader.batch(indices(7, 2))
    assert torch.equal(again.pixels, batch.pixels)
    if channels == 3:
        assert torch.equal(batch.pixels[0], dataset.picture(7))
    if isinstance(batch.targets, Cleans):
        assert batch.targets.pixels.shape == batch.pixels.shape
    if isinstance(batch.targets, Masks):
        assert torch.equal(batch.targets.classes[1], dataset.target(2).classes.long())


def test_sources_of_unequal_size_are_padded(folder):
    import io

    from PIL import Image

    def grey(height, width):
        file = io.BytesIO()
        Image.new("L", (width, height), 200).save(file, "PNG")
        return file.getvalue()

    dataset = open_dataset(folder({"a/1.png": grey(10, 30), "b/1.png": grey(20, 15)}))
    batch = Loader(dataset, None, 1).batch(indices(0, 1))
    assert tuple(batch.pixels.shape) == (2, 1, 20, 30)
    assert batch.valid is not None
    assert torch.equal(batch.pixels[:, 0] == 200, batch.valid)
    assert batch.valid.flatten(1).sum(1).tolist() == [300, 300]
    assert batch.source_sizes.tolist() == [[10, 30], [20, 15]]


def test_sources_are_decoded_once_while_they_fit(two_classes, monkeypatch):
    dataset = open_dataset(two_classes)
    calls = []
    real = type(dataset).picture
    monkeypatch.setattr(type(dataset), "picture", lambda self, index: calls.append(index) or real(self, index))
    loader = Loader(dataset, None, 3)
    loader.batch(indices(0, 1, 1))
    loader.batch(indices(1, 0, 2))
    assert sorted(calls) == [0, 1, 2]
    calls.clear()
    monkeypatch.setattr("neocog.data.loader.available_memory", lambda: 4 * 3 * 20 * 24)
    small = Loader(dataset, None, 3)
    for _ in range(2):
        small.batch(indices(0, 1))
    assert len(calls) == 3  # room for one of the two


def test_segmentation_targets_count_towards_the_room(monkeypatch):
    dataset = open_dataset("shapes", "segment", count=4, size=(16, 16))
    monkeypatch.setattr("neocog.data.loader.available_memory", lambda: 4 * 16 * 16 * 5)
    loader = Loader(dataset, None, 3)
    loader.batch(indices(0, 1))
    assert len(loader._kept) == 1


class TestScaled:
    """Pictures and masks that are kept at the scale at which a task shows them."""

    def loader(self, **options):
        dataset = open_dataset("shapes", "segment", count=4, size=(24, 32), **options)
        return dataset, Loader(dataset, None, 3, lambda source: (source[0] // 2, source[1] // 2))

    def test_they_are_made_smaller_together(self):
        dataset, loader = self.loader()
        batch = loader.batch(indices(1, 3))
        assert tuple(batch.pixels.shape) == (2, 3, 12, 16)
        assert batch.source_sizes.tolist() == [[24, 32]] * 2
        assert torch.equal(batch.to_input, torch.diag(torch.tensor([0.5, 0.5, 1.0])).repeat(2, 1, 1))
        expected = torch.nn.functional.interpolate(dataset.picture(3)[None], size=(12, 16), mode="bilinear", antialias=True)[0]
        assert torch.equal(batch.pixels[1], expected)
        source, small = dataset.target(3).classes, batch.targets.classes[1]
        blocks = torch.stack([source[y::2, x::2].long() for y in (0, 1) for x in (0, 1)])
        assert (blocks == small).any(0).all()  # each class is one of those that the pixel covers

    def test_the_truth_stays_in_source_pixels_and_is_read_once(self, monkeypatch):
        dataset, loader = self.loader()
        calls = []
        real = type(dataset).target
        monkeypatch.setattr(type(dataset), "target", lambda self, index: calls.append(index) or real(self, index))
        for _ in range(2):
            assert loader.truth(2).classes.shape == (24, 32)
            assert loader.truth(2 + len(dataset)).classes.shape == (24, 32)
        assert calls == [2]

    def test_a_picture_that_was_decoded_already_is_not_decoded_again(self, monkeypatch):
        dataset, loader = self.loader()
        expected = Loader(dataset, None, 3, lambda source: (12, 16)).batch(indices(0, 1))
        for index in range(2):
            loader.keep(index, dataset.picture(index))
        monkeypatch.setattr(type(dataset), "picture", None)
        found = loader.batch(indices(0, 1))
        assert torch.equal(found.pixels, expected.pixels)
        assert torch.equal(found.targets.classes, expected.targets.classes)

    def test_where_there_is_no_room_nothing_is_kept(self, monkeypatch):
        monkeypatch.setattr("neocog.data.loader.available_memory", lambda: 0)
        dataset, loader = self.loader()
        loader.keep(0, dataset.picture(0))
        loader.batch(indices(0, 1))
        loader.truth(0)
        assert not loader._kept
        assert not loader._truths
