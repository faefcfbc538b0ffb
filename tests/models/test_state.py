import json
import os
import pickle

import pytest
import safetensors
import safetensors.torch
import torch
import torchvision

from neocog.batch import Preprocess
from neocog.errors import SurroundingsError, WeightsError
from neocog.models import read_state, write_weights

TENSORS = {"a": torch.arange(6, dtype=torch.float32).reshape(2, 3), "b": torch.tensor(3)}


class Evil:
    """Runs a command when it is unpickled by someone who trusts it."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def refused(path):
    with pytest.raises(WeightsError) as caught:
        read_state(path)
    return str(caught.value)


def holds(state):
    return set(state.tensors) == set(TENSORS) and all(torch.equal(state.tensors[key], TENSORS[key]) for key in TENSORS)


def test_the_format_is_that_of_the_safetensors_library(tmp_path):
    numbers = torch.Generator().manual_seed(0)
    wide = torch.randn(4, 3, 5, 2, generator=numbers)
    tensors = {
        "float64": wide.double(),
        "float32": wide.to(memory_format=torch.channels_last),
        "float16": wide.half(),
        "bfloat16": wide.bfloat16(),
        "view": wide[::2, :, 1:],
        "int64": torch.tensor(-(2**40)),
        "int8": torch.arange(-3, 4, dtype=torch.int8),
        "uint8": torch.arange(7, dtype=torch.uint8),
        "uint16": torch.tensor([65535, 1], dtype=torch.uint16),
        "bool": torch.tensor([True, False, True]),
        "nothing": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    path = tmp_path / "w.safetensors"
    write_weights(path, tensors, {"model": "mlp"})
    plain = {name: tensor.detach().clone(memory_format=torch.contiguous_format) for name, tensor in tensors.items()}
    theirs = safetensors.torch.load(safetensors.torch.save(plain))
    ours = safetensors.torch.load_file(path)
    assert set(ours) == set(theirs)
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype
        assert ours[name].shape == tensor.shape
        assert torch.equal(ours[name], tensor)
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_what_is_written_is_read(tmp_path):
    preprocess = Preprocess((8, 8), (9, 9), channels=1, mean=(0.5,), std=(0.5,))
    path = tmp_path / "w.safetensors"
    write_weights(path, TENSORS, {"model": "mlp", "class_names": ["ant", "bee"], "preprocess": preprocess.to_dict(), "epoch": 3})
    state = read_state(str(path))
    assert holds(state)
    assert (state.path, state.model, state.class_names, state.preprocess) == (path, "mlp", ("ant", "bee"), preprocess)
    assert state.metadata["epoch"] == 3
    assert len(state.digest) == 64


def test_foreign_safetensors_are_read(tmp_path):
    safetensors.torch.save_file(TENSORS, tmp_path / "w", {"format": "pt"})
    state = read_state(tmp_path / "w")
    assert holds(state)
    assert (state.model, state.class_names, state.preprocess) == (None, None, None)


def test_ours_are_ordinary_safetensors(tmp_path):
    write_weights(tmp_path / "w", TENSORS, {"model": "mlp"})
    with safetensors.safe_open(tmp_path / "w", framework="np") as file:
        assert json.loads(file.metadata()["neocog"]) == {"model": "mlp"}
        assert file.get_tensor("a").tolist() == TENSORS["a"].tolist()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda tensors: tensors,
        lambda tensors: {"state_dict": {f"module.{key}": value for key, value in tensors.items()}, "best": 0.9},
        lambda tensors: {"model": {f"_orig_mod.module.{key}": value for key, value in tensors.items()}, "epoch": 3},
        lambda tensors: {**tensors, "epoch": 3},
        lambda tensors: {key: torch.nn.Parameter(value.float()) if key == "a" else value for key, value in tensors.items()},
    ],
)
def test_state_dicts_are_found_where_people_put_them(tmp_path, wrap, legacy):
    torch.save(wrap(TENSORS), tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    state = read_state(tmp_path / "w.pt")
    assert holds(state)
    assert not any(tensor.requires_grad for tensor in state.tensors.values())


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path, protocol):
    path = tmp_path / "w.pt"
    path.write_bytes(pickle.dumps({"a": Evil(f"touch {tmp_path}/ran")}, protocol=protocol))
    assert refused(path) == (
        "expected: a file of tensors\n"
        f"found: {path}, a pickle that would run {os.system.__module__}.system\n"
        "to do: do not load it; ask for a safetensors file, or for the state_dict() alone"
    )
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("legacy", [False, True])
def test_code_among_tensors_is_refused(tmp_path, legacy):
    path = tmp_path / "w.pt"
    torch.save({**TENSORS, "c": Evil(f"touch {tmp_path}/ran")}, path, _use_new_zipfile_serialization=not legacy)
    assert f"a pickle that would run {os.system.__module__}.system" in refused(path)
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_network_is_refused_by_the_name_of_its_classes(tmp_path):
    torch.save(torchvision.models.squeezenet1_1(), tmp_path / "w.pt")
    assert "a pickle that would run torch.nn.modules.activation.ReLU, " in refused(tmp_path / "w.pt")


def test_garbage_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    path.write_bytes(b"not weights at all")
    assert refused(path) == (
        f"expected: a safetensors file or a torch state dict\nfound: {path}, a file of another kind\nto do: give the file of weights"
    )


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "w.pt").write_bytes(b"")
    assert "a file of another kind" in refused(tmp_path / "w.pt")


def test_a_missing_file_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    remedy = "give the path of a safetensors file or a state dict"
    assert refused(path) == f"expected: a file of weights\nfound: {path}: No such file or directory\nto do: {remedy}"
    assert "Is a directory" in refused(tmp_path)


def truncated(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    return path


@pytest.mark.parametrize("keep", [0.5, 0.99])
@pytest.mark.parametrize("kind", ["safetensors", "zip", "legacy"])
def test_a_truncated_file_is_refused(tmp_path, kind, keep):
    path = tmp_path / "w"
    tensors = {"a": torch.randn(100, 100)}
    if kind == "safetensors":
        write_weights(path, tensors, {})
    else:
        torch.save(tensors, path, _use_new_zipfile_serialization=kind == "zip")
    text = refused(truncated(path, keep))
    assert text.startswith(f"expected: a whole file of weights\nfound: {path}, damaged or cut short (")
    assert text.endswith(")\nto do: copy or fetch the file again")


def test_a_file_without_tensors_is_refused(tmp_path):
    path = tmp_path / "w.pt"
    for content in ({"epoch": 3}, [1, 2]):
        torch.save(content, path)
        assert refused(path) == f"expected: a file of tensors\nfound: {path} without any\nto do: give a state dict's file"


def test_equal_content_gives_equal_bytes(tmp_path):
    metadata = {"b": 1, "a": [2, 3]}
    write_weights(tmp_path / "1", TENSORS, metadata)
    write_weights(tmp_path / "2", dict(reversed(TENSORS.items())), dict(reversed(metadata.items())))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_any_memory_layout_is_written(tmp_path):
    base = torch.randn(2, 3, 4, 4)
    tensors = {"last": base.to(memory_format=torch.channels_last), "view": base[:, 1], "whole": base, "same": base}
    write_weights(tmp_path / "w", tensors, {})
    assert all(torch.equal(tensor, tensors[key]) for key, tensor in read_state(tmp_path / "w").tensors.items())


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w"
    write_weights(path, TENSORS, {"epoch": 1})
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SurroundingsError, match="No space left on device"):
        write_weights(path, TENSORS, {"epoch": 2})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "metadata", ["[1]", "{", '{"class_names": 3}', '{"class_names": "cat"}', '{"class_names": [1]}', "[" * 100_000, '{"a":' * 100_000]
)
def test_metadata_that_make_no_sense_are_refused(tmp_path, metadata):
    safetensors.torch.save_file(TENSORS, tmp_path / "w", {"neocog": metadata})
    assert "damaged or cut short" in refused(tmp_path / "w")


def test_preprocessing_that_makes_no_sense_is_refused(tmp_path):
    write_weights(tmp_path / "w", TENSORS, {"preprocess": Preprocess((8, 8), (8, 8)).to_dict() | {"std": [0.2, 0, 0.2]}})
    assert refused(tmp_path / "w") == (
        "expected: a list of numbers above 0 for std of the images\n"
        f"found: {tmp_path / 'w'}: [0.2, 0, 0.2]\n"
        "to do: get the file again from where it was made"
    )


def test_a_state_dict_that_holds_itself_is_refused(tmp_path):
    endless = {}
    endless["model"] = endless
    torch.save(endless, tmp_path / "w.pt")
    assert "damaged or cut short" in refused(tmp_path / "w.pt")
