"""Softmax regression: scikit-learn's."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from references.reference import Reference


class Sklearn(nn.Module):
    """scikit-learn's estimator with coefficients from outside, called as a module."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.coef, self.intercept = nn.Parameter(torch.zeros(classes, inputs)), nn.Parameter(torch.zeros(classes))

    def forward(self, images: Tensor) -> Tensor:
        estimator = LogisticRegression()
        estimator.classes_ = np.arange(len(self.intercept))
        estimator.coef_, estimator.intercept_ = self.coef.detach().numpy(), self.intercept.detach().numpy()
        return torch.from_numpy(estimator.decision_function(images.flatten(1).numpy())).to(images.dtype)


KEYS = {"coef": "head.fc.weight", "intercept": "head.fc.bias"}

REFERENCES = {"softmax_regression": Reference("scikit-learn", lambda: Sklearn(784, 10), KEYS.__getitem__)}
