import pytest
import torch
import torchvision

from neocog.models import create_model
from neocog.models.vgg import vgg16_key


def test_initial_weights_and_logits_are_torchvisions():
    torch.manual_seed(0)
    theirs = torchvision.models.vgg16().eval()
    torch.manual_seed(0)
    ours = create_model("vgg16").eval()
    state = ours.state_dict()
    mapped = {vgg16_key(key): tensor for key, tensor in theirs.state_dict().items()}
    assert mapped.keys() == state.keys()
    assert all(torch.equal(state[key], tensor) for key, tensor in mapped.items())
    images = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), theirs(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("key", ["features.1.weight", "classifier.2.weight", "weight", ""])
def test_keys_that_are_not_torchvisions_stay(key):
    assert vgg16_key(key) == key
