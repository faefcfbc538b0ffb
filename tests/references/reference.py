"""What an independent implementation of a network is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn


def logits_alone(module: nn.Module, images: Tensor) -> dict[str, Tensor]:
    return {"logits": module(images)}


@dataclass(frozen=True)
class Reference:
    """One network by somebody else, or a second one by us.

    Attributes:
        source: "torchvision", "timm" or "second implementation".
        build: makes the network at the paper's classes, channels and size.
        key: turns its keys into those of our network; None where the entry's own key mapping does.
        outputs: calls it; "logits", and in training "aux1", ... where there are auxiliary heads.
    """

    source: str
    build: Callable[[], nn.Module]
    key: Callable[[str], str] | None = None
    outputs: Callable[[nn.Module, Tensor], Mapping[str, Tensor]] = logits_alone
