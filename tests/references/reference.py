"""What an independent implementation of a network is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn


def logits_alone(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    return {"logits": module(images)}


def segmented(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    """torchvision's networks for segmentation; the auxiliary answer counts in training only."""
    found = module(images)
    return {"logits": found["out"], **({"aux1": found["aux"]} if module.training and "aux" in found else {})}


@dataclass(frozen=True)
class Reference:
    """One network by somebody else, or a second one by us.

    Attributes:
        source: "torchvision", "timm" or "second implementation".
        build: makes the network at the paper's classes, channels and, where weights depend on it, size.
        key: turns its keys into those of our network; None where the entry's own key mapping does.
        outputs: calls it; "logits", and in training "aux1", ... where there are auxiliary heads.
        size: height and width of the images that both see; None for the entry's own.
        options: of our network, where the reference is not of the default ones.
    """

    source: str
    build: Callable[[], nn.Module]
    key: Callable[[str], str] | None = None
    outputs: Callable[[nn.Module, Tensor], Mapping[str, Tensor]] = logits_alone
    size: tuple[int, int] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
