import pytest
import torch
import torchvision

from neocog.models import MODELS, create_model, describe
from neocog.models.resnet import resnet_key

SAMPLE = ["resnet18", "resnet34", "resnet50"]
LARGE = ["resnet101", "resnet152", "wide_resnet50_2", "resnext50_32x4d"]
NAMES = [*SAMPLE, *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


@pytest.mark.parametrize("name", SAMPLE)
def test_torchvisions_weights_give_torchvisions_logits(name, with_weights_of, disturb):
    theirs = disturb(torchvision.models.get_model(name, weights=None))
    ours = with_weights_of(name, theirs).eval()
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        expected = theirs(images)
        torch.testing.assert_close(ours(images), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_the_initial_weights_are_torchvisions(name):
    torch.manual_seed(0)
    theirs = torchvision.models.get_model(name, weights=None).state_dict()
    torch.manual_seed(0)
    ours = create_model(name).state_dict()
    assert all(torch.equal(ours[resnet_key(key)], tensor) for key, tensor in theirs.items())


@pytest.mark.parametrize("name", [*SAMPLE, *LARGE, "plain18", "plain34", "resnet50_2015", "resnet18_cifar"])
def test_as_many_layers_have_weights_as_the_name_says(name):
    shapes = {key: tensor.ndim for key, tensor in on_meta(name).named_parameters()}
    depth = int("".join(filter(str.isdigit, name.partition("_")[0] if name != "wide_resnet50_2" else "50")))
    assert sum(ndim > 1 and ".shortcut." not in key for key, ndim in shapes.items()) == depth


@pytest.mark.parametrize(
    ("name", "billions"), [("resnet18", 1.8), ("resnet34", 3.6), ("resnet50_2015", 3.8), ("plain18", 1.8), ("plain34", 3.6)]
)
def test_multiply_adds_are_the_papers_to_within_its_rounding(name, billions):
    """Table 1, which cuts 3.66 to 3.6 and 3.86 to 3.8."""
    assert describe(on_meta(name)).multiply_adds / 1e9 == pytest.approx(billions, abs=0.07)


def test_striding_first_spares_three_quarters_of_three_convolutions():
    later, first = describe(on_meta("resnet50")), describe(on_meta("resnet50_2015"))
    whole = sum(width * 2 * width * side**2 for width, side in ((128, 56), (256, 28), (512, 14)))
    assert first.multiply_adds == 3_857_973_248
    assert later.multiply_adds - first.multiply_adds == whole * 3 // 4
    assert first.parameters == later.parameters


@pytest.mark.parametrize("depth", [18, 34])
def test_a_plain_network_lacks_the_projections_and_nothing_else(depth):
    plain, residual = on_meta(f"plain{depth}"), on_meta(f"resnet{depth}")
    projections = sum(width * 2 * width + 2 * 2 * width for width in (64, 128, 256))
    assert describe(residual).parameters - describe(plain).parameters == projections
    names = [key for key in residual.state_dict() if ".shortcut." not in key]
    assert [key.replace(".body.", ".") for key in names] == list(plain.state_dict())


def test_a_plain_network_passes_nothing_by():
    plain, residual = (create_model(name, num_classes=2) for name in ("plain18", "resnet18"))
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        plain.stages["layer2"][1][1].norm.weight.zero_()
        residual.stages["layer2"][1].body[1].norm.weight.zero_()
        assert not plain.eval().feature_maps(images, ["layer2"])["layer2"].any()
        assert residual.eval().feature_maps(images, ["layer2"])["layer2"].any()


def test_the_blocks_of_resnext_have_the_papers_parameters():
    """Equation 4: C (256 d + 3·3·d·d + 256 d) for 32 groups of 4 channels, about 70,000."""
    block = on_meta("resnext50_32x4d").stages["layer1"][2]
    convolutions = [unit.conv for unit in block.body]
    assert convolutions[1].groups == 32
    assert sum(conv.weight.numel() for conv in convolutions) == 32 * (256 * 4 + 9 * 4 * 4 + 4 * 256) == 70_144


def test_only_the_inner_convolutions_are_wide():
    wide, narrow = (on_meta(name).stages["layer1"][1].body for name in ("wide_resnet50_2", "resnet50"))
    assert [unit.conv.out_channels for unit in wide] == [128, 128, 256]
    assert [unit.conv.out_channels for unit in narrow] == [64, 64, 256]


def test_the_cifar_stem_keeps_the_resolution():
    model = on_meta("resnet18_cifar")
    assert [info.stride for info in model.stage_info] == [1, 1, 2, 4, 8]
    without_stem = MODELS["resnet18"].parameters - 64 * 3 * 49 - 513 * 1000
    assert sum(parameter.numel() for parameter in model.parameters()) == without_stem + 64 * 3 * 9 + 513 * 10


@pytest.mark.parametrize("key", ["layer1.0.relu", "blocks.0.conv1.weight", "layers.conv1.weight", ""])
def test_foreign_keys_that_are_not_torchvisions_are_harmless(key):
    assert resnet_key(key).removeprefix("stages.") == key
