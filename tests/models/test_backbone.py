from dataclasses import replace

import pytest
import torch

from neocog.batch import Preprocess
from neocog.errors import UsageError
from neocog.models.backbone import backbone
from neocog.models.entry import MODELS, ModelSpec
from neocog.models.network import Network

SPEC = ModelSpec(5, 3, Preprocess((64, 64), (64, 64)), None, "segment")


def on_meta(name, spec=SPEC):
    with torch.device("meta"):
        return backbone(name, spec)


def test_stages_without_a_head():
    found = on_meta("resnet18")
    assert list(found.stages) == ["stem", "layer1", "layer2", "layer3", "layer4"]
    assert found.channels == (64, 64, 128, 256, 512)
    assert (found.deepest.name, found.deepest.stride, found.least) == ("layer4", 32, 32)


def test_the_last_map_of_a_stride_is_found():
    found = on_meta("mobilenet_v3_large")
    assert found.at_stride(16).name == "stage5"
    assert found.at_stride(3) is None
    assert on_meta("resnet18").at_stride(1) is None


def test_dilated_it_has_no_coarser_stride():
    assert [info.stride for info in on_meta("resnet18").dilated(8).infos] == [2, 4, 8, 8, 8]


def test_it_takes_the_networks_channels():
    spec = ModelSpec(5, 1, Preprocess((64, 64), (64, 64), channels=1, mean=(0.0,), std=(1.0,)), None, "segment")
    assert next(on_meta("resnet18", spec).stages["stem"].parameters()).shape[1] == 1


@pytest.mark.parametrize("name", ["mlp", "perceptron", "lenet5", "unet", "dncnn"])
def test_what_has_no_maps_for_any_size_is_refused(name):
    with pytest.raises(UsageError, match=f"found: {name}, which has no maps for images of any size"):
        on_meta(name)


class Thirds(Network):
    """One convolution at stride 3."""

    def __init__(self, spec):
        head = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(4, spec.num_classes))
        stages = {"stage1": torch.nn.Conv2d(spec.in_channels, 4, 3, stride=3)}
        super().__init__(stages, head, channels=(4,), preprocess=spec.preprocess, num_classes=spec.num_classes)


def test_strides_must_double(monkeypatch):
    monkeypatch.setitem(MODELS._members, "thirds", replace(MODELS["resnet18"], name="thirds", build=Thirds))
    with pytest.raises(UsageError, match="found: thirds, whose maps have the strides 3\n"):
        on_meta("thirds")
