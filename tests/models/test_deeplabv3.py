import pytest
import torch
import torchvision

import families
from neocog.errors import RecipeError, UsageError
from neocog.models import MODELS, create_model, describe, write_weights
from neocog.models.backbone import NEEDED

BACKBONES = [name for name in MODELS.names() if "classify" in MODELS[name].tasks and MODELS[name].traits >= NEEDED]
OF_TORCHVISION = ("deeplabv3_resnet50", "deeplabv3_mobilenet_v3_large")


def theirs_of(name, **options):
    return torchvision.models.get_model(name, weights=None, weights_backbone=None, aux_loss=True, **options)


def on_meta(name, **options):
    with torch.device("meta"):
        return create_model(name, **options)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_a_torchvision_file_fits(name, with_weights_of, disturb):
    theirs = disturb(theirs_of(name, num_classes=4))
    ours = with_weights_of(name, theirs, num_classes=4).eval()
    images = torch.rand(1, 3, 45, 70)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images)["out"], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(ours.forward_train(images)["aux1"], theirs(images)["aux"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_counts_are_torchvisions(name):
    (weights,) = torchvision.models.get_model_weights(name)
    assert MODELS[name].parameters == weights.meta["num_params"]
    counted = sum(row.multiply_adds for row in describe(on_meta(name)).rows)  # torchvision runs the second head in evaluation too
    assert round(counted / 1e9, 3) == weights.meta["_ops"]


@pytest.mark.parametrize(("stride", "rates"), [(8, [12, 24, 36]), (16, [6, 12, 18])])
def test_rates_follow_the_stride(stride, rates):
    network = on_meta("deeplabv3", map_stride=stride)
    assert network.stage_info[-1].stride == stride
    assert [branch.conv.dilation[0] for branch in network.head.body.pyramid.branches] == [1, *rates]


def test_parameters_in_closed_form():
    stages = MODELS["resnet18"].parameters - 513 * 1000
    pyramid = 2 * 512 * 256 + 3 * 9 * 512 * 256 + 5 * 256 * 256 + 6 * 2 * 256
    assert stages + pyramid + 9 * 256 * 256 + 2 * 256 + 257 * 21 == MODELS["deeplabv3"].parameters


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("backbone", families.sampled(BACKBONES))
def test_any_backbone(backbone, stride):
    network = on_meta("deeplabv3", backbone=backbone, num_classes=5, map_stride=stride).eval()
    for size in ((1, 1), (75, 50)):
        assert network(torch.empty(1, 3, *size, device="meta")).shape == (1, 5, *size)


@pytest.mark.parametrize(
    ("backbone", "first"),
    [
        ("resnet18", 0),
        ("vgg11_bn", 0.5 + 1 + 2 + 4),
        ("densenet121", 2 + 4 + 8),
        ("googlenet", 2 + 4 + 8 + 8),
        ("inception_v3", 1 + 2 + 2 + 4 + 4 + 8 + 16),
    ],
)
def test_scores_are_enlarged_from_where_the_points_lie(backbone, first):
    """In closed form: (kernel - 1) / 2 - padding of each layer on the way, times the stride that it meets."""
    head = on_meta("deeplabv3", backbone=backbone).head
    assert (head.first, head.stride) == ((first, first), 16)


def test_of_299_pixels_inception_has_15_points():
    maps = on_meta("deeplabv3", backbone="inception_v3").feature_maps(torch.empty(1, 3, 299, 299, device="meta"), ["mixed7"])["mixed7"]
    assert maps.shape[2:] == (15, 15)
    assert 37 + 14 * 16 == 298 - 37


def test_what_is_no_backbone_is_refused():
    with pytest.raises(UsageError, match="found: lenet5, which has no maps for images of any size"):
        on_meta("deeplabv3", backbone="lenet5")


def test_the_stride_is_8_or_16():
    with pytest.raises(RecipeError, match="8 or 16"):
        on_meta("deeplabv3", map_stride=4)


def test_the_second_head_of_mobilenet_sees_the_first_map_at_stride_8():
    network = on_meta("deeplabv3_mobilenet_v3_large")
    assert list(network.auxiliary) == ["stage3"]
    infos = {info.name: info for info in network.stage_info}
    assert [name for name in infos if name.startswith("stage3")] == ["stage3", "stage3_rest"]
    assert (infos["stage3"].stride, infos["stage3"].channels) == (8, 40)
    assert max(info.stride for info in infos.values()) == 16
    assert network.head.body.pyramid.branches[1].conv.dilation == (12, 12)


@pytest.mark.parametrize("foreign", [True, False])
def test_weights_for_classification_go_into_the_stages_of_the_cut_mobilenet(foreign, tmp_path):
    torch.manual_seed(0)
    if foreign:
        theirs = torchvision.models.mobilenet_v3_large(weights=None, num_classes=7)
        torch.save(theirs.state_dict(), tmp_path / "w")
        source = {MODELS["mobilenet_v3_large"].key_map(key): tensor for key, tensor in theirs.state_dict().items()}
    else:
        source = create_model("mobilenet_v3_large", num_classes=7).state_dict()
        write_weights(tmp_path / "w", source, {"model": "mobilenet_v3_large"})
    model = create_model("deeplabv3_mobilenet_v3_large", weights=tmp_path / "w", num_classes=3)
    own = model.stages.state_dict()
    in_order = [tensor for key, tensor in source.items() if key.startswith("stages.")]
    assert len(own) == len(in_order)
    assert all(torch.equal(ours, given) for ours, given in zip(own.values(), in_order, strict=True))
    report = model.weights_report
    assert all(key.startswith(("head.", "auxiliary.")) for key in report.missing)
    assert all(key.startswith("classifier." if foreign else "head.") for key in report.unexpected)
    write_weights(tmp_path / "whole", model.state_dict(), {"model": "deeplabv3_mobilenet_v3_large"})
    assert create_model("deeplabv3_mobilenet_v3_large", weights=tmp_path / "whole", num_classes=3).weights_report.lines() == []
