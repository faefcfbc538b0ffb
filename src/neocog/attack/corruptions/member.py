"""What a corruption is, and the registry that finds it.

D. Hendrycks, T. Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", 2019,
https://arxiv.org/abs/1903.12261. Where that work has the corruption, its five strengths are taken: those of
CIFAR-10-C for images up to 64 pixels, those of ImageNet-C for larger ones. They apply to the image at the network's
input, and the result is rounded to the 256 levels of a picture file, as in that work.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from neocog.attack.member import ATTACKS, Corruptions
from neocog.augment.member import Draw
from neocog.options import check, option
from neocog.registry import Registry

__all__ = ["CORRUPTIONS", "STRENGTHS", "Corruption", "Options", "corrupted"]

STRENGTHS = (1, 2, 3, 4, 5)
SMALL = 64  # pixels of the longer side: images up to this have their own amounts

Amounts = tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Corruption:
    """One way to spoil images.

    Attributes:
        corrupt: `corrupt(images, amount, draw) -> images`, float "b c h w" in [0, 1]; what it returns may lie outside. Its
            random draws are functions of the picture alone, so that all strengths of a picture draw the same.
        amounts: at strengths 1 to 5, of images up to 64 pixels.
        amounts_of_large: of larger images.
        unit: what the amount counts, for "0.1 of the side".
        summary: what it does, in a few words.
        source: where the amounts are from.
        moves: whether it moves what is seen, so that a mask no longer fits.
    """

    corrupt: Callable[[Tensor, float, Draw], Tensor]
    amounts: Amounts
    amounts_of_large: Amounts
    unit: str
    summary: str
    source: str
    moves: bool = False

    def amount(self, strength: int, height: int, width: int) -> float:
        """How much at a strength from 1 to 5, for images of a height and width."""
        return (self.amounts if max(height, width) <= SMALL else self.amounts_of_large)[strength - 1]


CORRUPTIONS: Registry[Corruption] = Registry("a corruption", "neocog.attack.corruptions")


def corrupted(
    name: str, images: Float[Tensor, "b c h w"], strength: int, keys: Int64[Tensor, "b"], seed: int = 0
) -> Float[Tensor, "b c h w"]:
    """Images with a corruption, in [0, 1] and on the 256 levels of a picture file.

    Args:
        name: of the corruption.
        images: in [0, 1].
        strength: from 1 to 5.
        keys: which picture of the dataset each one is; the draws depend on it and on the seed alone.
        seed: other draws for other numbers.

    Raises:
        UsageError: there is no such corruption.
    """
    member = CORRUPTIONS[name]
    amount = member.amount(strength, *images.shape[-2:])
    spoilt = member.corrupt(images, amount, Draw(seed, f"corruption {name}", 0, 0, keys))
    return (spoilt.clamp(0, 1) * 255).round() / 255


@dataclass(frozen=True)
class Options:
    """What can be chosen about corruptions."""

    corruptions: tuple[str, ...] = option((), "which ones, by name; all where none is named", flag="NAME")
    reference: str | None = option(None, "folder of a run whose errors count as 1, as AlexNet's do in the paper", flag="RUN")

    def __post_init__(self) -> None:
        check(self)


ATTACKS.add(
    "corruptions",
    Corruptions(
        Options,
        summary="rotation, shift, blur, noise, JPEG, brightness and contrast at five strengths; mean corruption error",
        source="D. Hendrycks, T. Dietterich, Benchmarking Neural Network Robustness to Common Corruptions and Perturbations, 2019, "
        "https://arxiv.org/abs/1903.12261",
    ),
)
