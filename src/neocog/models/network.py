"""What every architecture is: stages in order, then a head."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neocog.batch import Batch, Preprocess
from neocog.errors import UsageError
from neocog.layers import Reach, reach
from neocog.registry import closest
from neocog.targets import TaskName

if TYPE_CHECKING:
    from neocog.models.weights import WeightsReport

__all__ = ["Learner", "Network", "StageInfo", "folded_norms", "stage_info_of"]


@dataclass(frozen=True)
class StageInfo:
    """What is known about the feature map of a stage without running it.

    Attributes:
        name: of the stage.
        stride: pixels of the image from one point of the map to the next. Dense layers have one point.
        channels: of the map.
        receptive_field: the longer side of the window of the image, in pixels, that a point depends on.
    """

    name: str
    stride: int
    channels: int
    receptive_field: int


class Network(nn.Module):
    """Stages in order, then a head that gives the task's one output.

    No stage may change its input in place: feature maps are handed out.

    Args:
        stages: the modules from the image to the last feature map, by name, in order.
        head: from the last feature map (or the image, where there are no stages) to the output.
        channels: of each stage's feature map.
        preprocess: how the network wants its images.
        num_classes: how many classes the output tells apart.
        auxiliary: heads that only training uses, by the name of the stage whose map they see, in order.

    Attributes:
        stage_info: name, stride, channels and receptive field of each stage's map.
        weights_report: what loading a weights file did; None when the weights are initial ones.
        task: what it was built for; `create_model` sets it.
        backbone: the architecture that its stages are taken from; weights of that may be loaded into them.
        backbone_key: turns a key of that architecture into this network's, where its stages have other names here.
        learnt_before: how keys begin of what the same architecture can learn by itself, before the rest is there; weights
            of that alone may be loaded too.
        loss: the classification loss that its paper trains it with; see `neocog.losses`.
        auxiliary_weight: how much the loss of each auxiliary head counts beside the head's own.
        keeps_scale: whether its pixels keep the scale of its `preprocess`; else training from initial weights
            takes the mean and the standard deviation of the training pictures.
    """

    weights_report: "WeightsReport | None" = None
    keeps_scale: bool = False
    loss: str = "cross_entropy"
    task: TaskName = "classify"
    backbone: str | None = None
    backbone_key: Callable[[str], str] | None = None
    learnt_before: tuple[str, ...] = ()
    auxiliary_weight: float = 0.0

    def __init__(
        self,
        stages: Mapping[str, nn.Module],
        head: nn.Module,
        *,
        channels: Sequence[int],
        preprocess: Preprocess,
        num_classes: int,
        auxiliary: Mapping[str, nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.head = head
        self.auxiliary = nn.ModuleDict(auxiliary)
        self.preprocess = preprocess
        self.num_classes = num_classes
        self.stage_info = stage_info_of(self.stages, channels, max(preprocess.size))
        self.register_load_state_dict_post_hook(_keep_folded_norms)  # type: ignore[no-untyped-call]

    def forward(self, images: Float[Tensor, "b c h w"]) -> Tensor:
        """The output for normalised images: a classifier's logits "b k"."""
        maps = images
        for stage in self.stages.values():
            maps = stage(maps)
        output: Tensor = self.head(maps)
        return output

    def forward_train(self, images: Float[Tensor, "b c h w"]) -> dict[str, Tensor]:
        """All outputs that a loss needs, by name: "logits", and "aux1", "aux2", ... of auxiliary heads where there are any."""
        if not self.auxiliary:
            return {"logits": self(images)}
        outputs: dict[str, Tensor] = {}
        maps = images
        for name, stage in self.stages.items():
            maps = stage(maps)
            if name in self.auxiliary:
                outputs[f"aux{len(outputs) + 1}"] = self.auxiliary[name](maps)
        return {"logits": self.head(maps), **outputs}

    def feature_maps(self, images: Float[Tensor, "b c h w"], names: Sequence[str]) -> dict[str, Tensor]:
        """The maps of some stages, at any resolution that these stages admit; the head does not run.

        Args:
            images: normalised.
            names: of the stages.

        Returns:
            maps "b channels height/stride width/stride" in the order of `names`; "b channels" from dense layers.

        Raises:
            UsageError: there is no stage of that name.
        """
        for name in names:
            if name not in self.stages:
                raise UsageError("the name of a stage", repr(name), closest(name, list(self.stages)) if self.stages else "it has no stages")
        found: dict[str, Tensor] = {}
        maps = images
        for name, stage in self.stages.items():
            if len(found) == len(set(names)):
                break
            maps = stage(maps)
            if name in names:
                found[name] = maps
        return {name: found[name] for name in names}

    @property
    def input_layer(self) -> str | None:
        """The dotted name of the first convolution or linear layer; None where another layer sees the image."""
        return _layers_with_weights(self)[0]

    @property
    def output_layers(self) -> tuple[str, ...]:
        """The dotted names of the layers that give logits, the head's first, then those of auxiliary heads; () where none learns them."""
        heads = {"head": self.head, **{f"auxiliary.{name}": head for name, head in self.auxiliary.items()}}
        return tuple(f"{name}.{_layers_with_weights(head)[-1]}".rstrip(".") for name, head in heads.items())

    def train(self, mode: bool = True) -> "Network":
        """As in torch, except that folded batch norms stay in evaluation: see `folded_norms`."""
        super().train(mode)
        for norm in folded_norms(self):
            norm.training = False
        return self


class Learner(Network, ABC):
    """A network that does not learn by gradient.

    All that it has learnt is in its state (parameters that ask for no gradient, and buffers), so that saving
    needs nothing more.

    Attributes:
        epochs: how often training shows it the pictures unless another number is asked for.
    """

    epochs: int = 1

    @abstractmethod
    def update(self, batch: Batch, generator: torch.Generator) -> dict[str, float]:
        """Learn from one batch; what there is to say of it by name, as a loss would be."""


def folded_norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    """The batch norms whose statistics were folded into their weights: mean all 0, variance all exactly 1 - epsilon.

    In evaluation they divide by 1. In training they would divide by the batch's own statistics, which the
    weights beside them no longer expect, so a network keeps them in evaluation. A fresh norm has variance 1.
    """
    return [norm for norm in module.modules() if isinstance(norm, nn.BatchNorm2d) and _is_folded(norm)]


def _layers_with_weights(module: nn.Module) -> list[str]:
    return [str(name) for name, layer in module.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]


def _is_folded(norm: nn.BatchNorm2d) -> bool:
    mean, variance = norm.running_mean, norm.running_var
    if mean is None or variance is None or mean.is_meta:
        return False
    return bool((mean == 0).all() and (variance == torch.ones_like(variance) - norm.eps).all())


def _keep_folded_norms(module: nn.Module, incompatible_keys: Any) -> None:
    for norm in folded_norms(module):
        norm.training = False


def stage_info_of(stages: Mapping[str, nn.Module] | nn.ModuleDict, channels: Sequence[int], side: int) -> tuple[StageInfo, ...]:
    """What is known of each stage's map.

    Args:
        stages: by name, in the order in which the image meets them.
        channels: of each stage's map.
        side: the longer side of the image, in pixels.
    """
    infos = []
    before = Reach()
    for (name, stage), count in zip(stages.items(), channels, strict=True):
        before = reach(stage, before, side)
        infos.append(StageInfo(name, before.stride, count, max(before.height, before.width)))
    return tuple(infos)
