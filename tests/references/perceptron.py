"""The perceptron's answers: scikit-learn's. How it learns is tested beside the perceptron itself."""

import numpy as np
import torch
from sklearn.linear_model import Perceptron
from torch import Tensor, nn

from references.reference import Reference


class Sklearn(nn.Module):
    """scikit-learn's estimator with coefficients from outside, called as a module.

    The weights that still learn, and the counters of learning, have no part in an answer.
    """

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.coef, self.intercept = nn.Parameter(torch.zeros(classes, inputs)), nn.Parameter(torch.zeros(classes))
        self.register_buffer("walking", torch.zeros(classes, inputs + 1))
        for name in ("corrections", "run", "longest"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    def forward(self, images: Tensor) -> Tensor:
        estimator = Perceptron()
        estimator.classes_ = np.arange(len(self.intercept))
        estimator.coef_, estimator.intercept_ = self.coef.detach().numpy(), self.intercept.detach().numpy()
        return torch.from_numpy(estimator.decision_function(images.flatten(1).numpy())).to(images.dtype)


def key(name: str) -> str:
    return {"coef": "head.fc.weight", "intercept": "head.fc.bias"}.get(name, f"head.{name}")


REFERENCES = {"perceptron": Reference("scikit-learn", lambda: Sklearn(784, 10), key)}
