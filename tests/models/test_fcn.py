import pytest
import torch

from neocog.errors import UsageError
from neocog.models import MODELS, create_model, write_weights

NAMES = ("fcn32s", "fcn16s", "fcn8s")


def on_meta(name, **options):
    with torch.device("meta"):
        return create_model(name, **options)


@pytest.mark.parametrize(("name", "strides"), [("fcn32s", (32,)), ("fcn16s", (32, 16)), ("fcn8s", (32, 16, 8))])
def test_parameters_in_closed_form(name, strides):
    stages = MODELS["resnet18"].parameters - 513 * 1000
    scores = sum((width + 1) * 21 for stride, width in ((32, 512), (16, 256), (8, 128)) if stride in strides)
    kernels = sum(21 * (4 if stride != strides[-1] else 2 * stride) ** 2 for stride in strides)
    assert stages + scores + kernels == MODELS[name].parameters


def test_the_papers_network_in_closed_form():
    without_last = MODELS["vgg16"].parameters - 4097 * 1000
    scores = 21 * (4097 + 513 + 257)
    assert without_last + scores + 21 * (16 + 16 + 256) == MODELS["fcn8s_2015"].parameters
    assert round(MODELS["fcn8s_2015"].parameters / 1e6) == 134
    assert without_last + scores + 21 * 21 * (16 + 16 + 256) == 134_489_759


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("backbone", ["vgg11_bn", "mobilenet_v3_small", "densenet121", "squeezenet1_1"])
def test_any_backbone(name, backbone):
    network = on_meta(name, backbone=backbone, num_classes=5).eval()
    for size in ((1, 1), (75, 50)):
        assert network(torch.empty(1, 3, *size, device="meta")).shape == (1, 5, *size)


def test_a_finer_map_is_halved_until_stride_32():
    network = on_meta("fcn16s", backbone="vgg11")
    assert network.head.sources == {"stride32": "stage5", "stride16": "stage5"}
    assert len(network.head.pool) == 1
    assert len(on_meta("fcn16s").head.pool) == 0


def test_a_backbone_without_a_map_is_refused():
    with pytest.raises(UsageError) as caught:
        on_meta("fcn8s", backbone="resnet20")
    assert str(caught.value).startswith("expected: a map at stride 16\nfound: resnet20 without one\n")


def test_scores_begin_as_bilinear_interpolation():
    network = create_model("fcn8s", num_classes=3)
    kernel = network.head.ups["stride16"].weight
    row = torch.tensor([1, 3, 3, 1]) / 4
    assert torch.equal(kernel, (row[:, None] * row).expand(3, 1, 4, 4))


def test_classes_that_match_keep_their_scores_and_kernels(tmp_path):
    torch.manual_seed(0)
    source = create_model("fcn8s", class_names=("road", "sky", "tree"))
    with torch.no_grad():
        source.head.ups["stride8"].weight.mul_(torch.tensor([1.0, 2.0, 3.0])[:, None, None, None])
    write_weights(tmp_path / "w", source.state_dict(), {"class_names": ["road", "sky", "tree"], "task": "segment"})
    model = create_model("fcn8s", weights=tmp_path / "w", class_names=("tree", "car"))
    assert model.weights_report.matched_classes == ("tree",)
    assert torch.equal(model.head.scores["stride16"].weight[0], source.head.scores["stride16"].weight[2])
    assert torch.equal(model.head.ups["stride8"].weight[0], source.head.ups["stride8"].weight[2])
    assert torch.equal(model.head.ups["stride8"].weight[1], source.head.ups["stride8"].weight[0])  # bilinear still
