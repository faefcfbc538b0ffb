"""A CSV file as a dataset."""

import pytest

from neocog.data.open import open_dataset
from neocog.errors import DataError

PICTURES = {"a/1.png": 1, "a/2.png": 2, "b/3.png": 3}


def table(folder, text, name="list.csv", encoding="utf-8"):
    return folder({**PICTURES, name: text.encode(encoding)}) / name


def test_path_and_label(folder):
    dataset = open_dataset(table(folder, "path,label\na/1.png,cat\nb/3.png,ant\na/2.png,cat\n"))
    assert dataset.class_names == ("ant", "cat")
    assert list(dataset.wheres()) == ["a/1.png", "b/3.png", "a/2.png"]
    assert dataset.class_indices().tolist() == [1, 0, 1]
    assert dataset.given_splits() == ()
    assert dataset.notes == ("the table list.csv",)
    assert dataset.name == "list"
    assert dataset.picture(0).shape == (3, 20, 24)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_separators_further_columns_and_splits(folder, separator, encoding):
    rows = [
        ("Label", "by", "Path", "split"),
        ("x", "me", "a/1.png", "train"),
        ("y", "you", "a/2.png", "Valid"),
        ("x", "", "b/3.png", "test"),
    ]
    dataset = open_dataset(table(folder, "\n".join(separator.join(row) for row in rows), encoding=encoding))
    assert [dataset.given_split(i) for i in range(3)] == ["train", "val", "test"]
    assert dataset.class_names == ("x", "y")


def test_numbers_as_labels_are_sorted_as_numbers(folder):
    dataset = open_dataset(table(folder, "path,label\na/1.png,10\na/2.png,9\nb/3.png,0\n"))
    assert dataset.class_names == ("0", "9", "10")


def test_a_folder_with_one_table_is_read_by_it(folder):
    root = table(folder, "path,label\na/1.png,x\nb/3.png,y\n").parent
    assert open_dataset(root).class_names == ("x", "y")
    (root / "other.csv").write_text("name,score\n1,2\n")
    assert open_dataset(root).class_names == ("x", "y")
    (root / "second.csv").write_text("path,label\na/1.png,x\n")
    assert open_dataset(root).class_names == ("a", "b")


def test_a_picture_listed_twice_alike_counts_once(folder):
    dataset = open_dataset(table(folder, "path,label\na/1.png,x\nb/3.png,y\n./a/1.png,x\n"))
    assert len(dataset) == 2
    assert dataset.notes == ("the table list.csv", "left out, pictures listed twice: a/1.png")


def test_empty_lines_and_backslashes(folder):
    dataset = open_dataset(table(folder, "path,label\n\na\\1.png,x\n,,\nb/3.png,y\n"))
    assert list(dataset.wheres()) == ["a/1.png", "b/3.png"]


def test_absolute_paths_stand_for_themselves(folder):
    root = folder(PICTURES)
    place = folder({"list.csv": f"path,label\n{root / 'a/1.png'},x\n".encode()}, "elsewhere") / "list.csv"
    assert open_dataset(place).picture(0).shape == (3, 20, 24)


@pytest.mark.parametrize(
    ("text", "expected", "found", "remedy"),
    [
        (
            "picture,label\na,b\n",
            "a CSV file in UTF-8 with the columns path and label",
            "{} has not both",
            "name the columns in the first line",
        ),
        ("", "a CSV file in UTF-8 with the columns path and label", "{} has not both", "name the columns in the first line"),
        ("path,label\n", "a row for each picture", "no row in {}", "add rows"),
        ("path,label\na/1.png,x\na/2.png,\n", "a label in every row", "none in line 3 of {}", "fill it in, or take the line away"),
        ("path,label\n,x\n", "a path in every row", "none in line 2 of {}", "fill it in, or take the line away"),
        ("path,label\na/1.png\n", "a label in every row", "none in line 2 of {}", "fill it in, or take the line away"),
        ("path,label,split\na/1.png,x,dev\n", "a split train, val or test", "'dev' in line 2 of {}", "correct the line"),
        (
            "path,label,split\na/1.png,x,train\na/2.png,x,\n",
            "a split in every row or in none",
            "none in line 3 of {}",
            "fill it in",
        ),
        (
            "path,label\na/1.png,x\nb/3.png,x\na/1.png,y\n",
            "one label and one split for each picture",
            "a/1.png has others in line 4 than in line 2 of {}",
            "take one of the lines away",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_said(folder, text, expected, found, remedy):
    place = table(folder, text)
    with pytest.raises(DataError) as caught:
        open_dataset(place)
    assert str(caught.value) == f"expected: {expected}\nfound: {found.format(place)}\nto do: {remedy}"


def test_a_table_that_is_no_text(folder):
    place = folder({**PICTURES, "list.csv": b"path,label\n" + bytes(range(128, 256))}) / "list.csv"
    with pytest.raises(DataError, match="a CSV file in UTF-8"):
        open_dataset(place)
