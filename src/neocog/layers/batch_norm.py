"""The two constants of batch normalisation.

S. Ioffe, C. Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
Shift", 2015, https://arxiv.org/abs/1502.03167, algorithms 1 and 2
"""

from torch import nn

__all__ = ["set_batch_norms"]


def set_batch_norms(module: nn.Module, *, epsilon: float, momentum: float) -> None:
    """Give all batch normalisations of a module the constants of a family whose weights were trained with others than torch's.

    Args:
        module: changed in place.
        epsilon: what is added to the variance; torch's is 1e-5.
        momentum: how much of a running statistic each batch replaces; torch's is 0.1. TensorFlow's decay is 1 - momentum.
    """
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.eps, norm.momentum = epsilon, momentum
