"""The multilayer perceptron as its formula, with images as columns of a matrix."""

import torch
from torch import Tensor, nn

from references.reference import Reference


class SecondMlp(nn.Module):
    """logits = V max(0, W x + a) + b."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.W, self.a = nn.Parameter(torch.zeros(hidden, inputs)), nn.Parameter(torch.zeros(hidden))
        self.V, self.b = nn.Parameter(torch.zeros(outputs, hidden)), nn.Parameter(torch.zeros(outputs))

    def forward(self, images: Tensor) -> Tensor:
        columns = images.reshape(len(images), -1).T
        hidden = (self.W @ columns + self.a[:, None]).clamp(min=0)
        return (self.V @ hidden + self.b[:, None]).T


KEYS = {"W": "stages.hidden1.fc.weight", "a": "stages.hidden1.fc.bias", "V": "head.fc.weight", "b": "head.fc.bias"}

REFERENCES = {"mlp": Reference("second implementation", lambda: SecondMlp(784, 300, 10), KEYS.__getitem__)}
