import torch

from neocog.models import create_model, describe


def test_the_logits_are_linear_in_the_pixels():
    model = create_model("softmax_regression", num_classes=3, in_channels=1, image_size=(4, 5))
    images = torch.randn(2, 1, 4, 5)
    torch.testing.assert_close(model(images), images.reshape(2, 20) @ model.head.fc.weight.T + model.head.fc.bias)


def test_it_starts_near_even_odds():
    probabilities = create_model("softmax_regression", num_classes=4)(torch.rand(8, 3, 28, 28)).softmax(dim=1)
    torch.testing.assert_close(probabilities, torch.full((8, 4), 0.25), atol=0.25, rtol=0)


def test_parameters_and_multiply_adds_are_those_of_one_layer():
    with torch.device("meta"):
        description = describe(create_model("softmax_regression", num_classes=7, image_size=(5, 9)))
    assert description.parameters == 7 * (3 * 5 * 9 + 1)
    assert description.multiply_adds == 7 * 3 * 5 * 9
