"""What the registry knows of an architecture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from neocog.batch import Preprocess
from neocog.images import Size
from neocog.models.network import Network
from neocog.options import NoOptions
from neocog.registry import Registry
from neocog.targets import TaskName

__all__ = ["ALL_TRAITS", "MODELS", "Entry", "ModelSpec", "Trait", "adapt_preprocess", "same_key"]

Trait = Literal["gradient", "stages", "any_size", "transfer"]
"""Which facts hold of an architecture, and so which conformance tests.

gradient: learns by gradient.
stages: every stage gives a map "b c h w".
any_size: one set of weights takes images of any size from `min_size` up.
transfer: begins with a convolution or linear layer and ends with one, so that weights can be adapted to other
    channels and other classes.
"""

ALL_TRAITS: frozenset[Trait] = frozenset({"gradient", "stages", "any_size", "transfer"})


@dataclass(frozen=True)
class ModelSpec:
    """What is asked of one network, besides its architecture.

    Attributes:
        num_classes: how many classes it tells apart; for denoising, the channels of its images.
        in_channels: channels of its images.
        preprocess: how it wants its images; `preprocess.size` is their height and width.
        options: an instance of the architecture's Options.
        task: what it is built for; one of the architecture's.
    """

    num_classes: int
    in_channels: int
    preprocess: Preprocess
    options: Any
    task: TaskName = "classify"


def same_key(key: str) -> str:
    """The key mapping of an architecture without foreign weights."""
    return key


@dataclass(frozen=True)
class Entry:
    """One architecture.

    Attributes:
        name: in the registry.
        build: makes the network with initial weights drawn from torch's global generator.
        year: of the paper.
        paper: authors, title, year, link.
        preprocess: how published weights want their images.
        parameters: how many there are at `classes` classes, `channels[0]` channels and the default size and options.
        multiply_adds: of one image at the same choices, as the paper or the reference gives them; None where
            neither does.
        accuracy: what the paper reports, in a few words with the set it was measured on; "" where it does not.
        tasks: what it can be built for; the first unless another is asked for.
        Options: frozen dataclass of what can be chosen besides size, channels and classes.
        min_size: the least height and width that it works on.
        channels: the channels that its images may have; the paper's first.
        classes: the paper's number of classes.
        key_map: turns a key of a foreign state dict (torchvision's) into ours; leaves unknown ones as they are.
        traits: see `Trait`.
    """

    name: str
    build: Callable[[ModelSpec], Network]
    year: int
    paper: str
    preprocess: Preprocess
    parameters: int
    multiply_adds: int | None = None
    accuracy: str = ""
    tasks: tuple[TaskName, ...] = ("classify",)
    Options: type = NoOptions
    min_size: int = 32
    channels: tuple[int, ...] = (3, 1, 4)
    classes: int = 1000
    key_map: Callable[[str], str] = same_key
    traits: frozenset[Trait] = ALL_TRAITS

    @property
    def input_size(self) -> Size:
        """Height and width of the images unless others are asked for."""
        return self.preprocess.size


MODELS: Registry[Entry] = Registry("an architecture", "neocog.models")


def adapt_preprocess(preprocess: Preprocess, channels: int, size: Size) -> Preprocess:
    """The same preprocessing for another number of channels and another size.

    A single channel gets the average mean and standard deviation, an added one too. The canvas before the
    centre crop keeps its proportion to the size.
    """
    resize = (round(size[0] * preprocess.resize[0] / preprocess.size[0]), round(size[1] * preprocess.resize[1] / preprocess.size[1]))
    return replace(
        preprocess,
        size=size,
        resize=resize,
        channels=channels,
        mean=_per_channel(preprocess.mean, channels),
        std=_per_channel(preprocess.std, channels),
    )


def _per_channel(values: tuple[float, ...], channels: int) -> tuple[float, ...]:
    if channels == len(values):
        return values
    average = round(sum(values) / len(values), 6)
    return (average,) if channels == 1 else (*values[:channels], *[average] * (channels - len(values)))
