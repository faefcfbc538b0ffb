"""Rules by which a signal runs back through a network's rectifiers, in place of their derivative.

The gradient multiplies the signal with the derivative g'(x) of each activation. Two methods do otherwise:

- "deconvnet" (M. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", 2013,
  https://arxiv.org/abs/1311.2901, section 2.1) passes max(0, signal) on, whatever x was;
- "guided" (J. Springenberg, A. Dosovitskiy, T. Brox, M. Riedmiller, "Striving for Simplicity: The All Convolutional Net",
  2014, https://arxiv.org/abs/1412.6806, section 3.4) passes max(0, g'(x) signal) on.

All else runs back as the gradient does, which is what the deconvnet asks for: a convolution by its flipped filters, max
pooling to the places of the picture's own maxima (switches), batch normalisation in evaluation by its factors.

Both papers speak of relu. Here the rules hold for every activation that suppresses what is below 0: relu, relu6, leaky
relu and its kin, elu, softplus, gelu, silu, mish and hard-swish. In the sigmoid, the hyperbolic tangent and gates the
signal keeps its sign: a network that has no other activations answers both rules with its gradient.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from neocog.objective import Objective

__all__ = ["Backward", "Rule", "captured", "reconstruct"]

Rule = Literal["deconvnet", "guided"]

RECTIFIERS: frozenset[Callable[..., Any]] = frozenset(
    {
        functional.relu,
        functional.relu6,
        functional.leaky_relu,
        functional.elu,
        functional.selu,
        functional.celu,
        functional.rrelu,
        functional.silu,
        functional.mish,
        functional.hardswish,
        functional.gelu,
        functional.softplus,
        functional.prelu,
        torch.relu,
        torch.relu_,
        torch.celu,
        torch.celu_,
        torch.selu,
        torch.selu_,
        torch.prelu,
        Tensor.relu,
        Tensor.relu_,
        Tensor.prelu,
    }
)
BOUNDED = functional.hardtanh
"""A rectifier where its lower bound is 0: the module of relu6 calls it so."""


class Backward(TorchFunctionMode):
    """Inside the block, rectifiers are computed as ever, but the signal runs back through them by a rule.

    It works on functions, not on modules: whoever calls a rectifier, and however often, with `inplace` or without, is met,
    and there is no hook that could be left behind.

    Args:
        rule: see the head of this file.

    Attributes:
        met: how many rectifiers were computed so far.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self.rule = rule
        self.met = 0

    def __torch_function__(self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Called by torch in place of each of its functions."""
        kwargs = kwargs or {}
        if not _is_rectifier(function, args, kwargs):
            return function(*args, **kwargs)
        maps, *others = args or (kwargs.pop("input"),)
        self.met += 1
        with torch.enable_grad():
            leaf = maps.detach().requires_grad_(self.rule == "guided")
            inside = leaf.clone()
            answer = function(inside, *others, **kwargs)
            slope = torch.autograd.grad(answer.sum(), leaf)[0] if self.rule == "guided" else None
        ruled = _Ruled.apply(maps, answer.detach(), slope)
        return maps.copy_(ruled) if answer is inside else ruled  # the same tensor: the function works in place


def _is_rectifier(function: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    if function is BOUNDED:
        return bool((args[1] if len(args) > 1 else kwargs.get("min_val", -1.0)) == 0)
    return function in RECTIFIERS


class _Ruled(torch.autograd.Function):
    """The identity of an answer that is known, whose signal runs back to the maps by a rule."""

    @staticmethod
    def forward(ctx: Any, maps: Tensor, answer: Tensor, slope: Tensor | None) -> Tensor:
        ctx.slope = slope
        return answer.clone()  # a view could not be changed in place by what follows

    @staticmethod
    def backward(ctx: Any, *signals: Tensor) -> tuple[Tensor, None, None]:
        (signal,) = signals
        return (signal if ctx.slope is None else signal * ctx.slope).clamp(min=0), None, None


@contextmanager
def captured(module: nn.Module, layer: str, *, stop: bool = False) -> Iterator[list[Tensor]]:
    """The outputs of a layer, as they are computed inside the block; what works on them in place afterwards does not change them.

    Args:
        module: the network.
        layer: dotted name of a module inside it.
        stop: end the block when the first output is there, so that the layers behind it are not computed.

    Yields:
        a list that fills.
    """
    found: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        found.append(output)
        if stop:
            raise _Reached
        return output.clone()

    handle = module.get_submodule(layer).register_forward_hook(keep)
    try:
        yield found
    except _Reached:
        pass
    finally:
        handle.remove()


class _Reached(Exception):
    """A layer has been computed, and nothing behind it is wanted."""


def reconstruct(
    module: nn.Module,
    objective: Objective,
    images: Float[Tensor, "b c h w"],
    layer: str,
    units: Int64[Tensor, "b"],
    places: Int64[Tensor, "b 2"] | None = None,
    rule: Rule = "deconvnet",
) -> Float[Tensor, "b c h w"]:
    """What of each image one activation of a layer comes from: that activation alone, run back to the pixels by a rule.

    Zeiler and Fergus, section 2.1: all other activations of the layer are set to 0.

    Args:
        module: the network, in evaluation mode.
        objective: a question that the network answers; only what it does to the images before the network matters.
        images: in [0, 1]; a unit is looked at in each.
        layer: dotted name of a module inside the network, whose output is "b units h w" or "b units".
        units: channel of the layer, for each image.
        places: row and column in the layer's map, for each image; None takes the unit's largest activation.
        rule: see the head of this file.

    Returns:
        on the scale of the images, signed.
    """
    images = images.detach().requires_grad_()
    with torch.enable_grad(), Backward(rule), captured(module, layer, stop=True) as found:
        objective.scores(images)
    (maps,) = found
    signal = torch.zeros_like(maps)
    rows = torch.arange(len(maps), device=maps.device)
    own = maps.detach()[rows, units].reshape(len(maps), -1)
    chosen = own.argmax(dim=1) if places is None or maps.ndim == 2 else places[:, 0] * maps.shape[-1] + places[:, 1]
    strength = own.gather(1, chosen[:, None])[:, 0]
    signal[rows, units] = torch.zeros_like(own).scatter(1, chosen[:, None], strength[:, None]).view_as(signal[rows, units])
    return torch.autograd.grad(maps, images, signal)[0]
