"""What every architecture inherits by being in the registry."""

import copy
import math
from itertools import pairwise

import pytest
import torch
from torch import nn

import families
from neocog.errors import UsageError
from neocog.layers import SqueezeExcitation
from neocog.losses import CLASSIFICATION_LOSSES
from neocog.models import MODELS, create_model, describe, write_weights
from neocog.models.layer_rows import reaches_of

NAMES = MODELS.names()
MOST_PIXELWISE = 30_000_000  # parameters; `unet` has more, and `encoder_decoder` is built of the same parts
BUILT = families.sampled(NAMES, most_pixelwise=MOST_PIXELWISE)  # with real weights; all others run as well, when slow tests do
HUGE = 50_000_000  # parameters; such a network is built for real once, and otherwise on the meta device
MOVABLE = families.sampled([name for name in NAMES if MODELS[name].parameters < HUGE], most_pixelwise=MOST_PIXELWISE)
WITH_STAGES = families.with_trait("stages")
ANY_SIZE = families.with_trait("any_size")
TRANSFERABLE = families.with_trait("transfer")
CLASSES = 7
TASKS = [(name, task) for name in NAMES for task in MODELS[name].tasks]
HEIGHT = 32  # pixels, of the strip that receptive fields are probed on, where the network takes as little


def on_meta(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


@pytest.fixture(scope="module", params=BUILT)
def model(request):
    """In evaluation, with three channels; tests leave it as it is."""
    torch.manual_seed(0)
    network = create_model(request.param, num_classes=CLASSES, image_size=small(request.param)).eval()
    network.name = request.param
    return network


def expected_shape(task, channels, size):
    """Of the output for two images."""
    return {"classify": (2, CLASSES), "segment": (2, CLASSES, *size), "denoise": (2, channels, *size)}[task]


def small(name):
    side = max(MODELS[name].min_size, 16)
    return side, side


def some_images(model, count=2):
    return torch.randn(count, 3, *model.preprocess.size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", NAMES)
def test_parameters_are_as_published(name):
    entry = MODELS[name]
    network = on_meta(name, num_classes=entry.classes, in_channels=entry.channels[0])
    assert sum(parameter.numel() for parameter in network.parameters()) == entry.parameters


@pytest.mark.parametrize("name", NAMES)
def test_multiply_adds_are_as_published(name):
    entry = MODELS[name]
    network = on_meta(name, num_classes=entry.classes, in_channels=entry.channels[0])
    counted = describe(network).multiply_adds
    assert counted > 0
    if entry.multiply_adds is not None:
        assert counted == pytest.approx(entry.multiply_adds, rel=0.01)


@pytest.mark.parametrize(("name", "task"), TASKS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_output_has_the_shape_of_the_task(name, task, channels):
    entry = MODELS[name]
    assert channels in entry.channels
    network = on_meta(name, num_classes=CLASSES, in_channels=channels, task=task)
    assert network.task == task
    assert network.num_classes == (channels if task == "denoise" else CLASSES)
    assert network.preprocess.channels == len(network.preprocess.mean) == len(network.preprocess.std) == channels
    assert network.preprocess.size == entry.input_size
    images = torch.empty(2, channels, *entry.input_size, device="meta")
    shape = expected_shape(task, channels, entry.input_size)
    assert network(images).shape == shape
    outputs = network.forward_train(images)
    assert list(outputs) == ["logits", *(f"aux{number}" for number in range(1, len(network.auxiliary) + 1))]
    assert all(output.shape == shape for output in outputs.values())
    assert (network.auxiliary_weight > 0) == bool(network.auxiliary)
    assert network.loss in CLASSIFICATION_LOSSES


@pytest.mark.parametrize("name", NAMES)
def test_another_size_can_be_asked_for(name):
    side = MODELS[name].min_size
    for size in ((side, side), (side + 5, side + 10)):
        network = on_meta(name, num_classes=CLASSES, image_size=size).eval()
        assert network.preprocess.size == size
        assert network(torch.empty(2, 3, *size, device="meta")).shape == expected_shape(network.task, 3, size)


@pytest.mark.parametrize("name", ANY_SIZE)
def test_one_network_takes_images_of_any_size(name):
    network = on_meta(name, num_classes=CLASSES).eval()
    side = MODELS[name].min_size
    for size in ((side, side), (side + 9, side + 4)):
        assert network(torch.empty(2, 3, *size, device="meta")).shape == expected_shape(network.task, 3, size)


@pytest.mark.parametrize("name", NAMES)
def test_an_image_that_is_too_small_is_refused(name):
    least = MODELS[name].min_size
    with pytest.raises(UsageError) as caught:
        on_meta(name, image_size=(least - 1, 64))
    assert str(caught.value) == (
        f"expected: images of at least {least}x{least} pixels for {name}\n"
        f"found: {least - 1}x64\n"
        "to do: choose a larger image size, or another architecture"
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_number_of_channels_that_is_not_admitted_is_refused(name):
    with pytest.raises(UsageError) as caught:
        on_meta(name, in_channels=2)
    assert str(caught.value) == f"expected: images of 1, 3, 4 channels for {name}\nfound: 2\nto do: convert the images"


@pytest.mark.parametrize("name", NAMES)
def test_keys_do_not_depend_on_what_is_asked_for(name):
    keys = list(on_meta(name).state_dict())
    side = max(64, MODELS[name].min_size)
    assert list(on_meta(name, num_classes=3, in_channels=1, image_size=(side, side)).state_dict()) == keys
    assert all(key.startswith(("stages.", "head.", "auxiliary.")) for key in keys)


@pytest.mark.parametrize("name", TRANSFERABLE)
def test_its_first_layer_sees_the_image_and_its_last_one_gives_the_logits(name):
    network = on_meta(name, num_classes=CLASSES, in_channels=1).eval()
    state = network.state_dict()
    assert next(iter(state)) == f"{network.input_layer}.weight"
    assert state[f"{network.input_layer}.weight"].shape[1] in (1, math.prod(network.preprocess.size))
    assert len(network.output_layers) >= 1 + len(network.auxiliary)
    rows = {key: len(value) for key, value in state.items() if key.rpartition(".")[0] in network.output_layers}
    assert len(rows) > len(network.output_layers)
    assert set(rows.values()) == {network.num_classes}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in TRANSFERABLE])
def test_what_cannot_be_adapted_says_so(name):
    network = on_meta(name)
    assert network.input_layer is None or network.output_layers == ()


@pytest.mark.parametrize("name", MOVABLE)
def test_equal_seeds_give_equal_initial_weights(name):
    states = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        states.append(create_model(name, num_classes=3, image_size=small(name)).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    if "gradient" in MODELS[name].traits:  # a learner may begin with nothing
        assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize("name", MOVABLE)
def test_saved_and_loaded_it_answers_the_same(name, tmp_path):
    torch.manual_seed(0)
    network = create_model(name, num_classes=CLASSES, image_size=small(name)).eval()
    names = [f"class {number}" for number in range(0 if network.task == "denoise" else CLASSES)]
    facts = {"model": name, "task": network.task, "preprocess": network.preprocess.to_dict(), "class_names": names}
    write_weights(tmp_path / "w.safetensors", network.state_dict(), facts)
    again = create_model(name, weights=tmp_path / "w.safetensors").eval()
    assert again.weights_report.lines() == []
    assert again.preprocess == network.preprocess
    assert (again.num_classes, again.task) == (network.num_classes, network.task)
    images = some_images(network)
    assert torch.equal(again(images), network(images))


@pytest.mark.parametrize("name", NAMES)
def test_paper_and_year_are_given(name):
    entry = MODELS[name]
    assert entry.name == name
    assert "https://" in entry.paper
    assert str(entry.year) in entry.paper


def test_gradient_reaches_every_parameter(model):
    if "gradient" not in MODELS[model.name].traits:
        pytest.skip("does not learn by gradient")
    network = copy.deepcopy(model).double()  # initial weights may make gradients smaller than float32 can hold
    sum(output.square().sum() for output in network.forward_train(some_images(model).double()).values()).backward()
    untouched = [name for name, parameter in network.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert untouched == []


def test_an_answer_does_not_depend_on_the_rest_of_the_batch(model):
    images = some_images(model, 3)
    with torch.inference_mode():
        together = model(images)
        alone = torch.cat([model(image[None]) for image in images])
    scale = together.abs().max().item()  # an untrained deep network's logits may be large
    torch.testing.assert_close(together, alone, atol=1e-5 * max(1.0, scale), rtol=0)


def test_the_image_is_not_changed_in_place(model):
    images = some_images(model)
    before = images.clone()
    with torch.inference_mode():
        model(images)
    assert torch.equal(images, before)


def test_channels_last_gives_the_same_answer(model):
    images = some_images(model)
    with torch.inference_mode():
        plain, last = model(images), model(images.to(memory_format=torch.channels_last))
    torch.testing.assert_close(plain, last, atol=1e-5 * max(1.0, plain.abs().max().item()), rtol=0)


def test_it_runs_under_autocast(model):
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = model(some_images(model))
    assert logits.dtype in (torch.bfloat16, torch.float32)  # a head may ask for more than its input has
    assert logits.isfinite().all()


def least_without_padding(network):
    """Side of an image that the stages themselves can do with, where the network surrounds it because they are not padded."""
    if getattr(network, "surround", None) is None:
        return 0
    return network.stage_info[-1].receptive_field + 2 * network.stage_info[-1].stride


def test_feature_maps_are_those_of_stage_info_whichever_are_asked_for(model):
    side = max(model.preprocess.size[0], least_without_padding(model))
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(3))
    names = [info.name for info in model.stage_info]
    assert names == list(model.stages)
    with torch.inference_mode():
        together = model.feature_maps(images, names)
        alone = {name: model.feature_maps(images, [name])[name].clone() for name in names}
    assert list(together) == names
    for info in model.stage_info:
        assert together[info.name].shape[:2] == (2, info.channels)
        # A later stage that worked in place would show here.
        assert torch.equal(together[info.name], alone[info.name])


@pytest.mark.parametrize("name", WITH_STAGES)
def test_a_map_has_a_point_for_each_stride_of_the_image(name):
    side = 320
    network = on_meta(name, image_size=(side, side))
    maps = network.feature_maps(torch.empty(1, 3, side, side, device="meta"), list(network.stages)[::-1])
    assert list(maps) == list(network.stages)[::-1]
    for info in network.stage_info:
        # Convolutions without padding lose points at the border.
        least, most = (side - info.receptive_field) / info.stride, side / info.stride + 1
        assert maps[info.name].ndim == 4
        assert all(least <= length <= most for length in maps[info.name].shape[2:])


@pytest.mark.parametrize("name", families.light(WITH_STAGES, most=12_000_000))
def test_strides_and_receptive_fields_are_those_that_gradients_show(name):
    network = on_meta(name)
    infos = network.stage_info
    height = max(HEIGHT, MODELS[name].min_size, least_without_padding(network))
    length = -(-(max(info.receptive_field for info in infos) + 3 * infos[-1].stride) // 32) * 32
    network = on_meta(name, image_size=(height, max(height, length)))
    reaches = reaches_of(network, max(height, length))
    stages = linear(network.stages)
    image = torch.full((1, 3, height, max(height, length)), 1e-6, dtype=torch.float64, requires_grad=True)
    maps = image
    for info, stage in zip(infos, stages.values(), strict=True):
        maps = stage(maps)
        middle = maps.shape[3] // 2
        columns = [seen(image, maps[0, :, maps.shape[2] // 2, position]) for position in (middle - 1, middle)]
        assert columns[1][1] - columns[1][0] + 1 == info.receptive_field
        assert columns[1][0] - columns[0][0] == info.stride
        assert columns[1][0] == reaches[f"stages.{info.name}"].left + middle * info.stride


def seen(image, values):
    (gradient,) = torch.autograd.grad(values.sum(), image, retain_graph=True)
    columns = gradient.abs().sum(dim=(0, 1, 2)).nonzero().flatten()
    return columns[0].item(), columns[-1].item()


class SpreadAverage(nn.Module):
    """The mean of a dilated window, which torch's average pooling has not."""

    def __init__(self, pool):
        super().__init__()
        self.sizes = {"stride": pool.stride, "padding": pool.padding, "dilation": pool.dilation}
        self.side = pool.kernel_size

    def forward(self, maps):
        window = maps.new_full((1, 1, self.side, self.side), 1 / self.side**2)
        means = nn.functional.conv2d(maps.flatten(0, 1)[:, None], window, **self.sizes)
        return means.view(*maps.shape[:2], *means.shape[2:])


def averaging(pool):
    """The mean where a maximum was."""
    if pool.dilation not in (1, (1, 1)):
        return SpreadAverage(pool)
    return nn.AvgPool2d(pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode)


def linear(stages):
    """The stages with averaging in place of learnt weights and of maxima, so that every path carries gradient."""
    stages = copy.deepcopy(stages).to_empty(device="cpu").double().eval()
    for parent in list(stages.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SqueezeExcitation):
                setattr(parent, name, nn.Identity())  # its sight of the whole picture is not counted
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, name, averaging(child))
            if isinstance(child, nn.Conv2d):
                nn.init.constant_(child.weight, 1 / child.weight[0].numel())
                if child.bias is not None:
                    nn.init.zeros_(child.bias)
            elif isinstance(child, nn.BatchNorm2d):
                child.reset_parameters()
                child.reset_running_stats()
            else:
                for part, parameter in child.named_parameters(recurse=False):
                    nn.init.constant_(parameter, 0.0 if part == "bias" else 0.1)
    return stages


def test_depth_makes_receptive_fields_larger(model):
    for shallow, deep in pairwise(model.stage_info):
        assert deep.receptive_field >= shallow.receptive_field
        assert deep.stride >= shallow.stride
