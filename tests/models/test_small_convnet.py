import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.nn import functional

from neocog.errors import UsageError
from neocog.models import create_model


@pytest.mark.parametrize(("width", "channels", "classes"), [(32, 3, 10), (8, 1, 4)])
def test_parameters_in_closed_form(width, channels, classes):
    model = create_model("small_convnet", num_classes=classes, in_channels=channels, width=width)
    convolutions = 9 * (channels * width + width**2 * (1 + 2 + 4 + 8 + 16))
    norms = 2 * 2 * (1 + 2 + 4) * width
    assert sum(parameter.numel() for parameter in model.parameters()) == convolutions + norms + (4 * width + 1) * classes


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"width": 0}, "expected: width to be a whole number of at least 1\nfound: 0\n"),
        ({"dropout": 1.0}, "expected: dropout to be a number from 0 to 0.9\nfound: 1.0\n"),
    ],
)
def test_impossible_options_are_refused(options, text):
    with pytest.raises(UsageError) as caught:
        create_model("small_convnet", **options)
    assert str(caught.value).startswith(text)


def test_it_learns_real_digits_in_seconds():
    digits = load_digits()
    train_x, test_x, train_y, test_y = train_test_split(
        torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16, torch.tensor(digits.target), test_size=360, random_state=0
    )
    torch.manual_seed(0)
    epochs, size = 6, 64
    model = create_model("small_convnet", num_classes=10, in_channels=1, image_size=(8, 8))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=epochs * -(-len(train_x) // size))
    for _ in range(epochs):
        for rows in torch.randperm(len(train_x)).split(size):
            optimizer.zero_grad()
            functional.cross_entropy(model((train_x[rows] - 0.5) / 0.25), train_y[rows]).backward()
            optimizer.step()
            schedule.step()
    with torch.inference_mode():
        accuracy = (model.eval()((test_x - 0.5) / 0.25).argmax(dim=1) == test_y).float().mean().item()
    assert accuracy >= 0.98


def test_without_norms_there_are_biases_instead():
    torch.manual_seed(0)
    with_norms, without = (create_model("small_convnet", num_classes=10, width=8, norm=norm) for norm in ("batch", "none"))
    assert not [name for name in without.state_dict() if "norm" in name]
    convolutions = {name for name in with_norms.state_dict() if name.endswith("conv.weight")}
    assert {name for name in without.state_dict() if name.endswith("conv.weight")} == convolutions
    assert {name for name in without.state_dict() if name.endswith("conv.bias")} == {
        name.replace("weight", "bias") for name in convolutions
    }
    assert sum(parameter.numel() for parameter in without.parameters()) == sum(p.numel() for p in with_norms.parameters()) - 7 * 2 * 8
    assert [info.receptive_field for info in without.stage_info] == [info.receptive_field for info in with_norms.stage_info]


def test_norms_that_change_nothing_leave_the_same_network():
    torch.manual_seed(0)
    without = create_model("small_convnet", num_classes=10, width=8, norm="none").eval()
    with_norms = create_model("small_convnet", num_classes=10, width=8).eval()
    state = {name: value for name, value in without.state_dict().items() if not name.endswith("conv.bias")}
    assert with_norms.load_state_dict(state, strict=False).unexpected_keys == []
    for module in with_norms.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eps = 0.0  # mean 0, variance 1, scale 1, shift 0 are a fresh norm's
    images = torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(with_norms(images), without(images))
