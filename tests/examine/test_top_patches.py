"""The driver against brute force over all pictures at once, and its cache."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from examine.requesting import convolutional, data_of, request
from neocog.errors import UsageError
from neocog.examine.top_patches import TopPatchesOptions, find_patches, top_patches
from neocog.explain.backward_rules import reconstruct
from neocog.explain.top_patches import cut, window_of
from neocog.layers import Reach
from neocog.progress import Silent
from neocog.run import RunFolder

SECOND = Reach(2, 8, 8, -3, -3)  # 3x3 padded, 2x2 at stride 2, 3x3 padded


@pytest.fixture
def in_a_run(tmp_path):
    return replace(convolutional(), folder=RunFolder(tmp_path))


def images_and_maps(trained, count):
    material = data_of(count)().material
    images = material.loader.batch(torch.arange(count)).images
    with torch.no_grad():
        return images, trained.model.feature_maps(images, ["second"])["second"]


def test_facts_equal_brute_force():
    trained = convolutional()
    _, maps = images_and_maps(trained, 20)
    found = top_patches(request(trained, data_of(20), TopPatchesOptions(), arrays=True))
    assert found.facts["layer"] == "second"
    assert (found.facts["receptive_field"], found.facts["stride"], found.facts["units"]) == ([8, 8], 2, 6)
    for unit in found.facts["shown"]:
        own = maps[:, unit["unit"]].flatten(1).amax(1)
        order = [index for index in own.argsort(descending=True, stable=True).tolist() if own[index] > 0][:9]
        assert [patch["picture"] for patch in unit["patches"]] == [f"handmade[{index}]" for index in order]
        for patch, index in zip(unit["patches"], order, strict=True):
            row, column = patch["place"]
            assert patch["activation"] == pytest.approx(float(own[index]), rel=1e-5)
            assert float(maps[index, unit["unit"], row, column]) == pytest.approx(float(own[index]), rel=1e-5)
            assert patch["window"] == list(window_of(SECOND, row, column))
    assert found.arrays["values"].shape == (6, 9)


def test_a_reconstruction_comes_from_its_patch_alone():
    """What the sheet shows beside a patch is all that there is: nothing of it lies beyond the window."""
    trained = convolutional()
    images, _ = images_and_maps(trained, 5)
    batch = data_of(5)().material.loader.batch(torch.arange(5))
    objective = trained.task.objective(trained.model, batch)
    places = torch.tensor([[1, 2]] * 5)
    signal = reconstruct(trained.model, objective, images, "stages.second", torch.zeros(5, dtype=torch.int64), places)
    window = window_of(SECOND, 1, 2)
    inside = torch.stack([cut(one, window).abs().sum() for one in signal])
    assert torch.allclose(inside, signal.abs().sum((1, 2, 3)))


def test_what_was_found_is_kept_until_something_changes(in_a_run):
    folder = in_a_run.folder.path / "explain"
    first = top_patches(request(in_a_run, data_of(12), TopPatchesOptions()))
    assert first.facts["seconds"] > 0
    assert len(list(folder.glob("top_patches-*.safetensors"))) == 1
    again = top_patches(request(in_a_run, data_of(12), TopPatchesOptions()))
    assert again.facts["seconds"] is None
    assert "found before, and kept in the run" in again.lines[0]
    assert again.facts["shown"] == first.facts["shown"]
    for other in (
        request(in_a_run, data_of(13), TopPatchesOptions()),  # other pictures
        request(in_a_run, data_of(12), TopPatchesOptions(), layer="first"),
        request(in_a_run, data_of(12), TopPatchesOptions(patches=4)),
    ):
        assert top_patches(other).facts["seconds"] > 0
    with torch.no_grad():
        in_a_run.model.stages["second"][1].bias[0] += 1.0
    assert top_patches(request(in_a_run, data_of(12), TopPatchesOptions())).facts["seconds"] > 0
    assert len(list(folder.glob("top_patches-*.safetensors"))) == 5


def test_a_damaged_file_is_found_anew(in_a_run):
    top_patches(request(in_a_run, data_of(12), TopPatchesOptions()))
    (path,) = (in_a_run.folder.path / "explain").glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:-20])
    assert top_patches(request(in_a_run, data_of(12), TopPatchesOptions())).facts["seconds"] > 0
    assert top_patches(request(in_a_run, data_of(12), TopPatchesOptions())).facts["seconds"] is None


def test_memory_is_the_same_for_any_number_of_pictures():
    trained = convolutional()
    few, many = (find_patches(trained, data_of(count)(), "stages.second", patches=3, progress=Silent()).found for count in (10, 60))
    assert few.values.shape == many.values.shape
    assert (many.values >= few.values).all()


def test_units_that_are_asked_for_are_shown_and_silent_ones_are_told():
    trained = convolutional()
    with torch.no_grad():
        trained.model.stages["second"][1].weight[3] = 0.0
        trained.model.stages["second"][1].bias[3] = -1.0
    found = top_patches(request(trained, data_of(12), TopPatchesOptions(units=(5, 3), reconstruct=False)))
    assert [unit["unit"] for unit in found.facts["shown"]] == [5, 3]
    assert found.facts["shown"][1]["patches"] == []
    _, maps = images_and_maps(trained, 12)
    silent = int((maps.amax((0, 2, 3)) <= 0).sum())
    assert f"{silent} of them were never above 0" in found.lines
    assert "2 of 6 units are shown; --units chooses others" in found.lines


def test_pictures_beyond_the_most_are_left_out():
    found = top_patches(request(convolutional(), data_of(30), TopPatchesOptions(most=11)))
    assert found.facts["pictures"] == 11


def test_a_layer_without_a_known_receptive_field_is_refused():
    trained = convolutional()
    trained.model.stages["second"] = Hidden(trained.model.stages["second"])
    with pytest.raises(UsageError) as error:
        top_patches(request(trained, data_of(6), TopPatchesOptions(), layer="second.inner.1"))
    assert error.value.args == ("a layer whose receptive field is known", "second.inner.1", "choose a stage: first, second")
    assert top_patches(request(trained, data_of(6), TopPatchesOptions(), layer="second")).facts["receptive_field"] == [8, 8]


class Hidden(nn.Module):
    """Says of itself how far it looks, and of what is inside nothing."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, maps):
        return self.inner(maps)

    def reach(self, before, side):
        return Reach(2, 8, 8, -3, -3)
