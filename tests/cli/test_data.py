"""`neocog data`."""

import numpy as np
import pytest
from PIL import Image

from cli.folders import hashes, picture, saved


def test_what_is_in_a_folder(tell, photos):
    data = photos({"cat/copy.png": saved(picture(0)), "dog/wide.png": saved(picture(150, 30, 90))})
    told = tell("data", data, "--json")
    assert told.exit_code == 0
    answer = told.answer
    assert (answer["dataset"], answer["task"], answer["class_names"]) == ("photos", "classify", ["cat", "dog"])
    assert answer["classes"] == {"all": {"cat": 11, "dog": 11}}
    assert answer["heights"] == {"least": 20, "median": 20, "most": 30}
    assert answer["widths"] == {"least": 24, "median": 24, "most": 90}
    assert (answer["colour"], answer["grey"]) == (22, 0)
    assert answer["duplicates"] == [["cat/0.png", "cat/copy.png"]]
    assert answer["faults"] == answer["notes"] == answer["obstacles"] == []
    assert sum(answer["splits"].values()) == 22


def test_the_report_for_people(tell, photos):
    told = tell("data", photos({"cat/copy.png": saved(picture(0)), "dog/empty.png": b""}))
    assert told.exit_code == 0  # one bad file among many does not keep anybody from training
    lines = told.out.splitlines()
    assert "pictures  22 (21 colour)" in lines
    assert "height    20 pixels" in lines
    assert "training  17 train, 2 val, 2 test" in lines
    assert "dog     10" in lines
    assert lines[lines.index("cannot be used: 1") + 1] == "  dog/empty.png: an empty file"
    assert lines[lines.index("twice or more: 1") + 1] == "  cat/0.png = cat/copy.png"


def test_given_splits_have_a_column_each_and_leaks_are_named(tell, tmp_path):
    data = tmp_path / "photos"
    for split, numbers in {"train": range(6), "val": range(5, 8)}.items():
        for name, base in {"cat": 0, "dog": 100}.items():
            for number in numbers:
                path = data / split / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(saved(picture(base + number)))
    out = tell("data", data).out.splitlines()
    assert "class  train  val" in out
    assert "cat        6    3" in out
    assert "in more than one split (training sets the copies aside): 2" in out
    assert "  train/cat/5.png = val/cat/5.png" in out
    assert "training  10 train, 6 val, 0 test" in out


def test_data_that_training_would_refuse_exit_with_3(tell, photos):
    data = photos({f"cat/{number}.png": b"" for number in range(10)})
    told = tell("data", data, "--json")
    assert told.exit_code == 3
    assert told.answer["exit_code"] == 3
    assert told.answer["splits"] == {}
    assert told.answer["obstacles"][0] == (
        "expected at most 1% of the pictures unreadable, found 10 of 20, the first of them cat/0.png (an empty file)"
    )
    told = tell("data", data)
    assert told.exit_code == 3
    assert "training would refuse: expected at most 1% of the pictures unreadable" in told.out


def test_long_lists_are_cut_for_people_and_whole_in_json(tell, photos):
    data = photos({f"cat/again-{number}.png": saved(picture(number)) for number in range(10)} | {"dog/x.png": saved(picture(101))})
    out = tell("data", data).out
    assert "twice or more: 11" in out
    assert "… and 1 more; --json names them all" in out
    assert len(tell("data", data, "--json").answer["duplicates"]) == 11


def test_a_named_dataset_with_its_options(tell):
    answer = tell("data", "--count", "30", "--size", "16x20", "shapes", "--json").answer
    assert answer["pictures"] == {"all": 30}
    assert answer["heights"] == {"least": 16, "median": 16, "most": 16}


def test_another_task_of_a_dataset(tell):
    answer = tell("data", "shapes", "--count", "5", "--task", "segment", "--json").answer
    assert answer["task"] == "segment"


def test_a_sheet_of_pictures_before_and_after_augmentation(tell, photos, tmp_path):
    data, sheet = photos({"cat/0.png": b""}), tmp_path / "new" / "sheet.png"
    before = hashes(data)
    told = tell("data", data, "--show", sheet, "--json")
    assert told.exit_code == 0, told.err
    assert told.answer["sheet"] == str(sheet)
    with Image.open(sheet) as image:
        default = np.asarray(image)
    assert default.shape[1] > 1000  # eight pictures of 160 pixels in a row
    tell("data", data, "--show", sheet, "--augment", "none")
    with Image.open(sheet) as image:
        assert not np.array_equal(default, np.asarray(image))
    assert tell("data", data, "--show", sheet, "--augment", "mixup", "cutout", "--cutout-share", "0.3").exit_code == 0
    assert hashes(data) == before


def test_without_augmentation_a_picture_stays_as_it_is():
    import torch

    from neocog.recipe import Recipe
    from neocog.training.preview import augmentation_sheet

    sheet = augmentation_sheet(Recipe(dataset="digits", augment=()), {})
    cells = sheet[:, 53:213, 16:].unfold(2, 160, 172)  # the first row: cells of 160 pixels, 12 apart
    first = cells[:, :, :4]
    assert torch.equal(first, first[:, :, :1].expand_as(first))


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (
            ["DATA", "--show", "x.jpg"],
            ["expected a file name that ends in .png for --show", "found x.jpg", "to do: write it as --show x.png"],
        ),
        (["DATA", "--show", "DATA/x.png"], ["expected a place outside the dataset for --show", None, None]),
        (["DATA", "--show", "x.png", "--augment", "flop"], ["expected the name of an augmentation", "found 'flop'", None]),
        (["DATA", "--augment", "flip", "--crop-padding", "3"], ["expected a flag of neocog data", "found '--crop-padding'", None]),
        (["digts"], ["expected the name of a dataset, a folder or a CSV file", "found no digts", "to do: did you mean digits?"]),
        ([], ["expected the arguments of neocog data", "found the following arguments are required: DATA", None]),
    ],
)
def test_what_is_refused(words, lines, tell, photos, tmp_path, monkeypatch):
    data = photos()
    monkeypatch.chdir(tmp_path)
    told = tell("data", *(word.replace("DATA", str(data)) for word in words))
    assert told.exit_code == 2
    said = told.err.splitlines()[-3:]
    assert said[0] == "neocog: " + lines[0]
    assert lines[1] is None or said[1] == lines[1]
    assert lines[2] is None or said[2] == lines[2]
