import pytest
import torch

from neocog.errors import RecipeError
from neocog.models import MODELS, create_model, describe
from neocog.models.patch_classifier import WINDOW


def pair_of(classes=4, channels=1):
    """The same weights, once slid window by window, once over the whole picture."""
    torch.manual_seed(0)
    dense = create_model("patch_classifier", num_classes=classes, in_channels=channels).eval()
    slid = create_model("patch_classifier", num_classes=classes, in_channels=channels, sliding="patches").eval()
    slid.load_state_dict(dense.state_dict())
    return dense, slid


@pytest.mark.parametrize("size", [(1, 1), (6, 9), (10, 2)])
def test_both_forms_give_every_pixel_the_same_label(size):
    dense, slid = pair_of()
    images = torch.rand(2, 1, *size)
    with torch.inference_mode():
        at_once, one_by_one = dense(images), slid(images)
    assert at_once.shape == one_by_one.shape == (2, 4, *size)
    assert torch.equal(at_once.argmax(1), one_by_one.argmax(1))
    torch.testing.assert_close(at_once, one_by_one, atol=1e-5, rtol=1e-4)


def test_in_double_precision_the_logits_agree_to_rounding():
    dense, slid = pair_of(channels=3)
    images = torch.rand(1, 3, 3, 4, dtype=torch.float64)
    with torch.inference_mode():
        torch.testing.assert_close(dense.double()(images), slid.double()(images), atol=1e-12, rtol=1e-12)


def test_both_learn_alike():
    dense, slid = pair_of()
    images = torch.rand(1, 1, 2, 3, dtype=torch.float64)
    for network in (dense.double(), slid.double()):
        network(images).square().sum().backward()
    for ours, theirs in zip(dense.parameters(), slid.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_pixel_is_labelled_by_the_window_around_it():
    dense, _ = pair_of()
    image = torch.rand(1, 1, 120, 130, requires_grad=True)
    (gradient,) = torch.autograd.grad(dense(image)[0, :, 60, 55].sum(), image)
    rows, columns = (gradient.abs().sum(dim=(0, 1, axis)).nonzero().flatten() for axis in (3, 2))
    half = WINDOW // 2
    assert 60 - half <= rows[0]
    assert rows[-1] <= 60 + half
    assert 55 - half <= columns[0]
    assert columns[-1] <= 55 + half


def test_parameters_and_multiply_adds_in_closed_form():
    sides, kernels = (92, 42, 18, 6), (16, 48 * 25, 48 * 16, 48 * 16)
    layers = [48 * kernel for kernel in kernels]
    assert sum(layers) + 4 * 48 + 200 * (9 * 48 + 1) + 2 * 201 == MODELS["patch_classifier"].parameters
    window = sum(side**2 * layer for side, layer in zip(sides, layers, strict=True)) + 200 * 9 * 48 + 400
    assert window == 121_464_592
    assert sum(layers) + 200 * 9 * 48 + 400 == 218_896
    with torch.device("meta"):
        network = create_model("patch_classifier", in_channels=1, image_size=(1, 1))
    # Of one pixel the dense form computes every map as far as its window needs it, not only every second point.
    assert describe(network).rows[-1].multiply_adds == 200 * 9 * 48 + 400


def test_the_window_is_that_of_the_paper():
    with torch.device("meta"):
        network = create_model("patch_classifier", in_channels=1, sliding="patches")
    maps = network.feature_maps(torch.empty(1, 1, WINDOW, WINDOW, device="meta"), list(network.stages))
    assert [found.shape[-1] for found in maps.values()] == [46, 21, 9, 3]


def test_another_way_is_refused():
    with pytest.raises(RecipeError, match="'dense' or 'patches'"):
        create_model("patch_classifier", sliding="tiles")
