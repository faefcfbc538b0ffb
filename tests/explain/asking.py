"""A question to a plain module, and small networks of several kinds to ask it."""

import torch
from torch import nn
from torch.nn import functional

__all__ = ["NETWORKS", "Asking", "explained", "images", "network"]


class Asking:
    """An Objective about one class of each image, of a module whose outputs are logits."""

    def __init__(self, module, classes):
        self.module, self.classes = module, classes

    def scores(self, images):
        return self.module(images)

    def score(self, images):
        return self.scores(images).gather(1, self.classes[:, None])[:, 0]

    def loss(self, images):
        return functional.cross_entropy(self.scores(images), self.classes, reduction="none")

    def fooled(self, images):
        return self.scores(images).argmax(dim=1) != self.classes

    def select(self, rows):
        return Asking(self.module, self.classes[rows])


class Functional(nn.Module):
    """Activations as functions, two of them in place, one after an addition of what is used twice."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, 5)

    def forward(self, maps):
        maps = functional.relu(self.first(maps), inplace=True)
        maps = torch.relu_(maps + self.second(maps))
        return self.fc(functional.max_pool2d(maps, 2).relu().mean(dim=(2, 3)))


def with_activation(activation):
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.BatchNorm2d(6),
        activation(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        activation(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 5),
    )


NETWORKS = {
    "relu": lambda: with_activation(nn.ReLU),
    "relu in place": lambda: with_activation(lambda: nn.ReLU(inplace=True)),
    "relu6": lambda: with_activation(lambda: nn.ReLU6(inplace=True)),
    "hard-swish": lambda: with_activation(nn.Hardswish),
    "silu": lambda: with_activation(lambda: nn.SiLU(inplace=True)),
    "prelu": lambda: with_activation(nn.PReLU),
    "tanh": lambda: with_activation(nn.Tanh),
    "functions": Functional,
}


def network(kind="relu", seed=0):
    """A network in evaluation mode whose norms have statistics of their own."""
    torch.manual_seed(seed)
    made = NETWORKS[kind]()
    for norm in made.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.running_mean.normal_(0, 0.1)
            norm.running_var.uniform_(0.5, 1.5)
    return made.eval()


def images(count=3, side=12, seed=1):
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed))


def explained(name, module, pictures, classes, *, layer=None, seed=0, **options):
    """What a method of the package answers."""
    from neocog.explain import EXPLAINERS

    member = EXPLAINERS[name]
    if layer is None and member.layered:
        layer = "4" if isinstance(module, nn.Sequential) else "second"
    draws = torch.Generator().manual_seed(seed)
    return member.explain(module, Asking(module, classes), pictures, member.Options(**options), layer=layer, generator=draws)
