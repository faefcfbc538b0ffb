"""A classification network of the registry without its head, as the contracting part of one that answers for every pixel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from neocog.errors import UsageError
from neocog.layers import Reach, dilate, reach
from neocog.models.entry import MODELS, ModelSpec, Trait
from neocog.models.network import StageInfo
from neocog.options import options_of

__all__ = ["NEEDED", "Backbone", "backbone"]

NEEDED: frozenset[Trait] = frozenset({"gradient", "stages", "any_size"})
"""Of the networks that may be one."""


@dataclass(frozen=True)
class Backbone:
    """Stages of a classification network.

    Attributes:
        name: of the architecture.
        stages: by name, in order, with initial weights.
        infos: what is known of each stage's map.
        least: the lowest and narrowest image that they work on, in pixels.
    """

    name: str
    stages: dict[str, nn.Module]
    infos: tuple[StageInfo, ...]
    least: int

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each stage's map."""
        return tuple(info.channels for info in self.infos)

    @property
    def deepest(self) -> StageInfo:
        """The last stage's map."""
        return self.infos[-1]

    @property
    def reach(self) -> Reach:
        """Where the points of the last stage's map lie on the image."""
        before = Reach()
        for stage in self.stages.values():
            before = reach(stage, before, 1)
        return before

    def at_stride(self, stride: int) -> StageInfo | None:
        """The last stage whose map has that stride; None where there is none."""
        return next((info for info in reversed(self.infos) if info.stride == stride), None)

    def dilated(self, stride: int, *, strided_too: bool = False) -> "Backbone":
        """The same stages, none coarser than a stride: see `neocog.layers.dilate`.

        Raises:
            UsageError: they have layers that cannot be dilated.
        """
        stages = dict(zip(self.stages, dilate(self.stages.values(), stride, strided_too=strided_too), strict=True))
        return replace(self, stages=stages, infos=tuple(replace(info, stride=min(info.stride, stride)) for info in self.infos))


def backbone(name: str, spec: ModelSpec) -> Backbone:
    """The stages of a classification network with its usual options.

    Args:
        name: of the architecture.
        spec: of the network that they become part of.

    Raises:
        UsageError: no such architecture, or not one whose stages give maps at strides that double, for images of any size.
    """
    entry = MODELS[name]
    if entry.tasks[0] != "classify" or not entry.traits >= NEEDED or spec.in_channels not in entry.channels:
        raise _no_backbone(f"{name}, which has no maps for images of any size")
    options: Any = options_of(entry.Options, {}, f"the model {name}")
    network = entry.build(ModelSpec(1, spec.in_channels, replace(spec.preprocess, size=entry.input_size), options))
    strides = [info.stride for info in network.stage_info]
    if any(stride & (stride - 1) for stride in strides):
        raise _no_backbone(f"{name}, whose maps have the strides {_listed(strides)}")
    return Backbone(name, dict(network.stages.items()), network.stage_info, entry.min_size)


def _no_backbone(found: str) -> UsageError:
    return UsageError("a classification network for the stages", found, "choose another backbone, as resnet18")


def _listed(strides: Sequence[int]) -> str:
    return ", ".join(map(str, dict.fromkeys(strides)))
