"""Probes against classes of known separability, and against scikit-learn used by hand."""

import json
from importlib import import_module

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import nn

import neocog
from examine.handmade import asked, identity, loaded, noise, pictures_of
from neocog.errors import DataError, UsageError
from neocog.examine import linear_probes
from neocog.examine.linear_probes import Probe
from neocog.models import create_model

HALVES = torch.arange(200), torch.arange(200, 400)


def signs(seed=0):
    """Pictures whose red and green are each dark or light, and whether they differ: no plane tells it from the channels' means."""
    light = torch.randint(0, 2, (400, 3), generator=torch.Generator().manual_seed(seed))
    pixels = (60 + 100 * light)[:, :, None, None] + noise(400, 4, 3, seed).long() // 16
    return pixels.to(torch.uint8), (light[:, 0] != light[:, 1]).long()


def differences():
    """A 1x1 convolution and relu: what red and green each have more than the other."""
    layer = nn.Conv2d(3, 2, 1, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])[:, :, None, None])
    return nn.Sequential(layer, nn.ReLU())


def test_classes_come_apart_where_the_network_takes_them_apart():
    pixels, labels = signs()
    blind = nn.Linear(2 * 4 * 4, 3)
    with torch.no_grad():
        blind.weight.zero_()
    stages = {"image": identity(3), "differences": differences(), "blind": nn.Sequential(nn.Flatten(), blind)}
    network = asked(stages, nn.Linear(3, 2), channels=(3, 2, 3), size=4, in_channels=3)
    found = linear_probes(network, loaded(pixels, labels), *HALVES, split="test")
    image, taken_apart, nothing = found.probes
    truth, fitted = labels[HALVES[1]], labels[HALVES[0]]
    assert (found.split, found.fitted, found.pictures) == ("test", 200, 200)
    assert [(probe.stage, probe.features) for probe in found.probes] == [("image", 3), ("differences", 2), ("blind", 3)]
    assert image.accuracy < 0.8
    assert taken_apart.accuracy == 1.0
    assert nothing.accuracy == float((truth == fitted.mode().values).double().mean())  # it can only guess the frequent class
    assert all(probe.settled for probe in found.probes)


@pytest.fixture(scope="module")
def digits():
    return neocog.open_dataset("digits")


def test_accuracies_are_those_of_scikit_learn_by_hand(digits):
    torch.manual_seed(0)
    model = create_model("small_convnet", num_classes=10, in_channels=1, image_size=(8, 8), width=4).eval()
    network = asked(dict(model.stages), model.head, channels=(4, 8, 16), size=8, classes=10)
    train, test = torch.arange(0, 600), torch.arange(1000, 1700)
    found = linear_probes(network, loaded(digits.pixels, digits.labels), train, test)
    features = digits.pixels.float() / 255
    for probe, stage in zip(found.probes, model.stages.values(), strict=True):
        with torch.no_grad():
            features = stage(features)
        means = features.numpy().astype(np.float64).mean(axis=(2, 3))
        scaled = (means - means[:600].mean(axis=0)) / means[:600].std(axis=0)
        by_hand = LogisticRegression(max_iter=1000).fit(scaled[:600], digits.labels[:600].numpy())
        # float32 sums in another order may move a picture that lies on a border
        assert probe.accuracy == pytest.approx(by_hand.score(scaled[1000:1700], digits.labels[1000:1700].numpy()), abs=1.5 / 700)
        assert probe.features == means.shape[1]


def test_a_dense_stage_is_taken_as_it_is():
    pixels, labels = noise(400, 4), torch.zeros(400, dtype=torch.int64)
    labels = (pixels[:, 0, 0, 0] > 127).long()  # one pixel of sixteen: lost in the mean
    network = asked({"map": identity(1), "dense": nn.Flatten()}, nn.Linear(16, 2), channels=(1, 16), size=4)
    averaged, whole = linear_probes(network, loaded(pixels, labels), *HALVES).probes
    assert (averaged.features, whole.features) == (1, 16)
    assert averaged.accuracy < 0.75
    assert whole.accuracy > 0.9


def fitted_rows(labels, most, monkeypatch):
    loader = loaded(noise(len(labels), 4), labels)
    rows, ask = [], loader.batch
    monkeypatch.setattr(loader, "batch", lambda indices: rows.append(indices) or ask(indices))
    network = asked({"map": identity(1)}, nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), channels=(1,), size=4)
    train = torch.arange(len(labels) - 1)
    found = linear_probes(network, loader, train, torch.tensor([len(labels) - 1]), pictures=most)
    kept = torch.cat(rows)[:-1]
    assert len(kept) == found.fitted
    return kept


def test_of_many_pictures_the_same_share_of_every_class_is_fitted_on(monkeypatch):
    labels = torch.tensor([0] * 600 + [1] * 300 + [2] * 100 + [0])
    kept = fitted_rows(labels, 100, monkeypatch)
    assert torch.bincount(labels[kept]).tolist() == [60, 30, 10]
    assert len(kept.unique()) == 100
    assert torch.equal(kept, fitted_rows(labels, 100, monkeypatch))
    assert kept.tolist() != [*range(60), *range(600, 630), *range(900, 910)]  # drawn, not the first ones


def test_every_class_is_fitted_on_where_there_is_room(monkeypatch):
    labels = torch.tensor([0] * 500 + [1] * 2 + [2] + [0])
    assert set(labels[fitted_rows(labels, 5, monkeypatch)].tolist()) == {0, 1, 2}
    assert len(fitted_rows(labels, 1000, monkeypatch)) == 503


def test_what_is_refused():
    network = asked({"map": identity(1)}, nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), channels=(1,), size=4)
    loader = loaded(noise(400, 4), torch.zeros(400, dtype=torch.int64))
    with pytest.raises(DataError) as caught:
        linear_probes(network, loader, *HALVES)
    assert str(caught.value) == (
        "expected: several classes for linear probes to tell apart\nfound: one, in 200 training pictures\nto do: fit them on more pictures"
    )
    with pytest.raises(UsageError) as caught:
        linear_probes(network, loader, *HALVES, pictures=1)
    assert str(caught.value) == ("expected: at least 2 training pictures to fit linear probes on\nfound: 1\nto do: give more, as 5000")
    without = asked({}, nn.Sequential(nn.Flatten(), nn.Linear(16, 2)), channels=(), size=4)
    with pytest.raises(UsageError) as caught:
        linear_probes(without, loader, *HALVES)
    assert str(caught.value) == (
        "expected: a network with stages, for linear probes\nfound: handmade, which has none\nto do: leave the probes away"
    )


def test_data_without_one_class_each_are_refused(monkeypatch):
    network = asked({"map": nn.Flatten()}, nn.Linear(16, 2), channels=(16,), size=4)
    loader = loaded(noise(400, 4), torch.zeros(400, dtype=torch.int64))
    monkeypatch.setattr(loader.dataset, "task", "denoise")
    monkeypatch.setattr(loader.dataset, "class_indices", lambda: None)
    with pytest.raises(UsageError) as caught:
        linear_probes(network, loader, *HALVES)
    assert str(caught.value) == (
        "expected: pictures with one class each, for linear probes\nfound: data to denoise\nto do: leave the probes away"
    )


def test_a_fit_that_does_not_settle_is_said(monkeypatch):
    monkeypatch.setattr(import_module("neocog.examine.linear_probes"), "STEPS", 1)
    network = asked({"map": nn.Flatten()}, nn.Linear(16, 2), channels=(16,), size=4)
    pixels = noise(400, 4)
    found = linear_probes(network, loaded(pixels, (pixels[:, 0, 0, 0] > 127).long()), *HALVES)
    assert [probe.settled for probe in found.probes] == [False]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probed") / "run"
    return neocog.train("digits", out=folder, model="small_convnet", width=8, epochs=2, speed="exact", progress=False)


def test_the_split_is_the_runs_test_split_and_files_go_into_its_folder(run):
    found = run.linear_probes(progress=False)
    assert (found.split, found.pictures, found.fitted) == ("test", len(run.evaluate(progress=False).indices), 1439)
    assert [probe.stage for probe in found.probes] == ["block1", "block2", "block3"]
    assert [path.name for path in found.files] == ["linear_probes.json", "linear_probes.png"]
    kept = json.loads((run.path / "linear_probes.json").read_text())
    assert [Probe(**probe) for probe in kept["probes"]] == list(found.probes)
    assert "files" not in kept
    assert found.probes[2].accuracy > found.probes[0].accuracy
    assert found == run.linear_probes(progress=False)


def test_another_place(run, tmp_path):
    assert {path.parent for path in run.linear_probes(split="val", pictures=100, save=tmp_path / "kept", progress=False).files} == {
        tmp_path / "kept"
    }
    run.linear_probes(split="val", pictures=100, save=tmp_path / "kept", progress=False)
    (tmp_path / "linear_probes.png").write_text("mine")
    with pytest.raises(UsageError, match=r"linear_probes\.png, which no evaluation wrote"):
        run.linear_probes(save=tmp_path, progress=False)


def test_the_training_pictures_are_not_evaluated_on(run):
    with pytest.raises(UsageError) as caught:
        run.linear_probes(split="train", progress=False)
    assert str(caught.value) == (
        "expected: a val or test split of digits, beside what is fitted on\nfound: train\nto do: choose another split, or other data"
    )


def test_other_data_need_training_pictures(run):
    with pytest.raises(UsageError) as caught:
        run.linear_probes("digits", progress=False)
    assert str(caught.value) == (
        "expected: a train split of digits, to fit on\nfound: no splits\nto do: name the run alone: it knows what it was trained on"
    )


def test_other_data_may_have_other_classes(run, digits, monkeypatch):
    bright = (digits.pixels.float().mean(dim=(1, 2, 3)) > 80).long()
    other = pictures_of(digits.pixels, bright, "brightness", {"train": 1000, "test": 797})
    monkeypatch.setattr("neocog.api.run.open_dataset", lambda *words, **more: other)
    found = run.linear_probes("brightness", progress=False)
    assert (found.split, found.fitted, found.pictures, found.files) == ("test", 1000, 797, ())
    assert found.probes[0].accuracy > 0.8  # the mean brightness is not far from the channels' means
