"""Local response normalisation: channels that answer at the same place damp one another.

A. Krizhevsky, I. Sutskever, G. E. Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
2012, https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks,
section 3.3

`torch.nn.LocalResponseNorm` divides alpha by the number of channels in the window, the paper does not:
`LocalResponseNorm(n, alpha)` here is `nn.LocalResponseNorm(n, n * alpha, k=2)` there. The window is summed by
shifted additions, and the gradient is the closed form, computed from the input alone, where torch keeps every
step of the formula.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LocalResponseNorm"]


class LocalResponseNorm(nn.Module):
    """a / (k + alpha * sum of a² over `size` neighbouring channels)^beta, at every place by itself.

    The window of channel i is [i - size // 2, i + (size - 1) // 2], cut off at the first and the last channel.

    Args:
        size: channels in the window, the channel itself among them.
        alpha: how much the sum of squares counts (not divided by `size`).
        beta: the exponent.
        k: what is added to the sum; above 0.
    """

    def __init__(self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The normalised maps, in their own type; inside, float16 and bfloat16 are computed in float32."""
        exact = maps.float() if maps.dtype in (torch.float16, torch.bfloat16) else maps
        choices = (self.size, self.alpha, self.beta, self.k)
        if exact.requires_grad and torch.is_grad_enabled():
            answer: Tensor = _Normalise.apply(exact, *choices)
        else:
            answer = exact * _base(exact, self.size, self.alpha, self.k).pow(-self.beta)
        return answer.to(maps.dtype)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}"


class _Normalise(torch.autograd.Function):
    """The formula with its gradient, which can be differentiated again: only the input is kept.

    With s = k + alpha * sum of a², the gradient of a * s^-beta by a is
    g * s^-beta - 2 alpha beta a * sum over all windows that a lies in of (g a s^(-beta - 1)).
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(maps: Tensor, size: int, alpha: float, beta: float, k: float) -> Tensor:
        return maps * _base(maps, size, alpha, k).pow(-beta)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Tensor) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.choices = inputs[1:]

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        (maps,), (size, alpha, beta, k) = ctx.saved_tensors, ctx.choices
        base = _base(maps, size, alpha, k)
        direct = gradients[0] * base.pow(-beta)
        through_base = _window_sums(direct * maps / base, before=(size - 1) // 2, after=size // 2)
        return direct - 2 * alpha * beta * maps * through_base, None, None, None, None


def _base(maps: Tensor, size: int, alpha: float, k: float) -> Tensor:
    return k + alpha * _window_sums(maps * maps, before=size // 2, after=(size - 1) // 2)


def _window_sums(maps: Tensor, before: int, after: int) -> Tensor:
    """The sum over each channel, those up to `before` ahead of it and those up to `after` behind it."""
    sums = maps.clone()
    for offset in range(1, before + 1):
        sums[:, offset:] += maps[:, :-offset]
    for offset in range(1, after + 1):
        sums[:, :-offset] += maps[:, offset:]
    return sums
