"""What several families' tests share: torchvision's weights in our networks."""

import pytest
import torch
from torch import nn

from neocog.models import MODELS, create_model


@pytest.fixture
def with_weights_of():
    """Our network of a name with the weights of another's, every key mapped and none left over."""

    def make(name, theirs, **arguments):
        with torch.device("meta"):
            ours = create_model(name, **arguments)
        mapped = {MODELS[name].key_map(key): tensor for key, tensor in theirs.state_dict().items()}
        ours.load_state_dict(mapped, strict=True, assign=True)
        return ours

    return make


@pytest.fixture
def disturb():
    """Give batch norms statistics and weights of their own, so that a mistaken key shows."""

    def make(network):
        torch.manual_seed(1)
        for norm in network.modules():
            if isinstance(norm, nn.BatchNorm2d):
                norm.running_mean.normal_(0, 0.1)
                norm.running_var.uniform_(0.5, 1.5)
                nn.init.uniform_(norm.weight, 0.5, 1.5)
                nn.init.normal_(norm.bias, 0, 0.1)
        return network.eval()

    return make
