"""The driver of all attributions: what it finds is what the methods themselves find, however the pictures come."""

import copy
import gc
import tracemalloc

import numpy as np
import pytest
import torch

from examine.handmade import noise
from examine.requesting import convolutional, data_of, request
from neocog.engine import Plan
from neocog.errors import UsageError
from neocog.examine.attributing import attribute
from neocog.examine.checking import ALIKE
from neocog.examine.member import EXAMINATIONS
from neocog.examine.pictures import Pictures
from neocog.explain import EXPLAINERS
from neocog.explain.deletion import BASELINE
from neocog.images import encode_png
from neocog.random import generator
from neocog.run import make_on_the_spot

QUICK = {"smooth_grad": {"samples": 2}, "integrated_gradients": {"steps": 2, "most_steps": 8}, "occlusion": {"positions": 4}}
every_explainer = pytest.mark.parametrize("name", EXPLAINERS.names())


def options(*names):
    return {name: EXPLAINERS[name].Options(**QUICK.get(name, {})) for name in names}


@every_explainer
def test_a_method_is_an_examination_and_its_maps_are_its_own(name):
    trained = convolutional()
    found = EXAMINATIONS[name].run(request(trained, options=options(name)[name], arrays=True))
    (shown,) = Pictures(request(trained))
    layer = "stages.second" if EXPLAINERS[name].layered else None
    draws = generator(0, f"explain {name}", 0)
    own = EXPLAINERS[name].explain(trained.model, shown.objective, shown.batch.images, options(name)[name], layer=layer, generator=draws)
    np.testing.assert_allclose(found.arrays[name], own.maps.numpy(), rtol=1e-5, atol=1e-7)
    assert found.arrays["pictures"].tolist() == [row["picture"] for row in found.facts["pictures"]]
    assert found.facts["methods"][name]["layer"] == layer
    assert [sheet.name for sheet in found.sheets] == ["maps", "deletion_curves", "insertion_curves"]


def test_several_methods_stand_on_one_sheet_with_their_checks():
    names = EXPLAINERS.names()
    found = attribute(request(cascade=2), options(*names))
    assert [sheet.name for sheet in found.sheets] == ["maps", "deletion_curves", "insertion_curves", "cascade"]
    (table,) = found.tables
    assert [row[0] for row in table.rows] == [*names, "random order"]
    assert BASELINE in found.lines
    for name in names:
        facts = found.facts["methods"][name]
        assert 0 <= facts["deletion"] <= 1
        assert 0 <= facts["insertion"] <= 1
        assert facts["must_fall"] == (name not in ("guided_backprop", "deconvnet", "integrated_gradients"))
        assert facts["cascade"][0] == 1
        assert facts["cascade"][-1] == pytest.approx(facts["likeness"], abs=1e-6)
    assert any(line.startswith("integrated_gradients: the shares miss the difference by at most ") for line in found.lines)
    assert "grad_cam looks at the layer stages.second" in found.lines


def test_nothing_of_the_network_is_changed():
    trained = convolutional()
    before, modes = copy.deepcopy(trained.model.state_dict()), [part.training for part in trained.model.modules()]
    attribute(request(trained), options(*EXPLAINERS.names()))
    assert all(torch.equal(value, before[key]) for key, value in trained.model.state_dict().items())
    assert [part.training for part in trained.model.modules()] == modes
    assert all(weights.grad is None for weights in trained.model.parameters())


def test_how_pictures_are_parted_into_batches_does_not_matter(monkeypatch):
    from neocog.examine import pictures

    whole = attribute(request(arrays=True, checked=4), options(*EXPLAINERS.names()))
    monkeypatch.setattr(pictures, "taken_at_once", lambda *_: 4)
    parted = attribute(request(arrays=True, checked=4), options(*EXPLAINERS.names()))
    for name, maps in whole.arrays.items():
        if name != "pictures":
            np.testing.assert_allclose(parted.arrays[name], maps, rtol=1e-3, atol=1e-5)
    assert whole.facts["checked"] == parted.facts["checked"] == 4


def test_checks_are_left_away_where_none_are_asked_for():
    found = attribute(request(checked=0), options("saliency"))
    assert [sheet.name for sheet in found.sheets] == ["maps"]
    assert found.tables == []
    assert "deletion" not in found.facts["methods"]["saliency"]


def test_another_class_gives_another_map():
    first, second = (attribute(request(arrays=True, about=about), options("saliency")).arrays["saliency"] for about in (0, 1))
    assert np.abs(first - second).max() > 1e-4


def test_a_layer_can_be_named_and_one_that_is_not_there_is_refused():
    first, second = (attribute(request(arrays=True, layer=layer), options("grad_cam")).arrays["grad_cam"] for layer in ("first", None))
    assert np.abs(first - second).max() > 1e-4
    with pytest.raises(UsageError) as error:
        attribute(request(layer="third"), options("grad_cam"))
    assert error.value.args[:2] == ("the name of a layer of handmade", "'third'")
    assert "first, second" in error.value.remedy


def test_a_compiled_network_is_computed_eagerly(monkeypatch):
    """Rules for the way back would not be met inside a graph that was compiled before."""
    plain = attribute(request(arrays=True), options("guided_backprop", "grad_cam"))
    stances = []
    monkeypatch.setattr(torch.compiler, "set_stance", lambda stance: stances.append(stance) or __import__("contextlib").nullcontext())
    compiled = attribute(request(convolutional(Plan(compiled=True)), arrays=True), options("guided_backprop", "grad_cam"))
    assert stances == ["force_eager"]
    np.testing.assert_array_equal(plain.arrays["guided_backprop"], compiled.arrays["guided_backprop"])


def test_many_pictures_are_drawn_on_several_sheets_and_no_more_than_is_said(tmp_path, monkeypatch):
    from neocog.examine import attributing

    monkeypatch.setattr(attributing, "MOST_DRAWN", 5)
    monkeypatch.setattr(attributing, "ROWS", 1)
    for number, picture in enumerate(noise(7, 8)):
        (tmp_path / f"{number}.png").write_bytes(encode_png(picture))
    found = attribute(request(pictures=(tmp_path,), checked=2), options("saliency"))
    assert [sheet.name for sheet in found.sheets][:3] == ["maps-1", "maps-2", "maps-3"]
    assert "drawn: the first 5 of 7 pictures" in found.lines
    assert len(found.facts["pictures"]) == 7
    assert found.tables[0].title == "checked on 2 pictures"


def peak(folder, count):
    for number, picture in enumerate(noise(count, 8)):
        (folder / f"{number}.png").write_bytes(encode_png(picture))
    gc.collect()
    tracemalloc.start()
    attribute(request(pictures=(folder,), checked=2), options("saliency"))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_memory_does_not_grow_with_the_pictures(tmp_path, monkeypatch):
    """Of Python's own objects; tensors live as long as the batch that holds them."""
    from neocog.examine import attributing, pictures

    monkeypatch.setattr(pictures, "taken_at_once", lambda *_: 4)
    monkeypatch.setattr(attributing, "MOST_DRAWN", 4)
    (tmp_path / "few").mkdir()
    (tmp_path / "many").mkdir()
    peak(tmp_path / "few", 8)  # what is made once
    alive = []
    plain = pictures.Pictures._shown

    def counted(self, *arguments):
        gc.collect()
        alive.append(sum(issubclass(type(one), torch.Tensor) for one in gc.get_objects()))
        return plain(self, *arguments)

    monkeypatch.setattr(pictures.Pictures, "_shown", counted)
    few, many = peak(tmp_path / "few", 8), peak(tmp_path / "many", 80)
    assert many - few < 72 * 1500  # a few facts for each picture
    later = alive[4:]  # two batches of the few, and of the many all but the first, before which there was none
    assert len(later) > 15
    assert max(later) == min(later)


@pytest.mark.parametrize(("likeness", "falls"), [(0.9, False), (0.1, True)])
def test_a_method_that_should_fall_and_does_not_is_told_of(monkeypatch, likeness, falls):
    from neocog.examine import checking
    from neocog.explain.randomisation import Cascade

    monkeypatch.setattr(
        checking, "randomisation", lambda _module, _explain, maps, *_: Cascade(4, (4,), torch.full((len(maps), 1), likeness))
    )
    found = attribute(request(), options("saliency", "guided_backprop"))
    said = [line for line in found.lines if line.startswith("not to be trusted")]
    assert (said == []) == falls
    if not falls:
        assert said == ["not to be trusted on this network: saliency, alike with random weights"]
    verdicts = {row[0]: row[-1] for row in found.tables[0].rows}
    assert verdicts["saliency"] == ("another map" if falls else "ALIKE, and must not be")
    assert verdicts["guided_backprop"] == ("another map" if likeness < ALIKE else "alike, as is known of it")


def test_a_network_without_weights_has_one_check():
    from torch import nn

    from examine.handmade import asked

    head = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (4, 4)), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    bare = asked({"pool": nn.MaxPool2d(2)}, head, channels=(1,), size=8, classes=4)
    bare.model.register_buffer("kept", torch.zeros(1))
    found = attribute(request(bare, data_of(4, 4)), options("occlusion"))
    assert "likeness" not in found.facts["methods"]["occlusion"]
    assert not any("likeness" in line for line in found.lines)


def test_a_segmentation_is_explained_too(tmp_path):
    trained = make_on_the_spot("unet", options={"base": 2, "depth": 1})
    (tmp_path / "a.png").write_bytes(encode_png(noise(1, 24, 3)[0]))
    assert all("segment" in EXAMINATIONS[name].tasks for name in EXPLAINERS)
    found = attribute(request(trained, pictures=(tmp_path,), arrays=True, checked=1), options("grad_cam", "occlusion"))
    for name in ("grad_cam", "occlusion"):
        assert found.arrays[name].shape == (1, *trained.preprocess.size)  # such a task scales pictures to the network's input
        assert np.isfinite(found.arrays[name]).all()
        assert 0 <= found.facts["methods"][name]["deletion"] <= 1
    assert all(row["answer"].endswith("%") for row in found.facts["pictures"])
