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
