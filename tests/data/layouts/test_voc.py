"""PASCAL VOC as its development kit has it: palette masks in the kit's colours, lists of names, years side by side."""

import io

import numpy as np
import pytest
import torch
import torchvision
from PIL import Image

from data.conftest import picture_bytes
from neocog.data.check import check
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.data.survey import survey
from neocog.errors import DataError

SIZE = (20, 24)
IDS = ("2007_000032", "2007_000039", "2008_000008", "2010_000002", "2011_003271")


def colour_map():
    """VOCcolormap.m: bit j of a label's three lowest bits, taken three at a time, is bit 7 - j of red, green and blue."""
    colours = []
    for label in range(256):
        channels = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                channels[channel] |= (label >> (3 * place + channel) & 1) << (7 - place)
        colours.append(tuple(channels))
    return colours


def labels(*values):
    """A label in each of as many stripes, with the kit's border of 255 between things and the background."""
    array = np.array(values, dtype=np.uint8)[np.arange(SIZE[1]) * len(values) // SIZE[1]]
    array = np.broadcast_to(array, SIZE).copy()
    array[:2] = 255
    return array


def palette_png(array):
    image = Image.frombytes("P", array.shape[::-1], array.tobytes())
    image.putpalette([part for colour in colour_map() for part in colour])
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


MASKS = {IDS[0]: labels(0, 1), IDS[1]: labels(0, 20), IDS[2]: labels(0, 15, 2), IDS[3]: labels(11, 16)}


def kit(folder, lists, year="VOC2012", masks=MASKS, **more):
    """A year's folder with all five pictures; the last has boxes only."""
    files = {f"{year}/JPEGImages/{name}.jpg": picture_bytes(number, *SIZE, kind="JPEG") for number, name in enumerate(IDS)}
    files |= {f"{year}/SegmentationClass/{name}.png": palette_png(mask) for name, mask in masks.items()}
    files |= {f"{year}/SegmentationObject/{name}.png": palette_png(mask.clip(0, 1)) for name, mask in masks.items()}
    files |= {f"{year}/Annotations/{name}.xml": b"<annotation/>" for name in IDS}
    files |= {f"{year}/ImageSets/Main/train.txt": "".join(f"{name}\n" for name in IDS).encode()}
    files |= {f"{year}/ImageSets/Segmentation/{name}.txt": "".join(f"{line}\n" for line in lines).encode() for name, lines in lists.items()}
    return folder({**files, **more}, "VOCdevkit")


LISTS = {"train": IDS[:2], "val": IDS[2:4], "trainval": IDS[:4]}


def test_the_colours_are_the_published_ones():
    colours = colour_map()
    assert [colours[label] for label in (0, 1, 15, 20, 255)] == [(0, 0, 0), (128, 0, 0), (192, 128, 128), (0, 64, 128), (224, 224, 192)]
    assert len(set(colours)) == 256


def test_the_kit_as_it_is_unpacked(folder):
    root = kit(folder, LISTS)
    dataset = open_dataset(root / "VOC2012")
    assert {dataset.where(index): dataset.given_split(index) for index in range(len(dataset))} == {
        f"JPEGImages/{name}.jpg": "train" if name in LISTS["train"] else "val" for name in IDS[:4]
    }
    for index, name in enumerate(IDS[:4]):
        assert dataset.target(index).classes.tolist() == MASKS[name].tolist()
        assert dataset.target(index).void == 255
    assert dataset.notes == ("PASCAL VOC's folders JPEGImages and SegmentationClass", "left out, pictures in no list: 1")
    assert survey(dataset).faults == []
    counted = check(dataset).pixels["train"]
    assert {name: count for name, count in counted.items() if count} == {
        "background": 2 * 18 * 12,
        "aeroplane": 18 * 12,
        "tvmonitor": 18 * 12,
        "void": 2 * 2 * 24,
    }
    assert Loader(dataset, None, 3).batch(torch.tensor([2])).targets.classes.unique().tolist() == [0, 2, 15, 255]


def test_the_classes_are_called_as_published(folder):
    """So that the networks that torchvision publishes know them."""
    published = torchvision.models.segmentation.FCN_ResNet50_Weights.COCO_WITH_VOC_LABELS_V1.meta["categories"]
    names = open_dataset(kit(folder, LISTS) / "VOC2012").class_names
    assert list(names) == [name.strip("_") for name in published]
    assert len(names) == 21


def test_a_listed_picture_without_a_mask_is_named(folder):
    dataset = open_dataset(kit(folder, {**LISTS, "val": IDS[2:]}) / "VOC2012")
    (fault,) = survey(dataset).faults
    assert (fault.where, fault.detail) == (f"JPEGImages/{IDS[4]}.jpg", "no mask of its name")


def test_the_list_of_test_pictures_whose_masks_nobody_published(folder):
    dataset = open_dataset(kit(folder, {**LISTS, "test": IDS[4:]}) / "VOC2012")
    assert dataset.given_splits() == ("train", "val")
    assert survey(dataset).faults == []
    assert "left out, the list test: none of its pictures has a mask" in dataset.notes


def test_a_picture_of_two_lists_is_not_trained_on(folder):
    dataset = open_dataset(kit(folder, {**LISTS, "train": IDS[:3]}) / "VOC2012")
    assert [dataset.given_split(index) for index in range(4)] == ["train", "train", "val", "val"]


def test_years_side_by_side(folder, monkeypatch):
    root = kit(folder, LISTS)
    kit(folder, {"train": IDS[:1], "test": IDS[1:2]}, year="VOC2007")
    latest = open_dataset(root)
    assert latest.notes[0] == "PASCAL VOC's folders JPEGImages and SegmentationClass in VOC2012"
    assert (latest.name, latest.given_splits()) == ("VOC2012", ("train", "val"))
    assert open_dataset(root / "VOC2007").given_splits() == ("train", "test")
    monkeypatch.setenv("NEOCOG_DATA", str(root.parent))
    named = open_dataset("voc")
    assert (named.name, named.root, len(named)) == ("voc", root / "VOC2012", 4)
    assert list(open_dataset("VOCdevkit/VOC2007").wheres()) == [f"JPEGImages/{name}.jpg" for name in IDS[:2]]


class TestFurtherMasks:
    def grey(self, *values):
        file = io.BytesIO()
        Image.fromarray(labels(*values)).save(file, "PNG")
        return file.getvalue()

    @pytest.mark.parametrize("line", ["{0}", "/JPEGImages/{0}.jpg /SegmentationClassAug/{0}.png", "{0}.jpg"])
    def test_with_a_list_of_their_own(self, folder, line):
        masks = {f"VOC2012/SegmentationClassAug/{name}.png": self.grey(0, number) for number, name in enumerate(IDS)}
        lists = {**LISTS, "trainaug": [line.format(name) for name in (*IDS[:2], IDS[4])]}
        root = kit(folder, lists, **masks) / "VOC2012"
        assert len(open_dataset(root)) == 4
        dataset = open_dataset(root, further_masks=True)
        assert [dataset.given_split(index) for index in range(5)] == ["train", "train", "val", "val", "train"]
        assert dataset.target(4).classes.int().unique().tolist() == [0, 4, 255]

    def test_that_are_not_there(self, folder):
        root = kit(folder, LISTS) / "VOC2012"
        with pytest.raises(DataError) as caught:
            open_dataset(root, further_masks=True)
        assert str(caught.value) == (
            f"expected: the folder SegmentationClassAug\nfound: none in {root}\nto do: put it there, or leave further_masks out"
        )
