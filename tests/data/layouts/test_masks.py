"""Pictures with masks: the layouts, what the masks' numbers stand for, and every way in which one may be at fault."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from data.conftest import mask_bytes
from neocog.data.check import check
from neocog.data.loader import Loader
from neocog.data.open import open_dataset
from neocog.data.registry import LAYOUTS
from neocog.data.splits import make_splits, read_splits, write_splits
from neocog.data.survey import survey
from neocog.errors import DataError, UsageError

SIZE = (20, 24)  # of the pictures of `folder`


def png(array, mode=None, palette=None):
    image = Image.fromarray(np.asarray(array), mode) if mode is None else Image.frombytes(mode, array.shape[::-1], array.tobytes())
    if palette is not None:
        image.putpalette(palette)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def numbers(*values, size=SIZE):
    """A mask in stripes of these numbers, 8 bits."""
    return mask_bytes(*values, height=size[0], width=size[1])


def colours(*values, size=SIZE):
    stripes = np.array(values, dtype=np.uint8)[np.arange(size[1]) * len(values) // size[1]]
    return png(np.broadcast_to(stripes, (*size, 3)).copy())


def cells(folder, masks, **more):
    """Pictures 0, 1, … with these masks."""
    files = {f"images/{i}.png": i for i in range(len(masks))}
    return folder({**files, **{f"masks/{i}.png": mask for i, mask in enumerate(masks)}, **more}, "cells")


def classes_of(dataset, index):
    return dataset.target(index).classes.int().unique().tolist()


class TestLayouts:
    def test_images_beside_masks(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 1), numbers(0, 2)]))
        assert (dataset.task, dataset.name, dataset.class_names) == ("segment", "cells", ("class 0", "class 1", "class 2"))
        assert dataset.notes == ("pictures in images, masks beside them", "classes by the masks' numbers")
        assert dataset.given_splits() == ()
        assert list(dataset.wheres()) == ["images/0.png", "images/1.png"]
        assert [classes_of(dataset, index) for index in range(2)] == [[0, 1], [0, 2]]
        assert dataset.target(0).classes.shape == dataset.picture(0).shape[1:] == SIZE
        assert dataset.target(0).void not in range(3)

    @pytest.mark.parametrize(
        ("pictures", "masks"),
        [
            ("{}/images/1.png", "{}/masks/1.png"),
            ("images/{}/1.png", "masks/{}/1.png"),
            ("{}/1.png", "{}annot/1.png"),
            ("{}/1.png", "{}_labels/1_L.png"),
        ],
    )
    def test_given_splits(self, folder, pictures, masks):
        files = {}
        for number, split in enumerate(("train", "val", "test")):
            files |= {pictures.format(split): number, masks.format(split): numbers(0, number)}
        dataset = open_dataset(folder(files))
        assert dataset.given_splits() == ("train", "val", "test")
        for index in range(3):
            assert dataset.given_split(index) in dataset.where(index)
            assert max(classes_of(dataset, index)) == ("train", "val", "test").index(dataset.given_split(index))

    @pytest.mark.parametrize(
        ("pictures", "masks", "named"),
        [
            ("{}/images/{}.png", "{}/masks/{}.png", "test/images"),
            ("images/{}/{}.png", "masks/{}/{}.png", "images/test"),
            ("{}/{}.png", "{}annot/{}.png", "test"),
        ],
    )
    @pytest.mark.parametrize("kept", [None, "notes.txt"])
    def test_a_split_whose_masks_nobody_published_is_left_out_and_the_others_stay(self, folder, pictures, masks, named, kept):
        files = {}
        for number, split in enumerate(("train", "val", "test")):
            files |= {pictures.format(split, i): 10 * number + i for i in range(2)}
            files |= {masks.format(split, i): numbers(0, 1) for i in range(2) if split != "test"}
        if kept:
            files[masks.format("test", 0).replace("0.png", kept)] = b"to come"
        dataset = open_dataset(folder(files))
        assert dataset.given_splits() == ("train", "val")
        assert [dataset.given_split(index) for index in range(len(dataset))] == ["train", "train", "val", "val"]
        assert f"left out, pictures without masks: {named} (2)" in dataset.notes
        assert survey(dataset).faults == []

    def test_a_mask_may_keep_the_suffix_of_its_picture(self, folder):
        files = {f"images/{name}": number for number, name in enumerate(("a.b.jpg", "a.jpg", "a.png"))}
        masks = {f"masks/{name}.png": numbers(number) for number, name in enumerate(("a.b.jpg", "a.jpg", "a.png"))}
        dataset = open_dataset(folder({**files, **masks}))
        assert [classes_of(dataset, index) for index in range(3)] == [[0], [1], [2]]
        assert len(dataset.notes) == 2

    def test_pictures_with_one_mask_are_named(self, folder):
        dataset = open_dataset(folder({"images/a.jpg": 1, "images/a.png": 1, "images/b.png": 2, "masks/a.png": numbers(0, 1)}))
        assert "pictures with the mask of another one: 1 (images/a.png)" in dataset.notes

    def test_a_folder_called_camvid_has_its_classes(self, folder):
        dataset = open_dataset(folder({"train/1.png": 1, "trainannot/1.png": numbers(3, 8, 11)}, "my-CamVid"))
        assert dataset.class_names[3] == "road"
        assert len(dataset.class_names) == 11
        assert dataset.target(0).void == 11
        assert classes_of(dataset, 0) == [3, 8, 11]
        other = open_dataset(folder({"train/1.png": 1, "trainannot/1.png": numbers(3, 8, 11)}, "streets"))
        assert len(other.class_names) == 12

    def test_without_lists_all_of_vocs_pictures_with_masks(self, folder):
        root = folder({"JPEGImages/a.png": 1, "JPEGImages/b.png": 2, "SegmentationClass/a.png": numbers(0, 3)})
        dataset = open_dataset(root)
        assert list(dataset.wheres()) == ["JPEGImages/a.png"]
        assert "left out, pictures without a mask: 1" in dataset.notes

    def test_a_list_that_names_what_is_not_there(self, folder):
        root = folder({"JPEGImages/a.png": 1, "SegmentationClass/a.png": numbers(0), "ImageSets/Segmentation/val.txt": b"zz\n"})
        with pytest.raises(DataError) as caught:
            open_dataset(root)
        assert caught.value.found == f"no zz in {root / 'JPEGImages'}"
        assert caught.value.remedy == "put the picture back, or correct the list"

    def test_as_classes_they_are_folders_as_before(self, folder):
        root = cells(folder, [numbers(0, 1)] * 2)
        assert open_dataset(root, task="classify").class_names == ("images", "masks")

    def test_each_folder_has_one_layout(self, folder):
        root = cells(folder, [numbers(0, 1)])
        segmenting = [name for name in LAYOUTS if LAYOUTS[name].task == "segment"]
        assert [name for name in segmenting if LAYOUTS[name].recognise(root)] == ["pictures and masks"]

    def test_masks_that_are_nobodys_are_named(self, folder):
        root = cells(folder, [numbers(0, 1)], **{"masks/old.png": numbers(0)})
        assert "left out, masks without a picture: 1 (masks/old.png)" in open_dataset(root).notes

    def test_no_mask_of_any_name(self, folder):
        root = folder({"images/a.png": 1, "masks/b.png": numbers(0)})
        with pytest.raises(DataError) as caught:
            open_dataset(root)
        assert str(caught.value) == (
            f"expected: pictures with masks of the same names\nfound: none of 1 in {root}\nto do: give each mask the name of its picture"
        )


class TestClasses:
    def test_two_values_are_background_and_foreground(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 255), numbers(255)]))
        assert dataset.class_names == ("background", "foreground")
        assert [classes_of(dataset, index) for index in range(2)] == [[0, 1], [1]]

    @pytest.mark.parametrize("levels", [(0, 128, 255), (0, 127, 255), (0, 85, 170, 255), tuple(range(0, 256, 17))])
    def test_masks_drawn_to_be_looked_at(self, folder, levels):
        dataset = open_dataset(cells(folder, [numbers(*levels)]))
        assert dataset.class_names == tuple(f"class {level}" for level in levels)
        assert dataset.target(0).classes[0].unique_consecutive().tolist() == list(range(len(levels)))
        assert dataset.notes[-1] == f"classes by the masks' {len(levels)} levels of grey"
        assert open_dataset(cells(folder, [numbers(*levels)]), void=levels[1]).class_names == tuple(
            f"class {level}" for level in levels if level != levels[1]
        )

    def test_numbers_that_no_mask_has_are_counted(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 100)]))
        assert dataset.notes[-1] == "numbers up to 100 that no mask has: 99; classes.csv may say what the others stand for"

    @pytest.mark.parametrize("mode", ["LA", "RGB", "RGBA"])
    def test_numbers_in_masks_with_more_channels_than_they_need(self, folder, mode):
        grey = Image.fromarray(np.broadcast_to(np.array([0, 1, 2], dtype=np.uint8).repeat(8), SIZE).copy())
        file = io.BytesIO()
        grey.convert(mode).save(file, "PNG")
        dataset = open_dataset(cells(folder, [file.getvalue()]))
        assert dataset.class_names == ("class 0", "class 1", "class 2")
        assert dataset.target(0).classes[0].tolist() == [0] * 8 + [1] * 8 + [2] * 8

    def test_a_grey_one_among_masks_in_colours(self, folder):
        with pytest.raises(DataError, match="masks of class numbers, or a table of their colours"):
            open_dataset(cells(folder, [colours((0, 0, 0)), colours((0, 0, 0), (9, 0, 0)), colours((8, 0, 0))]))

    def test_masks_that_are_jpegs(self, folder):
        file = io.BytesIO()
        Image.fromarray(np.full(SIZE, 1, dtype=np.uint8)).save(file, "JPEG")
        root = cells(folder, [file.getvalue()])
        with pytest.raises(DataError) as caught:
            open_dataset(root)
        assert str(caught.value) == (
            f"expected: masks in a format that keeps numbers\nfound: {root / 'masks/0.png'}, a JPEG\nto do: save masks as PNG"
        )

    def test_beside_other_numbers_255_is_void(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 1, 2, 255)]))
        assert len(dataset.class_names) == 3
        assert classes_of(dataset, 0) == [0, 1, 2, dataset.target(0).void]
        assert "void is 255" in dataset.notes

    def test_void_by_number_within_the_list_moves_the_others_up(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 1, 2)]), void=1)
        assert dataset.class_names == ("class 0", "class 2")
        assert dataset.target(0).classes[0, [0, 12, 23]].tolist() == [0, dataset.target(0).void, 1]

    def test_colours_by_a_list(self, folder):
        table = b"name,red,green,blue\nsky,0,0,255\nroad,90,90,90\nvoid,0,0,0\n"
        dataset = open_dataset(cells(folder, [colours((90, 90, 90), (0, 0, 255), (0, 0, 0))], **{"classes.csv": table}))
        assert dataset.class_names == ("sky", "road")
        assert dataset.target(0).classes[0, [0, 12, 23]].tolist() == [1, 0, dataset.target(0).void]
        assert dataset.notes[-2:] == ("classes by classes.csv", "void is void")

    def test_a_palettes_colours_go_before_its_numbers_where_they_are_listed(self, folder):
        table = b"name,r,g,b\nsky,0,0,255\nroad,90,90,90\n"
        mask = png(np.full(SIZE, 7, dtype=np.uint8), "P", [0] * 21 + [90, 90, 90] + [0] * 744)
        dataset = open_dataset(cells(folder, [mask], **{"class_dict.csv": table}))
        assert classes_of(dataset, 0) == [1]

    @pytest.mark.parametrize(
        ("rows", "masks", "expected"),
        [
            (("ground,0,0,0", "cell,255,255,255"), (numbers(0, 255), numbers(0)), [[0, 1], [0]]),
            (("cell,255,255,255", "ground,0,0,0"), (numbers(0), numbers(0, 255)), [[1], [0, 1]]),
            (("sky,0,0,255", "road,90,90,90", "black,0,0,0"), (numbers(0), colours((0, 0, 255), (90, 90, 90))), [[2], [0, 1]]),
            (("sky,0,0,255", "road,90,90,90", "black,0,0,0"), (numbers(0), numbers(0, 1, 2)), [[0], [0, 1, 2]]),
            (("black,0,0,0", "white,255,255,255"), (numbers(0), numbers(0)), [[0], [0]]),
        ],
    )
    def test_colours_or_numbers_is_told_by_all_masks(self, folder, rows, masks, expected):
        table = "\n".join(("name,red,green,blue", *rows)).encode()
        dataset = open_dataset(cells(folder, masks, **{"classes.csv": table}))
        assert [classes_of(dataset, index) for index in range(len(masks))] == expected

    def test_a_palette_that_has_nothing_to_do_with_the_listed_colours(self, folder):
        mask = png(np.broadcast_to(np.arange(24, dtype=np.uint8) // 12, SIZE).copy(), "P", [1, 2, 3, 4, 5, 6])
        dataset = open_dataset(cells(folder, [mask], **{"classes.csv": b"name,red,green,blue\nsky,0,0,255\nroad,90,90,90\n"}))
        assert classes_of(dataset, 0) == [0, 1]
        assert dataset.notes[-1] == "masks hold numbers"

    def test_names_for_numbers(self, folder):
        dataset = open_dataset(cells(folder, [numbers(0, 2)], **{"classes.txt": b"cell\nwall\nignore\n"}))
        assert dataset.class_names == ("cell", "wall")
        assert classes_of(dataset, 0) == [0, dataset.target(0).void]
        assert open_dataset(cells(folder, [numbers(0, 2)]), void="none").class_names == ("cell", "wall", "ignore")
        assert open_dataset(cells(folder, [numbers(0, 2)]), void="cell").class_names == ("wall", "ignore")

    def test_an_unknown_void_label(self, folder):
        root = cells(folder, [numbers(0, 2)], **{"classes.txt": b"cell\nwall\n"})
        with pytest.raises(UsageError) as caught:
            open_dataset(root, void="wal")
        assert str(caught.value) == "expected: the number or the name of the void label\nfound: 'wal'\nto do: did you mean wall?"
        with pytest.raises(UsageError, match="a void label below 65,536"):
            open_dataset(root, void=70000)

    @pytest.mark.parametrize(
        ("table", "expected", "found"),
        [
            (b"name,red,green,blue\na,1,2,3\na,4,5,6\n", "a name of its own for each class", "a twice in"),
            (b"name,red,green,blue\na,1,2,3\nb,1,2,3\n", "a colour of its own for each class", "(1, 2, 3) twice in"),
            (b"name,red,green,blue\na,1,2,300\n", "red, green and blue from 0 to 255", "1, 2, 300 in line 2 of"),
            (b"name,red,green,blue\n", "a name for each class, and a colour for all or none", "no class in"),
            (b"label,red\na,1\n", "a column name, and red, green and blue for masks in RGB", ""),
            (b"name\n\xff\n", "a list of classes in UTF-8", ""),
            (b"name,red,green,blue\n,1,2,3\n", "a name in every row", "none in line 2 of"),
        ],
    )
    def test_lists_that_cannot_be_used(self, folder, table, expected, found):
        root = cells(folder, [numbers(0, 1)], **{"classes.csv": table})
        with pytest.raises(DataError) as caught:
            open_dataset(root)
        assert caught.value.expected == expected
        assert caught.value.found.startswith(found)

    def test_masks_in_colours_need_a_list(self, folder):
        root = cells(folder, [colours((1, 2, 3))])
        with pytest.raises(DataError) as caught:
            open_dataset(root)
        assert caught.value.expected == "masks of class numbers, or a table of their colours"
        assert caught.value.found == f"{root / 'masks/0.png'}, in colours"

    def test_masks_of_instances(self, folder):
        mask = png((np.arange(20 * 24).reshape(SIZE) * 100).astype(np.uint16))
        with pytest.raises(DataError) as caught:
            open_dataset(cells(folder, [mask]))
        assert caught.value.found == "the number 47,900"

    def test_masks_that_cannot_be_read_at_all(self, folder):
        with pytest.raises(DataError, match="masks that can be read"):
            open_dataset(cells(folder, [b"nothing"]))


class TestFaults:
    def faults(self, root, **options):
        dataset = open_dataset(root, **options)
        found = survey(dataset)
        splits = make_splits(dataset, found.digests, found.faults, seed=0)
        kept = len(splits.train) + len(splits.val) + len(splits.test)
        assert kept + len(splits.set_aside) == len(dataset)
        return {fault.where: (fault.kind, fault.detail) for fault in found.faults}

    def test_each_is_named_and_the_others_are_used(self, folder):
        good = [numbers(0, 1)] * 5
        bad = [numbers(0, 1, size=(20, 25)), numbers(0, 9), numbers(2), b"no picture", numbers(0)[:45]]
        files = {f"images/{i}.png": i for i in range(11)}
        masks = {f"masks/{i}.png": mask for i, mask in enumerate([*good, *bad])}
        root = folder({**files, **masks, "classes.txt": b"cell\nwall\nvoid\n"})
        found = self.faults(root)
        assert set(found) == {f"images/{i}.png" for i in range(5, 11)}
        assert found["images/5.png"] == ("mask", "masks/5.png of 20x25 for a picture of 20x24")
        assert found["images/6.png"] == ("mask", "9 in masks/6.png")
        assert found["images/7.png"] == ("mask", "nothing but void in masks/7.png")
        assert found["images/8.png"] == ("mask", "its mask masks/8.png: a file of another kind")
        assert found["images/9.png"][1].startswith("its mask masks/9.png: damaged or cut short")
        assert found["images/10.png"] == ("mask", "no mask of its name")

    @pytest.mark.parametrize(("orientation", "words"), [(6, ", upright by its EXIF"), (1, "")])
    def test_a_mask_that_was_not_turned_with_its_picture(self, folder, orientation, words):
        exif, file = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        Image.new("RGB", (20, 24) if orientation == 1 else (24, 20)).save(file, "JPEG", exif=exif)
        root = folder({"images/0.jpg": file.getvalue(), "masks/0.png": numbers(0, 1)})
        assert self.faults(root) == {"images/0.jpg": ("mask", f"masks/0.png of 20x24 for a picture of 24x20{words}")}

    def test_colours_outside_the_list(self, folder):
        table = b"name,red,green,blue\nsky,0,0,255\nroad,90,90,90\n"
        root = cells(folder, [colours((0, 0, 255)), colours((0, 0, 255), (1, 2, 3))], **{"classes.csv": table})
        assert self.faults(root) == {"images/1.png": ("mask", "its mask masks/1.png: the colours #010203")}

    def test_masks_of_16_bits_and_single_pixels_are_read(self, folder):
        deep = png(np.full(SIZE, 1, dtype=np.uint16))
        files = {"images/0.png": 0, "masks/0.png": deep, "images/1.png": png(np.zeros((1, 1, 3), dtype=np.uint8))}
        root = folder({**files, "masks/1.png": png(np.zeros((1, 1), dtype=np.uint8))})
        dataset = open_dataset(root)
        assert self.faults(root) == {}
        assert dataset.target(0).classes.int().unique().tolist() == [1]
        batch = Loader(dataset, None, 3, lambda size: (8, 8)).batch(torch.tensor([0, 1]))
        assert batch.pixels.shape == (2, 3, 8, 8)

    def test_no_file_is_altered(self, folder):
        root = cells(folder, [numbers(0, 1), numbers(2)])
        before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.png")}
        check(open_dataset(root))
        assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.png")} == before


def test_a_report_counts_pictures_and_pixels(folder):
    report = check(open_dataset(cells(folder, [numbers(0, 1), numbers(0, 0, 2, 255)])))
    assert report.classes == {"all": {"class 0": 2, "class 1": 1, "class 2": 1}}
    assert report.pixels == {"all": {"class 0": 480, "class 1": 240, "class 2": 120, "void": 120}}


def test_a_mask_that_changed_is_noticed(folder, tmp_path):
    root = cells(folder, [numbers(0, 1)] * 4)
    dataset = open_dataset(root)
    digests = survey(dataset).digests
    write_splits(tmp_path / "splits.csv", make_splits(dataset, digests, [], 0), dataset, digests)
    read_splits(tmp_path / "splits.csv", dataset, digests)
    (root / "masks/2.png").write_bytes(numbers(1, 0))
    with pytest.raises(DataError) as caught:
        read_splits(tmp_path / "splits.csv", open_dataset(root), digests)
    assert caught.value.found == "images/2.png has another target than before"


def test_the_fingerprint_goes_by_masks_too(folder):
    root = cells(folder, [numbers(0, 1)])
    before = open_dataset(root).fingerprint()
    assert open_dataset(root).fingerprint() == before
    assert open_dataset(root, void=1).fingerprint() != before
    (root / "masks/0.png").write_bytes(numbers(0, 1) + b" ")
    assert open_dataset(root).fingerprint() != before


@pytest.mark.parametrize(("widths", "alike"), [([24] * 20, True), ([24] * 19 + [30], True), ([24] * 3 + [18] * 3, False)])
def test_whether_pictures_are_alike(folder, widths, alike):
    files = {f"images/{i}.png": png(np.zeros((20, width, 3), dtype=np.uint8)) for i, width in enumerate(widths)}
    masks = {f"masks/{i}.png": numbers(0, 1, size=(20, width)) for i, width in enumerate(widths)}
    assert open_dataset(folder({**files, **masks})).alike is alike


@pytest.mark.realdata
def test_camvid(real_data):
    dataset = open_dataset("camvid")
    assert [dataset.given_split(index) for index in range(len(dataset))].count("train") == 367
    assert len(dataset) == 468
    assert dataset.alike
    report = check(dataset)
    assert report.faults == ()
    shares = {name: count / sum(report.pixels["train"].values()) for name, count in report.pixels["train"].items()}
    assert shares["road"] == pytest.approx(0.32, abs=0.03)
    assert shares["bicyclist"] < 0.01
