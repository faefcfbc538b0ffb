"""Splits: given ones, made ones, equal pictures, and the record of it all."""

from collections import Counter

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from data.conftest import mask_bytes
from neocog.data.dataset import SPLITS
from neocog.data.files import LabelledFiles
from neocog.data.open import open_dataset
from neocog.data.pixels import gather
from neocog.data.splits import make_splits, require_trainable
from neocog.data.survey import survey
from neocog.errors import DataError
from neocog.random import generator


def imagined(tmp_path, labels, splits=None):
    """A dataset of files that need not be there."""
    count = max(labels, default=-1) + 1
    names = tuple(f"class{number}" for number in range(count))
    return LabelledFiles("imagined", tmp_path, [f"{i}.png" for i in range(len(labels))], labels, names, splits=splits)


def made(dataset, seed=0):
    found = survey(dataset)
    return make_splits(dataset, found.digests, found.faults, seed), found.digests


def where(dataset, indices):
    return [dataset.where(index) for index in indices.tolist()]


pools = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=2, max_size=150).filter(
    lambda pool: {label for label, _ in pool} in ({0, 1}, {0, 1, 2}, {0, 1, 2, 3})
)


@settings(max_examples=100, deadline=None)
@given(pools, st.integers(0, 1000))
def test_one_pool(tmp_path_factory, pool, seed):
    labels, digests = [label for label, _ in pool], [bytes([number]) * 16 for _, number in pool]
    dataset = imagined(tmp_path_factory.getbasetemp(), labels)
    try:
        splits = make_splits(dataset, digests, [], seed)
    except DataError:  # all pictures of a class equal one of another class, which went elsewhere
        assume(False)
    parts = [splits.of(split).tolist() for split in SPLITS]
    assert sorted(index for part in parts for index in part) == list(range(len(pool)))
    owners = [{digests[index] for index in part} for part in parts]
    assert sum(map(len, owners)) == len(set().union(*owners))
    again = make_splits(dataset, digests, [], seed)
    assert all(torch.equal(splits.of(split), again.of(split)) for split in SPLITS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 80), min_size=2, max_size=5), st.integers(0, 1000))
def test_parts_are_tenths_of_every_class_within_one(tmp_path_factory, counts, seed):
    labels = [label for label, count in enumerate(counts) for _ in range(count)]
    digests = [index.to_bytes(16, "little") for index in range(len(labels))]
    splits = make_splits(imagined(tmp_path_factory.getbasetemp(), labels), digests, [], seed)
    for label, count in enumerate(counts):
        val, test = (sum(labels[i] == label for i in part.tolist()) for part in (splits.val, splits.test))
        assert abs(val - count / 10) <= 1
        assert abs(test - count / 10) <= 1
        assert count - val - test >= 0.6 * count
        assert (val >= 1) == (count >= 3)
        assert (test >= 1) == (count >= 5)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(SPLITS), st.integers(0, 60)), min_size=4, max_size=120),
    st.integers(0, 5),
)
def test_given_splits_are_never_cut(tmp_path_factory, pool, seed):
    labels, given, digests = [p[0] for p in pool], [p[1] for p in pool], [bytes([p[2]]) * 16 for p in pool]
    dataset = imagined(tmp_path_factory.getbasetemp(), labels, given)
    try:
        splits = make_splits(dataset, digests, [], seed)
    except DataError:
        return
    if set(given) in ({"train"}, {"train", "test"}):
        return
    aside = {name for name, _ in splits.set_aside}
    for index, split in enumerate(given):
        assert (index in splits.of(split).tolist()) != (f"{index}.png" in aside)
    for name in aside:
        index = int(name.removesuffix(".png"))
        later = SPLITS[SPLITS.index(given[index]) + 1 :]
        assert any(digests[other] == digests[index] and given[other] in later for other in range(len(pool)))
    owners = [{digests[index] for index in splits.of(split).tolist()} for split in SPLITS]
    assert sum(map(len, owners)) == len(set().union(*owners))


def parted_one_by_one(pool, labels, digests, seed, smallest):
    """The rule of the made splits, written down with lists and dicts."""
    groups, by_class = {}, {}
    for index in pool:
        groups.setdefault(digests[index], []).append(index)
    for group in groups.values():
        by_class.setdefault(labels[group[0]], []).append(group)
    parts = {"train": [], **{split: [] for split in smallest}}
    for number, members in sorted(by_class.items()):
        drawn = [members[i] for i in torch.randperm(len(members), generator=generator(seed, "splits", 0, number)).tolist()]
        for split, enough in smallest.items():
            count = max(int(len(members) >= enough), int(len(members) * 0.1 + 0.5))
            parts[split] += [index for group in drawn[:count] for index in group]
            drawn = drawn[count:]
        parts["train"] += [index for group in drawn for index in group]
    return {split: sorted(part) for split, part in parts.items()}


def given_one_by_one(labels, places, digests):
    """The rule of the given splits likewise; also who is set aside for whom."""
    parts, aside, owner = {}, [], {}
    for split in reversed(SPLITS):
        found = [index for index in range(len(labels)) if places[index] == split]
        aside += [(index, owner[digests[index]]) for index in found if digests[index] in owner]
        parts[split] = [index for index in found if digests[index] not in owner]
        for index in parts[split]:
            owner.setdefault(digests[index], index)
    return parts, aside


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(SPLITS), st.integers(0, 25)), min_size=3, max_size=80),
    st.sampled_from([(), ("train", "test"), SPLITS]),
    st.integers(0, 50),
)
def test_splits_are_those_of_the_rule_applied_one_by_one(tmp_path_factory, pool, admitted, seed):
    pool = [row for row in pool if not admitted or row[1] in admitted]
    labels, places, digests = [row[0] for row in pool], [row[1] for row in pool], [row[2].to_bytes(16, "big") for row in pool]
    assume(pool)
    dataset = imagined(tmp_path_factory.getbasetemp(), labels, places if admitted else None)
    try:
        splits = make_splits(dataset, digests, [], seed)
    except DataError:
        assume(False)
    aside = []
    if not admitted or set(places) == {"train"}:
        parts = parted_one_by_one(range(len(pool)), labels, digests, seed, {"test": 5, "val": 3})
    else:
        parts, aside = given_one_by_one(labels, places, digests)
        if set(places) == {"train", "test"}:
            parts |= parted_one_by_one(parts["train"], labels, digests, seed, {"val": 3})
    assert {split: splits.of(split).tolist() for split in SPLITS} == {split: parts.get(split, []) for split in SPLITS}
    assert splits.set_aside == [(f"{index}.png", f"the same picture as {other}.png") for index, other in aside]


def test_train_and_val_given_leave_no_test(folder):
    names = [f"{split}/{name}/{number}.png" for split in ("train", "val") for name in "ab" for number in range(6)]
    dataset = open_dataset(folder({name: number for number, name in enumerate(names)}))
    splits, _ = made(dataset)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (12, 12, 0)
    assert splits.set_aside == splits.notes == []


def test_train_and_test_given_make_val_of_train(tmp_path):
    labels = [0] * 40 + [1] * 60 + [0, 1] * 10
    dataset = imagined(tmp_path, labels, ["train"] * 100 + ["test"] * 20)
    digests = [index.to_bytes(16, "little") for index in range(120)]
    splits = make_splits(dataset, digests, [], 0)
    assert splits.test.tolist() == list(range(100, 120))
    assert Counter(labels[i] for i in splits.val.tolist()) == {0: 4, 1: 6}
    assert len(splits.train) == 90
    assert splits.val.tolist() != make_splits(dataset, digests, [], 1).val.tolist()


def test_only_train_given_is_one_pool(tmp_path):
    dataset = imagined(tmp_path, [0, 1] * 50, ["train"] * 100)
    splits = make_splits(dataset, [index.to_bytes(16, "little") for index in range(100)], [], 0)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (80, 10, 10)


def test_copies_of_a_val_picture_leave_train(folder):
    root = folder(
        {
            "train/a/1.png": 1,
            "train/a/2.png": 2,
            "train/b/3.png": 3,
            "val/a/copy.png": 1,
            "val/b/4.png": 4,
            "test/b/5.png": 5,
            "val/b/6.png": 5,
        }
    )
    dataset = open_dataset(root)
    splits, _ = made(dataset)
    assert sorted(splits.set_aside) == [
        ("train/a/1.png", "the same picture as val/a/copy.png"),
        ("val/b/6.png", "the same picture as test/b/5.png"),
    ]
    assert where(dataset, splits.train) == ["train/a/2.png", "train/b/3.png"]
    assert where(dataset, splits.val) == ["val/a/copy.png", "val/b/4.png"]
    assert splits.notes == ["no picture in test of 1 of 2 classes: a"]


def test_copies_within_one_split_stay(folder):
    dataset = open_dataset(folder({"train/a/1.png": 1, "train/a/2.png": 1, "train/b/3.png": 3, "val/a/4.png": 4, "val/b/5.png": 5}))
    splits, _ = made(dataset)
    assert len(splits.train) == 3


def test_the_same_picture_in_two_classes_is_said(folder):
    files = {f"{name}/{number}.png": number + 50 * (name == "b") for name in "ab" for number in range(10)}
    dataset = open_dataset(folder(files | {"a/x.png": 777, "b/y.png": 777}))
    splits, _ = made(dataset)
    assert splits.notes == ["the same picture in two classes: a/x.png = b/y.png"]
    both = {dataset.wheres().index("a/x.png"), dataset.wheres().index("b/y.png")}
    assert any(both <= set(splits.of(split).tolist()) for split in SPLITS)


def test_faulty_pictures_stand_in_no_split(folder):
    dataset = open_dataset(folder({f"{c}/{n}.png": n + 50 * (c == "b") for c in "ab" for n in range(10)} | {"a/bad.png": b""}))
    splits, _ = made(dataset)
    assert splits.set_aside == [("a/bad.png", "empty: an empty file")]
    assert dataset.wheres().index("a/bad.png") not in torch.cat([splits.of(split) for split in SPLITS]).tolist()


def test_classes_too_small_to_spare_a_picture(tmp_path):
    dataset = imagined(tmp_path, [0, 1, 2])
    splits = make_splits(dataset, [bytes([index]) * 16 for index in range(3)], [], 0)
    assert splits.train.tolist() == [0, 1, 2]
    assert splits.notes == ["val is empty: every class has fewer than 3 pictures"]


def test_a_class_that_val_lacks_is_said(folder):
    dataset = open_dataset(folder({"train/a/1.png": 1, "train/b/2.png": 2, "val/a/3.png": 3}))
    splits, _ = made(dataset)
    assert splits.notes == ["no picture in val of 1 of 2 classes: b"]


def test_one_class_only(folder):
    dataset = open_dataset(folder({"cat/1.png": 1, "cat/2.png": 2}))
    with pytest.raises(DataError) as caught:
        made(dataset)
    assert str(caught.value) == (f"expected: at least two classes\nfound: only cat in {dataset.root}\nto do: add pictures of another class")


def test_one_class_of_pixels_only(folder):
    dataset = open_dataset(folder({"images/1.png": 1, "masks/1.png": mask_bytes(0)}))
    with pytest.raises(DataError) as caught:
        made(dataset)
    assert str(caught.value) == (
        f"expected: at least two classes\nfound: only class 0 in the masks of {dataset.root}\n"
        "to do: see that the masks' numbers or colours are those of the classes"
    )


@pytest.mark.parametrize(
    ("files", "note"),
    [
        (("train/images/1.png", "train/images/2.png", "val/images/3.png"), "val is empty: none of its pictures can be used"),
        (
            ("train/images/1.png", "train/images/2.png", "val/images/4.png", "test/images/3.png"),
            "test is empty: none of its pictures can be used",
        ),
        (("images/1.png", "images/3.png", "images/2.png"), "val is empty: there are fewer than 3 pictures"),
    ],
)
def test_a_split_that_is_empty_is_said(folder, files, note):
    pictures = {path: number for number, path in enumerate(files)}
    masks = {path.replace("images", "masks"): mask_bytes(0, 9 if "/3" in path else 1) for path in files}
    dataset = open_dataset(folder({**pictures, **masks, "classes.txt": b"a\nb\n"}))
    splits, _ = made(dataset)
    assert splits.notes == [note]
    assert len(splits.set_aside) == 1


def test_a_class_only_in_val(folder):
    dataset = open_dataset(folder({"train/a/1.png": 1, "train/b/2.png": 2, "val/a/3.png": 3, "val/wolf/4.png": 4}))
    with pytest.raises(DataError) as caught:
        require_trainable(dataset)
    assert str(caught.value) == (
        "expected: every class among the training pictures\nfound: wolf only in val\n"
        "to do: add pictures of wolf to train, or take them away"
    )


def test_a_class_whose_training_pictures_are_all_copies(folder):
    dataset = open_dataset(folder({"train/a/1.png": 1, "train/b/2.png": 2, "val/a/3.png": 3, "val/b/4.png": 2}))
    with pytest.raises(DataError) as caught:
        made(dataset)
    assert str(caught.value) == (
        "expected: every class among the training pictures\n"
        "found: none left of b once faulty pictures and copies are set aside\nto do: add pictures of b to train"
    )


def test_a_test_set_alone_is_test(folder):
    dataset = open_dataset(folder({"test/a/1.png": 1, "test/b/2.png": 2}))
    splits, _ = made(dataset)
    assert (len(splits.train), len(splits.val), len(splits.test)) == (0, 0, 2)


@pytest.mark.parametrize("task", ["detect", "segment", "denoise"])
def test_other_tasks_are_parted_without_classes(task):
    splits, _ = made(open_dataset("shapes", task, count=40, size=(16, 16)))
    assert (len(splits.train), len(splits.val), len(splits.test)) == (32, 4, 4)


def test_digits_are_parted_by_class():
    dataset = open_dataset("digits")
    gathered = gather(dataset, canvas=(8, 8), channels=1)
    splits = make_splits(dataset, gathered.digests, [], 0)
    assert abs(len(splits.val) - 180) < 5
    assert abs(len(splits.test) - 180) < 5
    assert (dataset.labels[splits.test].bincount() - dataset.labels.bincount() / 10).abs().max() < 1


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_published_sets_keep_their_test(name, real_data):
    dataset = open_dataset(name)
    digests = dataset.digests()
    splits = make_splits(dataset, digests, [], 0)
    assert len(splits.test) == 10_000
    assert int(splits.test[0]) == len(dataset) - 10_000
    kept = len(splits.train) + len(splits.val) + len(splits.set_aside)
    assert kept == len(dataset) - 10_000
    assert abs(len(splits.val) / kept - 0.1) < 0.001
