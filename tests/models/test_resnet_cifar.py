import pickle

import pytest
import torch

from neocog.models import create_model


@pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85), (110, 1.7)])
def test_parameters_are_the_papers_and_have_a_closed_form(depth, millions):
    blocks = (depth - 2) // 6
    convolutions = 9 * (3 * 16 + 2 * blocks * (16**2 + 32**2 + 64**2) - 16 * 32 - 32 * 64)
    norms = 2 * (16 + 2 * blocks * (16 + 32 + 64))
    count = sum(parameter.numel() for parameter in create_model(f"resnet{depth}").parameters())
    assert count == convolutions + norms + 65 * 10
    assert round(count / 1e6, 2 if millions < 1 else 1) == millions


@pytest.mark.parametrize("depth", [20, 110])
def test_as_many_layers_have_weights_as_the_name_says(depth):
    model = create_model(f"resnet{depth}")
    assert sum(parameter.ndim > 1 for parameter in model.parameters()) == depth


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
