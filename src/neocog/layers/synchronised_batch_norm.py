"""Batch norm over the pictures of all processes that train one network together.

C. Peng, T. Xiao, Z. Li, Y. Jiang, X. Zhang, K. Jia, G. Yu, J. Sun, "MegDet: A Large Mini-Batch Object Detector", 2017,
https://arxiv.org/abs/1711.07240, section 4.2 (cross-GPU batch normalisation). torch's own works on accelerators alone.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SynchronisedBatchNorm2d", "synchronise_batch_norms"]


class SynchronisedBatchNorm2d(nn.BatchNorm2d):
    """In training mean and variance are those of the maps of all processes; in evaluation a plain batch norm.

    All processes of the default group must pass their maps at the same time, each of at least one picture.
    """

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The maps, normalised."""
        if not self.training:
            return super().forward(maps)
        scale = torch.ones(maps.shape[1], dtype=_at_least_single(maps.dtype), device=maps.device) if self.weight is None else self.weight
        normalised, mean, variance, count = _Normalise.apply(maps, scale, self.bias, self.eps)
        if self.track_running_stats:
            self._keep(mean, variance * (count / (count - 1)))
        kept: Tensor = normalised
        return kept

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Take the statistics of a step into the running ones, the variance with the count less one."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        share = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var), share)


class _Normalise(torch.autograd.Function):
    """Forward and backward are the plain ones but for their sums over pictures and places, which go over all processes."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, scale: Tensor, shift: Tensor | None, epsilon: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        mean, variance, count = _statistics(maps)
        ctx.save_for_backward(maps, scale, mean, variance, count)
        ctx.epsilon, ctx.has_shift = epsilon, shift is not None
        ctx.mark_non_differentiable(mean, variance, count)
        normalised = functional.batch_norm(maps, mean, variance, scale, shift, training=False, eps=epsilon)
        return normalised, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor, Tensor | None, None]:
        from torch import distributed

        maps, scale, mean, variance, count = ctx.saved_tensors
        gradient = gradients[0]
        # The kernel's sums over this process's maps, which are its share of the gradients of scale and shift.
        _, of_scale, of_shift = torch.ops.aten.native_batch_norm_backward(
            gradient, maps, scale, mean, variance, None, None, False, ctx.epsilon, [False, True, True]
        )
        of_maps = None
        if ctx.needs_input_grad[0]:
            sums = torch.stack([of_scale, of_shift]).to(mean)
            distributed.all_reduce(sums)
            along, across = sums / count
            deviation = (variance + ctx.epsilon).rsqrt()
            factor = scale * deviation
            slope = -factor * deviation * along
            rest = -factor * across - slope * mean
            of_maps = torch.addcmul(maps * _wide(slope) + _wide(rest), gradient, _wide(factor)).to(maps.dtype)
        return of_maps, of_scale, of_shift if ctx.has_shift else None, None


def _statistics(maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of each channel over all processes' maps, and how many values they are of.

    Each process's own two are gathered and put together by the parallel form of Welford's method (T. F. Chan,
    G. H. Golub, R. J. LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979),
    which loses no digits where the mean is large, and gives every process the same bits.
    """
    from torch import distributed

    variance, mean = torch.var_mean(maps.to(_at_least_single(maps.dtype)), (0, 2, 3), correction=0)
    count = mean.new_tensor([maps.numel() // maps.shape[1]])
    own = torch.cat([mean, variance, count])
    gathered = [torch.empty_like(own) for _ in range(distributed.get_world_size())]
    distributed.all_gather(gathered, own)
    means, variances, counts = torch.stack(gathered).split([len(mean), len(variance), 1], dim=1)
    count = counts.sum()
    mean = (means * counts).sum(0) / count
    variance = ((variances + (means - mean) ** 2) * counts).sum(0) / count
    return mean, variance, count


def _at_least_single(dtype: torch.dtype) -> torch.dtype:
    return dtype if dtype.itemsize >= 4 else torch.float32


def _wide(values: Tensor) -> Tensor:
    return values[None, :, None, None]


def synchronise_batch_norms(module: nn.Module) -> None:
    """Let the batch norms of a network take their statistics over all processes.

    Args:
        module: changed in place; its norms, their weights and the names of these stay the same objects.
    """
    for norm in module.modules():
        if type(norm) is nn.BatchNorm2d:
            norm.__class__ = SynchronisedBatchNorm2d  # whoever holds the norm, as an optimizer or a hook, keeps holding it
