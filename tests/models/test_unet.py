import pytest
import torch

from neocog.errors import RecipeError, UsageError
from neocog.models import MODELS, create_model, describe

ENCODERS = [name for name in MODELS.names() if name in ("resnet18", "vgg11_bn", "mobilenet_v3_small", "densenet121", "efficientnet_b0")]


def on_meta(name="unet", **options):
    with torch.device("meta"):
        return create_model(name, **options)


def test_parameters_in_closed_form():
    widths = [64, 128, 256, 512, 1024]
    down = sum(9 * (before * width + width * width) + 4 * width for before, width in zip([1, *widths], widths, strict=False))
    up = sum(4 * 2 * width * width + width + 9 * 3 * width * width + 4 * width for width in widths[:-1])
    assert down + up + 64 * 2 + 2 == MODELS["unet"].parameters == 31_036_546


def test_it_is_the_papers_network_but_for_biases_and_norms():
    channels = 2 * sum([64, 128, 256, 512, 1024]) + 2 * sum([64, 128, 256, 512])
    assert channels == 5_888
    assert MODELS["unet"].parameters - MODELS["unet_2015"].parameters == 2 * channels - channels
    assert round(MODELS["unet_2015"].parameters / 1e6, 1) == 31.0


def test_without_skips_only_the_first_convolution_of_each_step_is_smaller():
    fewer = sum(9 * width * width for width in (64, 128, 256, 512))
    assert MODELS["unet"].parameters - MODELS["encoder_decoder"].parameters == fewer


@pytest.mark.parametrize(("base", "depth"), [(4, 1), (8, 3), (2, 6)])
def test_any_depth_and_width(base, depth):
    network = create_model("unet", base=base, depth=depth, num_classes=3).eval()
    assert [(info.stride, info.channels) for info in network.stage_info] == [(2**level, base * 2**level) for level in range(depth + 1)]
    with torch.inference_mode():
        for size in ((1, 1), (37, 50), (64, 64)):
            assert network(torch.rand(1, 3, *size)).shape == (1, 3, *size)


@pytest.mark.parametrize("name", ["unet", "encoder_decoder"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_any_network_may_contract(name, encoder):
    network = on_meta(name, encoder=encoder, num_classes=5).eval()
    assert list(network.stages) == list(on_meta(encoder).stages)
    for size in ((1, 1), (45, 70)):
        assert network(torch.empty(1, 3, *size, device="meta")).shape == (1, 5, *size)


def test_a_map_at_every_stride_is_joined_at_full_resolution_too():
    assert on_meta(encoder="vgg11_bn").head.taps == ("stage1", "stage2", "stage3", "stage4", "stage5")
    assert on_meta(encoder="resnet18").head.taps == ("stem", "layer1", "layer2", "layer3", "layer4")
    assert on_meta().head.taps == tuple(f"stage{number}" for number in range(1, 6))
    assert on_meta("encoder_decoder").head.taps == ("stage5",)


def test_the_encoder_keeps_the_initial_weights_of_its_family():
    torch.manual_seed(0)
    theirs = create_model("resnet18", num_classes=1).stages.state_dict()
    torch.manual_seed(0)
    ours = create_model("unet", encoder="resnet18").stages.state_dict()
    assert all(torch.equal(value, theirs[key]) for key, value in ours.items())


@pytest.mark.parametrize("encoder", ["lenet5", "mlp", "unet", "perceptron"])
def test_what_has_no_maps_cannot_contract(encoder):
    with pytest.raises(UsageError) as caught:
        on_meta(encoder=encoder)
    assert str(caught.value) == (
        f"expected: a classification network for the stages\nfound: {encoder}, which has no maps for images of any size\n"
        "to do: choose another backbone, as resnet18"
    )


def test_an_unknown_encoder_brings_a_suggestion():
    with pytest.raises(UsageError, match="did you mean resnet18"):
        on_meta(encoder="resnt18")


@pytest.mark.parametrize(("option", "value"), [("base", 0), ("depth", 0), ("depth", 9), ("upsampling", "nearest")])
def test_options_out_of_range_are_refused(option, value):
    with pytest.raises(RecipeError, match=option):
        on_meta(**{option: value})


def test_resizing_convolutions_have_a_kernel_of_three():
    transposed, resized = on_meta(base=8), on_meta(base=8, upsampling="resize")
    widths = (8, 16, 32, 64)
    more = sum(2 * width * width * (9 - 4) for width in widths)
    assert describe(resized).parameters - describe(transposed).parameters == more


def test_for_denoising_the_answer_is_the_image_less_what_the_head_gives():
    torch.manual_seed(0)
    network = create_model("unet", base=4, depth=2, in_channels=1, task="denoise").eval()
    torch.nn.init.zeros_(network.head.conv.weight)
    torch.nn.init.constant_(network.head.conv.bias, 0.25)
    images = torch.rand(2, 1, 13, 9)
    assert torch.equal(network(images), images - 0.25)
    assert torch.equal(network.forward_train(images)["logits"], images - 0.25)


def test_a_point_of_the_answer_sees_what_the_reach_says():
    network = create_model("unet", base=2, depth=2).eval()
    rows = {row.name: row for row in describe(network, (64, 64)).layers if row.stage == "head"}
    network.double()
    seen = rows["conv"].receptive_field
    assert seen > max(info.receptive_field for info in network.stage_info)
    image = torch.rand(1, 3, 128, 128, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(image)[0, :, 64, 64].sum(), image)
    columns = gradient.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    assert columns[-1] - columns[0] + 1 <= seen
