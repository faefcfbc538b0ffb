import pickle

import pytest
import torch

from neocog.models import create_model

FORMS = ["resnet", "plain"]
DEPTHS = [20, 32, 44, 56, 110]


def on_meta(name):
    with torch.device("meta"):
        return create_model(name)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_parameters_are_the_papers_and_have_a_closed_form(form, depth, millions):
    blocks = (depth - 2) // 6
    convolutions = 9 * (3 * 16 + 2 * blocks * (16**2 + 32**2 + 64**2) - 16 * 32 - 32 * 64)
    norms = 2 * (16 + 2 * blocks * (16 + 32 + 64))
    count = sum(parameter.numel() for parameter in on_meta(f"{form}{depth}").parameters())
    assert count == convolutions + norms + 65 * 10
    assert round(count / 1e6, 2 if millions < 1 else 1) == millions


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("depth", DEPTHS)
def test_as_many_layers_have_weights_as_the_name_says(form, depth):
    assert sum(parameter.ndim > 1 for parameter in on_meta(f"{form}{depth}").parameters()) == depth


@pytest.mark.parametrize("depth", [20, 110])
def test_equal_seeds_give_plain_and_residual_networks_equal_weights(depth):
    states = []
    for form in FORMS:
        torch.manual_seed(0)
        states.append(create_model(f"{form}{depth}").state_dict())
    residual, plain = states
    assert [key.replace(".body.", ".") for key in residual] == list(plain)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(residual.values(), plain.values(), strict=True))


def test_a_shortcut_carries_the_maps_past_a_body_that_adds_nothing():
    images = torch.randn(1, 3, 32, 32)
    maps = {}
    for form in FORMS:
        model = create_model(f"{form}20").eval()
        with torch.no_grad():
            for block in model.stages["layer1"]:
                (block.body[1] if form == "resnet" else block[1]).norm.weight.zero_()
            maps[form] = model.feature_maps(images, ["stem", "layer1"])
    assert torch.equal(maps["resnet"]["layer1"], maps["resnet"]["stem"])
    assert not maps["plain"]["layer1"].any()


@pytest.mark.realdata
@pytest.mark.parametrize(("depth", "least"), [(20, 0.75), (32, 0.75), (44, 0.75), (56, 0.75)])
def test_published_weights_classify_cifar10(real_data, depth, least):
    """On the JPEG copy of CIFAR-10, where networks trained on the original pixels lose about a tenth."""
    (path,) = (real_data / "weights" / "resnet_cifar10").glob(f"resnet{depth}-*.th")
    model = create_model(f"resnet{depth}", weights=path).eval()
    report = model.weights_report
    assert report.missing == report.unexpected == ()
    assert not report.replaced_head
    with (real_data / "cifar-10-batches-py" / "test_batch").open("rb") as file:
        batch = pickle.load(file, encoding="bytes")
    count = 500
    pixels = torch.from_numpy(batch[b"data"][:count]).reshape(count, 3, 32, 32)
    with torch.inference_mode():
        logits = model(model.preprocess.normalise(pixels.float() / 255))
    accuracy = (logits.argmax(dim=1) == torch.tensor(batch[b"labels"][:count])).float().mean().item()
    assert accuracy > least
