"""What the campaign has found in files of weights, each with its answer since."""

import pytest
import torch

from campaign.answers import refused
from neocog.errors import UsageError, WeightsError
from neocog.models import create_model, read_state, write_weights


def test_a_length_beyond_the_file_is_damage_and_no_want_of_memory(tmp_path, monkeypatch):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"\x80\x02X\xff\xff\xff\x7f")

    def load(*arguments, **named):
        raise MemoryError  # as where half of the memory is not to be had

    monkeypatch.setattr(torch, "load", load)
    found = f"{path}, damaged or cut short (MemoryError)"
    refused(WeightsError, lambda: read_state(path), "a whole file of weights", found, "copy or fetch the file again")
    monkeypatch.setattr("neocog.models.state.available_memory", lambda: 10)
    with pytest.raises(MemoryError):
        read_state(path)


@pytest.mark.parametrize("part", ["weight", "bias"])
@pytest.mark.parametrize("shape", [(), (0,), (1,)])
def test_a_last_layer_of_another_shape_is_named(tmp_path, part, shape):
    state = create_model("softmax_regression", in_channels=1, image_size=(8, 8)).state_dict()
    name = next(key for key in state if key.endswith(part))
    write_weights(tmp_path / "w.safetensors", {**state, name: torch.zeros(shape)}, {"class_names": [str(n) for n in range(10)]})
    for names in (["3", "x"], None):
        with pytest.raises((WeightsError, UsageError)):
            create_model(
                "softmax_regression",
                weights=tmp_path / "w.safetensors",
                in_channels=1,
                image_size=(8, 8),
                num_classes=names and 2,
                class_names=names,
            )


@pytest.mark.filterwarnings("ignore:Validating sparse tensor invariants")
@pytest.mark.parametrize("kind", ["sparse", "complex", "without numbers"])
def test_tensors_that_no_network_holds_are_named(tmp_path, kind):
    plain = torch.eye(3)
    odd = {"sparse": plain.to_sparse(), "complex": plain.to(torch.complex64), "without numbers": plain.to("meta")}[kind]
    path = tmp_path / "weights.pth"
    torch.save({"fc.weight": plain, "fc.bias": odd}, path)
    found = f"{path}, damaged or cut short (fc.bias holds no plain numbers)"
    refused(WeightsError, lambda: read_state(path), "a whole file of weights", found, "copy or fetch the file again")
