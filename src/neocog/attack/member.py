"""What a method of breaking a network is: an attack on images, a fooling picture out of nothing, or a corruption.

Distances are on the scale of the images, [0, 1]: epsilon 8/255 in the norm "linf" moves no value of a pixel by more
than eight grey levels of an 8-bit picture; in "l2" it bounds the Euclidean length of the perturbation over all
pixels and channels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from neocog.options import option
from neocog.registry import Registry

__all__ = ["ATTACKS", "NORMS", "Attack", "Bounded", "Corruptions", "Fooled", "Fooling", "Member", "Norm", "Round"]

Norm = Literal["linf", "l2"]
"""linf: the largest change of any value. l2: the Euclidean length of the change."""

NORMS: tuple[Norm, ...] = get_args(Norm)


@dataclass(frozen=True)
class Bounded:
    """What every attack inside a ball is told; its own Options inherit it."""

    epsilon: float = option(8 / 255, "radius of the ball around each image, on the scale [0, 1]", low=0, flag=False)
    norm: Norm = option("linf", "how the radius is measured", flag=False)


@dataclass(frozen=True)
class Attack:
    """A method that starts from images and looks for others near them on which the network is wrong.

    Attributes:
        attack: `attack(objective, images, options, *, generator) -> images`. Images are float "b c h w" in [0, 1]; what it
            returns is in [0, 1] too, and inside the ball where the attack is bounded. It changes nothing of the network,
            and all its draws come from the generator. One that searches the least norm returns an image unchanged where
            it finds no other that fools.
        Options: frozen dataclass of what can be chosen: `Bounded` and more where the attack is bounded; with a field
            `norm` where it has several norms.
        norms: those that it knows, the paper's first.
        bounded: True where it stays inside a ball of radius epsilon; False where it searches the least perturbation.
        targeted: whether it can aim at a class.
        gradient: whether it asks for gradients.
        one_class: whether it needs an objective that is a `Decides`: one class for each picture.
        summary: what it does, in a few words.
        source: authors, year, title, link.
    """

    kind: ClassVar[str] = "attack"

    attack: Callable[..., Float[Tensor, "b c h w"]]
    Options: type
    norms: tuple[Norm, ...]
    bounded: bool
    summary: str
    source: str
    targeted: bool = True
    gradient: bool = True
    one_class: bool = False


@dataclass(frozen=True)
class Round:
    """Where a search stood.

    Attributes:
        number: of the step or generation, counted from 0.
        confidences: of the best picture so far for each class, in [0, 1].
    """

    number: int
    confidences: tuple[float, ...]


@dataclass(frozen=True)
class Fooled:
    """Pictures out of nothing, one for each class asked for.

    Attributes:
        pixels: as a picture file holds them, and as the network was asked about them.
        classes: what each is to be taken for.
        confidences: the network's, in [0, 1], that it is of that class.
        curve: how the search went.
    """

    pixels: UInt8[Tensor, "n c h w"]
    classes: Int64[Tensor, "n"]
    confidences: Float[Tensor, "n"]
    curve: tuple[Round, ...]


@dataclass(frozen=True)
class Fooling:
    """A method that makes pictures out of none, which a network takes for a class with high confidence.

    Attributes:
        fool: `fool(objective, classes, shape, options, *, generator, tell) -> Fooled`, for classes "n", images of the shape
            (channels, height, width), and a function that is told of every Round. It asks for `Objective.scores` alone.
        Options: frozen dataclass of what can be chosen.
        summary: what it does, in a few words.
        source: authors, year, title, link.
        rounds: the option that bounds the rounds of its search, which is their name: "steps", "generations".
        all_classes: whether it works on all classes at once unless others are asked for.
    """

    kind: ClassVar[str] = "fooling"

    fool: Callable[..., Fooled]
    Options: type
    summary: str
    source: str
    rounds: str = "steps"
    all_classes: bool = False


@dataclass(frozen=True)
class Corruptions:
    """Ways to spoil images as a camera or a wire does, without looking at the network: see `neocog.attack.corruptions`.

    Attributes:
        Options: frozen dataclass of what can be chosen.
        summary: what it does, in a few words.
        source: authors, year, title, link.
    """

    kind: ClassVar[str] = "corruption"

    Options: type
    summary: str
    source: str


Member = Attack | Fooling | Corruptions

ATTACKS: Registry[Member] = Registry("an attack", "neocog.attack")
