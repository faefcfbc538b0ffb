"""Small networks that know real digits, in float64 where rounding is to be out of the way, and what an attack must leave as it was."""

import functools

import torch
from torch import nn
from torch.nn import functional

from neocog.batch import Preprocess
from neocog.data.open import open_dataset
from neocog.models.network import Network
from neocog.tasks.classify import ClassifyObjective

__all__ = ["SIDE", "digits", "known_digits", "objective_of", "state_of", "taught"]

SIDE = 8
PLAIN = Preprocess((SIDE, SIDE), (SIDE, SIDE), 1, (0.25,), (0.5,))


@functools.cache
def digits():
    """The digits of scikit-learn in [0, 1], and their classes."""
    dataset = open_dataset("digits")
    return dataset.pixels.float() / 255, dataset.class_indices()


@functools.cache
def taught(kind="convolutional", epochs=2):
    """A network that knows most digits: softmax regression, or two convolutions."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _linear() if kind == "linear" else _convolutional()
        pixels, classes = digits()
        optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
        for _ in range(epochs):
            for rows in torch.randperm(1500).split(50):
                optimizer.zero_grad()
                functional.cross_entropy(network(PLAIN.normalise(pixels[rows])), classes[rows]).backward()
                optimizer.step()
    network.zero_grad(set_to_none=True)
    return network.eval()


def known_digits(network, count, start=1500):
    """Digits that it was not taught with and names rightly."""
    pixels, classes = digits()
    with torch.no_grad():
        right = (network(PLAIN.normalise(pixels[start:])).argmax(dim=1) == classes[start:]).nonzero()[:, 0][:count] + start
    return pixels[right], classes[right]


def objective_of(network, classes, targeted=None):
    """The question about digits."""
    return ClassifyObjective(network, classes, targeted)


def state_of(network):
    """All that an attack must not change."""
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    modes = [module.training for module in network.modules()]
    asks = [(parameter.requires_grad, parameter.grad) for parameter in network.parameters()]
    return state, modes, asks


def _linear():
    head = nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 10))
    return Network({}, head, channels=(), preprocess=PLAIN, num_classes=10)


def _convolutional():
    stages = {
        "first": nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()),
        "second": nn.Sequential(nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU()),
    }
    head = nn.Sequential(nn.Flatten(), nn.Linear(16 * 16, 10))
    return Network(stages, head, channels=(8, 16), preprocess=PLAIN, num_classes=10)
